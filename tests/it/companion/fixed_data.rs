//! Fixed, hostile data: every field filled somewhere, every field absent somewhere.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use slod::{
    clock::Clock,
    domain::{correction::Correction, name::SloId, policy::Priority, silence::Matcher, slot::SlotState},
    views::{
        desk::SourceView,
        explain::{Asked, Explanation, Figure, Stretch},
        gaps::{GapView, GapsView},
        incident::{
            AlertView, CostView, DeliveryView, HolderView, IncidentView, ManualView, MutedView, StatusPageView,
            StepView, TimelineView,
        },
        report::{
            Breach, BudgetReport, BudgetUse, CorrectionView, IncidentCost, SeriesReport, ServiceReport, SloReport,
        },
        silence::{CoverView, SilenceView},
        slo::{BudgetView, PolicyView, SloState, SloView, SlotView, StreakView, ValueView},
    },
};

/// Markup, quotes, a formula's sign, a terminal's escape: what a label may hold.
pub const HOSTILE: &str = "=<script>alert(\"x\")</script>'&|`\u{1b}[31m";

pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

pub fn now() -> DateTime<Utc> {
    at("2026-10-25T12:00:12Z")
}

pub fn slo(name: &str, state: SloState, full: bool) -> SloView {
    let rates = ["5m", "30m", "1h", "6h", "3d"];
    SloView {
        id: SloId::new("inventory", name),
        service: "inventory".into(),
        name: name.into(),
        title: if full { format!("API response time {HOSTILE}") } else { name.into() },
        series: if full { BTreeMap::from([("shop".to_owned(), HOSTILE.to_owned())]) } else { BTreeMap::new() },
        objective: 0.95,
        window: "30d".into(),
        budgeting: "occurrences".into(),
        state,
        sli: full.then_some(0.9731),
        good: 973_100.0,
        bad: 26_900.0,
        total: 1_000_000.0,
        in_seconds: false,
        budget: BudgetView {
            remaining: full.then_some(0.462),
            remaining_if_good: full.then_some(0.463),
            remaining_if_bad: full.then_some(-0.423),
            coverage: 0.998,
            allowed_bad: 50_000.0,
            exhausts_at: full.then(|| at("2026-10-27T03:00:00Z")),
            allowed_seconds: 129_600.0,
        },
        burn_rate: rates.iter().map(|rate| ((*rate).to_owned(), full.then_some(0.5))).collect(),
        value: full.then_some(ValueView { percentile: Some(95.0), seconds: Some(0.62), number: None, unit: None }),
        streak: StreakView { bad: 2 },
        watermark: full.then(|| at("2026-10-25T12:00:00Z")),
        evaluated_at: at("2026-10-25T12:00:10Z"),
        policies: vec![PolicyView { name: "fast-burn:1h/5m".into(), state: "firing".into() }],
        fault: full.then(|| format!("good (3) is more than total (2) {HOSTILE}")),
        backfill: None,
    }
}

pub fn explanation(slo: &SloView) -> Explanation {
    let slot = |start: &str, good: f64| SlotView {
        start: at(start),
        seconds: 60,
        good,
        total: 10.0,
        state: SlotState::Measured,
        reading: Some(0.62),
    };
    Explanation {
        id: slo.id.clone(),
        title: slo.title.clone(),
        series: slo.series.clone(),
        location: "slo.yaml:52".into(),
        promise: "95 % good in 30d".into(),
        at: at("2026-10-25T12:00:00Z"),
        every_seconds: 60,
        asked: vec![Asked {
            what: "bad".into(),
            source: Some("prometheus".into()),
            query: format!("growth of x{{path=\"{HOSTILE}\"}}"),
        }],
        windows: vec![Stretch {
            name: "30d".into(),
            from: at("2026-09-25T12:00:00Z"),
            to: at("2026-10-25T12:00:00Z"),
            expected_seconds: 2_592_000,
            known_seconds: 2_586_000,
            unmeasured_seconds: 6_000,
            excluded_seconds: 0,
            good: slo.good,
            bad: slo.bad,
            total: slo.total,
            burn_rate: Some(0.538),
        }],
        figures: vec![Figure {
            name: "sli".into(),
            formula: "good / total".into(),
            with: "973,100 / 1,000,000".into(),
            value: Some(0.9731),
        }],
        corrections: Vec::new(),
        newest: vec![slot("2026-10-25T11:59:00Z", 10.0)],
        worst: vec![slot("2026-10-20T03:07:00Z", 1.0)],
    }
}

pub fn delivery(id: i64, state: &str) -> DeliveryView {
    DeliveryView {
        id,
        incident: Some("7".into()),
        receiver: "ops-pager".into(),
        event: "trigger".into(),
        state: state.into(),
        attempts: 2,
        last_error: (state != "sent").then(|| format!("HTTP 503 {HOSTILE}")),
        decided_at: at("2026-10-25T11:50:00Z"),
        next_at: (state == "retry").then(|| at("2026-10-25T12:01:00Z")),
        sent_at: (state == "sent").then(|| at("2026-10-25T11:50:02Z")),
        receipt: (state == "sent").then(|| format!("key/2 {HOSTILE}")),
    }
}

