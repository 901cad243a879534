//! A desk with fixed, hostile data.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use serde_json::json;
use slod::{
    clock::Clock,
    config::model::Right,
    domain::{name::SloId, policy::Priority, slot::SlotState},
    views::{
        desk::{Action, Desk, DeskError, Health, IncidentFilter, ReceiverView, ServiceView, SourceView},
        incident::{AlertView, CostView, DeliveryView, IncidentView, StatusPageView, StepView, TimelineView},
        report::{BudgetReport, BudgetUse, IncidentCost, ServiceReport, SloReport},
        slo::{BudgetView, PolicyView, SloState, SloView, SlotView, StreakView, ValueView},
    },
};

/// Markup, quotes, a formula's sign, a terminal's escape: what a label may hold.
pub const HOSTILE: &str = "=<script>alert(\"x\")</script>'&|`\u{1b}[31m";

pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub fn now() -> DateTime<Utc> {
    at("2026-10-25T12:00:12Z")
}

pub struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

/// What differs from test to test.
#[derive(Default)]
pub struct FakeDesk {
    pub not_ready: bool,
    pub no_tokens: bool,
    pub store_is_gone: bool,
    pub config_is_bad: bool,
    pub faulty: bool,
    pub external_url: Option<String>,
    pub slots: usize,
    /// What the test message becomes on the third look: `sent` unless written.
    pub test_ends: Option<&'static str>,
    pub looks: AtomicU32,
    pub acts: Mutex<Vec<(String, Action, String)>>,
}

impl FakeDesk {
    fn store(&self) -> Result<(), DeskError> {
        assert!(!self.faulty, "a secret that a panic must not show");
        if self.store_is_gone { Err(DeskError::Unavailable("the store is gone".into())) } else { Ok(()) }
    }
}

fn slo(name: &str, state: SloState, full: bool) -> SloView {
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
        resolved_at: None,
        late: true,
        alerts: vec![AlertView {
            name: "fast-burn:1h/5m".into(),
            priority: Priority::P1,
            state: "firing".into(),
            fired_at: at("2026-10-25T11:50:00Z"),
        }],
        steps: vec![StepView {
            policy: "fast-burn".into(),
            after: "30m".into(),
            due_at: at("2026-10-25T12:20:00Z"),
            state: "waiting".into(),
            notify: vec!["platform-pager".into(), "inventory-eng".into()],
        }],
        deliveries: vec![delivery(1, "sent"), delivery(2, "retry")],
        diagnostics: vec![
            json!({"name": "postgres-health", "ok": true, "rows": [{"queued": HOSTILE, "n": 3.5}], "note": null}),
        ],
        timeline: vec![TimelineView { at: at("2026-10-25T11:50:00Z"), kind: "opened".into(), text: HOSTILE.into() }],
        status_page: Some(StatusPageView {
            state: "none".into(),
            draft: Some("investigating".into()),
            due_at: Some(at("2026-10-25T12:05:00Z")),
            posted_at: None,
        }),
        cost: CostView { bad: 26_900.0, budget_share: Some(0.538) },
    }
}

pub fn report(month: &str) -> BudgetReport {
    BudgetReport {
        month: month.into(),
        timezone: "Europe/Paris".into(),
        generated_at: now(),
        config_hash: "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0".into(),
        services: vec![ServiceReport {
            service: "inventory".into(),
            title: format!("Inventory {HOSTILE}"),
            slos: vec![
                SloReport {
                    id: "inventory/api-response-time".into(),
                    title: format!("{HOSTILE} API, \"p95\""),
                    objective: 0.95,
                    achieved: Some(0.9731),
                    good: 973_100.0,
                    bad: 26_900.0,
                    total: 1_000_000.0,
                    met: Some(false),
                    coverage: 0.998,
                    budget: BudgetUse {
                        consumed: Some(1.13),
                        remaining: Some(-0.13),
                        allowed_bad: 50_000.0,
                        allowed_seconds: 129_600.0,
                        used_seconds: 146_448.0,
                    },
                    incidents: vec![IncidentCost {
                        id: "7".into(),
                        opened_at: at("2026-10-25T11:50:00Z"),
                        resolved_at: None,
                        bad: 26_900.0,
                        budget_share: Some(0.538),
                    }],
                    corrections: vec![json!({"by": "ops-lead", "bad": -12, "reason": HOSTILE})],
                    objective_changes: vec![json!({"at": "2026-10-10T00:00:00Z", "from": 0.9, "to": 0.95})],
                },
                SloReport {
                    id: "inventory/rop-freshness".into(),
                    title: "ROP snapshot freshness".into(),
                    objective: 0.95,
                    achieved: None,
                    good: 0.0,
                    bad: 0.0,
                    total: 0.0,
                    met: None,
                    coverage: 0.0,
                    budget: BudgetUse {
                        consumed: None,
                        remaining: None,
                        allowed_bad: 0.0,
                        allowed_seconds: 129_600.0,
                        used_seconds: 0.0,
                    },
                    incidents: vec![],
                    corrections: vec![],
                    objective_changes: vec![],
                },
            ],
        }],
    }
}

