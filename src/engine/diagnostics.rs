//! Looks at the surroundings of incidents that ask for it: all diagnostics of the service at once, each within its own time.
//!
//! Pages were queued before this hears of an incident, so nothing here delays one. Takes no hint about what changed: the
//! bell, the timer and a restart all run the same path, and what was kept already is not asked for any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use tokio::sync::oneshot;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    board::Board,
    mailbox::{Order, Orders},
};
use crate::{
    clock::Clock,
    config::model::{Config, Diagnostic},
    domain::{
        diagnostic::{DIAGNOSTICS_MAX, Diagnosis},
        incident::IncidentEvent,
        name::Name,
    },
    source::Diagnoser,
};

/// It looks around at least this often.
const ROUND: Duration = Duration::from_secs(15);
/// The wait before a service is looked at again.
const PAUSE: Duration = Duration::from_secs(1);
/// Incidents of a service that ask for a look so soon after one began have opened together with what it was for, in the
/// same slot, although each SLO is judged by itself: they share it.
const TOGETHER: Duration = Duration::from_secs(15);
/// A look that begins so much later than it was asked for is late.
const LATE_AFTER: TimeDelta = TimeDelta::seconds(90);

/// A look that an incident asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The incident's service.
    pub service: Name,
    /// Which look, from 1.
    pub look: u32,
    /// When it was asked for.
    pub at: DateTime<Utc>,
}

/// The task that looks.
pub struct Diagnostics {
    /// What there is to look at.
    pub config: Arc<Config>,
    /// How.
    pub diagnoser: Arc<Diagnoser>,
    /// The way to the decider.
    pub orders: Orders,
    /// Which incidents ask for it.
    pub board: Arc<Board>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// When the daemon started: what was asked for before is late.
    pub started_at: DateTime<Utc>,
}

impl Diagnostics {
    /// Runs until `stop`; what is under way then is given up, and begun again by whoever comes next.
    pub async fn run(self, stop: CancellationToken) {
        let mut looking = FuturesUnordered::new();
        let mut services: BTreeSet<Name> = BTreeSet::new();
        loop {
            // Listening starts before looking: what is asked for in between rings.
            let rung = self.board.bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            for service in self.waiting().into_keys() {
                if services.insert(service.clone()) {
                    looking.push(self.look(service));
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = rung => {}
                Some(service) = looking.next() => drop(services.remove(&service)),
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    /// The incidents that ask for a look, by service, where there is anything to look at.
    fn waiting(&self) -> BTreeMap<Name, Vec<(String, Wanted)>> {
        let mut waiting: BTreeMap<Name, Vec<(String, Wanted)>> = BTreeMap::new();
        for (incident, wanted) in self.board.looks_wanted() {
            if self.config.services.get(&wanted.service).is_some_and(|service| !service.diagnostics.is_empty()) {
                waiting.entry(wanted.service.clone()).or_default().push((incident, wanted));
            }
        }
        waiting
    }

    /// One look at a service, for all of its incidents that ask for one now or open together with them. Answers when nobody
    /// shares it any more.
    async fn look(&self, service: Name) -> Name {
        let began = self.clock.now();
        let diagnostics = self.config.services.get(&service).map(|service| service.diagnostics.as_slice());
        let asked =
            diagnostics.unwrap_or_default().iter().take(DIAGNOSTICS_MAX).map(|one| self.ask(one.clone(), began));
        let together = tokio::time::sleep(TOGETHER);
        tokio::pin!(together);
        let found = join_all(asked).await;
        let mut shared: BTreeSet<String> = BTreeSet::new();
        loop {
            let rung = self.board.bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            let waiting = self.waiting().remove(&service).unwrap_or_default();
            // Whoever has had this look wants another one, and so does what opened later.
            let is_for = |(incident, wanted): &(String, Wanted)| {
                !shared.contains(incident) && wanted.at - began <= TimeDelta::seconds(TOGETHER.as_secs().cast_signed())
            };
            let (mine, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_for);
            for (incident, wanted) in mine {
                self.hand_over(&incident, &wanted, began, &found).await;
                shared.insert(incident);
            }
            if !others.is_empty() {
                break;
            }
            tokio::select! {
                () = rung => {}
                () = &mut together => break,
            }
        }
        tokio::time::sleep(PAUSE).await;
        service
    }

    /// Answers when it is kept.
    async fn hand_over(&self, incident: &str, wanted: &Wanted, began: DateTime<Utc>, found: &[Diagnosis]) {
        let late = wanted.at < self.started_at || began - wanted.at > LATE_AFTER;
        let event = IncidentEvent::Diagnosed { look: wanted.look, late, found: found.to_vec() };
        let (reply, answer) = oneshot::channel();
        // If the decider is gone, so is the daemon. An incident that is over and closed has no use for it.
        if self.orders.send(Order::Act { incident: incident.to_owned(), event, reply }).await.is_ok() {
            drop(answer.await);
        }
    }

    /// One diagnostic in a task of its own: a fault in it is its result.
    async fn ask(&self, diagnostic: Diagnostic, now: DateTime<Utc>) -> Diagnosis {
        let (diagnoser, one) = (self.diagnoser.clone(), diagnostic.clone());
        let task = AbortOnDropHandle::new(tokio::spawn(async move { diagnoser.diagnose(&one, now).await }));
        match task.await {
            Ok(diagnosis) => diagnosis,
            Err(fault) => {
                tracing::error!(diagnostic = %diagnostic.name, %fault, "a fault in slod itself while looking");
                let why = Err("internal fault".to_owned());
                Diagnosis::new(diagnostic.name, diagnostic.kind.word(), now, 0.0, why)
            }
        }
    }
}
