//! A thousand incidents, three steps each: how late a step is decided, and accepted.

use std::{collections::HashMap, fmt::Write as _, path::Path, time::Duration};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use testbed::daemon::Slod;

use super::{
    doors::{Accepted, Doors, spread},
    drain,
    table::{Progress, Row},
    world::{Plan, World},
};

const SLOS: usize = 1_000;
const EVERY: i64 = 5;
/// Incidents that open in one slot, where not all do.
const WAVE: usize = 100;
const PATIENCE: Duration = Duration::from_mins(4);

/// Measures it: incidents that open a hundred in each slot, and all in one.
pub async fn measure(binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (words, plan, [second, third], wanted) in [
        ("a hundred due in each slot", Plan::Waves { every: EVERY, group: WAVE }, [60, 90], "p99 under 1 s"),
        ("all due at once", Plan::All, [15, 30], "–"),
    ] {
        let (decided, accepted) = lateness(binary, plan, [second, third]).await?;
        progress.say(&format!("{} steps, {words}", decided.len()));
        let what = format!("1,000 incidents, three steps each, {words}: a step due to decided, p50 / p99 / max");
        rows.push(Row::new(&what, &spread(decided), wanted));
        rows.push(Row::new("– due to accepted by the pager", &spread(accepted), wanted));
    }
    Ok(rows)
}

/// How late each step after the first was decided and accepted, in milliseconds.
async fn lateness(binary: &Path, plan: Plan, after: [u32; 2]) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let (world, doors) = (World::start(plan).await?, Doors::closed(None).await?);
    doors.open();
    let folder = tempfile::tempdir()?;
    let mut text = drain::head(&world, EVERY);
    let names = ["first", "second", "third"];
    text.extend(std::iter::once("receivers:\n".to_owned()).chain(names.map(|name| doors.receiver(name))));
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "escalations: {{all: {{steps: [{{after: 0s, notify: [first]}}, {{after: {}s, notify: [second]}}, \
         {{after: {}s, notify: [third]}}]}}}}\n\
         policies: {{stale: {{slo: bench/*, when: {{consecutive: 1}}, priority: P1, escalation: all}}}}\n",
        after[0], after[1]
    );
    text += &drain::slos(SLOS, EVERY);
    std::fs::write(folder.path().join("slo.yaml"), text)?;
    let slod = Slod::start(binary, folder.path(), &drain::environment()?).await?;
    world.turn_bad_after(EVERY * 2);
    let accepted = doors.wait_for(names.len() * SLOS, PATIENCE).await.with_context(|| slod.log())?;
    compare(&slod.store(), &accepted).await
}

/// The steps' due times as they are stored, beside what became of them.
async fn compare(store: &Path, accepted: &Accepted) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let options = SqliteConnectOptions::new().filename(store).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let mut decided = HashMap::new();
    let query = "select incident, receiver, dedup_key, decided_at from deliveries where event = 'trigger'";
    for row in sqlx::query(query).fetch_all(&mut connection).await? {
        let (incident, receiver): (String, String) = (row.get("incident"), row.get("receiver"));
        decided.insert((incident, receiver), (row.get::<String, _>("dedup_key"), row.get::<i64, _>("decided_at")));
    }
    let (mut to_decided, mut to_accepted) = (Vec::new(), Vec::new());
    for row in sqlx::query("select id, document from incidents").fetch_all(&mut connection).await? {
        let incident: String = row.get("id");
        let document: Value = serde_json::from_str(row.get("document"))?;
        for step in document["steps"].as_array().into_iter().flatten().filter(|step| step["after"] != 0) {
            let due: DateTime<Utc> = step["due_at"].as_str().context("no time")?.parse()?;
            let receiver = step["notify"][0].as_str().context("nobody")?.to_owned();
            let (key, at) = decided.get(&(incident.clone(), receiver.clone())).context("a step that was not run")?;
            let taken = accepted.get(&(receiver, key.clone())).context("a step that was not accepted")?;
            to_decided.push((at - due.timestamp_millis()) as f64);
            to_accepted.push((taken - due.timestamp_millis()) as f64);
        }
    }
    Ok((to_decided, to_accepted))
}
