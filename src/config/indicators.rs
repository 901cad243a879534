//! `indicator:` of an SLO.

use std::time::Duration;

use super::{
    codes::Code,
    fields::Fields,
    finding::Finding,
    model::{Indicator, NumberQuery, Probe},
    outside::resolve,
    promql::Shape,
    sources::{headers, is_confidential},
    tree::{Entry, Key, Value},
    values::FROM_SECOND,
};
use crate::domain::name::Name;

/// Kinds of indicators.
const KINDS: [&str; 5] = ["ratio", "latency", "value", "probe", "pingdom"];

/// Reads an indicator. `every` is the slot's length in seconds.
pub(crate) fn decode(slo: &Fields<'_>, entry: &Entry, every: u32, per: &[String]) -> Option<Indicator> {
    let outer = Fields::open(slo.cx, &entry.value, entry.key.at, format!("`indicator` of {}", slo.owner))?;
    let kind = outer.kind(&KINDS);
    outer.close();
    let (word, entry) = kind?;
    let inner = Fields::open(slo.cx, &entry.value, entry.key.at, format!("`{word}` of {}", slo.owner))?;
    let indicator = match word {
        "ratio" => ratio(&inner, per),
        "latency" => latency(&inner),
        "value" => value(&inner),
        "probe" => Some(Indicator::Probe(probe(&inner, every))),
        _ => pingdom(&inner),
    };
    inner.close();
    indicator
}

fn ratio(fields: &Fields<'_>, per: &[String]) -> Option<Indicator> {
    let unchecked = fields.unchecked();
    if let Some((word @ "sql", _)) = fields.either(&["sql", "total"]) {
        fields.get("good");
        fields.get("bad");
        let source = fields.source("source", &["postgres"]);
        let sql = fields.query(word)?;
        if !unchecked {
            fields.check_sql(word, &sql.value, sql.at, true);
        }
        return Some(Indicator::RatioSql { source: source?, sql: sql.value });
    }
    let own = |key: &'static str| part(fields, key, unchecked, per);
    let events = match fields.kind(&["good", "bad"]) {
        Some((word, _)) => own(word).map(|part| (part, word == "bad")),
        None => None,
    };
    fields.require("total");
    let total = own("total");
    // `good` and `total` may each name a source of their own: then none is needed here
    let both = events.as_ref().is_some_and(|((source, _), _)| source.is_some())
        && total.as_ref().is_some_and(|(source, _)| source.is_some());
    let source = if both && !fields.has("source") { None } else { fields.source("source", &["prometheus"]) };
    let ((events_source, events), events_are_bad) = events?;
    let (total_source, total) = total?;
    let main = events_source.or_else(|| source.clone())?;
    let total_source = total_source.or(source).filter(|source| *source != main);
    Some(Indicator::RatioPromql { source: main, total_source, events, events_are_bad, total })
}

/// One count: a query, or `{source, query}`.
fn part(fields: &Fields<'_>, key: &'static str, unchecked: bool, per: &[String]) -> Option<(Option<Name>, String)> {
    let node = fields.get(key)?;
    if let Value::Map(_) = node.value {
        let inner = Fields::open(fields.cx, node, fields.key_at(key), format!("`{key}` of {}", fields.owner))?;
        let source = inner.source("source", &["prometheus"]);
        let unchecked = inner.unchecked() || unchecked;
        inner.require("query");
        let query = inner.query("query");
        check_count(&inner, "query", query.as_ref(), unchecked, per);
        inner.close();
        return Some((source, query?.value));
    }
    let query = fields.query(key);
    check_count(fields, key, query.as_ref(), unchecked, per);
    Some((None, query?.value))
}

fn check_count(fields: &Fields<'_>, key: &str, query: Option<&Key>, unchecked: bool, per: &[String]) {
    if let Some(query) = query.filter(|_| !unchecked) {
        fields.check_promql(key, &query.value, query.at, Shape::Counter(per));
    }
}

