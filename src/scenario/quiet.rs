//! What is muted in a scenario: silences that it makes, and the planned work of its configuration.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Deed, Feed, read::World};
use crate::{
    config::{
        Code,
        fields::Fields,
        finding::Finding,
        model::Config,
        tree::{Entry, Key},
        values::ANY,
    },
    domain::{
        muting::Work,
        name::{Name, Series, SloId},
        silence::Matcher,
        slot::{Reading, Span},
    },
    engine::{maintenance::Maintenance, planned::PlannedWork},
};

/// The longest a silence lasts.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// The planned work of a configuration.
pub(super) struct Quiet {
    excluded: Maintenance,
    planned: PlannedWork,
}

impl Quiet {
    pub fn new(config: &Config) -> Self {
        Self { excluded: Maintenance::new(config), planned: PlannedWork::new(config) }
    }

    /// The work of the `seconds` from `start` on. Slots that it leaves out are not measured, whatever is written.
    pub fn plan(&self, feeds: &mut [Feed], start: DateTime<Utc>, seconds: u32) -> Vec<Work> {
        for feed in feeds {
            let first = start.timestamp().div_euclid(i64::from(feed.every));
            let slots = first..first + feed.readings.len() as i64;
            for slot in self.excluded.slots(&feed.id, feed.every, slots) {
                let place = usize::try_from(slot - first).ok().and_then(|place| feed.readings.get_mut(place));
                if let Some(reading) = place {
                    *reading = Reading::Excluded;
                }
            }
        }
        let start = start.timestamp();
        self.planned.within(Span { start, end: start + i64::from(seconds) + 1 })
    }
}

impl World<'_> {
    /// `silence: {slo, policy, for, reason, by}`.
    pub(super) fn silence(&self, entry: &Entry) -> Option<Deed> {
        let fields = Fields::open(self.cx, &entry.value, entry.key.at, "`silence`")?;
        for key in ["slo", "for", "reason"] {
            fields.require(key);
        }
        let id = fields.word("slo", "`service/slo`").and_then(|word| self.slo(&word));
        let policy = fields.word("policy", "the name of a policy");
        let lasting = fields.seconds("for", ANY);
        if lasting.is_some_and(|lasting| u64::from(lasting) > LONGEST.as_secs()) {
            let finding = Finding::error(Code::OutOfRange, fields.key_at("for"), "a silence lasts at most 7 days");
            self.cx.push(finding);
        }
        let reason = fields.word("reason", "a text");
        let by = fields.word("by", "a name").map_or_else(|| "scenario".to_owned(), |by| by.value);
        fields.close();
        let id = id?;
        let policy = match policy {
            Some(word) => Some(self.policy_of(&id, &word)?),
            None => None,
        };
        let matcher = Matcher { service: id.service, slo: Some(id.slo), policy, labels: Series::new() };
        Some(Deed::Silence { matcher, lasting: lasting?, by, reason: reason?.value })
    }

    fn policy_of(&self, id: &SloId, word: &Key) -> Option<Name> {
        let policies = self.rules.slos.get(id).map(|slo| slo.policies.as_slice()).unwrap_or_default();
        let known: Vec<&str> = policies.iter().map(|rules| rules.policy.name.as_str()).collect();
        if known.contains(&word.value.as_str()) {
            return Some(Name::from(word.value.as_str()));
        }
        self.unknown("policy of that SLO", word, &known);
        None
    }
}
