//! Fixed, hostile proof: what was looked at, what was sent and what was not.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use slod::{
    domain::{
        diagnostic::{Diagnosis, Found, Table},
        name::{Series, SloId},
        policy::Priority,
        slot::SlotState,
    },
    views::{
        desk::{Desk as _, DeskError},
        incident::TimelineView,
        slo::SlotView,
        why::{
            AlertAt, AttemptView, DeliveryProof, IncidentAt, NotPagedView, PartAt, Proofs, StepProof, WhyEvent, WhyView,
        },
    },
};

use super::{
    fake_desk::FakeDesk,
    fixed_data::{HOSTILE, at, delivery},
};

/// One that found rows, one that found a text and is late, one that found nothing.
pub fn diagnoses() -> Vec<Diagnosis> {
    let asked = at("2026-10-25T11:50:01Z");
    let cells = vec![vec![Some(HOSTILE.to_owned()), Some("3.5".to_owned())], vec![None, None]];
    let rows = Table::new(vec!["queued".into(), HOSTILE.into()], cells, true);
    let plan = Found { ok: true, summary: "Seq Scan".into(), text: Some(HOSTILE.into()), table: None };
    let look = |name: &str, kind: &str, found| Diagnosis::new(name.into(), kind, asked, 0.034, found);
    vec![
        Diagnosis { look: 1, ..look("oldest-queued", "sql", Ok(Found::table(rows, asked))) },
        Diagnosis { look: 1, late: true, ..look("plan", "explain", Ok(plan)) },
        Diagnosis { look: 1, ..look("no-rows", "sql", Ok(Found::table(Table::default(), asked))) },
        Diagnosis { look: 2, ..look("shopify", "public_status", Err(format!("timeout {HOSTILE}"))) },
    ]
}

/// A story that holds markup and a terminal's escapes.
pub fn why() -> WhyView {
    let moment = at("2026-10-25T11:50:00Z");
    let event = |kind: &str, delivery| WhyEvent { at: moment, kind: kind.into(), text: HOSTILE.into(), delivery };
    let tries = vec![AttemptView {
        number: 1,
        started_at: moment,
        ended_at: at("2026-10-25T11:50:02Z"),
        outcome: "retry".into(),
        next_at: Some(at("2026-10-25T11:50:03Z")),
        error: Some(HOSTILE.into()),
        receipt: None,
    }];
    let proof = DeliveryProof {
        delivery: delivery(2, "retry"),
        reason: Some(HOSTILE.into()),
        late: true,
        tries,
        tries_without_record: 1,
    };
    WhyView {
        id: "7".into(),
        subject: "inventory/api-response-time".into(),
        series: BTreeMap::from([("shop".to_owned(), HOSTILE.to_owned())]),
        title: format!("inventory api-response-time: {HOSTILE}"),
        priority: Priority::P1,
        state: "open".into(),
        opened_at: moment,
        resolved_at: None,
        events: vec![event("fired", None), event("attempt", Some(2))],
        events_left_out: 3,
        deliveries: vec![proof],
        steps: vec![StepProof {
            policy: "outage".into(),
            number: 2,
            due_at: at("2026-10-25T12:20:00Z"),
            notify: vec!["platform-pager".into()],
            why: "to come, unless somebody acknowledges".into(),
        }],
    }
}

/// A page that was not sent.
pub fn not_paged(id: &SloId) -> NotPagedView {
    let moment = at("2026-10-25T11:50:00Z");
    NotPagedView {
        id: id.clone(),
        title: HOSTILE.into(),
        series: BTreeMap::from([("shop".to_owned(), HOSTILE.to_owned())]),
        at: moment,
        slot: Some(SlotView {
            start: at("2026-10-25T11:49:00Z"),
            seconds: 60,
            good: 2.0,
            total: 3.0,
            state: SlotState::Measured,
            reading: Some(0.62),
        }),
        blind: true,
        alerts: vec![AlertAt {
            name: "fast-burn:1h/5m".into(),
            policy: "fast-burn".into(),
            priority: Priority::P1,
            state: "ok".into(),
            since: None,
            condition: "false".into(),
            parts: vec![PartAt { holds: "false".into(), text: HOSTILE.into() }],
            held_by: Some("min_bad".into()),
            why: "not firing: min_bad held it".into(),
        }],
        incidents: vec![IncidentAt {
            id: "7".into(),
            title: HOSTILE.into(),
            state: "acknowledged".into(),
            opened_at: moment,
            timeline: vec![TimelineView { at: moment, kind: "opened".into(), text: HOSTILE.into() }],
        }],
        notes: vec![HOSTILE.into()],
    }
}

impl Proofs for FakeDesk {
    fn why<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<WhyView, DeskError>> {
        Box::pin(async move { self.incident(incident).await.map(|_| why()) })
    }

    fn not_paged<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        _: Option<DateTime<Utc>>,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<NotPagedView, DeskError>> {
        Box::pin(async move { self.slo(id, labels).map(|slo| not_paged(&slo.id)) })
    }
}
