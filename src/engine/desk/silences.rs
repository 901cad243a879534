//! Silences: to the decider and back, and what is stored of them.

use tokio::sync::oneshot;

use super::{LiveDesk, unavailable};
use crate::{
    domain::{
        decide::Rejected,
        silence::{Silence, Unwanted},
    },
    engine::mailbox::Order,
    views::{
        desk::DeskError,
        silence::{SilenceView, Silencing},
    },
};

/// Fewest digits that name a silence.
const DIGITS_MIN: usize = 4;

impl LiveDesk {
    pub(super) async fn silenced(&self, wanted: Silencing) -> Result<SilenceView, DeskError> {
        let now = self.clock.now();
        let Silencing { matcher, ends_at, by, reason, preview } = wanted;
        let silence = Silence::new(matcher, &by, &reason, now, ends_at);
        let (reply, answer) = oneshot::channel();
        let order = Order::Silence { silence: Box::new(silence.clone()), preview, reply };
        self.orders.send(order).await.map_err(|_| stopping())?;
        let scope = answer.await.map_err(|_| stopping())?.map_err(refusal)?;
        let view = SilenceView::new(&silence, now).covering(&scope);
        Ok(if preview { view.only_a_preview() } else { view })
    }

    pub(super) async fn listed_silences(
        &self,
        state: Option<&str>,
        limit: usize,
    ) -> Result<Vec<SilenceView>, DeskError> {
        let now = self.clock.now();
        let limit_of_rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = match state {
            Some("active") => self.store.live_silences(now).await,
            _ => self.store.silences(limit_of_rows).await,
        };
        let views = found.map_err(unavailable)?.into_iter().map(|silence| SilenceView::new(&silence, now));
        Ok(views.filter(|view| state.is_none_or(|state| state == view.state)).take(limit).collect())
    }

    pub(super) async fn expired(&self, id: &str, by: &str) -> Result<SilenceView, DeskError> {
        let live = self.store.live_silences(self.clock.now()).await.map_err(unavailable)?;
        let mut named = live
            .into_iter()
            .filter(|silence| silence.id == id || (id.len() >= DIGITS_MIN && silence.id.starts_with(id)));
        let (Some(mut silence), None) = (named.next(), named.next()) else {
            return Err(unknown(id));
        };
        let (reply, answer) = oneshot::channel();
        let order = Order::Unsilence { id: silence.id.clone(), by: by.to_owned(), reply };
        self.orders.send(order).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?.map_err(refusal)?;
        let now = self.clock.now();
        silence.expired = Some(crate::domain::silence::Expiry { at: now, by: by.to_owned() });
        Ok(SilenceView::new(&silence, now))
    }
}

fn stopping() -> DeskError {
    DeskError::Unavailable("the daemon is stopping".to_owned())
}

fn unknown(id: &str) -> DeskError {
    let id: String = id.chars().take(100).collect();
    DeskError::NotFound(format!("no active silence `{id}`"), "`slod silence list` lists them".to_owned())
}

fn refusal(rejected: Rejected) -> DeskError {
    match rejected {
        Rejected::Unwanted(Unwanted::TooMany) => DeskError::Conflict(rejected.to_string()),
        Rejected::Unwanted(Unwanted::Unknown { ref help, .. }) => {
            DeskError::NotFound(rejected.to_string(), help.clone())
        }
        Rejected::Unwanted(why) => DeskError::Invalid(why.to_string()),
        Rejected::NoSilence(id) => unknown(&id),
        other => DeskError::Conflict(other.to_string()),
    }
}
