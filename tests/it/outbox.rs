//! The outbox's queue, on a real file.

use chrono::{DateTime, TimeDelta, Utc};
use slod::{
    domain::{
        delivery::Next,
        name::Name,
        notification::{Message, PublicState, StatusPost},
    },
    store::{Store, attempts::Attempt},
};

fn message() -> Message {
    Message::StatusPost(StatusPost {
        incident: "7".into(),
        key: "0f0f".into(),
        state: PublicState::Investigating,
        name: "name".into(),
        body: "body".into(),
        component: "dashboard".into(),
        decided_at: DateTime::UNIX_EPOCH,
        opens: false,
        down_elsewhere: false,
        over: false,
    })
}

#[tokio::test]
async fn nobody_looks_for_what_waits_behind_another_message() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    let (receiver, start) = (Name::from("ops"), DateTime::<Utc>::UNIX_EPOCH);
    let later = start + TimeDelta::seconds(60);
    for _ in 0..2 {
        store.enqueue_test(receiver.clone(), message(), start).await.unwrap();
    }
    assert_eq!(store.next_due(&receiver).await.unwrap(), Some(start));
    let leases = store.lease(&receiver, start, 75, 8).await.unwrap();
    assert_eq!(leases.len(), 1);
    assert_eq!(store.next_due(&receiver).await.unwrap(), Some(start + TimeDelta::seconds(75)), "the lease's end");
    let next = Next::RetryAt(later);
    let attempt = Attempt { error: Some("busy".into()), ..Attempt::new(1, start, start, &next) };
    store.finish(leases[0].id, next, attempt).await.unwrap();
    assert_eq!(store.next_due(&receiver).await.unwrap(), Some(later));
    assert!(store.lease(&receiver, start, 75, 8).await.unwrap().is_empty());
    let again = store.lease(&receiver, later, 75, 8).await.unwrap();
    let attempt = Attempt { receipt: Some("receipt".into()), ..Attempt::new(2, later, later, &Next::Sent) };
    store.finish(again[0].id, Next::Sent, attempt).await.unwrap();
    assert_eq!(store.next_due(&receiver).await.unwrap(), Some(start), "the second one's turn");
}

/// Names, causes and what was said of them are nobody else's business on a shared host.
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    store.enqueue_test(Name::from("ops"), message(), DateTime::UNIX_EPOCH).await.unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}
