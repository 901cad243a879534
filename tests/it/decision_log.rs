//! An incident that is over becomes one row in the decision log, whatever happens on the way there.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, Row as _};
use testbed::{inbox::Fault, postgres::Postgres, world::World};

use crate::live::{Live, deliveries, outages_only, timeline};

const AVAILABILITY: &str = "inventory/dashboard-availability";
const LOG: &str = "decision-log:inventory";

/// A world in which an outage is over for good a second after it is resolved.
async fn quick() -> World {
    let mut world = outages_only().await;
    world.config.set("/policies/outage/reopen_within", json!("1s"));
    world
}

/// Breaks the service, acknowledges, and mends it. Answers the incident.
async fn outage(live: &Live) -> String {
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.until("somebody told", async || !deliveries(&live.whole(&id).await).is_empty()).await;
    live.cli(&["ack", &id, "--by", "ops-lead"]).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    id
}

async fn row_is(live: &Live, id: &str, state: &str) {
    let wanted = format!("{LOG} digest {state}");
    live.until(&wanted, async || deliveries(&live.whole(id).await).contains(&wanted)).await;
}

/// How often a row was sent, lost answers included.
fn posts(live: &Live) -> usize {
    live.world
        .inbox
        .received()
        .iter()
        .filter(|entry| entry.path.starts_with("/supabase/") && entry.method == "POST")
        .count()
}

