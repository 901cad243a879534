//! An SLO's definition as it was read, and where its source answers the same questions by itself. Nothing secret is in it.

use crate::{
    config::model::{Config, Indicator, Probe, Slo, SourceKind},
    domain::{
        condition::duration,
        name::Name,
        slo::{Budgeting, Comparison},
    },
    views::{
        dashboard::Line,
        figures::{budgeting_text, window_text},
        render_words::number,
    },
};

/// All lines.
pub fn definition(config: &Config, slo: &Slo) -> Vec<Line> {
    let spec = &slo.spec;
    let plain = |key: &str, value: String| Line { key: key.to_owned(), value, link: None };
    let mut lines = vec![
        plain("objective", spec.objective.to_string()),
        plain("window", window_text(&spec.window)),
        plain("every", duration(spec.every)),
        plain("budgeting", budgeting_text(spec.budgeting).to_owned()),
    ];
    if let Budgeting::Timeslices { slice_target } = spec.budgeting {
        lines.push(plain("slice_target", slice_target.to_string()));
    }
    if !slo.per.is_empty() {
        lines.push(plain("per", slo.per.join(", ")));
    }
    if let Some(description) = &slo.description {
        lines.push(plain("description", description.clone()));
    }
    lines.extend(indicator(config, slo));
    let mine = config.policies.values().filter(|bound| bound.slos.contains(&spec.id));
    let policies: Vec<_> = mine.map(|bound| format!("{} ({})", bound.policy.name, bound.policy.priority)).collect();
    if !policies.is_empty() {
        lines.push(plain("policies", policies.join(", ")));
    }
    lines
}

fn indicator(config: &Config, slo: &Slo) -> Vec<Line> {
    let every = duration(slo.spec.every);
    let plain = |key: &str, value: String| Line { key: key.to_owned(), value, link: None };
    let query = |key: &str, source: &Name, text: &str, drawn: String| Line {
        key: key.to_owned(),
        value: text.trim().to_owned(),
        link: graph(config, source, &drawn),
    };
    match &slo.indicator {
        Indicator::RatioPromql { source, total_source, events, events_are_bad, total } => vec![
            plain("indicator", format!("ratio, from {source}")),
            query(if *events_are_bad { "bad" } else { "good" }, source, events, growth(events, &every, &slo.per)),
            query("total", total_source.as_ref().unwrap_or(source), total, growth(total, &every, &slo.per)),
        ],
        Indicator::RatioSql { source, sql } => {
            vec![plain("indicator", format!("ratio, from {source}")), plain("sql", sql.trim().to_owned())]
        }
        Indicator::LatencyHistogram { source, histogram, threshold, percentile } => {
            let mut lines = vec![
                plain("indicator", format!("latency, from {source}")),
                query("histogram", source, histogram, quantile(histogram, percentile.unwrap_or(95.0), &every)),
                plain("threshold", format!("{} s", number(*threshold))),
            ];
            lines.extend(percentile.map(|percentile| plain("percentile", number(percentile))));
            lines
        }
        Indicator::LatencySql { source, sql, threshold, percentile } => {
            let mut lines = vec![
                plain("indicator", format!("latency, from {source}")),
                plain("sql", sql.trim().to_owned()),
                plain("threshold", format!("{} s", number(*threshold))),
            ];
            lines.extend(percentile.map(|percentile| plain("percentile", number(percentile))));
            lines
        }
        Indicator::Value { query: asked, unit, good } => {
            let mut lines = vec![
                plain("indicator", format!("value, from {}", asked.source)),
                query("query", &asked.source, &asked.query, asked.query.clone()),
                plain("good", comparison(good)),
            ];
            lines.extend(unit.clone().map(|unit| plain("unit", unit)));
            lines
        }
        Indicator::Probe(probe) => vec![
            plain("indicator", "probe".to_owned()),
            plain("probe", format!("{} {}", probe.method, without_secrets(&probe.url))),
            plain("status", statuses(probe)),
        ],
        Indicator::Pingdom { source, check } => {
            vec![plain("indicator", format!("uptime, from {source}")), plain("check", check.to_string())]
        }
    }
}

/// How many times too fast the errors of a window come, as the source draws it. None where one question cannot say it.
pub fn burn_link(config: &Config, slo: &Slo, window: &str) -> Option<String> {
    let allowed = number_in_query(slo.spec.objective.allowed());
    let (source, share) = match &slo.indicator {
        Indicator::RatioPromql { source, total_source, events, events_are_bad, total } => {
            if total_source.as_ref().is_some_and(|other| other != source) {
                return None;
            }
            let part = format!("({}) / ({})", growth(events, window, &slo.per), growth(total, window, &slo.per));
            (source, if *events_are_bad { part } else { format!("(1 - {part})") })
        }
        Indicator::LatencyHistogram { source, histogram, threshold, .. } => {
            let le = number_in_query(*threshold);
            let bucket = widened(histogram, "_bucket", &format!("le=~\"{}(\\\\.0)?\"", le.replace('.', "\\\\.")));
            let (fast, all) =
                (growth(&bucket, window, &slo.per), growth(&widened(histogram, "_count", ""), window, &slo.per));
            (source, format!("(1 - ({fast}) / ({all}))"))
        }
        _ => return None,
    };
    graph(config, source, &format!("{share} / {allowed}"))
}

