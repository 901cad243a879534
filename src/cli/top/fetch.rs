//! What one look asks of the daemon.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::TopArgs;
use crate::{
    cli::{client::Client, status::trends_of},
    clock::{Clock, SystemClock},
    views::{incident::IncidentView, render_top::Glance, slo::SloView, trend::Spent},
};

/// Most incidents of each state.
const INCIDENTS: &str = "20";

/// What earlier looks have brought.
#[derive(Debug, Default)]
pub struct Asked {
    spent: BTreeMap<String, Spent>,
}

#[derive(Deserialize)]
struct Slos {
    slos: Vec<SloView>,
}

#[derive(Deserialize)]
struct Incidents {
    incidents: Vec<IncidentView>,
}

impl Asked {
    /// Looks once. The daemon is found anew each time: it may have been restarted elsewhere.
    pub fn glance(&mut self, config: &Path, args: &TopArgs) -> anyhow::Result<Glance> {
        let client = Client::new(config, &args.reach)?;
        let Slos { mut slos } = client.get(&["api", "v1", "slos"], &[])?;
        let service = args.service.as_deref();
        if let Some(service) = service {
            slos.retain(|slo| slo.service == service);
            anyhow::ensure!(!slos.is_empty(), "there is no service `{service}`");
        }
        slos.sort_by(SloView::worst_first);
        let mut incidents = Vec::new();
        for state in ["open", "acknowledged"] {
            let mut query = vec![("state", state), ("limit", INCIDENTS)];
            query.extend(service.map(|service| ("service", service)));
            let Incidents { incidents: some } = client.get(&["api", "v1", "incidents"], &query)?;
            incidents.extend(some);
        }
        let daemon = client.get(&["api", "v1", "status"], &[])?;
        let trends = trends_of(&client, &slos, &mut self.spent);
        Ok(Glance { at: SystemClock.now(), slos, incidents, daemon, trends })
    }
}
