//! What must be true at the end of the story, wherever the daemon was killed.

use std::collections::BTreeMap;

use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use testbed::inbox::{PagerdutyStatus, Received};

use super::{
    hearers::{A_REPEAT, HEARERS, Hearer, REPEATS_SAY_SO, Row},
    story::Story,
};

/// Proves it, or says which receiver heard what.
pub async fn prove(story: &Story) {
    let received = story.inbox.received();
    assert_eq!(story.inbox.problems(), [""; 0], "{}", story.said());
    let rows = rows(story).await;
    for hearer in HEARERS {
        let wrong = heard_all(hearer, &received, &rows).err();
        assert_eq!(wrong, None, "{}: {}", hearer.name, story.said());
    }
    for ((_, key), page) in story.inbox.pagerduty_state() {
        assert_eq!((page.opened, page.status), (1, PagerdutyStatus::Resolved), "{key}: {}", story.said());
    }
    assert_eq!(story.inbox.statuspage_state().len(), 1, "{}", story.said());
    let log = story.slod.log();
    assert!(!log.contains("SECRET") && !log.contains("internal fault"), "{log}");
}

/// Everything that was to be said was, in this order; what came again said so or is recognised.
fn heard_all(hearer: &Hearer, received: &[Received], rows: &[Row]) -> Result<(), String> {
    let accepted = received.iter().filter(|entry| (hearer.hears)(entry) && (200..300).contains(&entry.status));
    let mut said: Vec<String> = Vec::new();
    let mut plain: BTreeMap<String, u32> = BTreeMap::new();
    for entry in accepted {
        let words = (hearer.said)(entry);
        if !entry.body.to_string().contains(A_REPEAT) {
            *plain.entry(words.clone()).or_default() += 1;
        }
        if !said.contains(&words) {
            said.push(words);
        }
    }
    let own: Vec<&Row> = rows.iter().filter(|row| row.receiver == hearer.name).collect();
    let sent: Vec<&Row> = own.iter().copied().filter(|row| row.state == "sent").collect();
    let over = |row: &Row| row.state == "sent" || (row.state == "dropped" && row.event == "update");
    let left: Vec<_> = own.iter().filter(|row| !over(row)).collect();
    let events: Vec<&str> = own.iter().map(|row| row.event.as_str()).collect();
    if !left.is_empty() {
        return Err(format!("left over: {left:?}"));
    }
    if events != hearer.must {
        return Err(format!("{events:?} instead of {:?}", hearer.must));
    }
    if said.len() != sent.len() || !said.iter().zip(&sent).all(|(said, row)| (hearer.fits)(said, row)) {
        return Err(format!("heard {said:#?}\nof {sent:#?}"));
    }
    let twice = plain.iter().find(|(_, times)| **times > 1).filter(|_| REPEATS_SAY_SO.contains(&hearer.name));
    twice.map_or(Ok(()), |(words, times)| Err(format!("{times} times without saying so: {words}")))
}

/// The outbox as it lies on the disk.
async fn rows(story: &Story) -> Vec<Row> {
    let options = SqliteConnectOptions::new().filename(story.slod.store());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let query = "select id, receiver, event, state, dedup_key, message from deliveries order by id";
    let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
    let incidents = sqlx::query("select id from incidents").fetch_all(&mut connection).await.unwrap();
    assert_eq!(incidents.len(), 1, "{}", story.said());
    let text = |row: &sqlx::sqlite::SqliteRow, column: &str| row.get::<String, _>(column);
    let row = |row: &sqlx::sqlite::SqliteRow| Row {
        id: row.get("id"),
        receiver: text(row, "receiver"),
        event: text(row, "event"),
        state: text(row, "state"),
        dedup_key: text(row, "dedup_key"),
        message: serde_json::from_str(&text(row, "message")).unwrap(),
    };
    rows.iter().map(row).collect()
}