pub fn incident() -> IncidentView {
    IncidentView {
        id: "7".into(),
        key: "9f3c".into(),
        service: Some("inventory".into()),
        slo: Some("api-response-time".into()),
        source: None,
        series: BTreeMap::from([("shop".to_owned(), HOSTILE.to_owned())]),
        title: format!("inventory api-response-time: {HOSTILE}"),
        priority: Priority::P1,
        state: "acknowledged".into(),
        opened_at: at("2026-10-25T11:50:00Z"),
        acknowledged_at: Some(at("2026-10-25T11:55:00Z")),
        acknowledged_by: Some(HOSTILE.into()),
        acknowledged_before: None,
        resolved_at: None,
        resolved_by: None,
        late: true,
        muted: Some(MutedView { until: Some(at("2026-10-25T13:00:00Z")), why: vec![format!("silence by {HOSTILE}")] }),
        alerts: vec![AlertView {
            name: "fast-burn:1h/5m".into(),
            priority: Priority::P1,
            state: "firing".into(),
            fired_at: at("2026-10-25T11:50:00Z"),
            flapping: false,
        }],
        steps: vec![StepView {
            policy: "fast-burn".into(),
            after: "30m".into(),
            due_at: at("2026-10-25T12:20:00Z"),
            state: "waiting".into(),
            notify: vec!["platform-pager".into(), "inventory-eng".into()],
        }],
        deliveries: vec![delivery(1, "sent"), delivery(2, "retry")],
        diagnostics: super::fixed_proof::diagnoses(),
        manual: vec![
            ManualView { run: format!("npm run {HOSTILE}"), needs: Some("manager approval".into()) },
            ManualView { run: "look".into(), needs: None },
        ],
        timeline: vec![TimelineView { at: at("2026-10-25T11:50:00Z"), kind: "opened".into(), text: HOSTILE.into() }],
        status_page: Some(StatusPageView {
            state: "none".into(),
            draft: Some("investigating".into()),
            draft_text: Some(format!("Inventory is unavailable: we are looking into it {HOSTILE}")),
            due_at: Some(at("2026-10-25T12:05:00Z")),
            posted_at: None,
            late_seconds: None,
            left_to_people: false,
        }),
        cost: CostView { bad: 26_900.0, in_seconds: false, budget_share: Some(0.538), window: Some("30d".into()) },
    }
}

/// The same once it is over, or when somebody else had it first.
pub fn incident_as(over: bool, held: bool) -> IncidentView {
    let before = HolderView { by: "bob <i> (api)".into(), at: at("2026-10-25T11:52:00Z") };
    let mut incident = IncidentView { acknowledged_before: held.then_some(before), ..incident() };
    if over {
        incident.state = "resolved".into();
        incident.resolved_at = Some(at("2026-10-25T11:58:00Z"));
        incident.resolved_by = Some("bob (api)".into());
    }
    incident
}

/// A source that does not answer.
pub fn source() -> SourceView {
    SourceView {
        name: "prometheus".into(),
        kind: "prometheus".into(),
        blind: true,
        last_success: Some(at("2026-10-25T11:00:00Z")),
        last_failure: Some(at("2026-10-25T12:00:00Z")),
        last_error: Some(HOSTILE.into()),
        latency_seconds: Some(0.031),
    }
}

pub fn silence(id: Option<&str>) -> SilenceView {
    SilenceView {
        id: id.map(str::to_owned),
        matcher: Matcher { service: "inventory".into(), slo: None, policy: None, labels: BTreeMap::new() },
        starts_at: at("2026-10-25T11:00:00Z"),
        ends_at: at("2026-10-25T13:00:00Z"),
        by: "ops-lead".into(),
        reason: HOSTILE.into(),
        state: if id.is_some() { "active" } else { "preview" }.into(),
        expired_at: None,
        expired_by: None,
        covers: Some(CoverView {
            slos: 2,
            of: 5,
            names: vec!["inventory/api-response-time".into(), "inventory/rop-freshness".into()],
            policies: vec!["fast-burn".into()],
            incidents: vec!["7".into()],
        }),
    }
}

pub fn correction() -> CorrectionView {
    let correction = Correction {
        at: at("2026-10-20T12:00:00Z"),
        bad: -12.0,
        total: 0.0,
        reason: HOSTILE.into(),
        by: "ops-lead".into(),
        made_at: at("2026-10-21T08:00:00Z"),
    };
    CorrectionView::new(&BTreeMap::from([("route".to_owned(), "/a".to_owned())]), &correction)
}

