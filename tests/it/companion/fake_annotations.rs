//! The fixed desk's annotations.

use std::sync::Mutex;

use futures_util::future::BoxFuture;
use slod::{
    domain::{
        annotation::{Annotation, Kind, Wanted},
        name::Name,
    },
    template::Templates,
    views::{
        annotation::{Affair, AnnotationFilter, AnnotationView, Annotations, Changes},
        desk::{Desk as _, DeskError},
        incident::IncidentView,
        post_incident::{Around, variables},
    },
};

use super::{
    fake_desk::FakeDesk,
    fixed_data::{HOSTILE, at, now},
};

/// What was asked of the desk.
#[derive(Default)]
pub struct Said {
    /// Nothing stands around the incident.
    pub nothing: bool,
    pub wanted: Mutex<Vec<Wanted>>,
    /// Which was taken away, and by whom.
    pub removed: Mutex<Vec<(i64, String)>>,
}

/// A deploy of one service, and a hostile note of all: the newest first.
pub fn annotations() -> Vec<AnnotationView> {
    let deploy = Annotation {
        kind: Kind::Deploy,
        at: at("2026-10-25T11:46:00Z"),
        text: "inventory-api 4.2.1".into(),
        url: Some("https://ci.example/builds/4711".into()),
        service: Some(Name::from("inventory")),
        by: "ci".into(),
        created_at: at("2026-10-25T11:46:02Z"),
    };
    let note = Annotation {
        kind: Kind::Note,
        at: at("2026-10-25T11:20:00Z"),
        text: format!("load test {HOSTILE}"),
        url: None,
        service: None,
        by: format!("ann {HOSTILE}"),
        created_at: at("2026-10-25T11:20:00Z"),
    };
    vec![AnnotationView::new(7, &deploy), AnnotationView::new(6, &note)]
}

/// What had changed around the one incident; the store never holds the second's address.
pub fn changes_of_incident() -> Changes {
    let mut before = annotations();
    before.reverse();
    before[0].url = Some("javascript:alert(1)".into());
    let after = vec![AnnotationView { id: 8, at: at("2026-10-25T11:55:00Z"), service: None, ..before[1].clone() }];
    Changes { before, after, more: 3 }
}

/// The incident's document.
pub fn written_up(incident: &IncidentView) -> String {
    let around = Around {
        service_title: Some("Inventory"),
        owner: None,
        runbook_url: Some("javascript:alert(1)"),
        external_url: "http://127.0.0.1:9720",
        changes: &changes_of_incident(),
        now: now(),
    };
    Templates::default().post_incident(&variables(incident, &around)).0
}

impl Annotations for FakeDesk {
    fn annotate(&self, wanted: Wanted) -> BoxFuture<'_, Result<AnnotationView, DeskError>> {
        Box::pin(async move {
            self.store()?;
            self.said.wanted.lock().unwrap().push(wanted.clone());
            if wanted.service.as_deref().is_some_and(|service| service == "nope") {
                return Err(DeskError::NotFound("no service `nope`".into(), "known: inventory, quiet".into()));
            }
            let made = Annotation::new(wanted, now(), chrono::TimeDelta::days(400));
            made.map(|made| AnnotationView::new(7, &made)).map_err(|why| DeskError::Invalid(why.to_string()))
        })
    }

    fn annotations(&self, filter: AnnotationFilter) -> BoxFuture<'_, Result<Vec<AnnotationView>, DeskError>> {
        Box::pin(async move {
            self.store()?;
            let service = filter.service.as_deref();
            if let Some(service) = service.filter(|name| self.services().iter().all(|known| known.name != *name)) {
                return Err(DeskError::NotFound(format!("no service `{service}`"), "known: inventory, quiet".into()));
            }
            let wanted = annotations().into_iter().filter(|one| {
                filter.from.is_none_or(|from| one.at >= from)
                    && filter.to.is_none_or(|to| one.at < to)
                    && (service.is_none() || one.service.is_none() || one.service.as_deref() == service)
            });
            Ok(wanted.take(filter.limit).collect())
        })
    }

    fn changes<'a>(&'a self, affair: Affair<'a>) -> BoxFuture<'a, Result<Changes, DeskError>> {
        Box::pin(async move {
            self.store()?;
            let incident = self.the_incident();
            assert_eq!((affair.service, affair.opened_at), (incident.service.as_deref(), incident.opened_at));
            Ok(if self.said.nothing { Changes::default() } else { changes_of_incident() })
        })
    }

    fn unannotate<'a>(&'a self, id: i64, by: &'a str) -> BoxFuture<'a, Result<AnnotationView, DeskError>> {
        Box::pin(async move {
            self.said.removed.lock().unwrap().push((id, by.to_owned()));
            let found = annotations().into_iter().find(|one| one.id == id);
            found.ok_or_else(|| DeskError::NotFound(format!("no annotation {id}"), "`slod annotation list`".into()))
        })
    }
}
