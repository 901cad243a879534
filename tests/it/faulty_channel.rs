//! A channel that panics: its delivery waits, the others and the daemon go on.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use futures_util::future::BoxFuture;
use slod::{
    channel::{Channel, Delivery, Outcome},
    clock::{Clock, SystemClock},
    domain::{
        name::Name,
        notification::{Message, PublicState, StatusPost},
    },
    engine::{board::Board, deliverer::Deliverer},
    store::Store,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Panics at its first delivery, accepts all others.
struct Faulty(AtomicU32);

impl Channel for Faulty {
    fn deliver<'a>(&'a self, _: &'a Delivery) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "a fault in a channel");
            Outcome::Accepted { receipt: "got it".into() }
        })
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Ok(String::new()) })
    }
}

#[tokio::test]
async fn a_panic_in_a_channel_is_a_retry() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    let receiver = Name::from("ops");
    let post = StatusPost {
        incident: "7".into(),
        key: "0f0f".into(),
        state: PublicState::Investigating,
        name: "name".into(),
        body: "body".into(),
        component: "dashboard".into(),
        decided_at: SystemClock.now(),
        opens: false,
        down_elsewhere: false,
        over: false,
    };
    let id = store.enqueue_test(receiver.clone(), Message::StatusPost(post), SystemClock.now()).await.unwrap();
    let deliverer = Deliverer {
        receiver,
        channel: Arc::new(Faulty(AtomicU32::new(0))),
        store: store.clone(),
        clock: Arc::new(SystemClock),
        board: Arc::new(Board::default()),
        nudge: Arc::new(Notify::new()),
        pace: None,
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(deliverer.run(stop.clone()));
    let reaches = async |state: &str| {
        for _ in 0..500 {
            let row = store.delivery(id).await.unwrap().unwrap();
            if row.state == state {
                return row;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("never {state}: {:?}", store.delivery(id).await.unwrap());
    };
    let row = reaches("retry").await;
    assert_eq!(row.last_error.as_deref(), Some("internal fault"));
    assert_eq!(reaches("sent").await.receipt.as_deref(), Some("got it"));
    stop.cancel();
    running.await.unwrap();
}
