//! A small world for the core: one SLO (or more), simulated time, slots written as text.
//!
//! `g` good · `b` bad · `1` one bad event · `e` empty · `_` no data · `!` no answer · `x` excluded · `.` never asked.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use slod::domain::{
    alert::{Alert, AlertState},
    decide::{Core, Decision, Input, Outgoing, SeriesKey, time},
    escalation::Plan,
    incident::{Hearing, Incident, IncidentEvent},
    name::{Name, SloId},
    notification::{Event, Message},
    page_news::PageNews,
    policy::{
        BurnPair, BurnRate, ClearAfter, Condition, Escalation, EscalationStep, Flapping, Judge, OnGap, Policy,
        Priority, Unless,
    },
    rulebook::{PolicyRules, Rulebook, SloRules, SourceRules, StatusTarget},
    silence::{Matcher, Silence},
    slo::{Budgeting, Comparison, IndicatorKind, Objective, Operator, SloSpec, Window},
    slot::{Gap, Reading, SlotAnswer},
    status_page::StatusRule,
};

pub const START: i64 = 1_767_571_200; // 2026-01-05, a Monday, at midnight
pub const DAY: u32 = 86_400;

pub fn at(seconds: i64) -> DateTime<Utc> {
    time(START + seconds)
}

pub fn policy(name: &str, priority: Priority, when: Condition) -> Policy {
    Policy {
        name: name.into(),
        when,
        hold: 0,
        clear_after: ClearAfter::Slots(1),
        // Nothing flaps unless a test wants it to.
        flapping: Some(Flapping { changes: 1_000, within: 60 }),
        priority,
        notify: vec!["pager".into(), "chat".into()],
        escalation: None,
        min_bad: 2,
        min_confidence: None,
        on_gap: OnGap::Hold,
        active: None,
        reopen_within: None,
        judge: Judge::IfGood,
        repeat: None,
        labels: BTreeMap::new(),
        summary: None,
    }
}

pub fn under(share: f64) -> Condition {
    Condition::BudgetRemaining(Comparison { operator: Operator::Less, bound: share })
}

pub fn pair(long: u32, short: u32, factor: f64) -> Condition {
    Condition::BurnRate(BurnRate::Pairs(vec![BurnPair { long, short, factor }]))
}

pub fn workbook() -> Condition {
    Condition::BurnRate(BurnRate::SreWorkbook)
}

pub fn steps(after: &[(u32, Unless, &str)], acknowledge_timeout: Option<u32>) -> Escalation {
    let step = |(after, unless, who): &(u32, Unless, &str)| EscalationStep {
        after: *after,
        unless: *unless,
        notify: who.split(' ').map(Name::from).collect(),
    };
    let steps = after.iter().map(step).collect();
    Escalation { name: "outage".into(), acknowledge_timeout, repeat: None, steps }
}

pub fn planned(policy: Policy, escalation: Option<&Escalation>) -> (Policy, Plan) {
    let plan = Plan::of(&policy, escalation, None);
    (policy, plan)
}

/// What is learned of one slot.
pub fn settled(key: &SeriesKey, slot: i64, reading: Reading) -> Input {
    let slots = vec![SlotAnswer { slot, series: key.series.clone(), reading: reading.clone() }];
    Input::Settled { id: key.id.clone(), asked: slot..slot + 1, slots, absent: reading, degraded: None, late: false }
}

/// An SLO of 30 days. Events in a full slot: 1 for probes and values, else 100.
pub fn slo(kind: IndicatorKind, percent: f64, every: u32) -> SloRules {
    SloRules {
        spec: SloSpec {
            id: SloId::new("shop", "front"),
            objective: Objective::from_ppb((percent * 1e7).round() as u32).unwrap(),
            window: Window::Rolling(30 * DAY),
            budgeting: Budgeting::Occurrences,
            every,
            settle_ms: 0,
            good_for: (2 * every).max(300),
            min_coverage: 0.9,
            kind,
        },
        title: "Front".into(),
        service_title: "Shop".into(),
        good: "<= 15m".into(),
        in_seconds: false,
        source: Some("prometheus".into()),
        blind_after: 300,
        asks_past: kind != IndicatorKind::Probe,
        per: Vec::new(),
        max_series: 1_000,
        retention: i64::from(40 * DAY),
        policies: Vec::new(),
        runbook_url: None,
        manual: Vec::new(),
        has_diagnostics: false,
        status: None,
    }
}

pub fn status_page(approve: bool, confirm_for: i64) -> StatusTarget {
    let rule = StatusRule {
        priority: Priority::P2,
        confirm_for,
        approve,
        deadline: 900,
        hold: 600,
        remind: vec!["lead".into()],
    };
    StatusTarget { rule, receiver: "public".into(), component: "shop".into() }
}