/// A page of the source's own that draws `query`. None for sources that have none.
fn graph(config: &Config, source: &Name, query: &str) -> Option<String> {
    let SourceKind::Prometheus(prometheus) = &config.sources.get(source)?.kind else { return None };
    let mut url = url::Url::parse(&prometheus.url).ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let path = format!("{}/graph", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.set_fragment(None);
    // Whatever stood behind the address may be a key.
    url.set_query(None);
    url.query_pairs_mut().append_pair("g0.expr", query).append_pair("g0.tab", "0").append_pair("g0.range_input", "1d");
    Some(url.into())
}

/// How much a counter has grown within a window: of an expression with `$window`, what it says.
fn growth(query: &str, window: &str, per: &[String]) -> String {
    let query = query.trim();
    if query.contains("$window") {
        return query.replace("$window", window);
    }
    let by = if per.is_empty() { String::new() } else { format!(" by ({})", per.join(", ")) };
    format!("sum{by} (increase({query}[{window}]))")
}

fn quantile(histogram: &str, percentile: f64, window: &str) -> String {
    let buckets = widened(histogram, "_bucket", "");
    format!("histogram_quantile({}, sum by (le) (rate({buckets}[{window}])))", number_in_query(percentile / 100.0))
}

/// A plain selector with a suffix at its name and one matcher more.
fn widened(selector: &str, suffix: &str, matcher: &str) -> String {
    let selector = selector.trim();
    let (name, inside) = selector.split_once('{').unwrap_or((selector, "}"));
    let inside = inside.trim().trim_end_matches('}').trim().trim_end_matches(',');
    let parts: Vec<&str> = [inside, matcher].into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}{suffix}{{{}}}", name.trim(), parts.join(","))
}

/// As few digits as say the same number: `1 − 0.999` is written 0.001.
fn number_in_query(number: f64) -> String {
    let text = format!("{number:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn comparison(good: &Comparison) -> String {
    format!("{} {}", good.operator.sign(), number(good.bound))
}

/// The address may hold a secret in its query or as a password: neither is shown.
fn without_secrets(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else { return "an address that is none".to_owned() };
    // Neither can fail on an address of http.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn statuses(probe: &Probe) -> String {
    let range = |(first, last): &(u16, u16)| {
        if first == last { first.to_string() } else { format!("{first}–{last}") }
    };
    probe.status.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// What a slot's reading is compared with, and how much of the time it must hold: `95 % within 3 s`.
pub fn limit(slo: &Slo) -> Option<f64> {
    match &slo.indicator {
        Indicator::LatencyHistogram { threshold, .. } | Indicator::LatencySql { threshold, .. } => Some(*threshold),
        Indicator::Value { good, .. } => Some(good.bound),
        _ => None,
    }
}

/// Whether a reading is within a bound, as the SLO compares it. None where readings are not compared.
pub fn is_within(slo: &Slo, reading: f64, bound: f64) -> Option<bool> {
    match &slo.indicator {
        Indicator::LatencyHistogram { .. } | Indicator::LatencySql { .. } => Some(reading <= bound),
        Indicator::Value { good, .. } => Some(Comparison { bound, ..*good }.holds(reading)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_put_as_the_source_takes_them() {
        let per = ["route".to_owned()];
        for (found, expected) in [
            (growth("x_total{code=~\"5..\"}", "1h", &[]), "sum (increase(x_total{code=~\"5..\"}[1h]))"),
            (growth(" x_total ", "5m", &per), "sum by (route) (increase(x_total[5m]))"),
            (growth("sum(rate(x[$window]))", "6h", &[]), "sum(rate(x[6h]))"),
            (widened("h_seconds", "_count", ""), "h_seconds_count{}"),
            (widened("h{a=\"b\",}", "_bucket", "le=\"1\""), "h_bucket{a=\"b\",le=\"1\"}"),
            (number_in_query(1.0 - 0.999), "0.001"),
            (number_in_query(0.5), "0.5"),
        ] {
            assert_eq!(found, expected);
        }
        assert_eq!(without_secrets("https://me:pw@shop.example/a?key=1#x"), "https://shop.example/a");
    }
}
