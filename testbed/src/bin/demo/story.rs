//! Three things that break, one after the other, as the seed's alert policies name them.

use std::time::Duration;

use anyhow::Context;
use testbed::service::Pace;

use crate::{
    screen::{self, Actor},
    stage::{Seen, Stage},
};

/// SLOs of the shipped configuration.
pub const FRESHNESS: &str = "rop-freshness";
/// Measured from the database.
pub const QUEUE: &str = "action-queue-latency";
/// Probed.
pub const OUTAGE: &str = "dashboard-availability";

/// Actions that the CEO sees at once, or long after.
fn pace(seen_after: Duration) -> Pace {
    Pace { per_second: 4.0, seen_after }
}

/// Plays it all.
pub async fn tell(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    set_pace(stage, Duration::from_millis(200))?;
    stage.screen.title("0  Is everybody reachable?");
    stage.command(&["notify", "test", "ops-lead"]).await?;
    stage.look().await?;
    stale_snapshot(stage).await?;
    slow_queue(stage).await?;
    outage(stage).await?;
    look_back(stage).await
}

fn set_pace(stage: &mut Stage<'_>, seen_after: Duration) -> anyhow::Result<()> {
    let queue = stage.world.queue.clone().context("a world with a queue")?;
    stage.world.service.write_actions(&queue, Some(pace(seen_after)));
    Ok(())
}

fn act(stage: &Stage<'_>, title: &str, broken: &str) {
    screen::blank();
    stage.screen.title(title);
    stage.screen.line(Actor::Broken, broken);
}

async fn stale_snapshot(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    act(stage, "1  The ROP snapshot grows stale", "the cron job api.inventory.rop stopped an hour ago");
    stage.world.service.freeze_sync(Duration::from_hours(1));
    stage.until("a page for the stale snapshot", |seen| seen.told(FRESHNESS, "ops-pager", "trigger")).await?;
    stage.screen.line(Actor::Mended, "the cron job runs again");
    stage.world.service.resume_sync();
    resolved(stage, FRESHNESS, &["ops-pager"]).await
}

async fn slow_queue(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    act(stage, "2  Actions wait too long for the CEO", "the queue's worker crawls: each action waits for minutes");
    set_pace(stage, Duration::from_mins(4))?;
    let told = |seen: &Seen| ["ops-pager", "inventory-alerts"].iter().all(|name| seen.told(QUEUE, name, "trigger"));
    stage.until("a page and a message for the slow queue", told).await?;
    let seen = stage.until("the first look", |seen| seen.told(QUEUE, "inventory-alerts", "update")).await?;
    stage.first_look(&seen, QUEUE);
    stage.screen.line(Actor::Mended, "the worker is as fast as ever");
    set_pace(stage, Duration::from_millis(200))?;
    resolved(stage, QUEUE, &["ops-pager", "inventory-alerts"]).await
}

async fn outage(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    act(stage, "3  The dashboard is down", "a new version answers /inventory/health with 503");
    stage.command(&["annotate", "dashboard 2.7.0", "--kind", "deploy", "--service", "inventory", "--by", "ci"]).await?;
    stage.world.service.answer_with(503)?;
    let told = |seen: &Seen| ["ops-pager", "inventory-eng"].iter().all(|name| seen.told(OUTAGE, name, "trigger"));
    let seen = stage.until("a page and a message for the outage", told).await?;
    stage.quote_chat(&seen);
    stage.screen.line(Actor::Demo, "nobody acknowledges, and the escalation goes on to the platform team");
    let seen = stage.until("the next step", |seen| seen.told(OUTAGE, "platform-pager", "trigger")).await?;
    let id = seen.incident(OUTAGE).and_then(|incident| incident["id"].as_str()).context("an incident")?.to_owned();
    stage.command(&["ack", &id, "--by", "platform"]).await?;
    stage.until("the acknowledgement passed on", |seen| seen.is(OUTAGE, "acknowledged")).await?;
    approve(stage, &id, "investigating").await?;
    stage.screen.line(Actor::Mended, "the dashboard answers again");
    stage.world.service.answer_with(200)?;
    resolved(stage, OUTAGE, &["ops-pager", "platform-pager", "inventory-eng"]).await?;
    approve(stage, &id, "monitoring").await?;
    approve(stage, &id, "resolved").await?;
    let logged = |seen: &Seen| seen.told(OUTAGE, "decision-log:inventory", "digest");
    stage.until("the incident in the decision log", logged).await.map(drop)
}

/// Waits for a draft, approves it, and waits until the public sees it.
async fn approve(stage: &mut Stage<'_>, id: &str, word: &str) -> anyhow::Result<()> {
    stage
        .until(&format!("a draft \"{word}\""), |seen| {
            seen.incident(OUTAGE).is_some_and(|incident| incident["status_page"]["draft"] == word)
        })
        .await?;
    stage.screen.line(Actor::Slod, &format!("status page: a draft \"{word}\" waits for a person"));
    stage.command(&["status-page", "approve", id, "--by", "ops-lead"]).await?;
    let shown = |seen: &Seen| seen.public.iter().any(|status| status == word);
    stage.until(&format!("\"{word}\" on the status page"), shown).await.map(drop)
}

async fn resolved(stage: &mut Stage<'_>, slo: &'static str, receivers: &'static [&str]) -> anyhow::Result<()> {
    let over =
        |seen: &Seen| seen.is(slo, "resolved") && receivers.iter().all(|receiver| seen.told(slo, receiver, "resolve"));
    stage.until(&format!("{slo} resolved, and everybody told so"), over).await.map(drop)
}

async fn look_back(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    screen::blank();
    stage.screen.title("4  What is left of it");
    stage.command(&["incidents"]).await?;
    stage.command(&["status"]).await?;
    stage.command(&["report"]).await
}
