//! The watch over public pages: what a person changes there is noticed although no post is due.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use slod::{
    channel::{Channel, Delivery, Outcome, SharedChannel},
    domain::{
        decide::{Outgoing, time},
        delivery::Next,
        incident::{Incident, IncidentEvent, Subject},
        name::{Name, SloId},
        notification::{Event, Message, PublicState, StatusPost},
        page_news::PageNews,
        policy::Priority,
    },
    engine::{
        mailbox::{Order, mailbox},
        page_watch::PageWatch,
    },
    store::{Store, attempts::Attempt, commit::Commit},
};

/// A page that says of each receipt what somebody has done.
struct Page;

impl Channel for Page {
    fn deliver<'a>(&'a self, _: &'a Delivery) -> BoxFuture<'a, Outcome> {
        Box::pin(async { Outcome::Accepted { receipt: String::new() } })
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Ok(String::new()) })
    }

    fn changed<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, Result<Option<String>, String>> {
        Box::pin(async move {
            match receipt {
                "edited" => Ok(Some("somebody was here".to_owned())),
                "silent" => Err("no answer".to_owned()),
                _ => Ok(None),
            }
        })
    }
}

/// Posts the incident's states, and takes what of them is due with this receipt.
async fn post(store: &Store, number: i64, states: &[PublicState], receipt: &str) -> String {
    let subject = Subject::Slo { id: SloId::new("shop", "front"), series: BTreeMap::new() };
    let about = Incident::open(subject, time(1_767_571_200 + number), Priority::P1);
    let outgoing = |state: &PublicState| Outgoing {
        incident: about.id.clone(),
        receiver: "public".into(),
        event: Event::Update,
        priority: Priority::P1,
        dedup_key: about.key.clone(),
        message: Message::StatusPost(StatusPost {
            incident: about.id.clone(),
            key: about.key.clone(),
            state: *state,
            name: "it".into(),
            body: "it".into(),
            component: "it".into(),
            decided_at: about.opened_at,
            opens: false,
            down_elsewhere: false,
            over: false,
        }),
    };
    let outgoing = states.iter().map(outgoing).collect();
    let commit = Commit { incidents: vec![(about.clone(), true)], outgoing, ..Commit::default() };
    let now = time(1_767_600_000);
    store.commit(Arc::new(commit), now).await.unwrap();
    for lease in store.lease(&"public".into(), now, 75, 1).await.unwrap() {
        let attempt = Attempt { receipt: Some(receipt.to_owned()), ..Attempt::new(1, now, now, &Next::Sent) };
        store.finish(lease.id, Next::Sent, attempt).await.unwrap();
    }
    about.id
}

#[tokio::test]
async fn only_what_was_edited_and_is_at_rest_is_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    let (first, second) = (PublicState::Investigating, PublicState::Monitoring);
    let edited = post(&store, 0, &[first], "edited").await;
    post(&store, 1, &[first], "as it was").await;
    post(&store, 2, &[first], "silent").await;
    post(&store, 3, &[PublicState::Resolved], "edited").await;
    // The newest post is still on its way: what is seen may be that.
    post(&store, 4, &[first, second], "edited").await;
    let (orders, mut inbox) = mailbox();
    let page: SharedChannel = Arc::new(Page);
    let watch = PageWatch { pages: BTreeMap::from([(Name::from("public"), page)]), store, orders };
    let decider = tokio::spawn(async move {
        let mut heard = Vec::new();
        while let Some(order) = inbox.recv().await {
            if let Order::Act { incident, event: IncidentEvent::Page(PageNews::TakenOver { what }), reply } = order {
                heard.push((incident, what));
                reply.send(Ok(())).unwrap();
            }
        }
        heard
    });
    watch.round(Duration::ZERO).await;
    drop(watch);
    assert_eq!(decider.await.unwrap(), [(edited, "somebody was here".to_owned())]);
}
