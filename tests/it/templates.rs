//! Templates in the real slod: policies' own first lines, failing ones, and incidents written up.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;

use serde_json::json;
use slod::config::{self, Code, Loaded, Mode, Overrides, diagnostics::Severity, render};
use testbed::world::OPS_KEY;

use crate::live::{Live, deliveries, outages_only};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// The first line that the pager was sent.
async fn first_line(live: &Live) -> (String, String) {
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.until("a page", async || !live.pages(OPS_KEY).is_empty()).await;
    let page = live.world.inbox.received().into_iter().find(|entry| entry.body["routing_key"] == OPS_KEY).unwrap();
    (id, page.body["payload"]["summary"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_policy_says_its_own_first_line() {
    let mut world = outages_only().await;
    world.config.set("/templates", json!({"who": "{{ service | upper }} {{ slo }}"}));
    let summary = "{% include 'who' %} is {{ phase }}, <b>{{ labels.team }}</b>:\n{{ headline }}";
    world.config.set("/policies/outage/summary", json!(summary));
    world.config.set("/policies/outage/labels", json!({"team": "blue & green"}));
    let live = Live::of(world).await;
    let (id, said) = first_line(&live).await;
    let start = "INVENTORY dashboard-availability is open, <b>blue & green</b>: inventory dashboard-availability: health check failing for";
    assert!(said.starts_with(&format!("P1 {start}")), "{said}");
    let title = live.whole(&id).await["title"].as_str().unwrap().to_owned();
    assert_eq!(Some(title.as_str()), start.strip_suffix(" for"), "no time that grows old");
    let chat = live.world.inbox.received().into_iter().find(|entry| entry.path.starts_with("/slack/")).unwrap();
    assert!(chat.body["text"].as_str().unwrap().contains("&lt;b&gt;blue &amp; green&lt;/b&gt;"), "{}", chat.body);
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    assert!(live.whole(&id).await["title"].as_str().unwrap().contains("is resolved"));
    live.settle().await;
}

/// What fails only when it matters: the built-in words go out, and it is counted.
#[tokio::test]
async fn a_template_that_fails_never_keeps_a_page_back() {
    for failing in [
        "{% for a in range(1000) if bad %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}x",
        "{{ nothing.at.all if bad else 'x' }}",
        "{% if not bad %}x{% endif %}",
    ] {
        let mut world = outages_only().await;
        // Samples have no such reason; the real one begins with the policy's name.
        let source = format!("{{% set bad = reason is startingwith('outage') %}}{failing}");
        world.config.set("/policies/outage/summary", json!(source));
        let live = Live::of(world).await;
        let (id, said) = first_line(&live).await;
        assert!(said.starts_with("P1 inventory dashboard-availability: health check failing for"), "{failing}: {said}");
        let (_, metrics) = live.slod.get("/metrics").await.unwrap();
        let counted = metrics.lines().find(|line| line.starts_with("slod_template_failures_total{"));
        assert!(counted.is_some_and(|line| line.contains("template=\"summary:outage\"")), "{counted:?}");
        assert!(live.slod.log().contains("a template fails: the built-in words are sent"));
        live.world.service.answer_with(200).unwrap();
        live.reaches(&id, "resolved").await;
        live.settle().await;
    }
}

#[tokio::test]
async fn an_incident_is_written_up() {
    let mut world = outages_only().await;
    world.config.set("/services/inventory/owner", json!("The <Team> [x](y)"));
    world.config.remove("/policies/outage/summary");
    let mut live = Live::of(world).await;
    let (id, _) = first_line(&live).await;
    live.cli(&["ack", &id, "--by", "<b>ann|</b>"]).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.until("all told", async || deliveries(&live.whole(&id).await).iter().all(|row| !row.ends_with("sending")))
        .await;
    let document = live.cli(&["incident", "show", &id, "-o", "markdown"]).await;
    for part in [
        "# P1 inventory dashboard-availability: good again",
        "owned by The &lt;Team&gt; \\[x\\]\\(y\\)",
        "by &lt;b&gt;ann\\|&lt;/b&gt;",
        "## Impact",
        "**opened** incident opened at P1",
        "| ops-pager |",
        "## Root cause",
        "## What went well",
        "## Follow-ups",
        "| what | owner | due |",
    ] {
        assert!(document.contains(part), "{part} in\n{document}");
    }
    let (status, same) = live.slod.get(&format!("/api/v1/incidents/{id}?format=markdown")).await.unwrap();
    assert_eq!((status, same.lines().next()), (200, document.lines().next()));
    assert_eq!(live.slod.get(&format!("/api/v1/incidents/{id}?format=pdf")).await.unwrap().0, 400);
    assert_eq!(live.slod.get("/api/v1/incidents/nowhere?format=markdown").await.unwrap().0, 404);

    let own = json!({"post-incident": "# {{ title }}\n\n{% for line in timeline %}\n* {{ line.text }}\n{% endfor %}"});
    live.world.config.set("/templates", own);
    live.world.write_config().unwrap();
    live.slod.restart().await.unwrap();
    let document = live.cli(&["incident", "show", &id, "-o", "markdown"]).await;
    assert!(
        document.contains("\n* acknowledged by &lt;b&gt;ann\\|&lt;/b&gt;\n") && !document.contains("Root cause"),
        "{document}"
    );
    live.settle().await;
}

fn load(templates: &str, summary: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "version: 1
sources:
  db:
    postgres: {{url: \"postgres://u@127.0.0.1/d\"}}
receivers:
  ops: {{email: ops@example.com}}
mail: {{smtp: \"smtp://127.0.0.1:25\", from: a@example.com}}
services:
  shop:
    slos:
      front:
        objective: 99%
        window: 30d
        every: 1m
        indicator:
          ratio: {{source: db, sql: \"select 1 as good, 1 as total\"}}
      routes:
        objective: 99%
        window: 30d
        every: 1m
        per: [route]
        indicator:
          ratio: {{source: db, sql: \"select 'a' as route, 1 as good, 1 as total\"}}
policies:
  down:
    slo: shop/*
    when: {{consecutive: 2}}
    priority: P1
    notify: [ops]
{summary}
templates:
{templates}
"
    );
    fs::write(folder.path().join("slo.yaml"), text).unwrap();
    config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default())
}

#[test]
fn a_check_names_the_place_within_a_template() {
    // What is written, and where the fault is: line (from that of `summary:` on), column, what is marked.
    let cases = [
        ("    summary: \"{{ headline }} {{ colour }}\"", (0, 33, "colour")),
        ("    summary: '{{ headline }} {{ series.route }}'", (0, 33, "series.route")),
        ("    summary: \"{{ headline\"", (0, 0, "")),
        ("    summary: |\n      {{ headline }}\n      {{ series.route }} is down", (2, 10, "series.route")),
        // Folded lines read otherwise than they are written: the text as a whole is marked.
        ("    summary: >-\n      {{ headline }}\n      {{ colour }}", (1, 7, "{{ headline }}")),
        ("    summary: \"{% include 'part' %}\"", (0, 26, "'part'")),
        ("    summary: '{{ 2 // 0 }}'", (0, 0, "")),
        ("    summary: \"{% block %}\"", (0, 0, "")),
        ("    summary: \"{% if phase == 'blind' %}x{% endif %}\"", (0, 0, "")),
    ];
    for (summary, (line, column, meant)) in cases {
        let loaded = load("", summary);
        let errors: Vec<_> = loaded.diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
        assert_eq!(errors.len(), 1, "{summary}\n{}", render::text(&loaded.diagnostics, false));
        let place = errors[0].place.as_ref().unwrap();
        assert!(matches!(errors[0].code, Code::Template | Code::UnknownReference), "{summary}: {:?}", errors[0]);
        if column > 0 {
            let found = (place.line, place.column, &place.text[place.range.clone()]);
            assert_eq!(found, (30 + line, column, meant), "{summary}\n{}", render::text(&loaded.diagnostics, false));
        }
    }
}

#[test]
fn named_templates_are_tried_and_unused_ones_warned_of() {
    let said = |templates: &str, summary: &str| {
        let loaded = load(templates, summary);
        loaded.diagnostics.iter().map(|found| format!("{} {}", found.code.id(), found.message)).collect::<Vec<_>>()
    };
    let own = "    summary: \"{% include 'head' %}\"";
    assert_eq!(said("  head: \"{{ headline }}\"", own), [""; 0]);
    assert_eq!(said("  head: x\n  other: y", own), ["W0201 template `other` is never used"]);
    assert_eq!(said("  head: \"{% include 'inner' %}\"\n  inner: \"{{ slo }}\"", own), [""; 0]);
    assert_eq!(said("  post-incident: \"{{ title }}\"", ""), [""; 0]);
    let nested = said("  head: |\n    {{ headline }}\n    {{ colour }}", own);
    assert!(
        nested.len() == 1 && nested[0].starts_with("E0148 template `head` (its line 2): `colour` is not defined"),
        "{nested:?}"
    );
    let reserved = said("  post-incident: \"{{ headline }}\"", "");
    assert!(
        reserved.len() == 1 && reserved[0].contains("`headline` is not defined (sample: resolved)"),
        "{reserved:?}"
    );
    let round = said("  head: \"{% include 'head' %}\"", own);
    assert!(round.len() == 1 && round[0].contains("recursion"), "{round:?}");
    let unknown = said("", own);
    assert!(unknown.iter().any(|said| said.starts_with("E0120")), "{unknown:?}");
    let long = said(&format!("  post-incident: \"{}\"", "x".repeat(17_000)), "");
    assert!(long.len() == 1 && long[0].contains("over 16 KiB"), "{long:?}");
    assert_eq!(said("  post-incident: [a]", "")[0], "E0104 template `post-incident` must be a text, not a list");
}
