//! The core: one [`Input`] in, one [`Decision`] out. The same inputs always give the same decisions, live, in a
//! scenario and in a replay; `now` is one of them.
//!
//! A decision lists everything that changed, so that the store can write it in one transaction: chunks of slots,
//! alerts, incidents, lines of their timelines, and messages. Nothing is sent before that transaction is through.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{
    alert::{Alert, AlertState, Change},
    chunk::chunk_of,
    condition::judge,
    incident::{Hearing, Incident, IncidentEvent, Refused, Say, Subject, key},
    ledger::{Inserted, Ledger},
    message::{self, Occasion, Telling},
    name::{Name, Series, SloId},
    notification::{Event, Message, PublicState},
    policy::Priority,
    rulebook::{PolicyRules, Rulebook, SloRules},
    slot::{Gap, Reading, Slot},
};

/// Which series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// Its SLO.
    pub id: SloId,
    /// Its labels; empty without `per`.
    pub series: Series,
}

impl SeriesKey {
    /// The only series of an SLO without `per`.
    pub fn whole(id: SloId) -> Self {
        Self { id, series: Series::new() }
    }
}

/// Everything known of one series.
#[derive(Clone, Debug)]
pub struct SeriesState {
    /// Its slots.
    pub ledger: Ledger,
    /// Its alerts, by watch name.
    pub alerts: BTreeMap<String, Alert>,
    /// What was wrong with the newest answer, in words.
    pub fault: Option<String>,
}

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Failing since then, without a good answer in between.
    pub failing_since: Option<DateTime<Utc>>,
    /// The newest good answer.
    pub last_success: Option<DateTime<Utc>>,
    /// The newest failure.
    pub last_failure: Option<DateTime<Utc>>,
    /// In words.
    pub last_error: Option<String>,
    /// Failing for so long that it has an incident.
    pub blind: bool,
}

/// What happens to the core.
#[derive(Clone, Debug)]
pub enum Input {
    /// A slot was asked about.
    Settled {
        /// Of which series.
        key: SeriesKey,
        /// Slot number.
        slot: i64,
        /// What came back.
        reading: Reading,
        /// What the source warned of.
        degraded: Option<String>,
    },
    /// A source answered, or did not.
    Heard {
        /// Which.
        source: Name,
        /// The error, in words.
        error: Option<String>,
    },
    /// Something happened to an incident from outside.
    About {
        /// Its id.
        incident: String,
        /// What.
        event: IncidentEvent,
    },
    /// Time has passed.
    Tick,
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Of which incident.
    pub incident: String,
    /// To whom.
    pub receiver: Name,
    /// What it means.
    pub event: Event,
    /// How urgent.
    pub priority: Priority,
    /// What a pager joins it by.
    pub dedup_key: String,
    /// The words.
    pub message: Message,
}

/// A line of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of which incident.
    pub incident: String,
    /// When.
    pub at: DateTime<Utc>,
    /// opened, fired, told, …
    pub kind: &'static str,
    /// In words.
    pub text: String,
}

/// Everything that one or more inputs changed.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Chunks with new slots.
    pub chunks: BTreeSet<(SeriesKey, i64)>,
    /// Series whose alerts were judged.
    pub judged: BTreeSet<SeriesKey>,
    /// Incidents that changed.
    pub incidents: BTreeSet<String>,
    /// In order.
    pub lines: Vec<Line>,
    /// In order.
    pub outgoing: Vec<Outgoing>,
}

/// An input that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// No such incident is open.
    #[error("no incident `{0}`")]
    NoIncident(String),
    /// It is in no state for that.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The whole state that decisions are made from.
#[derive(Clone, Debug, Default)]
pub struct Core {
    /// What is decided by.
    pub rules: Arc<Rulebook>,
    /// By series.
    pub series: BTreeMap<SeriesKey, SeriesState>,
    /// By id: those that something can still happen to.
    pub incidents: BTreeMap<String, Incident>,
    /// By name.
    pub sources: BTreeMap<Name, SourceState>,
}

impl Core {
    /// An empty one.
    pub fn new(rules: Arc<Rulebook>) -> Self {
        let mut core = Self::default();
        core.adopt(rules);
        core
    }

