//! A desk over fixed data.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use slod::{
    config::model::Right,
    domain::{
        correction::Correction,
        name::{Series, SloId},
        slot::SlotState,
    },
    views::{
        desk::{
            Action, Correcting, Desk, DeskError, Health, IncidentFilter, ReceiverView, ServiceView, SourceView, Way,
        },
        explain::Explanation,
        inbound::{Call, Caller, Reception, Unread},
        incident::{DeliveryView, IncidentView},
        report::{BudgetReport, CorrectionView},
        silence::{SilenceView, Silencing},
        slo::{SloState, SloView, SlotView},
    },
};

pub use super::fixed_data::StoppedClock;
use super::{
    fake_annotations::{Said, written_up},
    fixed_data::{HOSTILE, at, delivery, explanation, incident, incident_as, now, report, silence, slo, source},
};

/// Who called, the signatures, the time, and the body.
pub type SeenCall = (Caller, String, String, Result<Vec<u8>, Unread>);

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
    /// SLOs beside the two that are always there.
    pub many: usize,
    /// No figure is news.
    pub stale: bool,
    /// What the test message becomes on the third look: `sent` unless written.
    pub test_ends: Option<&'static str>,
    pub looks: AtomicU32,
    pub acts: Mutex<Vec<(String, Action, String)>>,
    /// What becomes of a signed call: accepted unless written.
    pub reception: Option<Reception>,
    pub calls: Mutex<Vec<SeenCall>>,
    /// Tokens that a reload took away.
    pub taken_away: Mutex<Vec<&'static str>>,
    /// Why acts make no sense.
    pub conflict: Option<&'static str>,
    /// Incidents beside the one.
    pub past: usize,
    /// The incident is over.
    pub over: bool,
    /// No source, no receiver, no incident.
    pub bare: bool,
    /// The newest slot's time has not passed yet.
    pub ahead: bool,
    /// Somebody had the incident before.
    pub held: bool,
    /// Acts are never answered.
    pub stuck: bool,
    /// Why nothing can be written.
    pub unwritable: Option<&'static str>,
    /// Silences that were made.
    pub silenced: Mutex<Vec<Silencing>>,
    /// What was put on record, and taken away.
    pub said: Said,
    /// Messages that were tried again.
    pub retried: Mutex<Vec<i64>>,
    /// What is otherwise about the incident.
    pub turned: Option<fn(&mut IncidentView)>,
    pub runbook: Option<&'static str>,
}

impl FakeDesk {
    pub(super) fn store(&self) -> Result<(), DeskError> {
        assert!(!self.faulty, "a secret that a panic must not show");
        if self.store_is_gone { Err(DeskError::Unavailable("the store is gone".into())) } else { Ok(()) }
    }

    pub(super) fn the_incident(&self) -> IncidentView {
        let mut incident = incident_as(self.over, self.held);
        self.turned.iter().for_each(|turn| turn(&mut incident));
        incident
    }
}

impl Desk for FakeDesk {
    fn services(&self) -> Vec<ServiceView> {
        let service = |name: &str, title: &str, metric_prefix: Option<&str>| ServiceView {
            name: name.into(),
            title: title.into(),
            owner: Some("Inventory Engineering".into()),
            runbook_url: Some(self.runbook.unwrap_or("javascript:alert(1)").into()),
            metric_prefix: metric_prefix.map(str::to_owned),
        };
        vec![
            service("inventory", &format!("Inventory {HOSTILE}"), Some("inventory_dashboard")),
            service("quiet", "Quiet", None),
        ]
    }

    fn slos(&self) -> Vec<SloView> {
        let mut slos =
            vec![slo("api-response-time", SloState::Burning, true), slo("rop-freshness", SloState::Empty, false)];
        slos.extend(self.many_slos());
        for slo in slos.iter_mut().filter(|_| self.ahead) {
            slo.watermark = Some(now() + TimeDelta::seconds(3));
        }
        slos
    }

    fn slo(&self, id: &SloId, labels: &Series) -> Result<SloView, DeskError> {
        if let Some(label) = labels.keys().find(|label| *label != "shop") {
            return Err(DeskError::Invalid(format!("`{label}` is no label")));
        }
        self.slos().into_iter().find(|slo| slo.id == *id).ok_or_else(|| {
            DeskError::NotFound(format!("there is no SLO `{id}`"), "SLOs: inventory/api-response-time".into())
        })
    }

