//! The proof of what was sent and what was not.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::{LiveDesk, unavailable};
use crate::{
    domain::{
        decide::SeriesKey,
        name::{Name, Series, SloId},
    },
    engine::{
        unpaged::{self, Asked},
        why,
    },
    views::{
        desk::DeskError,
        render_words::instant,
        why::{NotPagedView, Proofs, WhyView},
    },
};

impl Proofs for LiveDesk {
    fn why<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<WhyView, DeskError>> {
        Box::pin(async move {
            let found = self.find(incident).await?;
            why::why(&self.store, &found).await.map_err(unavailable)
        })
    }

    fn not_paged<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        at: Option<DateTime<Utc>>,
        policy: Option<&'a str>,
    ) -> BoxFuture<'a, Result<NotPagedView, DeskError>> {
        Box::pin(async move {
            let (config, now) = (self.slo_of(id)?, self.clock.now());
            let Some(slo) = config.slos.get(id) else {
                return Err(DeskError::NotFound(format!("no SLO `{id}`"), String::new()));
            };
            let mine = config.policies.values().filter(|bound| bound.slos.contains(id)).map(|bound| &bound.policy.name);
            let mine: Vec<&str> = mine.map(Name::as_str).collect();
            if let Some(policy) = policy.filter(|policy| !mine.contains(policy)) {
                let known = if mine.is_empty() { "none does".to_owned() } else { mine.join(", ") };
                return Err(DeskError::NotFound(
                    format!("no policy `{policy}` watches {id}"),
                    format!("known: {known}"),
                ));
            }
            let key = SeriesKey { id: id.clone(), series: self.worst_series(id, labels)?.series.clone() };
            // What is still to come is not known.
            let (asked, at) = (at, at.unwrap_or(now).min(now));
            let loaded_at = self.loading.read().unwrap_or_else(std::sync::PoisonError::into_inner).loaded_at;
            let question = Asked { slo, key: &key, at, policy, now, loaded_at };
            let mut proof = unpaged::not_paged(&self.store, &config, question).await.map_err(unavailable)?;
            if let Some(to_come) = asked.filter(|asked| *asked > now) {
                let note = format!("{} has not happened yet: this is how it stands now.", instant(to_come));
                proof.notes.insert(0, note);
            }
            Ok(proof)
        })
    }
}
