//! The fixed desk's crontabs, noise ledger and fingerprint.

use futures_util::future::BoxFuture;
use slod::views::{
    almanac::{AgendaView, Almanac, MaintenanceView},
    desk::DeskError,
    fingerprint::{Fingerprint, Prints},
    noise::{NoiseReport, PolicyNoise},
};

use super::{
    fake_desk::FakeDesk,
    fixed_data::{HOSTILE, at},
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

    fn maintenance(&self) -> Vec<MaintenanceView> {
        vec![MaintenanceView {
            name: "move".into(),
            reason: Some(HOSTILE.into()),
            slos: 2,
            starts_at: "2026-10-26T03:00:00Z".parse().unwrap(),
            ends_at: "2026-10-26T04:00:00Z".parse().unwrap(),
        }]
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
