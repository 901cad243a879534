//! Counters and histograms of what happened since the start, and the text of `/metrics`.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use chrono::{DateTime, Utc};

use super::board::Board;
use crate::{
    domain::{name::Name, policy::Priority, slot::SlotState},
    store::Store,
    views::exposition::{Exposition, Histogram},
};

const QUERY_BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
const DELIVERY_BOUNDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

/// What was counted.
#[derive(Debug, Default)]
pub struct Meters(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    queries: BTreeMap<(Name, &'static str), u64>,
    durations: BTreeMap<Name, Histogram>,
    slots: BTreeMap<(String, String, SlotState), u64>,
    lags: BTreeMap<(String, String), f64>,
    filled: BTreeMap<(String, String), u64>,
    deliveries: BTreeMap<(Name, &'static str), u64>,
    joined: BTreeMap<Name, u64>,
    heartbeats: BTreeMap<&'static str, u64>,
    well: Option<bool>,
    latency: Option<Histogram>,
    webhooks: BTreeMap<(&'static str, &'static str), u64>,
    templates: BTreeMap<String, u64>,
}

impl Meters {
    /// A question to a source, and what came of it: `ok`, `error`, `timeout`, …
    pub fn query(&self, source: &Name, outcome: &'static str, took: Duration) {
        let mut counted = self.lock();
        *counted.queries.entry((source.clone(), outcome)).or_default() += 1;
        let histogram = counted.durations.entry(source.clone()).or_insert_with(|| Histogram::new(&QUERY_BOUNDS));
        histogram.observe(took.as_secs_f64());
    }

    /// A slot was settled, so long after its end.
    pub fn slot(&self, service: &str, slo: &str, state: SlotState, lag_seconds: f64) {
        let mut counted = self.lock();
        *counted.slots.entry((service.to_owned(), slo.to_owned(), state)).or_default() += 1;
        counted.lags.insert((service.to_owned(), slo.to_owned()), lag_seconds.max(0.0));
    }

    /// So many slots were asked about after the fact.
    pub fn filled(&self, service: &str, slo: &str, slots: i64) {
        let key = (service.to_owned(), slo.to_owned());
        *self.lock().filled.entry(key).or_default() += u64::try_from(slots).unwrap_or_default();
    }

    /// An attempt was made: `accepted`, `retry` or `dead`. Latency: decided → accepted.
    pub fn delivery(&self, receiver: &Name, outcome: &'static str, latency_seconds: Option<f64>) {
        let mut counted = self.lock();
        *counted.deliveries.entry((receiver.clone(), outcome)).or_default() += 1;
        if let Some(seconds) = latency_seconds {
            counted.latency.get_or_insert_with(|| Histogram::new(&DELIVERY_BOUNDS)).observe(seconds.max(0.0));
        }
    }

    /// A template failed, and the built-in words were used instead.
    pub fn template_failed(&self, template: &str) {
        *self.lock().templates.entry(template.to_owned()).or_default() += 1;
    }

    /// So many messages were joined into one.
    pub fn joined(&self, receiver: &Name, messages: u64) {
        *self.lock().joined.entry(receiver.clone()).or_default() += messages;
    }

    /// A heartbeat was `sent`, `failed`, or `withheld` because something is not well.
    pub fn heartbeat(&self, outcome: &'static str) {
        let mut counted = self.lock();
        counted.well = Some(outcome != "withheld");
        *counted.heartbeats.entry(outcome).or_default() += 1;
    }

    /// A signed call came from outside: who called, and what became of it.
    pub fn webhook(&self, caller: &'static str, outcome: &'static str) {
        *self.lock().webhooks.entry((caller, outcome)).or_default() += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// How the newest reload went.
#[derive(Clone, Copy, Debug)]
pub struct ReloadState {
    /// Whether the newest was taken.
    pub successful: bool,
    /// When the running configuration was loaded.
    pub loaded_at: DateTime<Utc>,
}

/// The text of `/metrics`, without the companion's own HTTP metrics.
pub async fn text(board: &Board, store: &Store, reload: ReloadState) -> Result<String, crate::store::StoreError> {
    let queues = store.queues().await?;
    let mut out = Exposition::default();
    out.family("slod_build_info", "gauge", "What is running.");
    out.sample("slod_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    out.family("slod_config_last_reload_successful", "gauge", "Whether the newest configuration was taken.");
    out.sample("slod_config_last_reload_successful", &[], f64::from(u8::from(reload.successful)));
    let name = "slod_config_last_reload_success_timestamp_seconds";
    out.family(name, "gauge", "When the running configuration was loaded.");
    out.sample(name, &[], reload.loaded_at.timestamp_millis() as f64 / 1_000.0);
    sources(board, &mut out);
    slos(board, &mut out);
    out.family("slod_incidents", "gauge", "Live incidents.");
    for state in ["open", "acknowledged"] {
        for priority in Priority::ALL {
            let count = board.incidents().get(&(state, priority)).copied().unwrap_or_default();
            out.sample("slod_incidents", &[("state", state), ("priority", priority.as_str())], count as f64);
        }
    }
    out.family("slod_silences", "gauge", "Silences that mute messages now.");
    out.sample("slod_silences", &[], board.silences() as f64);
    out.family("slod_outbox_pending", "gauge", "Messages not yet accepted.");
    for queue in queues {
        out.sample("slod_outbox_pending", &[("receiver", &queue.receiver)], queue.pending as f64);
    }
    heartbeats(board, &mut out);
    counted(board, &mut out);
    for (name, gauge) in board.gauges() {
        if let Some(value) = gauge.value {
            out.family(&name, "gauge", &gauge.help);
            out.sample(&name, &[], value);
        }
    }
    Ok(out.finish())
}

fn heartbeats(board: &Board, out: &mut Exposition) {
    let counted = board.meters.lock();
    let Some(well) = counted.well else { return };
    out.family("slod_heartbeat_well", "gauge", "Whether slod is well enough to call its heartbeat.");
    out.sample("slod_heartbeat_well", &[], f64::from(u8::from(well)));
    out.family(
        "slod_heartbeats_total",
        "counter",
        "Heartbeats: sent, failed, or withheld because something is not well.",
    );
    for (outcome, count) in &counted.heartbeats {
        out.sample("slod_heartbeats_total", &[("outcome", outcome)], *count as f64);
    }
}

fn sources(board: &Board, out: &mut Exposition) {
    out.family("slod_source_blind", "gauge", "Whether a source has failed for so long that it has an incident.");
    for (name, source) in board.sources() {
        out.sample("slod_source_blind", &[("source", &name)], f64::from(u8::from(source.blind)));
    }
}

fn slos(board: &Board, out: &mut Exposition) {
    let slos = board.slos();
    out.family("slod_slo_objective_ratio", "gauge", "The objective, 0-1.");
    for slo in &slos {
        out.sample("slod_slo_objective_ratio", &[("service", &slo.service), ("slo", &slo.name)], slo.objective);
    }
    let name = "slod_slo_error_budget_remaining_ratio";
    out.family(name, "gauge", "Error budget left as measured; 1 is untouched, negative is overspent.");
    for slo in &slos {
        if let Some(left) = slo.budget.remaining {
            out.sample(name, &[("service", &slo.service), ("slo", &slo.name)], left);
        }
    }
    out.family("slod_slo_burn_rate", "gauge", "How many times faster than allowed the budget burns over a window.");
    for slo in &slos {
        for (window, burn) in &slo.burn_rate {
            let labels = [("service", slo.service.as_str()), ("slo", &slo.name), ("window", window)];
            out.sample("slod_slo_burn_rate", &labels, burn.unwrap_or(f64::NAN));
        }
    }
}

fn counted(board: &Board, out: &mut Exposition) {
    let counted = board.meters.lock();
    out.family("slod_source_queries_total", "counter", "Questions to sources.");
    for ((source, outcome), count) in &counted.queries {
        out.sample("slod_source_queries_total", &[("source", source), ("outcome", outcome)], *count as f64);
    }
    out.family("slod_source_query_duration_seconds", "histogram", "How long sources took to answer.");
    for (source, histogram) in &counted.durations {
        out.histogram("slod_source_query_duration_seconds", &[("source", source)], histogram);
    }
    out.family("slod_slo_slots_total", "counter", "Settled slots.");
    for ((service, slo, state), count) in &counted.slots {
        let labels = [("service", service.as_str()), ("slo", slo), ("state", state_word(*state))];
        out.sample("slod_slo_slots_total", &labels, *count as f64);
    }
    out.family("slod_slot_lag_seconds", "gauge", "How long after its end the newest slot was settled.");
    for ((service, slo), lag) in &counted.lags {
        out.sample("slod_slot_lag_seconds", &[("service", service), ("slo", slo)], *lag);
    }
    out.family("slod_backfill_slots_total", "counter", "Slots that were asked about after the fact.");
    for ((service, slo), count) in &counted.filled {
        out.sample("slod_backfill_slots_total", &[("service", service), ("slo", slo)], *count as f64);
    }
    out.family("slod_backfill_missing_slots", "gauge", "Slots that are still to be asked about.");
    board.with_histories(|histories| {
        for (id, history) in histories {
            let labels = [("service", id.service.as_str()), ("slo", id.slo.as_str())];
            out.sample("slod_backfill_missing_slots", &labels, history.missing() as f64);
        }
    });
    out.family("slod_deliveries_total", "counter", "Attempts to deliver.");
    for ((receiver, outcome), count) in &counted.deliveries {
        out.sample("slod_deliveries_total", &[("receiver", receiver), ("outcome", outcome)], *count as f64);
    }
    let help = "Templates that failed: the built-in words were used instead.";
    out.family("slod_template_failures_total", "counter", help);
    for (template, count) in &counted.templates {
        out.sample("slod_template_failures_total", &[("template", template)], *count as f64);
    }
    out.family("slod_deliveries_joined_total", "counter", "Messages that were joined into a digest.");
    for (receiver, count) in &counted.joined {
        out.sample("slod_deliveries_joined_total", &[("receiver", receiver)], *count as f64);
    }

    out.family("slod_webhooks_total", "counter", "Signed calls from outside.");
    for ((source, outcome), count) in &counted.webhooks {
        out.sample("slod_webhooks_total", &[("source", source), ("outcome", outcome)], *count as f64);
    }
    out.family("slod_delivery_latency_seconds", "histogram", "From the decision to the receiver's acceptance.");
    let none = Histogram::new(&DELIVERY_BOUNDS);
    out.histogram("slod_delivery_latency_seconds", &[], counted.latency.as_ref().unwrap_or(&none));
}

fn state_word(state: SlotState) -> &'static str {
    match state {
        SlotState::Measured => "measured",
        SlotState::Empty => "empty",
        SlotState::Unmeasured => "unmeasured",
        SlotState::Excluded => "excluded",
    }
}