    fn slots<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<SlotView>, DeskError>> {
        Box::pin(async move {
            self.slo(id, labels)?;
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

    fn explain<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        _: Option<DateTime<Utc>>,
    ) -> BoxFuture<'a, Result<Explanation, DeskError>> {
        Box::pin(async move { self.slo(id, labels).map(|slo| explanation(&slo)) })
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
            let all = (!self.bare).then(incident).into_iter();
            let wanted = all.filter(|incident| filter.state.as_ref().is_none_or(|state| *state == incident.state));
            Ok(wanted.filter(|incident| filter.service.is_none() || filter.service == incident.service).collect())
        })
    }

    fn incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<IncidentView, DeskError>> {
        Box::pin(async move {
            self.store()?;
            if id != "7" {
                let others = "/api/v1/incidents lists them".into();
                return Err(DeskError::NotFound(format!("there is no incident `{id}`"), others));
            }
            Ok(self.the_incident())
        })
    }

    fn post_incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<String, DeskError>> {
        Box::pin(async move { self.incident(id).await.map(|incident| written_up(&incident)) })
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
        Box::pin(async move {
            if id == 1 {
                return Err(DeskError::Conflict("it was accepted already".into()));
            }
            self.retried.lock().unwrap().push(id);
            Ok(())
        })
    }

    fn act<'a>(
        &'a self,
        incident: &'a str,
        action: Action,
        by: &'a str,
        _: Way,
    ) -> BoxFuture<'a, Result<IncidentView, DeskError>> {
        Box::pin(async move {
            if self.stuck {
                return std::future::pending().await;
            }
            let view = self.incident(incident).await?;
            if let Some(why) = self.conflict {
                return Err(DeskError::Conflict(why.into()));
            }
            self.acts.lock().unwrap().push((incident.to_owned(), action, by.to_owned()));
            Ok(view)
        })
    }

    fn receive<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Reception> {
        let seen = (call.caller, call.signatures.to_owned(), call.timestamp.to_owned(), call.body.map(<[u8]>::to_vec));
        self.calls.lock().unwrap().push(seen);
        Box::pin(async { self.reception.unwrap_or(Reception::Accepted) })
    }

    fn correct(&self, wanted: Correcting) -> BoxFuture<'_, Result<CorrectionView, DeskError>> {
        Box::pin(async move {
            self.slo(&wanted.slo, &Series::new())?;
            if wanted.reason.trim().is_empty() {
                return Err(DeskError::Invalid("a correction needs a `reason`".into()));
            }
            let Correcting { series, at, bad, total, reason, by, .. } = wanted;
            Ok(CorrectionView::new(&series, &Correction { at, bad, total, reason, by, made_at: now() }))
        })
    }

    fn silence(&self, wanted: Silencing) -> BoxFuture<'_, Result<SilenceView, DeskError>> {
        Box::pin(async move {
            if wanted.reason.trim().is_empty() {
                return Err(DeskError::Invalid("a silence needs a `reason`".into()));
            }
            if wanted.matcher.service.as_str() == "nope" {
                return Err(DeskError::NotFound("there is no service `nope`".into(), "known: inventory".into()));
            }
            self.silenced.lock().unwrap().push(wanted.clone());
            let id = (!wanted.preview).then_some("3f9c01ab22d4");
            let Silencing { matcher, ends_at, by, reason, .. } = wanted;
            Ok(SilenceView { matcher, ends_at, by, reason, ..silence(id) })
        })
    }

    fn silences<'a>(
        &'a self,
        state: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<SilenceView>, DeskError>> {
        Box::pin(async move {
            let one = SilenceView { covers: None, ..silence(Some("3f9c01ab22d4")) };
            Ok(vec![one].into_iter().filter(|one| state.is_none_or(|state| state == one.state)).take(limit).collect())
        })
    }

    fn expire<'a>(&'a self, id: &'a str, by: &'a str) -> BoxFuture<'a, Result<SilenceView, DeskError>> {
        Box::pin(async move {
            if !matches!(id, "7" | "3f9c01ab22d4") {
                return Err(DeskError::NotFound(format!("no active silence `{id}`"), "`slod silence list`".into()));
            }
            let (at, by) = (Some(now()), Some(by.to_owned()));
            Ok(SilenceView { state: "expired".into(), expired_at: at, expired_by: by, ..silence(Some(id)) })
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
        (!self.bare).then(source).into_iter().collect()
    }

    fn receivers(&self) -> BoxFuture<'_, Result<Vec<ReceiverView>, DeskError>> {
        let receiver = ReceiverView {
            name: "ops-pager".into(),
            kind: "pagerduty".into(),
            pending: 1,
            dead: 2,
            joined: 0,
            max_rate: None,
            last_sent: Some(at("2026-10-25T11:50:02Z")),
            last_failure: self.not_ready.then(|| at("2026-10-25T11:55:00Z")),
            last_error: self.not_ready.then(|| format!("400 invalid key {HOSTILE}")),
        };
        let all = (!self.bare).then_some(receiver);
        Box::pin(async move { Ok(all.into_iter().collect()) })
    }

    fn external_url(&self) -> String {
        self.external_url.clone().unwrap_or_else(|| "http://127.0.0.1:9720".into())
    }

    fn health(&self) -> Health {
        Health {
            ready: !self.not_ready,
            notices: vec![],
            reasons: if self.not_ready { vec![format!("no slot yet {HOSTILE}")] } else { vec![] },
            store_trouble: self
                .not_ready
                .then(|| format!("disk full {HOSTILE}"))
                .or_else(|| self.unwritable.map(str::to_owned)),
            started_at: at("2026-10-25T10:00:00Z"),
            config_hash: "0f1e2d3c4b5a".into(),
            loaded_at: at("2026-10-25T10:00:00Z"),
            rejected_reload: self
                .config_is_bad
                .then(|| "error[E0101]: unknown key `windw` --> slo.yaml:88:9".to_owned()),
            timezone: "UTC".into(),
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

    fn rights_of(&self, token: &[u8; 32]) -> Option<Vec<Right>> {
        let tokens =
            [("looks", vec![Right::Read]), ("acts", vec![Right::Read, Right::Operate]), ("owns", vec![Right::Admin])];
        let gone = self.taken_away.lock().unwrap();
        let known = tokens.into_iter().filter(|(secret, _)| !gone.contains(secret));
        known.into_iter().find(|(secret, _)| Sha256::digest(secret.as_bytes())[..] == token[..]).map(|found| found.1)
    }

    fn latency_thresholds(&self) -> Vec<f64> {
        vec![0.8, 180.0]
    }
}
