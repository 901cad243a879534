//! The desk over the running daemon: reads the board and the store, acts through the decider.

mod acting;
mod almanac;
mod annotations;
mod correct;
mod dashboard;
mod ends;
mod figures;
mod health;
mod incident;
mod post_incident;
mod silences;
mod trial;
mod why;

use std::sync::{Arc, RwLock};

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

pub(super) use self::incident::delivery_view;
use self::trial::test_message;
use super::{
    board::Board,
    inbound::Inbound,
    mailbox::Orders,
    metrics::{self, ReloadState},
    report,
};
use crate::{
    clock::Clock,
    config::model::{Config, Indicator, Right},
    domain::{
        incident::Incident,
        name::{Name, Series, SloId},
        notification::Message,
    },
    schedule,
    store::{Store, StoreError},
    views::{
        desk::{
            Action, Correcting, Desk, DeskError, Health, IncidentFilter, ReceiverView, ServiceView, SourceView, Way,
        },
        explain::Explanation,
        inbound::{Call, Reception},
        incident::{DeliveryView, IncidentView},
        report::{BudgetReport, CorrectionView},
        silence::{SilenceView, Silencing},
        slo::{SloView, SlotView},
    },
};

/// A request to read the configuration again, and where the answer goes.
pub type ReloadRequest = oneshot::Sender<Result<String, DeskError>>;

/// How the configuration came to be.
#[derive(Clone, Debug)]
pub struct Loading {
    /// When the running one was loaded.
    pub loaded_at: DateTime<Utc>,
    /// The problems of the newest refused one, one a line, with nothing of what the files hold.
    pub rejected: Option<String>,
}

/// The desk over the running daemon.
pub struct LiveDesk {
    /// The running configuration.
    pub config: Arc<ArcSwap<Config>>,
    /// What was last known.
    pub board: Arc<Board>,
    /// What is stored.
    pub store: Store,
    /// The way to the decider.
    pub orders: Orders,
    /// The way to reload.
    pub reloads: mpsc::Sender<ReloadRequest>,
    /// Wakes the deliverers.
    pub nudge: Arc<tokio::sync::Notify>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// When the daemon started.
    pub started_at: DateTime<Utc>,
    /// Takes what people do elsewhere.
    pub inbound: Arc<Inbound>,
    /// How the newest reload went.
    pub loading: Arc<RwLock<Loading>>,
}

impl LiveDesk {
    fn slo_of(&self, id: &SloId) -> Result<Arc<Config>, DeskError> {
        let config = self.config.load_full();
        if config.slos.contains_key(id) {
            return Ok(config);
        }
        let known: Vec<_> = config.slos.keys().take(50).map(ToString::to_string).collect();
        Err(DeskError::NotFound(format!("no SLO `{id}`"), format!("known: {}", known.join(", "))))
    }

    async fn find(&self, id: &str) -> Result<Incident, DeskError> {
        if let Some(found) = self.store.incident(id).await.map_err(unavailable)? {
            return Ok(found);
        }
        let newest = self.store.incidents(None, None, 5).await.map_err(unavailable)?;
        let newest: Vec<_> = newest.into_iter().map(|incident| incident.id).collect();
        let newest = if newest.is_empty() { "there is none yet".to_owned() } else { newest.join(", ") };
        Err(DeskError::NotFound(
            format!("no incident `{id}`"),
            format!("the newest: {newest}; `slod incidents` lists them"),
        ))
    }
}

impl Desk for LiveDesk {
    fn services(&self) -> Vec<ServiceView> {
        let config = self.config.load();
        let view = |(name, service): (&Name, &crate::config::model::Service)| ServiceView {
            name: name.to_string(),
            title: service.title.clone(),
            owner: service.owner.clone(),
            runbook_url: service.runbook_url.clone(),
            metric_prefix: service.metric_prefix.clone(),
        };
        config.services.iter().map(view).collect()
    }

    fn slos(&self) -> Vec<SloView> {
        self.board.slos().iter().map(|view| self.figures(view)).collect()
    }

    fn slo(&self, id: &SloId, labels: &Series) -> Result<SloView, DeskError> {
        self.worst_series(id, labels).map(|view| self.figures(&view))
    }

