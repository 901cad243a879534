//! Puts a scenario through the core. At one instant: what is due by itself, then slots, then acts, then expectations.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Act, Deed, Failure, Feed, Outcome, Scenario, Told, compare};
use crate::domain::{
    chunk::chunk_of,
    condition::duration,
    decide::{Core, Decision, Input, Outgoing},
    incident::{IncidentEvent, Subject},
    ledger::Ledger,
    name::{Name, Series, SloId},
    page_news::PageNews,
    rulebook::Rulebook,
    silence::Silence,
    slot::{Gap, Reading, SlotAnswer},
};

/// Ticks at one instant; the core needs one or two.
const TICKS_MAX: usize = 1_000;

/// Plays a scenario and says how it ended.
pub fn play(scenario: &Scenario, rules: &Arc<Rulebook>) -> Outcome {
    let mut stage = Stage {
        core: Core::new(rules.clone()),
        start: scenario.start,
        now: scenario.start,
        told: Told::new(),
        down: BTreeMap::new(),
        missed: BTreeMap::new(),
        failures: Vec::new(),
    };
    stage.core.resume_mutes(scenario.start, Vec::new(), scenario.planned.clone());
    let (mut acts, mut expectations) = (scenario.acts.iter().peekable(), scenario.expectations.iter().peekable());
    let mut settled = vec![0; scenario.feeds.len()];
    while let Some(last) = scenario.expectations.last() {
        let seconds = |at: u32| scenario.start + TimeDelta::seconds(i64::from(at));
        let slots =
            scenario.feeds.iter().zip(&settled).filter_map(|(feed, settled)| feed.end(*settled, scenario.start));
        let acted = acts.peek().map(|act| seconds(act.at));
        let expected = expectations.peek().map(|expectation| seconds(expectation.at));
        let next = slots.chain(acted).chain(expected).chain(stage.down.values().copied()).min();
        // What comes after the last expectation is seen by nobody.
        let Some(next) = next.filter(|next| *next <= seconds(last.at)) else { break };
        stage.until(next);
        for (feed, settled) in scenario.feeds.iter().zip(&mut settled) {
            if feed.end(*settled, scenario.start) == Some(next) {
                stage.settle(feed, *settled);
                *settled += 1;
            }
        }
        while let Some(act) = acts.next_if(|act| seconds(act.at) == next) {
            stage.act(act);
        }
        stage.ask_again();
        while let Some(expectation) = expectations.next_if(|expectation| seconds(expectation.at) == next) {
            let found = compare::compare(expectation, &stage.core, &scenario.feeds, &stage.told);
            stage.failures.extend(found);
        }
    }
    Outcome { name: scenario.name.clone(), spot: scenario.spot.clone(), failures: stage.failures }
}

impl Feed {
    /// When slot `number` from the start ends, if it is fed.
    fn end(&self, number: usize, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let slots = i64::try_from(number).ok()? + 1;
        (number < self.readings.len()).then(|| start + TimeDelta::seconds(slots * i64::from(self.every)))
    }
}

struct Stage {
    core: Core,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    /// By receiver, in order.
    told: Told,
    /// Sources that do not answer, and when they are asked again.
    down: BTreeMap<Name, DateTime<Utc>>,
    /// What they will answer about the past when they are up again.
    missed: BTreeMap<Name, BTreeMap<SloId, Vec<SlotAnswer>>>,
    failures: Vec<Failure>,
}

impl Stage {
    /// Lets time pass, ticking exactly when the core asks for it.
    fn until(&mut self, end: DateTime<Utc>) {
        for _ in 0..TICKS_MAX {
            let Some(wake) = self.core.wake_at().filter(|wake| *wake <= end) else { break };
            self.now = self.now.max(wake);
            self.input(Input::Tick);
        }
        self.now = end;
        self.core.forget_finished(end);
    }

    /// Whether the core took it.
    fn input(&mut self, input: Input) -> bool {
        let mut decision = Decision::default();
        let taken = self.core.handle(self.now, input, &mut decision).is_ok();
        for _ in 0..TICKS_MAX {
            if self.core.wake_at().is_none_or(|wake| wake > self.now) {
                break;
            }
            // Nothing refuses a tick.
            drop(self.core.handle(self.now, Input::Tick, &mut decision));
        }
        let posts: Vec<_> = decision.outgoing.iter().filter_map(Outgoing::posted).collect();
        for outgoing in decision.outgoing {
            self.told.entry(outgoing.receiver).or_default().push(outgoing.event);
        }
        // The public page takes everything at once.
        for (incident, state) in posts {
            let event = IncidentEvent::Page(PageNews::Shows { state, at: self.now });
            self.input(Input::About { incident, event });
        }
        self.core.forget_finished(self.now);
        taken
    }

    fn settle(&mut self, feed: &Feed, number: usize) {
        let slot = self.start.timestamp() / i64::from(feed.every) + number as i64;
        let written = SlotAnswer { slot, series: Series::new(), reading: feed.readings[number].clone() };
        let Some(source) = feed.source.as_ref().filter(|source| self.down.contains_key(*source)) else {
            self.settled(&feed.id, vec![written], false);
            return;
        };
        let reading = Reading::Unmeasured(Gap::NoAnswer("the source is down".to_owned()));
        self.settled(&feed.id, vec![SlotAnswer { reading, ..written.clone() }], false);
        self.missed.entry(source.clone()).or_default().entry(feed.id.clone()).or_default().push(written);
    }

