//! The fixed desk's scene, its incidents in short, and what the past says.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use slod::{
    domain::{
        name::{Series, SloId},
        policy::Priority,
        slo::Objective,
    },
    views::{
        course::Course,
        dashboard::{BurnRow, BurnWindow, Dashboard, Glance, Line, Mark, MarkKind, OpenIncident, Scene},
        desk::{Desk as _, DeskError},
        hindsight::{About, Day, Hindsight, Threshold, hindsight},
        slo::{SloState, SloView},
    },
};

use super::{
    fake_desk::FakeDesk,
    fixed_data::{HOSTILE, at, incident, slo},
};

fn mark(kind: MarkKind, from: &str, to: Option<&str>, href: Option<&str>) -> Mark {
    Mark { kind, from: at(from), to: to.map(at), text: format!("P1 {HOSTILE}"), href: href.map(str::to_owned) }
}

fn burn(now: f64) -> BurnWindow {
    let link = "https://prometheus.example/graph?g0.expr=x%7Ba%3D%22b%22%7D";
    BurnWindow { name: "1h".into(), now: Some(now), link: Some(link.into()) }
}

impl FakeDesk {
    /// As many SLOs as are wanted, of all states.
    pub fn many_slos(&self) -> Vec<SloView> {
        let states = [SloState::Ok, SloState::Burning, SloState::Exhausted, SloState::Blind, SloState::Empty];
        let one = |number: usize| {
            let mut one = slo(&format!("slo-{number:03}"), states[number % 5], number.is_multiple_of(2));
            one.series = Series::new();
            one.title = format!("Service level {number}");
            one
        };
        (0..self.many).map(one).collect()
    }
}

impl Dashboard for FakeDesk {
    fn glance(&self) -> Vec<Glance> {
        self.slos().into_iter().map(|view| Glance { view: Arc::new(view), is_stale: self.stale }).collect()
    }

    fn open_incidents(&self) -> BoxFuture<'_, Result<Vec<OpenIncident>, DeskError>> {
        Box::pin(async move {
            self.store()?;
            let one = incident();
            Ok(vec![OpenIncident {
                id: one.id,
                service: one.service,
                slo: one.slo,
                source: None,
                series: one.series,
                title: one.title,
                priority: Priority::P1,
                state: "open".into(),
                opened_at: one.opened_at,
                acknowledged_by: None,
                muted: true,
                next_at: Some(at("2026-10-25T12:20:00Z")),
                next_notify: vec!["platform-pager".into(), HOSTILE.into()],
            }])
        })
    }

    fn scene<'a>(&'a self, id: &'a SloId, series: &'a Series, parts: usize) -> BoxFuture<'a, Result<Scene, DeskError>> {
        Box::pin(async move {
            let (from, to) = (at("2026-09-25T12:00:00Z"), at("2026-10-25T12:00:00Z"));
            let slots = self.slots(id, series, Some(from), Some(to), 50_000).await?;
            let mut course = Course::new(slots, from, to, parts);
            course.correct(from + TimeDelta::days(25), 12.0, 0.0);
            Ok(Scene {
                location: "slo.yaml:52".into(),
                course,
                marks: vec![
                    mark(MarkKind::Planned, "2026-10-01T01:00:00Z", Some("2026-10-01T03:00:00Z"), None),
                    mark(MarkKind::Correction, "2026-10-20T12:00:00Z", Some("2026-10-20T12:00:00Z"), None),
                    mark(
                        MarkKind::Deploy,
                        "2026-10-25T11:46:00Z",
                        Some("2026-10-25T11:46:00Z"),
                        Some("https://ci.example/builds/7"),
                    ),
                    mark(MarkKind::Note, "2026-10-25T11:48:00Z", Some("2026-10-25T11:48:00Z"), None),
                    mark(MarkKind::Incident, "2026-10-25T11:50:00Z", None, Some("/incident/7")),
                ],
                more_marks: false,
                more_annotations: false,
                burns: vec![BurnRow {
                    alert: "fast-burn:1h/5m".into(),
                    priority: Priority::P1,
                    state: "firing".into(),
                    factor: 14.4,
                    long: burn(15.0),
                    short: burn(3.0),
                }],
                definition: vec![Line { key: "bad".into(), value: format!("x{{path=\"{HOSTILE}\"}}"), link: None }],
                limit: Some(0.8),
                period: None,
            })
        })
    }

    fn hindsight<'a>(&'a self, _: &'a str, days: u32) -> BoxFuture<'a, Result<Vec<Hindsight>, DeskError>> {
        Box::pin(async move {
            let look = |slo: SloView| {
                let about = About {
                    today: super::fixed_data::now().date_naive(),
                    id: slo.id,
                    title: slo.title,
                    series: slo.series,
                    objective: Objective::from_ppb(950_000_000).unwrap(),
                    window: slo.window,
                    window_days: 30,
                };
                let days = vec![Day { good: 990.0, total: 1000.0, known: true }; days as usize];
                hindsight(about, &days, vec![Threshold { bound: 0.8, within: 9, of: 10 }])
            };
            Ok(self.slos().into_iter().map(look).collect())
        })
    }

    fn months<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(String, String), DeskError>> {
        Box::pin(async move { Ok(("2026-08".into(), "2026-10".into())) })
    }
}
