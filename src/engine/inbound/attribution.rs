//! To whom an act belongs: which pager of ours it came from, as far as that can be known.

use super::{Inbound, Lost};
use crate::{
    config::model::{Config, ReceiverKind},
    domain::{
        incident::{Actor, Incident, Via},
        name::Name,
    },
};

/// An act at a pager, before it is known whose it is.
pub(super) struct Deed<'a> {
    /// Receivers whose secret or token vouches for it.
    pub vouching: &'a [Name],
    /// The pager's name for its incident.
    pub pager_incident: &'a str,
    /// Our key that it stands for.
    pub dedup_key: &'a str,
    /// The opening that the key is of.
    pub opening: u32,
}

impl Inbound {
    /// The actor behind a deed. None if no pager was told of that opening.
    ///
    /// Receivers may share a secret, a token and an account, and then the same key stands for one incident of each
    /// service. Who did it is passed over only where there is no doubt: to hear of one's own act is harmless, not to hear
    /// of another's is not.
    pub(super) async fn actor(
        &self,
        config: &Config,
        incident: &Incident,
        deed: &Deed<'_>,
        name: &str,
    ) -> Result<Option<Actor>, Lost> {
        let told = |name: &&Name| {
            incident.told.get(*name).is_some_and(|told| {
                told.openings.contains(&deed.opening) || incident.resolved.is_some() && told.openings.is_empty()
            })
        };
        let mut candidates: Vec<&Name> = deed.vouching.iter().filter(told).collect();
        if candidates.is_empty() {
            let is_pager = |name: &&Name| {
                let kind = config.receivers.get(*name).map(|receiver| &receiver.kind);
                matches!(kind, Some(ReceiverKind::Pagerduty { .. }))
            };
            candidates = incident.told.keys().filter(is_pager).filter(told).collect();
        }
        let Some(first) = candidates.first().map(|name| (*name).clone()) else { return Ok(None) };
        let mut sure = candidates.len() == 1;
        if sure {
            let known = self.parts.store.pager_incidents_of(&first, deed.dedup_key).await?;
            sure = known.iter().all(|(id, _)| id == deed.pager_incident);
        }
        let knows = sure.then(|| first.clone());
        let via = Via::Receiver(first);
        let (event, opening, as_of) = (None, Some(deed.opening), None);
        Ok(Some(Actor { name: name.to_owned(), via, event, opening, knows, as_of }))
    }
}