    /// Takes on other rules. Ledgers and open incidents stay; what is no longer configured is no longer judged.
    pub fn adopt(&mut self, rules: Arc<Rulebook>) {
        for name in rules.sources.keys() {
            self.sources.entry(name.clone()).or_default();
        }
        self.sources.retain(|name, _| rules.sources.contains_key(name));
        self.series
            .retain(|key, state| rules.slos.get(&key.id).is_some_and(|slo| slo.spec.every == state.ledger.every()));
        for (id, slo) in &rules.slos {
            let empty = || SeriesState { ledger: Ledger::new(slo.spec.every), alerts: BTreeMap::new(), fault: None };
            self.series.entry(SeriesKey::whole(id.clone())).or_insert_with(empty);
        }
        self.rules = rules;
    }

    /// After a restart: a source with an open incident is blind until it answers.
    pub fn resume_blind(&mut self, now: DateTime<Utc>) {
        for incident in self.incidents.values().filter(|incident| incident.resolved.is_none()) {
            if let Subject::Source(name) = &incident.subject
                && let Some(state) = self.sources.get_mut(name)
            {
                state.blind = true;
                state.failing_since.get_or_insert(now);
            }
        }
    }

    /// Ends what no rule stands behind any more: alerts of policies and SLOs that a reload took away.
    pub fn retire(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        let rules = self.rules.clone();
        let known = |id: &SloId, watch: &str| {
            let policies = rules.slos.get(id).map(|slo| slo.policies.as_slice()).unwrap_or_default();
            policies.iter().any(|policy| policy.watches.iter().any(|known| known.name == watch))
        };
        for (key, state) in &mut self.series {
            let before = state.alerts.len();
            state.alerts.retain(|watch, _| known(&key.id, watch));
            if state.alerts.len() != before {
                decision.judged.insert(key.clone());
            }
        }
        let mut gone = Vec::new();
        for (id, incident) in &self.incidents {
            for (watch, member) in incident.members.iter().filter(|(_, member)| member.firing) {
                let stands = match &incident.subject {
                    Subject::Slo { id, .. } => known(id, watch),
                    Subject::Source(name) => rules.sources.contains_key(name),
                };
                if !stands {
                    gone.push((id.clone(), watch.clone(), member.policy.clone()));
                }
            }
        }
        for (id, watch, policy) in gone {
            let text = format!("{policy} was taken out of the configuration");
            decision.lines.push(Line { incident: id.clone(), at: now, kind: "reload", text });
            self.tell_surely(now, &id, IncidentEvent::Ended { watch, clearing: false }, decision);
        }
    }

