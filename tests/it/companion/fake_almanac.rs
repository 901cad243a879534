//! The fixed desk's crontabs, noise ledger and fingerprint.

use futures_util::future::BoxFuture;
use slod::views::{
    almanac::{AgendaView, Almanac, PlannedView, Turn},
    desk::DeskError,
    fingerprint::{Fingerprint, Prints},
    incident::IncidentView,
    noise::{NoiseReport, PolicyNoise},
};

use super::{
    fake_desk::FakeDesk,
    fixed_data::{HOSTILE, at, incident},
};

impl Almanac for FakeDesk {
    fn agenda(&self) -> BoxFuture<'_, Result<Vec<AgendaView>, DeskError>> {
        let entry = |name: &str, ran: bool| AgendaView {
            kind: "report".into(),
            name: name.into(),
            cron: "0 9 1 * *".into(),
            timezone: "Europe/Paris".into(),
            notify: if ran { vec!["ops-lead".into(), HOSTILE.into()] } else { vec![] },
            next_at: ran.then(|| at("2026-11-01T08:00:00Z")),
            last_at: ran.then(|| at("2026-10-01T07:00:00Z")),
            last_missed: ran.then_some(2),
        };
        Box::pin(async move { Ok(vec![entry("monthly-review", true), entry("never", false)]) })
    }

    fn noise<'a>(&'a self, _: u32, service: Option<&'a str>) -> BoxFuture<'a, Result<NoiseReport, DeskError>> {
        let loud = PolicyNoise {
            policy: "fast-burn".into(),
            service: Some("inventory".into()),
            about: format!("inventory/api-response-time {HOSTILE}"),
            incidents: 3,
            pages: 4,
            acknowledged: 1,
            ended_alone: 2,
            budget_spent: Some(0.2),
            budget_per_page: Some(0.05),
        };
        let quiet = PolicyNoise { policy: "blind".into(), about: "source prometheus".into(), ..PolicyNoise::default() };
        Box::pin(async move {
            if let Some(service) = service.filter(|service| !["inventory", "quiet"].contains(service)) {
                return Err(DeskError::NotFound(format!("there is no service `{service}`"), "known: inventory".into()));
            }
            Ok(NoiseReport {
                from: at("2026-07-27T12:00:12Z"),
                to: at("2026-10-25T12:00:12Z"),
                incidents: 3,
                truncated: false,
                policies: vec![loud, quiet],
            })
        })
    }

    fn story<'a>(&'a self, service: &'a str, turn: Turn) -> BoxFuture<'a, Result<Vec<IncidentView>, DeskError>> {
        Box::pin(async move {
            if self.store_is_gone {
                return Err(DeskError::Unavailable("the store is gone".into()));
            }
            let all = if service == "inventory" { self.past + 1 } else { 0 };
            let one = |number: usize| IncidentView { id: (7 + number).to_string(), ..incident() };
            Ok((0..all).skip(turn.skip).take(turn.limit).map(one).collect())
        })
    }

    fn planned(&self) -> Vec<PlannedView> {
        let window = |state: &str, reason: Option<&str>, slos: Vec<String>| PlannedView {
            name: "inventory/move".into(),
            state: state.into(),
            starts_at: at("2026-10-25T11:00:00Z"),
            ends_at: at("2026-10-25T13:00:00Z"),
            excluded: true,
            reason: reason.map(str::to_owned),
            slos_in_all: slos.len(),
            slos,
        };
        vec![window("now", Some(HOSTILE), vec!["inventory/api-response-time".into()]), window("coming", None, vec![])]
    }

    fn fingerprint(&self) -> Fingerprint {
        let prints =
            |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "0f".to_owned())).collect::<Prints>();
        Fingerprint {
            version: env!("CARGO_PKG_VERSION").into(),
            hash: "0f1e2d3c4b5a".into(),
            sections: [
                ("slos".to_owned(), prints(&["inventory/api-response-time"])),
                ("receivers".to_owned(), prints(&["ops-pager"])),
            ]
            .into(),
        }
    }
}
