//! The story: an outage pages, its second step comes due, somebody takes it and falls silent, it is over. Whenever the
//! daemon is gone, it is started again.

use std::{collections::BTreeMap, os::unix::process::ExitStatusExt as _, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::{
    clock::eventually,
    daemon::Slod,
    inbox::{Fault, Inbox, PagerdutyStatus, Received},
    ports::free_port,
    service::InventoryService,
};

use super::{
    hearers::{HEARERS, PAGER_KEY, SECOND_KEY, secrets},
    proof,
};
use crate::live::{PATIENCE, PROGRAM, timeline};

const ARMED: &str = "SLOD_FAILPOINT";
/// SIGABRT.
const ABORTED: i32 = 6;

/// One daemon in its world.
pub struct Story {
    point: &'static str,
    pub inbox: Inbox,
    service: InventoryService,
    pub slod: Slod,
    /// What ends the lives to come.
    lives: std::vec::IntoIter<String>,
    kills: usize,
    _folder: TempDir,
}

/// Tells the story with these ends of lives, and proves that it came out well. Answers how often the daemon was killed.
pub async fn tell(point: &'static str, lives: Vec<String>) -> usize {
    let mut story = Story::begin(point, lives).await;
    story.until("the first step", async |story| story.shows(PAGER_KEY, 1, PagerdutyStatus::Triggered)).await;
    story.until("the second step", async |story| story.shows(SECOND_KEY, 1, PagerdutyStatus::Triggered)).await;
    let public = |state: &'static str| async move |story: &Story| story.public_state() == [state];
    story.until("the public is told", public("investigating")).await;
    story.until("somebody has it", async |story| story.is_taken().await).await;
    for key in [PAGER_KEY, SECOND_KEY] {
        story.until("he falls silent", async |story| story.shows(key, 2, PagerdutyStatus::Triggered)).await;
    }
    story.until("all is said", async |story| story.has_said_all().await).await;
    story.service.answer_with(200).unwrap();
    story.until("it is over", async |story| story.is_over().await).await;
    story.until("the public is told of the end", public("resolved")).await;
    story.until("it is on record", async |story| story.inbox.decision_log().len() == 1).await;
    story.until("all is said", async |story| story.has_said_all().await).await;
    let ended = story.slod.terminate().await;
    assert!(ended.is_ok_and(|status| status.success()), "{}", story.said());
    proof::prove(&story).await;
    story.kills
}

/// Another one: the pagers hang, and the page that was to follow the lapse is still untried when it is over. Killed
/// right when that is written, the daemon tells the fallback after its next start.
pub async fn miss_a_page() {
    let mut story = Story::begin("a missed page", Vec::new()).await;
    story.inbox.fault("/pagerduty", Fault::Hang(None), u32::MAX);
    story.until("the second step", async |story| story.tells("told: second").await).await;
    story.until("the public is told", async |story| story.public_state() == ["investigating"]).await;
    story.until("somebody has it", async |story| story.is_taken().await).await;
    story.until("he falls silent", async |story| story.tells("told: pager: acknowledged, but").await).await;
    assert!(story.slod.terminate().await.is_ok(), "{}", story.said());
    story.lives = vec!["commit.answered".to_owned()].into_iter();
    story.live_on();
    story.slod.wait_for("/-/healthy", PATIENCE).await.unwrap();
    story.service.answer_with(200).unwrap();
    let words = "over before this page could be sent";
    let heard = async |story: &Story| {
        let chat = |entry: &Received| entry.path.contains("postMessage") && entry.body.to_string().contains(words);
        story.inbox.received().iter().filter(|entry| chat(entry)).count() == 2
    };
    story.until("the fallback hears of both pages", heard).await;
    assert_eq!(story.kills, 1, "{}", story.said());
}

impl Story {
    async fn begin(point: &'static str, lives: Vec<String>) -> Self {
        // A second installation is refused, which is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        // The store is a real file; that it outlives the machine too is not what is proved here.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::with_prefix_in("slod-kill-", memory) } else { TempDir::new() };
        let folder = folder.unwrap();
        let (inbox, service) = (Inbox::start().await, InventoryService::start().await.unwrap());
        service.answer_with(503).unwrap();
        std::fs::write(folder.path().join("slo.yaml"), config(&inbox, &service)).unwrap();
        let mut env: BTreeMap<String, String> =
            secrets(&inbox).map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        env.insert("SLOD_LISTEN".to_owned(), format!("127.0.0.1:{}", free_port().unwrap()));
        let slod = Slod::prepare(Path::new(PROGRAM), folder.path(), &env).unwrap();
        let mut story = Self { point, inbox, service, slod, lives: lives.into_iter(), kills: 0, _folder: folder };
        story.live_on();
        story
    }

    /// Starts the daemon, to be killed as the next of its lives is to end; unharmed after the last.
    fn live_on(&mut self) {
        let end = self.lives.next();
        self.slod.set_env(ARMED, end.as_deref());
        self.slod.begin().unwrap();
    }

    /// Waits for a state of the world, and starts the daemon again whenever it has been killed.
    async fn until(&mut self, what: &str, condition: impl AsyncFn(&Self) -> bool) {
        let reached = eventually(PATIENCE, async || {
            if let Some(status) = self.slod.ended() {
                assert_eq!(status.signal(), Some(ABORTED), "{}: it ended by itself: {}", self.point, self.said());
                self.kills += 1;
                self.live_on();
            }
            condition(self).await
        });
        let reached = reached.await;
        assert!(reached, "{} after {} kills: never `{what}`\n{}", self.point, self.kills, self.said());
    }

    /// What is said when a walk fails.
    pub fn said(&self) -> String {
        let received = self.inbox.received();
        let came = received
            .iter()
            .map(|entry| format!("{} {} {} ({}) {}", entry.at, entry.method, entry.path, entry.status, entry.summary));
        let came: Vec<_> = came.collect();
        format!("{} after {} kills\n{}\n{}", self.point, self.kills, self.slod.log(), came.join("\n"))
    }

    /// Whether a pager shows so many incidents, the newest like this.
    fn shows(&self, routing_key: &str, count: usize, status: PagerdutyStatus) -> bool {
        let state = self.inbox.pagerduty_state();
        let pages: Vec<_> = state.iter().filter(|((key, _), _)| key == routing_key).collect();
        pages.len() == count && pages.last().is_some_and(|(_, page)| page.status == status)
    }

    /// Where each public incident stands.
    fn public_state(&self) -> Vec<String> {
        self.inbox.statuspage_state().into_values().map(|incident| incident.status).collect()
    }

    /// The one incident with everything. Null while the daemon does not answer.
    async fn incident(&self) -> Value {
        let answer = self.slod.api("/api/v1/incidents").await.unwrap_or_default();
        let Some(id) = answer["incidents"][0]["id"].as_str() else { return Value::Null };
        self.slod.api(&format!("/api/v1/incidents/{id}")).await.unwrap_or_default()
    }

    /// Takes it, unless that is done: whether it was taken may be known only to the store.
    async fn is_taken(&self) -> bool {
        let incident = self.incident().await;
        if timeline(&incident).iter().any(|line| line.starts_with("acknowledged: ")) {
            return true;
        }
        if let Some(id) = incident["id"].as_str() {
            // Killed before it could answer, it may have written it all the same.
            let _ = self.slod.post(&format!("/api/v1/incidents/{id}/acknowledge"), &json!({"by": "ann"})).await;
        }
        false
    }

    /// Whether the timeline has a line that begins so.
    async fn tells(&self, line: &str) -> bool {
        timeline(&self.incident().await).iter().any(|told| told.starts_with(line))
    }

    async fn is_over(&self) -> bool {
        self.incident().await["state"] == "resolved"
    }

    /// Whether nothing waits in the outbox.
    async fn has_said_all(&self) -> bool {
        let Ok(answer) = self.slod.api("/api/v1/deliveries").await else { return false };
        let rows = answer["deliveries"].as_array().cloned().unwrap_or_default();
        !rows.is_empty() && rows.iter().all(|row| row["state"] == "sent" || row["state"] == "dropped")
    }
}

fn config(inbox: &Inbox, service: &InventoryService) -> String {
    let own =
        HEARERS.iter().map(|hearer| (hearer.name, (hearer.config)(inbox))).filter(|(_, config)| !config.is_empty());
    let receivers: Vec<_> = own.map(|(name, config)| format!("  {name}: {config}\n")).collect();
    let receivers = receivers.concat();
    let told = |step| {
        let names: Vec<_> =
            HEARERS.iter().filter(|hearer| hearer.step == Some(step)).map(|hearer| hearer.name).collect();
        names.join(", ")
    };
    format!(
        "version: 1\n\
         mail: {{smtp: \"{}\", from: slod@example.com}}\n\
         receivers:\n{receivers}\
         escalations:\n  all:\n    acknowledge_timeout: 2s\n    steps:\n\
         \x20     - {{after: 0s, notify: [{}]}}\n\
         \x20     - {{after: 2s, notify: [{}]}}\n\
         policies:\n  outage: {{slo: shop/front, when: {{consecutive: 2}}, priority: P1, escalation: all, reopen_within: 3s}}\n\
         services:\n  shop:\n    title: Shop\n\
         \x20   status_page: {{receiver: public, component: front, confirm: {{priority: P1, for: 1s}}, publish: auto, hold: 1s}}\n\
         \x20   decision_log: {{supabase: {{url: \"{}\", key: {{from_env: LOG}}, table: decision_log}}, action: postmortem}}\n\
         \x20   slos:\n      front:\n        objective: 99%\n        window: 1h\n        every: 1s\n\
         \x20       indicator: {{probe: {{url: \"{}/inventory/health\", timeout: 900ms, retries: 0}}}}\n",
        inbox.smtp_url(),
        told(0),
        told(1),
        inbox.url("/supabase"),
        service.url(),
    )
}