    /// Slots of one answer, in order and next to each other.
    fn settled(&mut self, id: &SloId, slots: Vec<SlotAnswer>, late: bool) {
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return };
        let (asked, absent) = (first.slot..last.slot + 1, Reading::Unmeasured(Gap::NoData));
        self.input(Input::Settled { id: id.clone(), asked, slots, absent, degraded: None, late });
    }

    fn act(&mut self, act: &Act) {
        match &act.deed {
            Deed::Acknowledge { id, by } => {
                self.about(act, "acknowledge", id, IncidentEvent::Acknowledge { by: by.as_str().into() });
            }
            Deed::Resolve { id, by } => {
                self.about(act, "resolve", id, IncidentEvent::Resolve { by: by.as_str().into() });
            }
            Deed::Silence { matcher, lasting, by, reason } => {
                let ends_at = self.now + TimeDelta::seconds(i64::from(*lasting));
                let silence = Silence::new(matcher.clone(), by, reason, self.now, ends_at);
                if let Err(why) = self.core.scope_of(&silence, self.now) {
                    self.fail(act, "silence", "a silence that is taken".to_owned(), why.to_string());
                } else if !self.input(Input::Silence(Box::new(silence))) {
                    self.fail(act, "silence", "a silence that is taken".to_owned(), "too many silences".to_owned());
                }
            }
            Deed::SourceDown(name) => {
                self.down.insert(name.clone(), self.now);
            }
            Deed::SourceUp(name) => {
                self.down.remove(name);
                self.input(Input::Heard { source: name.clone(), error: None });
                // What it missed is asked for again, a batch for each SLO.
                for (id, slots) in self.missed.remove(name).unwrap_or_default() {
                    self.settled(&id, slots, true);
                }
            }
            Deed::Restart => match self.restarted() {
                Ok(core) => {
                    self.core = core;
                    self.core.resume_blind(self.now);
                }
                Err(why) => self.fail(act, "restart", "everything comes back".to_owned(), why),
            },
        }
    }

    fn about(&mut self, act: &Act, verb: &str, id: &SloId, event: IncidentEvent) {
        let mine = |subject: &Subject| matches!(subject, Subject::Slo { id: other, .. } if other == id);
        let incidents = self.core.incidents.values();
        let open = incidents.filter(|incident| incident.resolved.is_none() && mine(&incident.subject));
        let incident = open.max_by_key(|incident| incident.epoch).map(|incident| incident.id.clone());
        let taken = incident.is_some_and(|incident| self.input(Input::About { incident, event }));
        if !taken {
            self.fail(act, verb, format!("an open incident of {id}"), "(none)".to_owned());
        }
    }

    fn fail(&mut self, act: &Act, verb: &str, expected: String, got: String) {
        let what = format!("at {}: {verb}", duration(act.at));
        self.failures.push(Failure { spot: act.spot.clone(), what, rows: vec![(expected, got)] });
    }

    /// Sources that are down fail to answer as often as the daemon asks.
    fn ask_again(&mut self) {
        let due: Vec<Name> =
            self.down.iter().filter(|(_, at)| **at <= self.now).map(|(name, _)| name.clone()).collect();
        for name in due {
            let often = self.core.rules.sources.get(&name).map_or(TimeDelta::minutes(1), |rules| rules.blind_after / 3);
            let often = often.clamp(TimeDelta::seconds(1), TimeDelta::minutes(1));
            self.down.insert(name.clone(), self.now + often);
            self.input(Input::Heard { source: name, error: Some("the scenario says so".to_owned()) });
        }
    }

    /// The core as it would be read back from the store.
    fn restarted(&self) -> Result<Core, String> {
        let mut core = Core::default();
        for (id, incident) in &self.core.incidents {
            core.incidents.insert(id.clone(), through_json(incident)?);
        }
        core.adopt(self.core.rules.clone());
        let silences = self.core.silences.values().map(through_json).collect::<Result<_, _>>()?;
        core.resume_mutes(self.now, silences, self.core.planned.clone());
        for (key, state) in &self.core.series {
            let (every, Some(newest)) = (state.ledger.every(), state.ledger.newest()) else { continue };
            let Some(slo) = self.core.rules.slos.get(&key.id) else { continue };
            let mut ledger = Ledger::for_slo(&slo.spec);
            for number in chunk_of(self.start.timestamp() / i64::from(every))..=chunk_of(newest) {
                if let Some(bytes) = state.ledger.chunk_bytes(number) {
                    ledger.load(every, number, bytes).map_err(|error| error.to_string())?;
                }
            }
            let alerts = state.alerts.iter().map(|(watch, alert)| Ok((watch.clone(), through_json(alert)?)));
            let alerts = alerts.collect::<Result<BTreeMap<_, _>, String>>()?;
            if let Some(fresh) = core.series.get_mut(key) {
                (fresh.ledger, fresh.alerts) = (ledger, alerts);
            }
        }
        Ok(core)
    }
}

fn through_json<T: serde::Serialize + serde::de::DeserializeOwned>(thing: &T) -> Result<T, String> {
    let text = serde_json::to_string(thing).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// Names of firing alerts, sorted, one for each series.
pub(super) fn firing(core: &Core, feeds: &[Feed]) -> Vec<String> {
    let fed: BTreeSet<&SloId> = feeds.iter().map(|feed| &feed.id).collect();
    let series = core.series.iter().filter(|(key, _)| fed.contains(&key.id));
    let alerts = series.flat_map(|(_, state)| &state.alerts);
    let up = alerts.filter(|(_, alert)| matches!(alert.state, crate::domain::alert::AlertState::Firing { .. }));
    let mut names: Vec<String> = up.map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}
