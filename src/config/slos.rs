//! `slos:` of a service.

use std::{fmt::Write as _, time::Duration};

use sha2::{Digest, Sha256};

use super::{
    codes::Code,
    context::Context,
    fields::Fields,
    finding::Finding,
    indicators,
    model::{Indicator, Slo},
    tree::{Entry, Spanned, Value},
    units,
    values::{ANY, FROM_SECOND},
};
use crate::{
    domain::{
        name::SloId,
        slo::{BILLION, Budgeting, IndicatorKind, Objective, Period, SloSpec, Window},
    },
    schedule,
};

/// Reads one SLO.
pub(crate) fn decode(cx: &Context<'_>, id: &SloId, entry: &Entry, retention: Duration) -> Option<Slo> {
    let fields = Fields::open(cx, &entry.value, entry.key.at, format!("SLO `{id}`"))?;
    let objective = fields.objective("objective");
    fields.require("objective");
    fields.require("window");
    fields.require("indicator");
    let every = fields.seconds("every", FROM_SECOND);
    let slot = every.unwrap_or(60);
    let window = fields.get("window").and_then(|_| window(&fields));
    if let Some(window) = &window {
        check_window(&fields, window, slot, retention);
    }
    let budgeting = budgeting(&fields);
    let per = per(&fields);
    let indicator = fields.entry("indicator").and_then(|entry| indicators::decode(&fields, entry, slot, &per));
    check_per(&fields, &per, indicator.as_ref());
    let settle = fields.duration("settle", ANY);
    let good_for = fields.seconds("good_for", FROM_SECOND);
    let min_coverage = fields.percent("min_coverage", 0..=i64::from(BILLION));
    let title = fields.string("title").unwrap_or_else(|| id.slo.to_string());
    let description = fields.string("description");
    let labels = fields.labels("labels");
    fields.close();
    let (objective, window, indicator) = (objective?, window?, indicator?);
    let spec = SloSpec {
        id: id.clone(),
        objective,
        window,
        budgeting: budgeting?,
        every: slot,
        // what the file leaves open is filled in when all sources are known
        settle_ms: settle.map_or(u64::MAX, |settle| settle.as_millis() as u64),
        good_for: good_for.unwrap_or_else(|| slot.saturating_mul(2).max(300)),
        min_coverage: min_coverage.map_or(0.9, |parts| parts as f64 / f64::from(BILLION)),
        kind: kind(&indicator),
    };
    let definition = definition(&spec, &indicator, &per);
    let location = cx.location(entry.key.at);
    Some(Slo { spec, title, description, labels, indicator, per, definition, location })
}

fn kind(indicator: &Indicator) -> IndicatorKind {
    match indicator {
        Indicator::RatioPromql { .. } | Indicator::RatioSql { .. } => IndicatorKind::Ratio,
        Indicator::LatencyHistogram { .. } | Indicator::LatencySql { .. } => IndicatorKind::Latency,
        Indicator::Value { .. } => IndicatorKind::Value,
        Indicator::Probe(_) => IndicatorKind::Probe,
        Indicator::Pingdom { .. } => IndicatorKind::Uptime,
    }
}

impl Fields<'_> {
    /// A share between 0 and 100 %, both excluded.
    fn objective(&self, key: &'static str) -> Option<Objective> {
        let parts = self.percent(key, 0..=i64::from(BILLION))?;
        let objective = u32::try_from(parts).ok().and_then(Objective::from_ppb);
        if objective.is_none() {
            let at = self.value_at(key);
            let (message, help) = if parts == 0 {
                ("promises nothing".to_owned(), "write for example `95%`")
            } else {
                ("leaves no error budget".to_owned(), "write for example `99.99%`")
            };
            let message = format!("{key} of {} {message}", self.owner);
            self.cx.push(Finding::error(Code::OutOfRange, at, message).help(help));
        }
        objective
    }
}

fn window(fields: &Fields<'_>) -> Option<Window> {
    let entry = fields.entry("window")?;
    if let Value::Map(_) = entry.value.value {
        let owner = format!("`window` of {}", fields.owner);
        let inner = Fields::open(fields.cx, &entry.value, entry.key.at, owner)?;
        inner.require("calendar");
        let periods =
            [("week", Period::Week), ("month", Period::Month), ("quarter", Period::Quarter), ("year", Period::Year)];
        let period = inner.choice("calendar", &periods);
        let written = inner.timezone("timezone");
        let timezone = if inner.has("timezone") { written } else { Some("UTC".to_owned()) };
        inner.close();
        // The zone is known; it was looked up when it was read.
        return schedule::calendar(period?, &timezone?).ok().map(Window::Calendar);
    }
    fields.seconds("window", FROM_SECOND).map(Window::Rolling)
}

fn check_window(fields: &Fields<'_>, window: &Window, every: u32, retention: Duration) {
    let at = fields.value_at("window");
    if window.shortest_seconds() < every.saturating_mul(2) {
        let message = format!("{}: the window holds less than two slots", fields.owner);
        let finding = Finding::error(Code::WindowMisfit, at, message);
        fields.cx.push(finding.help("shorten `every` or lengthen `window`"));
    }
    if Duration::from_secs(u64::from(window.longest_seconds())) > retention {
        let message = format!("{}: slots are kept for {} only", fields.owner, units::written(retention));
        let finding = Finding::error(Code::WindowMisfit, at, message);
        fields.cx.push(finding.help("shorten `window`, or raise `daemon.retention`"));
    }
}