pub fn rulebook(slos: Vec<SloRules>) -> Rulebook {
    let hearers = [
        ("pager", Hearing::Pager),
        ("boss", Hearing::Pager),
        ("chat", Hearing::Chat),
        ("lead", Hearing::Chat),
        ("mail", Hearing::Mail),
    ];
    let blind = SourceRules {
        blind_after: TimeDelta::minutes(5),
        priority: Priority::P3,
        plan: Plan::new(&["chat".into()], None),
    };
    Rulebook {
        slos: slos.into_iter().map(|slo| (slo.spec.id.clone(), slo)).collect(),
        sources: BTreeMap::from([(Name::from("prometheus"), blind)]),
        hearers: hearers.into_iter().map(|(name, hearing)| (Name::from(name), hearing)).collect(),
        external_url: "http://slod".into(),
        records: BTreeMap::new(),
    }
}

/// One message, as the tests compare it.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    pub at: i64,
    pub outgoing: Outgoing,
}

#[derive(Clone)]
pub struct World {
    pub core: Core,
    pub key: SeriesKey,
    pub now: DateTime<Utc>,
    /// The next slot to be fed.
    pub next: i64,
    pub events: f64,
    pub settle: i64,
    pub heard: Vec<Heard>,
    pub lines: Vec<String>,
    /// Incidents that were put on record, with the second.
    pub records: Vec<(i64, String)>,
    /// Whether the public page takes what is posted.
    pub page_answers: bool,
}

impl World {
    pub fn new(mut slo: SloRules, policies: Vec<(Policy, Plan)>) -> Self {
        slo.policies = policies.into_iter().map(|(policy, plan)| PolicyRules::new(policy, plan, &slo.spec)).collect();
        let events = if slo.spec.kind.counts_events() { 100.0 } else { 1.0 };
        let key = SeriesKey::whole(slo.spec.id.clone());
        let next = START / i64::from(slo.spec.every);
        let core = Core::new(Arc::new(rulebook(vec![slo])));
        Self {
            core,
            key,
            now: at(0),
            next,
            events,
            settle: 0,
            heard: Vec::new(),
            lines: Vec::new(),
            records: Vec::new(),
            page_answers: true,
        }
    }

    /// One policy that tells `pager` and `chat` at once.
    pub fn with(slo: SloRules, policy: Policy) -> Self {
        Self::new(slo, vec![planned(policy, None)])
    }

    pub fn every(&self) -> i64 {
        i64::from(self.core.series[&self.key].ledger.every())
    }

    pub fn reading(&self, what: char) -> Option<Reading> {
        Some(match what {
            'g' => Reading::events(self.events, self.events, Some(10.0)),
            'b' => Reading::events(0.0, self.events, Some(1_000.0)),
            '1' => Reading::events(self.events - 1.0, self.events, None),
            'e' => Reading::Empty,
            '_' => Reading::Unmeasured(Gap::NoData),
            '!' => Reading::Unmeasured(Gap::NoAnswer("timeout".into())),
            _ => return None,
        })
    }

    /// Fills slots before the start without judging them one by one: history.
    pub fn history(&mut self, slots: i64, what: char) {
        let reading = self.reading(what).unwrap();
        let state = self.core.series.get_mut(&self.key).unwrap();
        for slot in self.next - slots..self.next {
            state.ledger.insert(slod::domain::slot::Slot::settled(slot, &reading));
        }
    }

    /// Feeds slots, each judged `settle` after its end. A number repeats the slot before it: `gx10`-like as `g*10`.
    pub fn feed(&mut self, slots: &str) -> &mut Self {
        for what in unfold(slots) {
            let end = (self.next + 1) * self.every();
            self.until(end - START + self.settle);
            if let Some(reading) = self.reading(what) {
                self.settled(self.next, reading);
            } else if what == 'x' {
                let mut slot = slod::domain::slot::Slot::settled(self.next, &Reading::Empty);
                slot.state = slod::domain::slot::SlotState::Excluded;
                self.core.series.get_mut(&self.key).unwrap().ledger.insert(slot);
            }
            self.next += 1;
        }
        self
    }

    pub fn settled(&mut self, slot: i64, reading: Reading) {
        let key = self.key.clone();
        self.input(settled(&key, slot, reading));
    }

    pub fn late(&mut self, slot: i64, what: char) {
        let reading = self.reading(what).unwrap();
        self.settled(START / self.every() + slot, reading);
    }

    pub fn input(&mut self, input: Input) {
        let mut decision = Decision::default();
        self.core.handle(self.now, input, &mut decision).unwrap();
        self.take(decision);
    }

