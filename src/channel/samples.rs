//! Messages for the channels' own tests.

use chrono::{DateTime, Utc};

use crate::domain::{
    bulletin::{Bulletin, BulletinKind, Mark, Row, Table},
    notification::{Event, Link, Notification, Phase, PublicState, StatusPost},
    policy::Priority,
    record::{Acknowledged, IncidentRecord, RecordedCost, RecordedLine, RecordedPage, Told},
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// An opening, as the core would word it.
pub fn opening() -> Notification {
    Notification {
        event: Event::Trigger,
        incident: "7".into(),
        dedup_key: "0123456789abcdef".into(),
        thread_key: "0123456789abcdef".into(),
        phase: Phase::Open,
        priority: Priority::P1,
        service: Some("warehouse".into()),
        slo: Some("availability".into()),
        series: [("region".to_owned(), "eu".to_owned())].into(),
        headline: "warehouse availability: health check failing for 25 min".into(),
        lines: vec![
            "Budget overspent (−13 %): 4 h 5 min of 3 h 36 min used in these 30 days. While it fails, each hour costs 28 %."
                .into(),
            "First look: shopify-admin-status operational · postgres-health ok".into(),
        ],
        standing: Some("ops-pager (not acknowledged) · next: platform-pager 14:33 UTC".into()),
        reason: "opening".into(),
        policies: vec![("outage".into(), Priority::P1), ("budget-low".into(), Priority::P3)],
        opened_at: at("2026-10-25T14:03:00Z"),
        decided_at: at("2026-10-25T14:03:15Z"),
        late: false,
        links: vec![
            Link { text: "Runbook".into(), url: "https://wiki.example/runbooks/warehouse".into() },
            Link { text: "Incident".into(), url: "https://slod.example/incident/7".into() },
        ],
        figures: [("budget_remaining".to_owned(), -0.13), ("burn_rate_1h".to_owned(), 28.0)].into(),
    }
}

/// The same incident, later.
pub fn later(event: Event) -> Notification {
    let (phase, headline) = match event {
        Event::Acknowledge => (Phase::Acknowledged, "warehouse availability: acknowledged by ops-lead after 4 min"),
        Event::Resolve => (Phase::Resolved, "warehouse availability: healthy again after 31 min"),
        Event::Digest => (Phase::Open, "warehouse availability: 3 updates in 10 min"),
        Event::Test => (Phase::Open, "test message from slod: nothing is wrong"),
        Event::Trigger | Event::Update => (Phase::Open, "warehouse availability: still failing after 30 min"),
    };
    Notification { event, phase, headline: headline.into(), ..opening() }
}

/// Texts that try to mention, to link, to break out and to flood.
pub fn hostile() -> Notification {
    let nasty = "<!channel> <@U123> <https://evil.example|click> & &amp; <script>alert(1)</script>\r\nBcc: x@evil.example\0 \u{202e}abc";
    Notification {
        headline: format!("{nasty} {}", "<&>".repeat(3_500)),
        series: [("label".to_owned(), nasty.to_owned()), ("long".to_owned(), "ü<".repeat(5_000))].into(),
        lines: (0..60).map(|n| format!("{n} {nasty} {}", "&".repeat(10_000))).collect(),
        standing: Some(nasty.repeat(100)),
        reason: nasty.repeat(100),
        links: vec![
            Link { text: nasty.into(), url: "javascript:alert(1)".into() },
            Link { text: nasty.into(), url: "https://a.example/?a=<b>|c".into() },
        ],
        dedup_key: "k".repeat(400),
        thread_key: "<k>\r\n".repeat(80),
        figures: [("nan".to_owned(), f64::NAN), ("one".to_owned(), 1.0)].into(),
        late: true,
        ..opening()
    }
}

/// A post to the public.
pub fn post(state: PublicState) -> StatusPost {
    StatusPost {
        incident: "7".into(),
        key: "0123456789abcdef".into(),
        state,
        name: "Warehouse dashboard is unavailable".into(),
        body: "We are looking into it.".into(),
        component: "dashboard".into(),
        decided_at: at("2026-10-25T14:15:00Z"),
        opens: state == PublicState::Investigating,
        down_elsewhere: false,
        over: false,
    }
}

/// An incident that is over, with texts that try to break out.
pub fn record() -> IncidentRecord {
    let told = |receiver: &str, what: &str, error: Option<&str>| Told {
        receiver: receiver.into(),
        messages: [(what.to_owned(), 1)].into(),
        first_sent_at: error.is_none().then(|| at("2026-10-25T14:03:18Z")),
        last_error: error.map(str::to_owned),
    };
    IncidentRecord {
        event_id: "0123456789abcdef".into(),
        action: "incident_postmortem".into(),
        incident: "0123456789ab".into(),
        epoch: at("2026-10-25T14:03:00Z"),
        service: "warehouse".into(),
        slo: "availability".into(),
        series: [("region".to_owned(), "eu'); drop table decision_log; --".to_owned())].into(),
        title: "warehouse availability: good again after 31 min".into(),
        priority: Priority::P1,
        opened_at: at("2026-10-25T14:03:00Z"),
        acknowledged_at: Some(at("2026-10-25T14:07:00Z")),
        acknowledged_by: Some("ops-lead".into()),
        resolved_at: at("2026-10-25T14:34:00Z"),
        resolved_by: None,
        cost: RecordedCost { bad: 6.0, in_seconds: false, budget_share: Some(0.14) },
        status_page: Some(RecordedPage {
            state: "resolved".into(),
            due_at: Some(at("2026-10-25T14:23:00Z")),
            posted_at: Some(at("2026-10-25T14:25:00Z")),
            late_seconds: Some(120),
        }),
        acknowledgements: vec![Acknowledged { at: at("2026-10-25T14:07:00Z"), by: "ops-lead".into() }],
        timeline: vec![RecordedLine {
            at: at("2026-10-25T14:03:15Z"),
            kind: "opened".into(),
            text: "incident opened at P1 \u{202e}<b>".into(),
        }],
        deliveries: vec![
            told("ops-pager", "trigger sent", None),
            told("chat", "trigger dead", Some("410 channel_is_archived")),
        ],
        diagnostics: vec![serde_json::json!({"name": "database", "ok": true})],
    }
}

/// One bulletin of each kind, as they are made.
pub fn bulletins() -> Vec<Bulletin> {
    let row = |mark, title: &str, cells: &[&str], bar| Row {
        mark,
        line: format!("{title}: {}", cells.join(", ")),
        cells: std::iter::once(&title).chain(cells).map(|cell| (*cell).to_owned()).collect(),
        bar,
    };
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let budgets = Table {
        title: "Warehouse (warehouse)".into(),
        columns: columns(&["Objective", "Promised", "Achieved", "Budget left"]),
        rows: vec![
            row(Mark::Bad, "Availability", &["99.5 %", "99.43 %", "−13 % (missed)"], Some(-0.13)),
            row(Mark::Good, "API response time", &["95 %", "97.31 %", "46.2 % (met)"], Some(0.462)),
            row(Mark::Plain, "Imports", &["95 %", "—", "— (no events)"], None),
        ],
        ..Table::default()
    };
    let pages = Table {
        title: "Pages of Warehouse".into(),
        detail: true,
        columns: columns(&["Policy", "Pages"]),
        rows: vec![row(Mark::Plain, "outage", &["3"], None)],
        left_out: 2,
    };
    let bulletin = |kind, name: &str, headline: &str, lines: &[&str], tables| Bulletin {
        kind,
        name: name.into(),
        key: format!("{name}@1793523600"),
        headline: headline.into(),
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        tables,
        links: vec![Link {
            text: "Budget of Warehouse".into(),
            url: "https://slod.example/warehouse/budget?month=2026-10".into(),
        }],
        due_at: at("2026-11-01T14:00:00Z"),
        decided_at: at("2026-11-01T14:00:01Z"),
        late: kind == BulletinKind::Reminder,
        data: serde_json::json!({"month": "2026-10"}),
    };
    let asked = Table {
        title: "What was asked".into(),
        columns: columns(&["Asked", "Result", "Answer"]),
        rows: vec![
            row(Mark::Bad, "receiver team", &["failed", "invalid_auth"], None),
            row(Mark::Good, "source prometheus", &["ok", "answers"], None),
        ],
        ..Table::default()
    };
    let open = Table {
        title: "What it is about".into(),
        columns: columns(&["Incident", "State", "Done late", "Now"]),
        rows: vec![row(Mark::Bad, "P1 warehouse availability (7)", &["open", "nothing", "not acknowledged"], None)],
        ..Table::default()
    };
    vec![
        bulletin(
            BulletinKind::Report,
            "monthly",
            "2026-10 Warehouse: 1 of 3 objectives missed, 1 without events",
            &["Incidents: 4. Pages: 5.", "The month is cut in Europe/Paris. Configuration 0f1e2d3c4b5a."],
            vec![budgets, pages],
        ),
        bulletin(
            BulletinKind::Reminder,
            "quarterly",
            "checked: 1 of 2 not ok: Validate the credentials.",
            &["Validate the credentials.", "", "Late: it was due at 2026-11-01 14:00:00 UTC."],
            vec![asked],
        ),
        bulletin(
            BulletinKind::Restart,
            "restart",
            "slod was away for 1 h: 1 incident still open",
            &["From 13:00 to 14:00 nothing was measured, judged or sent."],
            vec![open],
        ),
    ]
}

/// Texts that try to mention, to link, to break out and to flood.
pub fn hostile_bulletin() -> Bulletin {
    let nasty = "<!channel> <@U123> & <script>alert(1)</script> <img src=x>\r\nBcc: x@evil.example\0 \u{202e}abc";
    let row = Row {
        mark: Mark::Bad,
        line: format!("{nasty}{}", "<&>".repeat(200)),
        cells: vec![nasty.into(); 8],
        bar: Some(f64::INFINITY),
    };
    let table = Table { title: nasty.into(), columns: vec![nasty.into(); 8], rows: vec![row; 60], ..Table::default() };
    Bulletin {
        name: nasty.into(),
        key: nasty.into(),
        headline: nasty.repeat(9),
        lines: vec![nasty.repeat(30); 50],
        tables: vec![table; 30],
        links: vec![
            Link { text: nasty.into(), url: "javascript:alert(1)".into() },
            Link { text: nasty.into(), url: "https://a.example/<b>?c|d".into() },
        ],
        ..bulletins().remove(0)
    }
    .bounded()
}