fn gaps() -> GapsView {
    let gap = |from: &str, to: &str, why: &str, incident: Option<&str>, series: &[(&str, &str)]| {
        let (from, to) = (at(from), at(to));
        let series = series.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        let (seconds, why, incident) = ((to - from).num_seconds(), why.to_owned(), incident.map(str::to_owned));
        GapView { series, from, to, seconds, why, incident }
    };
    let source = "source `prometheus` did not answer; slod was not running";
    GapsView {
        count: 5,
        seconds: 4_320,
        longest: vec![
            gap("2026-10-01T00:00:00Z", "2026-10-01T00:20:00Z", "before it was watched", None, &[]),
            gap("2026-10-09T03:00:00Z", "2026-10-09T03:50:00Z", source, Some("8"), &[("shop", HOSTILE)]),
        ],
    }
}

/// A daemon a few minutes old: two of ten checks failed, in 0.04 % of the month so far.
fn young() -> SloReport {
    SloReport {
        id: "inventory/dashboard-availability".into(),
        title: "Dashboard availability".into(),
        budgeting: "occurrences".into(),
        objective: 0.999,
        achieved: Some(0.8),
        good: 8.0,
        bad: 2.0,
        total: 10.0,
        in_seconds: false,
        met: Some(false),
        coverage: 0.0004,
        min_coverage: 0.9,
        budget: BudgetUse {
            consumed: Some(200.0),
            remaining: Some(-199.0),
            remaining_if_good: Some(0.9552),
            remaining_if_bad: Some(-790.2),
            allowed_bad: 0.01,
            allowed_seconds: 2_678.4,
            used_seconds: 120.0,
        },
        series: vec![],
        incidents: vec![],
        corrections: vec![],
        breaches: Vec::new(),
        objective_changes: vec![],
        gaps: GapsView::default(),
    }
}

pub fn report(month: &str) -> BudgetReport {
    BudgetReport {
        month: month.into(),
        timezone: "Europe/Paris".into(),
        generated_at: now(),
        ends_at: at("2026-10-31T23:00:00Z"),
        config_hash: "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0".into(),
        services: vec![ServiceReport {
            service: "inventory".into(),
            title: format!("Inventory {HOSTILE}"),
            slos: vec![
                SloReport {
                    id: "inventory/api-response-time".into(),
                    title: format!("{HOSTILE} API, \"p95\""),
                    budgeting: "occurrences".into(),
                    objective: 0.95,
                    achieved: Some(0.9731),
                    good: 973_100.0,
                    bad: 26_900.0,
                    total: 1_000_000.0,
                    in_seconds: false,
                    met: Some(false),
                    coverage: 0.998,
                    min_coverage: 0.9,
                    budget: BudgetUse {
                        consumed: Some(1.13),
                        remaining: Some(-0.13),
                        remaining_if_good: Some(-0.13),
                        remaining_if_bad: Some(-0.17),
                        allowed_bad: 50_000.0,
                        allowed_seconds: 129_600.0,
                        used_seconds: 146_448.0,
                    },
                    series: vec![],
                    incidents: vec![IncidentCost {
                        status_page: None,
                        id: "7".into(),
                        opened_at: at("2026-10-25T11:50:00Z"),
                        resolved_at: None,
                        bad: 26_900.0,
                        budget_share: Some(0.538),
                    }],
                    corrections: vec![correction()],
                    breaches: vec![Breach {
                        series: BTreeMap::from([("shop".to_owned(), HOSTILE.to_owned())]),
                        from: at("2026-10-03T01:00:00Z"),
                        to: at("2026-10-03T01:07:00Z"),
                        bad: 70.0,
                        budget_share: 0.02,
                    }],
                    objective_changes: vec![json!({"at": "2026-10-10T00:00:00Z", "from": 0.9, "to": 0.95})],
                    gaps: gaps(),
                },
                SloReport {
                    id: "inventory/rop-freshness".into(),
                    title: "ROP snapshot freshness".into(),
                    budgeting: "timeslices".into(),
                    objective: 0.95,
                    achieved: None,
                    good: 0.0,
                    bad: 0.0,
                    total: 0.0,
                    in_seconds: false,
                    met: None,
                    coverage: 0.0,
                    min_coverage: 0.9,
                    budget: BudgetUse {
                        consumed: None,
                        remaining: None,
                        remaining_if_good: None,
                        remaining_if_bad: None,
                        allowed_bad: 0.0,
                        allowed_seconds: 129_600.0,
                        used_seconds: 0.0,
                    },
                    series: vec![SeriesReport {
                        series: BTreeMap::from([("route".to_owned(), HOSTILE.to_owned())]),
                        achieved: Some(0.9731),
                        bad: 26_900.0,
                        total: 1_000_000.0,
                        met: Some(false),
                        remaining: Some(-0.13),
                    }],
                    incidents: vec![],
                    corrections: vec![],
                    breaches: Vec::new(),
                    objective_changes: vec![],
                    gaps: GapsView::default(),
                },
                young(),
            ],
        }],
    }
}