#[tokio::test]
async fn an_incident_becomes_one_row() {
    let live = Live::of(quick().await).await;
    let id = outage(&live).await;
    row_is(&live, &id, "sent").await;
    let incident = live.whole(&id).await;
    let rows = live.world.inbox.decision_log();
    assert_eq!(rows.len(), 1);
    let row = &rows[incident["key"].as_str().unwrap()];
    for (column, value) in [
        ("action", json!("incident_postmortem")),
        ("incident", json!(id)),
        ("service", json!("inventory")),
        ("slo", json!("dashboard-availability")),
        ("priority", json!("P1")),
        ("series", json!({})),
        ("opened_at", incident["opened_at"].clone()),
        ("resolved_at", incident["resolved_at"].clone()),
        ("root_cause", json!("")),
        ("follow_ups", json!([])),
    ] {
        assert_eq!(row[column], value, "{column} of {row:#}");
    }
    // The timeline is kept in milliseconds.
    let [at, of_incident] = [row, &incident].map(|map| map["acknowledged_at"].as_str().unwrap()[..23].to_owned());
    assert_eq!(at, of_incident);
    assert!(row["bad"].as_f64().unwrap() >= 2.0, "{row:#}");
    assert_eq!(row["acknowledgements"][0]["by"], "ops-lead");
    let kinds: Vec<_> = row["timeline"].as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
    for kind in ["opened", "fired", "told", "acknowledged", "resolved", "recorded"] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let told: Vec<_> = row["deliveries"].as_array().unwrap().iter().map(|told| &told["receiver"]).collect();
    assert!(told.contains(&&json!("ops-pager")), "{told:?}");
    assert_eq!(
        (posts(&live), timeline(&incident).last().unwrap().as_str()),
        (1, format!("recorded: over for good: written to {LOG}").as_str())
    );
    live.settle().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_repeats_nothing() {
    let live = Live::of(quick().await).await;
    live.world.inbox.fault("/supabase", Fault::Lost, 2);
    let id = outage(&live).await;
    row_is(&live, &id, "sent").await;
    assert_eq!((posts(&live), live.world.inbox.decision_log().len()), (3, 1));
    live.settle().await;
}

#[tokio::test]
async fn a_log_that_is_away_is_tried_again() {
    let live = Live::of(quick().await).await;
    for fault in [
        Fault::Status(503),
        Fault::Drop,
        Fault::Garbage,
        Fault::Says(
            504,
            r#"{"code":"PGRST003","message":"Timed out acquiring connection from connection pool."}"#.into(),
        ),
    ] {
        live.world.inbox.fault("/supabase", fault, 1);
    }
    let id = outage(&live).await;
    row_is(&live, &id, "sent").await;
    assert_eq!((posts(&live), live.world.inbox.decision_log().len()), (5, 1));
    live.settle().await;
}

#[tokio::test]
async fn killed_while_the_row_is_on_its_way() {
    let mut live = Live::of(quick().await).await;
    live.world.inbox.fault("/supabase", Fault::Hang(None), u32::MAX);
    let id = outage(&live).await;
    row_is(&live, &id, "sending").await;
    live.slod.kill9();
    live.world.inbox.clear_faults();
    live.slod.restart().await.unwrap();
    row_is(&live, &id, "sent").await;
    assert_eq!(live.world.inbox.decision_log().len(), 1);
    live.settle().await;
}

#[tokio::test]
async fn killed_before_it_could_note_that_the_row_is_there() {
    let mut live = Live::of(quick().await).await;
    live.world.inbox.fault("/supabase", Fault::Lost, 1);
    let id = outage(&live).await;
    live.until("the row", async || live.world.inbox.decision_log().len() == 1).await;
    live.slod.kill9();
    live.slod.restart().await.unwrap();
    row_is(&live, &id, "sent").await;
    let rows = deliveries(&live.whole(&id).await);
    assert_eq!(rows.iter().filter(|row| row.starts_with(LOG)).count(), 1, "{rows:?}");
    assert_eq!(live.world.inbox.decision_log().len(), 1);
    assert!(posts(&live) >= 2);
    live.settle().await;
}

#[tokio::test]
async fn a_row_that_is_refused_is_dead_and_seen_to_be() {
    let live = Live::of(quick().await).await;
    let refused = r#"{"code":"42501","message":"new row violates row-level security policy"}"#;
    live.world.inbox.fault("/supabase", Fault::Says(403, refused.into()), 1);
    let id = outage(&live).await;
    row_is(&live, &id, "dead").await;
    let said =
        format!("undelivered: {LOG}: record not delivered: 403 42501: new row violates row-level security policy");
    live.until(&said, async || timeline(&live.whole(&id).await).contains(&said)).await;
    let (_, sources) = live.slod.get("/sources").await.unwrap();
    assert!(sources.contains(LOG) && sources.contains("row-level security"), "{sources}");
    let (_, metrics) = live.slod.get("/metrics").await.unwrap();
    assert!(metrics.contains(&format!("slod_deliveries_total{{receiver=\"{LOG}\",outcome=\"dead\"}} 1")), "{metrics}");
    let dead = live.unsent().await.into_iter().find(|row| row["receiver"] == LOG).unwrap();
    let (status, said) = live.slod.post(&format!("/api/v1/deliveries/{}/retry", dead["id"]), &json!({})).await.unwrap();
    assert!(status < 300, "{status} {said}");
    row_is(&live, &id, "sent").await;
    assert_eq!(live.world.inbox.decision_log().len(), 1);
    live.settle().await;
}

/// The statement that makes the table, from the page that documents it.
fn ddl() -> String {
    let page = std::fs::read_to_string("docs/decision-log.md").unwrap();
    page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// A small world whose decision log is in a real database.
async fn in_postgres() -> (World, Postgres) {
    let mut world = quick().await;
    let postgres = Postgres::start().await.unwrap();
    world.config.set("/sources", json!({"kb": {"postgres": {"url": postgres.url()}}}));
    let log = json!({"postgres": {"source": "kb", "table": "public.decision_log"}, "action": "incident_postmortem"});
    world.config.set("/services/inventory/decision_log", log);
    (world, postgres)
}

#[tokio::test]
async fn a_database_takes_the_row_once() {
    let (world, mut postgres) = in_postgres().await;
    let mut live = Live::of(world).await;
    let check = async |live: &Live| {
        let output = live.slod.cli(&["check", "--online", "--only", LOG]).await.unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = check(&live).await;
    assert!(said.contains("relation \"public.decision_log\" does not exist"), "{said}");
    let mut connection = postgres.connect().await.unwrap();
    connection.execute("create table decision_log (event_id text, action text)").await.unwrap();
    assert!(check(&live).await.contains("does not exist"), "{}", check(&live).await);
    connection.execute("drop table decision_log").await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(ddl())).await.unwrap();
    let said = check(&live).await;
    assert!(said.contains("ok") && said.contains("may be written"), "{said}");
    assert_eq!(count(&mut connection).await, 0, "nothing is written by a check");
    // The test's server is stopped at once, and keeps no promises about what was not on the disk.
    connection.execute("checkpoint").await.unwrap();
    connection.close().await.unwrap();

    postgres.stop();
    let id = outage(&live).await;
    row_is(&live, &id, "retry").await;
    live.slod.kill9();
    postgres.restart().await.unwrap();
    live.slod.restart().await.unwrap();
    row_is(&live, &id, "sent").await;
    let mut connection = postgres.connect().await.unwrap();
    assert_eq!(count(&mut connection).await, 1);
    // The same row again, as after a lost answer.
    let rows = live.slod.api("/api/v1/deliveries").await.unwrap();
    let row = rows["deliveries"].as_array().unwrap().iter().find(|row| row["receiver"] == LOG).unwrap().clone();
    live.slod.kill9();
    let mut store =
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", live.slod.store().display())).await.unwrap();
    sqlx::query("update deliveries set state = 'queued', sent_at = null where id = ?")
        .bind(row["id"].as_i64())
        .execute(&mut store)
        .await
        .unwrap();
    store.close().await.unwrap();
    live.slod.restart().await.unwrap();
    row_is(&live, &id, "sent").await;
    assert_eq!(count(&mut connection).await, 1);
    let found = connection
        .fetch_one(
            "select incident, priority, timeline, series, bad, opened_at < resolved_at as ordered from decision_log",
        )
        .await
        .unwrap();
    assert_eq!((found.get::<&str, _>("incident"), found.get::<&str, _>("priority")), (id.as_str(), "P1"));
    assert!(found.get::<bool, _>("ordered") && found.get::<f64, _>("bad") >= 2.0);
    assert!(found.get::<Value, _>("timeline").as_array().unwrap().len() > 3);
    live.settle().await;
}

async fn count(connection: &mut sqlx::PgConnection) -> i64 {
    connection.fetch_one("select count(*) from decision_log").await.unwrap().get(0)
}

#[tokio::test]
async fn a_check_asks_without_writing() {
    let live = Live::of(quick().await).await;
    let output = live.cli(&["check", "--online", "--only", LOG]).await;
    assert!(output.contains("answers and has the columns"), "{output}");
    let asked = live.world.inbox.received();
    assert!(asked.iter().any(|entry| entry.path == "/supabase/rest/v1/decision_log" && entry.method == "GET"));
    assert_eq!(posts(&live), 0);
    for (status, body, word) in [
        (404, r#"{"code":"PGRST205","message":"no such table"}"#, "no such table"),
        (400, r#"{"code":"42703","message":"column decision_log.slo does not exist"}"#, "column decision_log.slo"),
        (401, r#"{"message":"Invalid API key"}"#, "Invalid API key"),
    ] {
        live.world.inbox.fault("/supabase", Fault::Says(status, body.into()), 1);
        let output = live.slod.cli(&["check", "--online", "--only", LOG]).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(word) && !said.contains("SECRET"), "{said}");
    }
    live.world.inbox.fault(
        "/supabase",
        Fault::Says(403, r#"{"code":"42501","message":"permission denied"}"#.into()),
        1,
    );
    let said = live.cli(&["check", "--online", "--only", LOG]).await;
    assert!(said.contains("may not read it"), "{said}");
}