impl Desk for FakeDesk {
    fn services(&self) -> Vec<ServiceView> {
        let service = |name: &str, title: &str, metric_prefix: Option<&str>| ServiceView {
            name: name.into(),
            title: title.into(),
            owner: Some("Inventory Engineering".into()),
            runbook_url: Some("javascript:alert(1)".into()),
            metric_prefix: metric_prefix.map(str::to_owned),
        };
        vec![
            service("inventory", &format!("Inventory {HOSTILE}"), Some("inventory_dashboard")),
            service("quiet", "Quiet", None),
        ]
    }

    fn slos(&self) -> Vec<SloView> {
        vec![slo("api-response-time", SloState::Burning, true), slo("rop-freshness", SloState::Empty, false)]
    }

    fn slo(&self, id: &SloId) -> Result<SloView, DeskError> {
        self.slos().into_iter().find(|slo| slo.id == *id).ok_or_else(|| {
            DeskError::NotFound(format!("there is no SLO `{id}`"), "SLOs: inventory/api-response-time".into())
        })
    }

    fn slots<'a>(
        &'a self,
        id: &'a SloId,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<SlotView>, DeskError>> {
        Box::pin(async move {
            self.slo(id)?;
            let start = from.unwrap_or(at("2026-09-25T12:00:00Z"));
            let slots = (0..self.slots.max(2)).map(|slot| SlotView {
                start: start + TimeDelta::minutes(slot as i64),
                seconds: 60,
                good: 9.0,
                total: 10.0,
                state: SlotState::Measured,
                reading: Some(0.62),
            });
            Ok(slots.filter(|slot| to.is_none_or(|to| slot.start < to)).take(limit).collect())
        })
    }

    fn budget<'a>(
        &'a self,
        month: Option<&'a str>,
        service: Option<&'a str>,
    ) -> BoxFuture<'a, Result<BudgetReport, DeskError>> {
        Box::pin(async move {
            self.store()?;
            if let Some(name) = service
                && !self.services().iter().any(|service| service.name == name)
            {
                return Err(DeskError::NotFound(format!("there is no service `{name}`"), "services: inventory".into()));
            }
            Ok(report(month.unwrap_or("2026-10")))
        })
    }

    fn incidents(&self, filter: IncidentFilter) -> BoxFuture<'_, Result<Vec<IncidentView>, DeskError>> {
        Box::pin(async move {
            self.store()?;
            let all = vec![incident()].into_iter();
            let wanted = all.filter(|incident| filter.state.as_ref().is_none_or(|state| *state == incident.state));
            Ok(wanted.filter(|incident| filter.service.is_none() || filter.service == incident.service).collect())
        })
    }

    fn incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<IncidentView, DeskError>> {
        Box::pin(async move {
            self.store()?;
            if id == "7" {
                return Ok(incident());
            }
            Err(DeskError::NotFound(format!("there is no incident `{id}`"), "/api/v1/incidents lists them".into()))
        })
    }

    fn deliveries<'a>(
        &'a self,
        state: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<DeliveryView>, DeskError>> {
        Box::pin(async move {
            let all = vec![delivery(2, "retry"), delivery(1, "sent")].into_iter();
            Ok(all.filter(|delivery| state.is_none_or(|state| state == delivery.state)).take(limit).collect())
        })
    }

    fn delivery(&self, id: i64) -> BoxFuture<'_, Result<DeliveryView, DeskError>> {
        Box::pin(async move {
            match id {
                1 => Ok(delivery(1, "sent")),
                2 => Ok(delivery(2, "retry")),
                9 => {
                    let over = self.looks.fetch_add(1, Ordering::SeqCst) >= 2;
                    let state = if over { self.test_ends.unwrap_or("sent") } else { "queued" };
                    Ok(DeliveryView { incident: None, event: "test".into(), ..delivery(9, state) })
                }
                _ => Err(DeskError::NotFound(format!("there is no delivery `{id}`"), "see /api/v1/deliveries".into())),
            }
        })
    }

    fn retry(&self, id: i64) -> BoxFuture<'_, Result<(), DeskError>> {
        Box::pin(
            async move { if id == 1 { Err(DeskError::Conflict("it was accepted already".into())) } else { Ok(()) } },
        )
    }

    fn act<'a>(
        &'a self,
        incident: &'a str,
        action: Action,
        by: &'a str,
    ) -> BoxFuture<'a, Result<IncidentView, DeskError>> {
        Box::pin(async move {
            let view = self.incident(incident).await?;
            self.acts.lock().unwrap().push((incident.to_owned(), action, by.to_owned()));
            Ok(view)
        })
    }

    fn notify_test<'a>(&'a self, receiver: &'a str, _: &'a str) -> BoxFuture<'a, Result<i64, DeskError>> {
        Box::pin(async move {
            if receiver == "ops-pager" {
                return Ok(9);
            }
            Err(DeskError::NotFound(format!("there is no receiver `{receiver}`"), "receivers: ops-pager".into()))
        })
    }

    fn sources(&self) -> Vec<SourceView> {
        vec![SourceView {
            name: "prometheus".into(),
            kind: "prometheus".into(),
            blind: true,
            last_success: Some(at("2026-10-25T11:00:00Z")),
            last_failure: Some(at("2026-10-25T12:00:00Z")),
            last_error: Some(HOSTILE.into()),
            latency_seconds: Some(0.031),
        }]
    }

    fn receivers(&self) -> BoxFuture<'_, Result<Vec<ReceiverView>, DeskError>> {
        let receiver = ReceiverView {
            name: "ops-pager".into(),
            kind: "pagerduty".into(),
            pending: 1,
            last_sent: Some(at("2026-10-25T11:50:02Z")),
            last_failure: None,
            last_error: None,
        };
        Box::pin(async move { Ok(vec![receiver]) })
    }

    fn health(&self) -> Health {
        Health {
            ready: !self.not_ready,
            reasons: if self.not_ready { vec![format!("no slot yet {HOSTILE}")] } else { vec![] },
            started_at: at("2026-10-25T10:00:00Z"),
            config_hash: "0f1e2d3c4b5a".into(),
            loaded_at: at("2026-10-25T10:00:00Z"),
            rejected_reload: self.config_is_bad.then(|| "error[E0101]: unknown key `windw`".to_owned()),
            timezone: "UTC".into(),
            external_url: self.external_url.clone().unwrap_or_else(|| "http://127.0.0.1:9720".into()),
        }
    }

    fn reload(&self) -> BoxFuture<'_, Result<String, DeskError>> {
        Box::pin(async move {
            if self.config_is_bad {
                return Err(DeskError::Rejected("error[E0101]: unknown key `windw`\n  --> slo.yaml:88:9\n".into()));
            }
            Ok("1 SLO added".to_owned())
        })
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, DeskError>> {
        let text =
            "# HELP slod_build_info Which build.\n# TYPE slod_build_info gauge\nslod_build_info{version=\"0.1.0\"} 1";
        Box::pin(async move { self.store().map(|()| text.to_owned()) })
    }

    fn has_tokens(&self) -> bool {
        !self.no_tokens
    }

    fn rights(&self, bearer: &str) -> Option<Vec<Right>> {
        match bearer {
            "looks" => Some(vec![Right::Read]),
            "acts" => Some(vec![Right::Read, Right::Operate]),
            "owns" => Some(vec![Right::Admin]),
            _ => None,
        }
    }

    fn latency_thresholds(&self) -> Vec<f64> {
        vec![0.8, 180.0]
    }
}
