//! The dashboard asks for what there is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::{
    label::METRIC_NAME,
    parser::{self, Expr, LabelModifier, VectorSelector},
};
use serde_json::Value;

use crate::live::Live;

fn dashboard() -> Value {
    serde_json::from_str(&std::fs::read_to_string("docs/grafana/slod.json").unwrap()).unwrap()
}

/// Every expression with its legend, of panels and of variables.
fn expressions(dashboard: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let word = |key: &str| target[key].as_str().unwrap_or_default().to_owned();
            found.push((word("expr"), word("legendFormat")));
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let query = variable["query"]["query"].as_str().unwrap_or_default();
        if let Some(inside) = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')) {
            let (series, label) = inside.rsplit_once(", ").unwrap();
            found.push((series.to_owned(), format!("{{{{{label}}}}}")));
        }
    }
    found
}

/// Metrics with their labels, as an exposition has them: families without a sample have none.
fn given(exposition: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in exposition.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap();
            let endings: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            for end in endings {
                given.entry(format!("{name}{end}")).or_default();
            }
        } else if let Some((name, rest)) = line.split_once('{') {
            let labels = rest.rsplit_once('}').unwrap().0.split("\",");
            let names = labels.map(|label| label.split('=').next().unwrap().to_owned());
            given.entry(name.to_owned()).or_default().extend(names);
        }
    }
    given
}

/// What a selector asks for.
fn asks(selector: &VectorSelector, wanted: &mut Vec<(String, BTreeSet<String>)>) {
    let labels = selector.matchers.matchers.iter().map(|matcher| matcher.name.clone());
    let labels = labels.filter(|name| name != METRIC_NAME).collect();
    wanted.push((selector.name.clone().unwrap(), labels));
}

/// The selectors of an expression, and the labels that it groups by.
fn walk(expression: &Expr, wanted: &mut Vec<(String, BTreeSet<String>)>, grouped: &mut BTreeSet<String>) {
    match expression {
        Expr::Aggregate(aggregate) => {
            if let Some(LabelModifier::Include(labels)) = &aggregate.modifier {
                grouped.extend(labels.labels.iter().cloned());
            }
            walk(&aggregate.expr, wanted, grouped);
        }
        Expr::Call(call) => call.args.args.iter().for_each(|argument| walk(argument, wanted, grouped)),
        Expr::Binary(binary) => {
            walk(&binary.lhs, wanted, grouped);
            walk(&binary.rhs, wanted, grouped);
        }
        Expr::Paren(paren) => walk(&paren.expr, wanted, grouped),
        Expr::VectorSelector(selector) => asks(selector, wanted),
        Expr::MatrixSelector(matrix) => asks(&matrix.vs, wanted),
        Expr::NumberLiteral(_) => {}
        other => panic!("not looked into: {other:?}"),
    }
}

#[tokio::test]
async fn each_expression_asks_for_metrics_and_labels_that_there_are() {
    let live = Live::small().await;
    live.world.service.answer_with(503).unwrap();
    live.opened("inventory/dashboard-availability").await;
    live.until("a page", async || live.unsent().await.is_empty()).await;
    let (_, exposition) = live.slod.get("/metrics").await.unwrap();
    let given = given(&exposition);
    let all = expressions(&dashboard());
    assert!(all.len() > 20);
    for (expression, legend) in all {
        let filled = expression.replace("$__rate_interval", "5m");
        let parsed = parser::parse(&filled).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let (mut wanted, mut grouped) = (Vec::new(), BTreeSet::new());
        walk(&parsed, &mut wanted, &mut grouped);
        let shown = legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().to_owned());
        let shown: BTreeSet<String> = shown.collect();
        assert!(grouped.is_empty() || shown.is_subset(&grouped), "{expression} has no {shown:?}");
        for (metric, mut labels) in wanted {
            let has = given.get(&metric).unwrap_or_else(|| panic!("{expression}: there is no {metric}"));
            labels.extend(shown.iter().chain(&grouped).cloned());
            // Sources are asked in a larger world.
            assert!(
                labels.is_subset(has) || metric.starts_with("slod_source_") || metric == "slod_backfill_missing_slots",
                "{metric} has {has:?}, not {labels:?}"
            );
        }
    }
}

#[test]
fn its_panels_are_told_apart_and_do_not_overlap() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    let mut taken = BTreeSet::new();
    for panel in panels {
        let place = |key: &str| panel["gridPos"][key].as_i64().unwrap();
        assert!(place("x") + place("w") <= 24, "{}", panel["title"]);
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(taken.insert((x, y)), "{} lies on another panel", panel["title"]);
            }
        }
        assert!(panel["type"] == "row" || !panel["description"].as_str().unwrap().is_empty(), "{}", panel["title"]);
        let source = &panel["datasource"]["uid"];
        assert!(panel["type"] == "row" || source == "${datasource}", "no server of ours is written in");
    }
}
