//! Looks at public incidents that slod has begun: what people change there is noticed although no post is due.
//!
//! Gently: every minute, one question a second. A page that does not answer is asked the next time.

use std::{collections::BTreeMap, time::Duration};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::mailbox::{Order, Orders};
use crate::{
    channel::SharedChannel,
    domain::{incident::IncidentEvent, name::Name, page_news::PageNews},
    store::{Store, pages::LeftPage},
};

/// Between two rounds.
const EVERY: Duration = Duration::from_mins(1);
/// Between two questions.
const BETWEEN: Duration = Duration::from_secs(1);

/// The watch over all public pages.
pub struct PageWatch {
    /// The receivers that are public pages.
    pub pages: BTreeMap<Name, SharedChannel>,
    /// Where it is read what was left there.
    pub store: Store,
    /// The way to the decider.
    pub orders: Orders,
}

impl PageWatch {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.round(BETWEEN) => {}
            }
        }
    }

    /// Looks at everything once, with so much time between two questions.
    pub async fn round(&self, between: Duration) {
        let Ok(left) = self.store.left_pages().await else { return };
        for page in left {
            let Some(channel) = self.pages.get(&page.receiver) else { continue };
            match channel.changed(&page.receipt).await {
                Ok(None) => {}
                Ok(Some(what)) => self.hand_over(&page, what).await,
                Err(error) => tracing::debug!(receiver = %page.receiver, %error, "the public page cannot be read"),
            }
            tokio::time::sleep(between).await;
        }
    }

    /// Unless something of ours went out meanwhile: then what was seen may be that.
    async fn hand_over(&self, page: &LeftPage, what: String) {
        let is_still_so = self.store.left_pages().await.is_ok_and(|left| left.contains(page));
        if !is_still_so {
            return;
        }
        let event = IncidentEvent::Page(PageNews::TakenOver { what });
        let (reply, answer) = oneshot::channel();
        if self.orders.send(Order::Act { incident: page.incident.clone(), event, reply }).await.is_ok() {
            // An incident that is finished has nobody left to tell.
            drop(answer.await);
        }
    }
}