    pub fn take(&mut self, decision: Decision) {
        let at = (self.now - at(0)).num_seconds();
        self.lines.extend(decision.lines.into_iter().map(|line| format!("{} {}", line.kind, line.text)));
        let posts: Vec<_> =
            decision.outgoing.iter().filter(|_| self.page_answers).filter_map(Outgoing::posted).collect();
        self.heard.extend(decision.outgoing.into_iter().map(|outgoing| Heard { at, outgoing }));
        self.records.extend(decision.records.into_iter().map(|(incident, _)| (at, incident)));
        for (incident, state) in posts {
            let event = IncidentEvent::Page(PageNews::Shows { state, at: self.now });
            self.input(Input::About { incident, event });
        }
        let wake = self.core.wake_at();
        // What is due at this very second is done by the tick that follows every round.
        if wake.is_some_and(|wake| wake <= self.now) {
            let mut decision = Decision::default();
            self.core.handle(self.now, Input::Tick, &mut decision).unwrap();
            let wake = self.core.wake_at();
            assert!(wake.is_none_or(|wake| wake > self.now), "busy: wants {wake:?} after a tick at {}", self.now);
            self.take(decision);
        }
        self.core.forget_finished(self.now);
    }

    /// Lets time pass, ticking exactly when the core asks for it.
    pub fn until(&mut self, seconds: i64) -> &mut Self {
        let end = at(seconds);
        while let Some(wake) = self.core.wake_at().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.input(Input::Tick);
        }
        self.now = end;
        self.core.forget_finished(end);
        self
    }

    pub fn incident(&self) -> &Incident {
        self.core.incidents.values().max_by_key(|incident| incident.opened_at).expect("an incident")
    }

    pub fn about(&mut self, event: IncidentEvent) -> &mut Self {
        let incident = self.incident().id.clone();
        self.input(Input::About { incident, event });
        self
    }

    pub fn acknowledge(&mut self) -> &mut Self {
        self.about(IncidentEvent::Acknowledge { by: "ann".into() })
    }

    /// Silences the SLO, or one policy on it, for so many seconds. Answers the silence's id.
    pub fn silence(&mut self, policy: Option<&str>, seconds: i64) -> String {
        let SloId { service, slo } = self.key.id.clone();
        let matcher = Matcher { service, slo: Some(slo), policy: policy.map(Name::from), labels: BTreeMap::new() };
        let silence = Silence::new(matcher, "ann", "database move", self.now, self.now + TimeDelta::seconds(seconds));
        let id = silence.id.clone();
        self.input(Input::Silence(Box::new(silence)));
        id
    }

    pub fn expire(&mut self, id: &str) -> &mut Self {
        self.input(Input::Unsilence { id: id.to_owned(), by: "bob".into() });
        self
    }

    pub fn resolve(&mut self) -> &mut Self {
        self.about(IncidentEvent::Resolve { by: "ann".into() })
    }

    pub fn hears(&mut self, error: Option<&str>) {
        self.input(Input::Heard { source: "prometheus".into(), error: error.map(str::to_owned) });
    }

    pub fn state(&self, watch: &str) -> AlertState {
        self.core.series[&self.key].alerts.get(watch).map(|alert| alert.state).unwrap_or_default()
    }

    /// Names of firing alerts, sorted.
    pub fn firing(&self) -> Vec<String> {
        let up = |alert: &Alert| matches!(alert.state, AlertState::Firing { .. });
        let alerts = self.core.series.values().flat_map(|state| &state.alerts);
        alerts.filter(|(_, alert)| up(alert)).map(|(name, _)| name.clone()).collect()
    }

    /// `trigger resolve trigger/2 …` as one receiver heard them.
    pub fn told(&self, receiver: &str) -> String {
        let mine = self.heard.iter().filter(|heard| &*heard.outgoing.receiver == receiver);
        mine.map(|heard| word(&heard.outgoing)).collect::<Vec<_>>().join(" ")
    }

    /// `2:trigger 15:resolve`: with the minute.
    pub fn minutes(&self, receiver: &str) -> String {
        let mine = self.heard.iter().filter(|heard| &*heard.outgoing.receiver == receiver);
        let word = |heard: &Heard| {
            assert_eq!(heard.at % 60, 0, "not on the minute");
            format!("{}:{}", heard.at / 60, word(&heard.outgoing))
        };
        mine.map(word).collect::<Vec<_>>().join(" ")
    }
}

/// `gb*3` → `gbbb`.
fn unfold(slots: &str) -> Vec<char> {
    let mut unfolded = Vec::new();
    let mut rest = slots.chars().peekable();
    while let Some(what) = rest.next() {
        if what == ' ' {
            continue;
        }
        let mut times = 1;
        if rest.next_if_eq(&'*').is_some() {
            let digits: String = std::iter::from_fn(|| rest.next_if(char::is_ascii_digit)).collect();
            times = digits.parse().unwrap();
        }
        unfolded.extend(std::iter::repeat_n(what, times));
    }
    unfolded
}

fn word(outgoing: &Outgoing) -> String {
    let word = match &outgoing.message {
        Message::StatusPost(post) => post.state.as_str(),
        Message::Notification(_) | Message::Bulletin(_) | Message::Record(_) => outgoing.event.as_str(),
    };
    match outgoing.dedup_key.split_once('/') {
        Some((_, opening)) if outgoing.event != Event::Acknowledge => format!("{word}/{opening}"),
        _ => word.to_owned(),
    }
}