    /// When it wants a [`Input::Tick`].
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        let incidents = self.incidents.values().filter_map(Incident::wake_at);
        let blind = self
            .sources
            .iter()
            .filter(|(_, state)| !state.blind)
            .filter_map(|(name, state)| Some(state.failing_since? + self.rules.sources.get(name)?.blind_after));
        incidents.chain(blind).min()
    }

    /// Takes one input; adds what it changed to `decision`.
    pub fn handle(&mut self, now: DateTime<Utc>, input: Input, decision: &mut Decision) -> Result<(), Rejected> {
        match input {
            Input::Settled { key, slot, reading, degraded } => {
                self.settle(now, &key, slot, &reading, degraded, decision);
                Ok(())
            }
            Input::Heard { source, error } => {
                self.heard(now, &source, error, decision);
                Ok(())
            }
            Input::About { incident, event } => {
                if !self.incidents.contains_key(&incident) {
                    return Err(Rejected::NoIncident(incident));
                }
                Ok(self.tell(now, &incident, event, decision)?)
            }
            Input::Tick => {
                self.tick(now, decision);
                Ok(())
            }
        }
    }

    fn settle(
        &mut self,
        now: DateTime<Utc>,
        key: &SeriesKey,
        slot: i64,
        reading: &Reading,
        degraded: Option<String>,
        decision: &mut Decision,
    ) {
        let rules = self.rules.clone();
        let (Some(slo), Some(state)) = (rules.slos.get(&key.id), self.series.get_mut(key)) else { return };
        let newest = state.ledger.newest().is_none_or(|newest| slot >= newest);
        if state.ledger.insert(Slot::settled(slot, reading)) == Inserted::Unchanged {
            return;
        }
        decision.chunks.insert((key.clone(), chunk_of(slot)));
        if newest {
            state.fault = match reading {
                Reading::Unmeasured(gap) => Some(gap_words(gap)),
                _ => degraded,
            };
        }
        if chunk_of(slot) % 8 == 0 {
            state.ledger.forget_before(now.timestamp() - slo.retention);
        }
        self.judge(now, key, slo, decision);
    }

    /// Judges all alerts of a series at its newest slot, the most urgent policy first.
    fn judge(&mut self, now: DateTime<Utc>, key: &SeriesKey, slo: &SloRules, decision: &mut Decision) {
        let Some(state) = self.series.get_mut(key) else { return };
        let Some(newest) = state.ledger.newest() else { return };
        let end = (newest + 1) * i64::from(slo.spec.every);
        let mut policies: Vec<&PolicyRules> = slo.policies.iter().collect();
        policies.sort_by(|one, other| {
            (one.policy.priority, &one.policy.name).cmp(&(other.policy.priority, &other.policy.name))
        });
        let mut changes = Vec::new();
        for rules in policies {
            for watch in &rules.watches {
                let alert = state.alerts.entry(watch.name.clone()).or_default();
                let seen = judge(&watch.condition, &rules.policy, &slo.spec, &state.ledger, &mut alert.memory);
                let Some(seen) = seen else { continue };
                let change = alert.step(&rules.policy, end, seen);
                if change != Change::None {
                    changes.push((watch.name.clone(), rules, change));
                }
            }
        }
        decision.judged.insert(key.clone());
        // What fires goes first: an incident handed from one alert to another in one slot stays open.
        changes.sort_by_key(|(_, _, change)| !matches!(change, Change::Fired { .. }));
        for (watch, rules, change) in changes {
            self.changed(now, key, slo, watch, rules, change, decision);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one change")]
    fn changed(
        &mut self,
        now: DateTime<Utc>,
        key: &SeriesKey,
        slo: &SloRules,
        watch: String,
        rules: &PolicyRules,
        change: Change,
        decision: &mut Decision,
    ) {
        let subject = Subject::Slo { id: key.id.clone(), series: key.series.clone() };
        match change {
            Change::Fired { at } => {
                // A probe is judged before its slot ends: nobody waits for the end to be told.
                let at = time(at.min(now.timestamp()));
                let event = IncidentEvent::Fired {
                    watch,
                    policy: rules.policy.name.clone(),
                    priority: rules.policy.priority,
                    plan: rules.plan.clone(),
                    at,
                    reopen_within: rules.reopen_within(&slo.spec),
                    late: slo.is_late(at, now),
                };
                self.fire(now, subject, at, rules.policy.priority, event, decision);
            }
            Change::Clearing | Change::Cleared => {
                let member =
                    |incident: &&Incident| incident.subject == subject && incident.members.contains_key(&watch);
                let found = self.incidents.values().filter(member).max_by_key(|incident| incident.epoch);
                if let Some(id) = found.map(|incident| incident.id.clone()) {
                    let clearing = change == Change::Clearing;
                    self.tell_surely(now, &id, IncidentEvent::Ended { watch, clearing }, decision);
                }
            }
            Change::None => {}
        }
    }

    fn fire(
        &mut self,
        now: DateTime<Utc>,
        subject: Subject,
        at: DateTime<Utc>,
        priority: Priority,
        event: IncidentEvent,
        decision: &mut Decision,
    ) {
        let open = self.incidents.values().filter(|incident| incident.subject == subject && incident.takes(at));
        let id = match open.max_by_key(|incident| incident.epoch) {
            Some(incident) => incident.id.clone(),
            None => {
                let mut at = at;
                // Two openings of one subject never share a key, not even within one second.
                while self.incidents.values().any(|old| old.key == key(&subject, at.timestamp())) {
                    at += chrono::TimeDelta::seconds(1);
                }
                let incident = Incident::open(subject, at, priority);
                let id = incident.id.clone();
                self.incidents.insert(id.clone(), incident);
                id
            }
        };
        self.tell_surely(now, &id, event, decision);
    }

    fn heard(&mut self, now: DateTime<Utc>, source: &Name, error: Option<String>, decision: &mut Decision) {
        let Some(state) = self.sources.get_mut(source) else { return };
        let Some(error) = error else {
            state.last_success = Some(now);
            state.failing_since = None;
            if std::mem::take(&mut state.blind) {
                let subject = Subject::Source(source.clone());
                let open = self.incidents.values().find(|old| old.subject == subject && old.resolved.is_none());
                if let Some(id) = open.map(|incident| incident.id.clone()) {
                    let watch = "blind".to_owned();
                    self.tell_surely(now, &id, IncidentEvent::Ended { watch, clearing: false }, decision);
                }
            }
            return;
        };
        state.last_failure = Some(now);
        state.last_error = Some(error);
        state.failing_since.get_or_insert(now);
        self.blind_sources(now, decision);
    }

    fn blind_sources(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        let rules = self.rules.clone();
        for (name, source) in &rules.sources {
            let Some(state) = self.sources.get_mut(name) else { continue };
            let Some(at) = state.failing_since.map(|since| since + source.blind_after) else { continue };
            if state.blind || at > now {
                continue;
            }
            state.blind = true;
            let event = IncidentEvent::Fired {
                watch: "blind".to_owned(),
                policy: Name::from("blind"),
                priority: source.priority,
                plan: source.plan.clone(),
                at,
                reopen_within: 600,
                late: false,
            };
            self.fire(now, Subject::Source(name.clone()), at, source.priority, event, decision);
        }
    }

    fn tick(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        self.blind_sources(now, decision);
        let due = self.incidents.values().filter(|incident| incident.wake_at().is_some_and(|at| at <= now));
        for id in due.map(|incident| incident.id.clone()).collect::<Vec<_>>() {
            self.tell_surely(now, &id, IncidentEvent::Tick, decision);
        }
    }

    /// Forgets incidents that nothing can happen to any more. They stay in the store.
    pub fn forget_finished(&mut self, now: DateTime<Utc>) {
        self.incidents.retain(|_, incident| !incident.is_finished(now));
    }

    /// An event that no state refuses.
    fn tell_surely(&mut self, now: DateTime<Utc>, id: &str, event: IncidentEvent, decision: &mut Decision) {
        let refused = self.tell(now, id, event, decision);
        debug_assert!(refused.is_ok(), "only people's events are refused");
    }

    fn tell(
        &mut self,
        now: DateTime<Utc>,
        id: &str,
        event: IncidentEvent,
        decision: &mut Decision,
    ) -> Result<(), Refused> {
        let rules = self.rules.clone();
        let Some(incident) = self.incidents.get_mut(id) else { return Ok(()) };
        let slo = match &incident.subject {
            Subject::Slo { id, .. } => rules.slos.get(id),
            Subject::Source(_) => None,
        };
        let status = slo.and_then(|slo| slo.status.as_ref());
        let said = incident.handle(event, now, &rules.hearers, status.map(|target| &target.rule))?;
        decision.incidents.insert(id.to_owned());
        if said.is_empty() {
            return Ok(());
        }
        let title = self.title(id, now);
        if let (Some(incident), Some(title)) = (self.incidents.get_mut(id), title) {
            incident.title = title;
        }
        for say in said {
            match say {
                Say::Line { kind, text } => {
                    decision.lines.push(Line { incident: id.to_owned(), at: now, kind, text });
                }
                Say::Mute(watches) => self.mute(id, &watches, decision),
                Say::Post(state) => decision.outgoing.extend(self.post(id, state, now)),
                Say::Tell { receiver, event, opening, reason, late } => {
                    let telling = Telling { event, opening, reason: &reason, late };
                    decision.outgoing.extend(self.message(id, receiver, &telling, now));
                }
            }
        }
        Ok(())
    }

    fn mute(&mut self, id: &str, watches: &[String], decision: &mut Decision) {
        let Some(Subject::Slo { id, series }) = self.incidents.get(id).map(|incident| incident.subject.clone()) else {
            return;
        };
        let key = SeriesKey { id, series };
        if let Some(state) = self.series.get_mut(&key) {
            for (watch, alert) in &mut state.alerts {
                alert.muted = (alert.muted || watches.contains(watch)) && alert_is_up(alert);
            }
            decision.judged.insert(key);
        }
    }

    fn occasion<'a>(&'a self, incident: &'a Incident, now: DateTime<Utc>) -> Occasion<'a> {
        let mut occasion =
            Occasion { incident, series: None, source_error: None, external_url: &self.rules.external_url, now };
        match &incident.subject {
            Subject::Slo { id, series } => {
                let key = SeriesKey { id: id.clone(), series: series.clone() };
                if let (Some(rules), Some(state)) = (self.rules.slos.get(id), self.series.get(&key)) {
                    occasion.series = Some(message::Series {
                        spec: &rules.spec,
                        title: &rules.title,
                        service_title: &rules.service_title,
                        ledger: &state.ledger,
                        runbook_url: rules.runbook_url.as_deref(),
                        manual: &rules.manual,
                        good: &rules.good,
                        in_seconds: rules.in_seconds,
                        fault: state.fault.as_deref(),
                    });
                }
            }
            Subject::Source(name) => {
                occasion.source_error = self.sources.get(name).and_then(|state| state.last_error.as_deref());
            }
        }
        occasion
    }

    fn title(&self, id: &str, now: DateTime<Utc>) -> Option<String> {
        self.incidents.get(id).map(|incident| message::headline(&self.occasion(incident, now)))
    }

    fn message(&self, id: &str, receiver: Name, telling: &Telling<'_>, now: DateTime<Utc>) -> Option<Outgoing> {
        let incident = self.incidents.get(id)?;
        let pager = self.rules.hearers.get(&receiver) == Some(&Hearing::Pager);
        if pager && matches!(telling.event, Event::Update | Event::Digest) {
            return None;
        }
        let notification = message::compose(&self.occasion(incident, now), telling);
        Some(Outgoing {
            incident: id.to_owned(),
            receiver,
            event: telling.event,
            priority: incident.priority,
            // Only pagers know openings apart; to everybody else the incident is one conversation.
            dedup_key: if pager { notification.dedup_key.clone() } else { incident.key.clone() },
            message: Message::Notification(Box::new(notification)),
        })
    }

    fn post(&self, id: &str, state: PublicState, now: DateTime<Utc>) -> Option<Outgoing> {
        let incident = self.incidents.get(id)?;
        let Subject::Slo { id: slo, .. } = &incident.subject else { return None };
        let rules = self.rules.slos.get(slo)?;
        let target = rules.status.as_ref()?;
        let post = message::compose_post(incident, state, &rules.service_title, &target.component, now);
        let event = match (state, incident.status.as_ref().and_then(|clock| clock.posted_at)) {
            (PublicState::Resolved, _) => Event::Resolve,
            (PublicState::Investigating, _) => Event::Trigger,
            _ => Event::Update,
        };
        Some(Outgoing {
            incident: id.to_owned(),
            receiver: target.receiver.clone(),
            event,
            priority: incident.priority,
            dedup_key: incident.key.clone(),
            message: Message::StatusPost(post),
        })
    }
}

/// Whether an alert has something to clear.
fn alert_is_up(alert: &Alert) -> bool {
    matches!(alert.state, AlertState::Firing { .. } | AlertState::Clearing { .. })
}

/// Unix seconds as an instant; the ends of time for what lies outside it.
pub fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or(if seconds < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}

/// A gap in words.
pub fn gap_words(gap: &Gap) -> String {
    match gap {
        Gap::NoAnswer(why) => why.clone(),
        Gap::NoData => "no data: the answer holds no series or no value".to_owned(),
        Gap::DataFault(why) => format!("data fault: {why}"),
        Gap::NotAsked => "not asked: slod was not running".to_owned(),
        Gap::OurFault(why) => format!("our own network: {why}"),
    }
}