fn budgeting(fields: &Fields<'_>) -> Option<Budgeting> {
    let timeslices = fields.choice("budgeting", &[("occurrences", false), ("timeslices", true)]);
    let target = fields.objective("slice_target");
    match (timeslices.unwrap_or(false), fields.has("slice_target")) {
        (false, false) => Some(Budgeting::Occurrences),
        (false, true) => {
            let message = format!("`slice_target` of {} is for `budgeting: timeslices` only", fields.owner);
            fields.cx.push(Finding::error(Code::Exclusive, fields.key_at("slice_target"), message));
            None
        }
        (true, false) => {
            let message = format!("{} counts time slices, but has no `slice_target`", fields.owner);
            let finding = Finding::error(Code::MissingKey, fields.key_at("budgeting"), message);
            fields.cx.push(finding.help("add `slice_target: 95%`"));
            None
        }
        (true, true) => Some(Budgeting::Timeslices { slice_target: target? }),
    }
}

fn per(fields: &Fields<'_>) -> Vec<String> {
    let words = fields.words("per");
    let legal = |text: &str| {
        !text.is_empty()
            && !text.starts_with(|letter: char| letter.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    for Spanned { value, at } in words.iter().filter(|word| !legal(&word.value)) {
        let message = format!("`{}` in `per` of {} is no label", super::fields::clipped(value), fields.owner);
        fields.cx.push(Finding::error(Code::BadName, *at, message));
    }
    words.into_iter().map(|word| word.value).collect()
}

/// A check is one series: nothing it answers could tell several apart.
fn check_per(fields: &Fields<'_>, per: &[String], indicator: Option<&Indicator>) {
    let word = match indicator {
        Some(Indicator::Probe(_)) => "probe",
        Some(Indicator::Pingdom { .. }) => "pingdom",
        _ => return,
    };
    if !per.is_empty() {
        let message = format!("{} has `per`, but a `{word}` is one series", fields.owner);
        let finding = Finding::error(Code::PerMisfit, fields.key_at("per"), message);
        fields.cx.push(finding.help("remove `per`, or write an SLO for each"));
    }
}

/// How long after a slot's end its source is asked, where the file leaves it open.
pub(crate) fn fill_settle(
    slo: &mut Slo,
    sources: &std::collections::BTreeMap<crate::domain::name::Name, super::model::Source>,
) {
    use super::model::SourceKind;
    if slo.spec.settle_ms != u64::MAX {
        return;
    }
    let source = slo.indicator.source().and_then(|name| sources.get(name));
    slo.spec.settle_ms = match source.map(|source| &source.kind) {
        Some(SourceKind::Prometheus(prometheus)) => prometheus.settle.as_millis() as u64,
        Some(SourceKind::Postgres(_)) => 5_000,
        // most checks are tested once a minute, and an outage is confirmed by a second test
        Some(SourceKind::Pingdom { .. }) => 120_000,
        None => 0,
    };
}

/// Names a definition: the first 32 bits of a SHA-256 over what decides the numbers.
fn definition(spec: &SloSpec, indicator: &Indicator, per: &[String]) -> u32 {
    let mut text = format!("objective={}\nevery={}\nper={}\n", spec.objective, spec.every, per.join(","));
    let _ = match &spec.window {
        Window::Rolling(seconds) => writeln!(text, "window={seconds}"),
        Window::Calendar(calendar) => writeln!(text, "window={:?} {}", calendar.period(), calendar.timezone()),
    };
    if let Budgeting::Timeslices { slice_target } = spec.budgeting {
        let _ = writeln!(text, "slice_target={slice_target}");
    }
    describe(indicator, &mut text);
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn describe(indicator: &Indicator, text: &mut String) {
    let _ = match indicator {
        Indicator::RatioPromql { source, total_source, events, events_are_bad, total } => {
            let total_source = total_source.as_ref().unwrap_or(source);
            writeln!(text, "ratio {source} {total_source}\n{events_are_bad} {events}\n{total}")
        }
        Indicator::RatioSql { source, sql } => writeln!(text, "ratio sql {source}\n{sql}"),
        Indicator::LatencyHistogram { source, histogram, threshold, .. } => {
            writeln!(text, "latency {source} {threshold}\n{histogram}")
        }
        Indicator::LatencySql { source, sql, threshold, .. } => {
            writeln!(text, "latency sql {source} {threshold}\n{sql}")
        }
        Indicator::Value { query, good, .. } => {
            writeln!(text, "value {} {:?} {}\n{}", query.source, good.operator, good.bound, query.query)
        }
        Indicator::Probe(probe) => writeln!(
            text,
            "probe {} {} {:?} {:?} {:?} {:?}",
            probe.method, probe.url, probe.timeout, probe.status, probe.contains, probe.body
        ),
        Indicator::Pingdom { source, check } => writeln!(text, "pingdom {source} {check}"),
    };
}