    fn slots<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<SlotView>, DeskError>> {
        Box::pin(self.stored_slots(id, labels, from, to, limit))
    }

    fn explain<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        at: Option<DateTime<Utc>>,
    ) -> BoxFuture<'a, Result<Explanation, DeskError>> {
        Box::pin(self.explained(id, labels, at))
    }

    fn budget<'a>(
        &'a self,
        month: Option<&'a str>,
        service: Option<&'a str>,
    ) -> BoxFuture<'a, Result<BudgetReport, DeskError>> {
        Box::pin(async move {
            let config = self.config.load_full();
            if let Some(service) = service.filter(|service| !config.services.contains_key(*service)) {
                let known: Vec<_> = config.services.keys().map(Name::as_str).collect();
                return Err(DeskError::NotFound(
                    format!("no service `{service}`"),
                    format!("known: {}", known.join(", ")),
                ));
            }
            let now = self.clock.now();
            let zone = &config.daemon.timezone;
            let month = match month {
                Some(name) => schedule::month(name, zone),
                None => schedule::running_month(now, zone),
            };
            let month = month.map_err(|error| DeskError::Invalid(error.to_string()))?;
            report::budget_report(&self.store, &config, &month, service, now).await.map_err(unavailable)
        })
    }

    fn incidents(&self, filter: IncidentFilter) -> BoxFuture<'_, Result<Vec<IncidentView>, DeskError>> {
        Box::pin(async move {
            let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
            let found = self.store.incidents(filter.state.as_deref(), filter.service.as_deref(), limit).await;
            let mut views = Vec::new();
            for incident in found.map_err(unavailable)? {
                views.push(self.outline(&incident).await.map_err(unavailable)?);
            }
            Ok(views)
        })
    }

    fn incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<IncidentView, DeskError>> {
        Box::pin(async move {
            let incident = self.find(id).await?;
            self.whole(&incident).await.map_err(unavailable)
        })
    }

    fn post_incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<String, DeskError>> {
        Box::pin(async move { Ok(self.incident_written_up(id).await?.1) })
    }

    fn incident_written_up<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(IncidentView, String), DeskError>> {
        Box::pin(async move {
            let incident = self.find(id).await?;
            let view = self.whole(&incident).await.map_err(unavailable)?;
            let text = self.written_up(&incident, &view).await.map_err(unavailable)?;
            Ok((view, text))
        })
    }

    fn deliveries<'a>(
        &'a self,
        state: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<DeliveryView>, DeskError>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let found = self.store.deliveries(state, limit).await.map_err(unavailable)?;
            Ok(found.iter().map(delivery_view).collect())
        })
    }

    fn delivery(&self, id: i64) -> BoxFuture<'_, Result<DeliveryView, DeskError>> {
        Box::pin(async move {
            let found = self.store.delivery(id).await.map_err(unavailable)?;
            found.as_ref().map(delivery_view).ok_or_else(|| no_delivery(id))
        })
    }

    fn retry(&self, id: i64) -> BoxFuture<'_, Result<(), DeskError>> {
        Box::pin(async move {
            let found = self.store.delivery(id).await.map_err(unavailable)?.ok_or_else(|| no_delivery(id))?;
            if !self.store.retry_now(id, self.clock.now()).await.map_err(unavailable)? {
                return Err(DeskError::Conflict(format!(
                    "delivery {id} is {}; only a waiting or dead one can be tried again",
                    found.state
                )));
            }
            self.nudge.notify_waiters();
            Ok(())
        })
    }

    fn act<'a>(
        &'a self,
        incident: &'a str,
        action: Action,
        by: &'a str,
        way: Way,
    ) -> BoxFuture<'a, Result<IncidentView, DeskError>> {
        Box::pin(self.acted(incident, action, by, way))
    }

    fn receive<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Reception> {
        Box::pin(async move { self.inbound.receive(&call).await })
    }

    fn correct(&self, wanted: Correcting) -> BoxFuture<'_, Result<CorrectionView, DeskError>> {
        Box::pin(self.corrected(wanted))
    }

    fn silence(&self, wanted: Silencing) -> BoxFuture<'_, Result<SilenceView, DeskError>> {
        Box::pin(self.silenced(wanted))
    }

    fn silences<'a>(
        &'a self,
        state: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<SilenceView>, DeskError>> {
        Box::pin(self.listed_silences(state, limit))
    }

    fn expire<'a>(&'a self, id: &'a str, by: &'a str) -> BoxFuture<'a, Result<SilenceView, DeskError>> {
        Box::pin(self.expired(id, by))
    }

    fn notify_test<'a>(&'a self, receiver: &'a str, by: &'a str) -> BoxFuture<'a, Result<i64, DeskError>> {
        Box::pin(async move {
            let config = self.config.load_full();
            if !config.receivers.contains_key(receiver) {
                let known: Vec<_> = config.receivers.keys().map(Name::as_str).collect();
                return Err(DeskError::NotFound(
                    format!("no receiver `{receiver}`"),
                    format!("known: {}", known.join(", ")),
                ));
            }
            if let Some(refusal) = config.receivers.get(receiver).and_then(trial::refusal) {
                return Err(DeskError::Invalid(format!("`{receiver}` {refusal}")));
            }
            let message = Message::Notification(Box::new(test_message(
                receiver,
                by,
                &config.daemon.external_url,
                self.clock.now(),
            )));
            let id =
                self.store.enqueue_test(Name::from(receiver), message, self.clock.now()).await.map_err(unavailable)?;
            self.nudge.notify_waiters();
            Ok(id)
        })
    }

    fn sources(&self) -> Vec<SourceView> {
        self.asked()
    }

    fn receivers(&self) -> BoxFuture<'_, Result<Vec<ReceiverView>, DeskError>> {
        Box::pin(self.told())
    }

    fn health(&self) -> Health {
        let config = self.config.load();
        let loading = self.loading.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let reasons = self.unready();
        Health {
            ready: reasons.is_empty(),
            reasons,
            store_trouble: self.board.trouble().or_else(|| self.store.trouble()),
            notices: self.notices(),
            started_at: self.started_at,
            config_hash: config.hash.clone(),
            loaded_at: loading.loaded_at,
            rejected_reload: loading.rejected,
            timezone: config.daemon.timezone.clone(),
        }
    }

    fn external_url(&self) -> String {
        self.config.load().daemon.external_url.clone()
    }

    fn reload(&self) -> BoxFuture<'_, Result<String, DeskError>> {
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            let gone = || DeskError::Unavailable("the daemon is stopping".to_owned());
            self.reloads.send(reply).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        })
    }

    fn metrics(&self) -> BoxFuture<'_, Result<String, DeskError>> {
        Box::pin(async move {
            let loading = self.loading.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            let reload = ReloadState { successful: loading.rejected.is_none(), loaded_at: loading.loaded_at };
            metrics::text(&self.board, &self.store, reload).await.map_err(unavailable)
        })
    }

    fn has_tokens(&self) -> bool {
        !self.config.load().daemon.tokens.is_empty()
    }

    fn rights_of(&self, token: &[u8; 32]) -> Option<Vec<Right>> {
        let config = self.config.load();
        // Hashes of equal length are compared whole, so that the time taken says nothing of the secret.
        let digest = |text: &str| <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes());
        let same =
            |secret: &str| token.iter().zip(digest(secret)).fold(0, |sum, (one, other)| sum | (one ^ other)) == 0;
        let found =
            config.daemon.tokens.values().filter(|token| !token.secret.is_empty() && same(token.secret.expose()));
        found.map(|token| token.can.clone()).next_back()
    }

    fn latency_thresholds(&self) -> Vec<f64> {
        let threshold = |indicator: &Indicator| match indicator {
            Indicator::LatencyHistogram { threshold, .. } | Indicator::LatencySql { threshold, .. } => Some(*threshold),
            _ => None,
        };
        self.config.load().slos.values().filter_map(|slo| threshold(&slo.indicator)).collect()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unavailable(error: StoreError) -> DeskError {
    DeskError::Unavailable(error.text())
}

fn no_delivery(id: i64) -> DeskError {
    DeskError::NotFound(format!("no delivery {id}"), "`GET /api/v1/deliveries` lists them".to_owned())
}