fn latency(fields: &Fields<'_>) -> Option<Indicator> {
    let unchecked = fields.unchecked();
    fields.require("threshold");
    let threshold = fields.duration("threshold", Duration::from_millis(1)..=super::units::DURATION_MAX);
    let percentile = fields.number("percentile", 0.001..=99.999);
    let kind = fields.kind(&["histogram", "sql"]);
    let kinds: &[&'static str] = match kind {
        Some(("histogram", _)) => &["prometheus"],
        Some(_) => &["postgres"],
        None => &["prometheus", "postgres"],
    };
    let source = fields.source("source", kinds);
    let (word, _) = kind?;
    let query = fields.query(word)?;
    if !unchecked {
        match word {
            "histogram" => fields.check_promql(word, &query.value, query.at, Shape::Histogram),
            _ => fields.check_sql(word, &query.value, query.at, true),
        }
    }
    let (source, threshold) = (source?, threshold?.as_secs_f64());
    Some(match word {
        "histogram" => Indicator::LatencyHistogram { source, histogram: query.value, threshold, percentile },
        _ => Indicator::LatencySql { source, sql: query.value, threshold, percentile },
    })
}

fn value(fields: &Fields<'_>) -> Option<Indicator> {
    let unchecked = fields.unchecked();
    let kind = fields.kind(&["query", "sql"]);
    let kinds: &[&'static str] = match kind {
        Some(("sql", _)) => &["postgres"],
        _ => &["prometheus"],
    };
    let source = fields.source("source", kinds);
    let unit = fields.string("unit");
    fields.require("good");
    let good = fields.comparison("good");
    let (word, _) = kind?;
    let query = fields.query(word)?;
    if !unchecked {
        match word {
            "sql" => fields.check_sql(word, &query.value, query.at, true),
            _ => fields.check_promql(word, &query.value, query.at, Shape::Any),
        }
    }
    Some(Indicator::Value { query: NumberQuery { source: source?, query: query.value }, unit, good: good? })
}

fn probe(fields: &Fields<'_>, every: u32) -> Probe {
    let url = fields.required_http_url("url");
    let headers = headers(fields, "headers");
    if let Some(url) = &url
        && headers.keys().any(|name| is_confidential(name))
    {
        fields.warn_plain_http(&url.value, url.at);
    }
    let timeout = fields.duration("timeout", Duration::from_millis(1)..=super::units::DURATION_MAX);
    let slot = Duration::from_secs(u64::from(every));
    if timeout.is_some_and(|timeout| timeout >= slot) {
        let message =
            format!("{}: the timeout must be shorter than `every` ({})", fields.owner, super::units::written(slot));
        let finding = Finding::error(Code::ProbeTimeout, fields.value_at("timeout"), message);
        fields.cx.push(finding.help("shorten `timeout` or lengthen `every`"));
    }
    let witnesses = fields.list("witnesses").iter().filter_map(|node| {
        let text = resolve(fields.cx, node, &format!("`witnesses` of {}", fields.owner))?;
        fields.check_url("witnesses", text, &["http", "https"]).map(|text| text.value)
    });
    let witnesses = witnesses.collect();
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(|method| (method, method));
    Probe {
        url: url.map(|url| url.value).unwrap_or_default(),
        method: fields.choice("method", &methods).unwrap_or("GET").to_owned(),
        headers,
        body: fields.string("body"),
        timeout: timeout.unwrap_or_else(|| Duration::from_secs(10).min(slot / 2)),
        status: statuses(fields, "status").unwrap_or_else(|| vec![(200, 299)]),
        contains: fields.string("contains").filter(|text| !text.is_empty()),
        tls_expires_after: fields.duration("tls_expires_after", FROM_SECOND),
        retries: fields.integer("retries", 0..=10).unwrap_or(2) as u32,
        witnesses,
    }
}

/// `200`, `200-299`, or a list of these.
pub(crate) fn statuses(fields: &Fields<'_>, key: &'static str) -> Option<Vec<(u16, u16)>> {
    fields.get(key)?;
    let mut ranges = Vec::new();
    for word in fields.words(key) {
        for piece in word.value.split(',').map(str::trim) {
            let (from, to) = piece.split_once('-').unwrap_or((piece, piece));
            match (from.trim().parse::<u16>(), to.trim().parse::<u16>()) {
                (Ok(from @ 100..=599), Ok(to @ 100..=599)) if from <= to => ranges.push((from, to)),
                _ => fields.reject(Code::OutOfRange, key, &word, "statuses such as `200` or `200-299`"),
            }
        }
    }
    (!ranges.is_empty()).then_some(ranges)
}

fn pingdom(fields: &Fields<'_>) -> Option<Indicator> {
    let source = fields.source("source", &["pingdom"]);
    fields.require("check");
    let check = fields.integer("check", 1..=u64::MAX);
    Some(Indicator::Pingdom { source: source?, check: check? })
}
