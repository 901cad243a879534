//! Silences: a person asks for quiet about a part of a service, for a while, and says why.
//!
//! A silence mutes new messages and nothing else: slots are judged, incidents open, their clocks run on. It is bounded in
//! time, in number and in breadth, so that nobody mutes everything by mistake or for ever.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    name::{Name, Series, SloId},
    rulebook::{Rulebook, SloRules},
};

/// The longest a silence lasts.
pub const LONGEST: TimeDelta = TimeDelta::days(7);
/// Most silences at a time.
pub const SILENCES_MAX: usize = 100;
/// Most characters of a reason.
pub const REASON_MAX: usize = 1_000;
/// Most characters of an author's name.
pub const BY_MAX: usize = 200;
/// Most labels of a matcher.
const LABELS_MAX: usize = 16;
/// Most characters of a label's value.
const LABEL_MAX: usize = 1_000;
/// Most names that an error lists.
const NAMED_MAX: usize = 20;

/// What a silence is about: all of it must match, to the letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// The service; must be named.
    pub service: Name,
    /// One SLO of it; none for all of them.
    #[serde(default)]
    pub slo: Option<Name>,
    /// What one policy's alerts would say; none for all of them.
    #[serde(default)]
    pub policy: Option<Name>,
    /// Labels of series, for SLOs with `per`; empty for all series.
    #[serde(default)]
    pub labels: Series,
}

impl Matcher {
    /// Whether a series is meant.
    pub fn covers(&self, id: &SloId, series: &Series) -> bool {
        self.names(id) && self.labels.iter().all(|(label, value)| series.get(label) == Some(value))
    }

    fn names(&self, id: &SloId) -> bool {
        self.service == id.service && self.slo.as_ref().is_none_or(|slo| *slo == id.slo)
    }
}

/// One silence. Rows are only ever added; an early end is written beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// As people type it: 12 digits of a hash of what it says and when it was made.
    pub id: String,
    /// What it is about.
    pub matcher: Matcher,
    /// Who made it.
    pub by: String,
    /// Why, in the author's words: from outside, hostile.
    pub reason: String,
    /// When it was made, and began.
    pub starts_at: DateTime<Utc>,
    /// When it ends by itself.
    pub ends_at: DateTime<Utc>,
    /// Whether somebody ended it before.
    pub expired: Option<Expiry>,
}

/// An early end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
}

impl Silence {
    /// A new one; see [`check`] for what makes sense.
    pub fn new(matcher: Matcher, by: &str, reason: &str, now: DateTime<Utc>, ends_at: DateTime<Utc>) -> Self {
        let (by, reason) = (by.trim().to_owned(), reason.trim().to_owned());
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Nanos, true);
        for text in
            [matcher.service.as_str(), matcher.slo.as_deref().unwrap_or(""), matcher.policy.as_deref().unwrap_or("")]
        {
            part(text);
        }
        for (label, value) in &matcher.labels {
            part(label);
            part(value);
        }
        for text in [&by, &reason, &written(now), &written(ends_at)] {
            part(text);
        }
        let id = hex::encode(&hash.finalize()[..6]);
        Self { id, matcher, by, reason, starts_at: now, ends_at, expired: None }
    }

    /// Whether it mutes at `now`. A clock that was set back does not make it last longer than any may.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        !self.is_over(now) && self.ends_at - now <= LONGEST
    }

    /// Whether it will never mute again.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expired.is_some() || self.ends_at <= now
    }

    /// The word in the API: active, expired or ended.
    pub fn state(&self, now: DateTime<Utc>) -> &'static str {
        match (&self.expired, self.is_over(now)) {
            (Some(_), _) => "expired",
            (None, true) => "ended",
            (None, false) => "active",
        }
    }
}

/// What a silence would mute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// SLOs, in order.
    pub slos: Vec<SloId>,
    /// Policies on them.
    pub policies: BTreeSet<Name>,
    /// Of how many of these SLOs nothing would be heard any more.
    pub whole: usize,
    /// How many SLOs there are.
    pub all: usize,
    /// Open incidents whose messages it mutes.
    pub incidents: Vec<String>,
}

/// Why a silence is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwanted {
    /// Nobody says why.
    #[error("a silence needs a `reason`")]
    NoReason,
    /// More than anybody reads.
    #[error("`reason` is longer than {REASON_MAX} characters")]
    LongReason,
    /// Nobody signs.
    #[error("a silence needs an author: `by`")]
    NoAuthor,
    /// No name is that long.
    #[error("`by` is longer than {BY_MAX} characters")]
    LongAuthor,
    /// It would be over.
    #[error("`ends_at` ({0}) is not in the future")]
    Past(DateTime<Utc>),
    /// It would last too long.
    #[error("a silence lasts at most 7 days; make `ends_at` at most {0}")]
    TooLong(DateTime<Utc>),
    /// Too many labels, or too long ones.
    #[error("a silence has at most {LABELS_MAX} labels of at most {LABEL_MAX} characters")]
    TooManyLabels,
    /// It names what there is not.
    #[error("there is no {what}")]
    Unknown {
        /// What, with its name.
        what: String,
        /// What there is, or what to do.
        help: String,
    },
    /// It mutes more than one may at a time.
    #[error("it would mute {covers} of {all} SLOs altogether; more than half are too many at a time: name one `slo`")]
    TooBroad {
        /// How many it covers.
        covers: usize,
        /// How many there are.
        all: usize,
    },
    /// There are too many already.
    #[error("there are {SILENCES_MAX} silences already; let one expire first")]
    TooMany,
}

/// Whether a silence makes sense now, and what it would mute (incidents are left to who knows them).
///
/// More than half of all SLOs are not muted altogether by one silence, unless it names its one SLO.
pub fn check(silence: &Silence, rules: &Rulebook, now: DateTime<Utc>) -> Result<Scope, Unwanted> {
    words(silence)?;
    if silence.ends_at <= now {
        return Err(Unwanted::Past(silence.ends_at));
    }
    if silence.ends_at - now > LONGEST {
        return Err(Unwanted::TooLong(now + LONGEST));
    }
    let scope = scope(&silence.matcher, rules)?;
    if silence.matcher.slo.is_none() && scope.whole.saturating_mul(2) > scope.all {
        return Err(Unwanted::TooBroad { covers: scope.whole, all: scope.all });
    }
    Ok(scope)
}

fn words(silence: &Silence) -> Result<(), Unwanted> {
    let labels = &silence.matcher.labels;
    if silence.by.is_empty() {
        Err(Unwanted::NoAuthor)
    } else if silence.by.chars().count() > BY_MAX {
        Err(Unwanted::LongAuthor)
    } else if silence.reason.is_empty() {
        Err(Unwanted::NoReason)
    } else if silence.reason.chars().count() > REASON_MAX {
        Err(Unwanted::LongReason)
    } else if labels.len() > LABELS_MAX || labels.values().any(|value| value.chars().count() > LABEL_MAX) {
        Err(Unwanted::TooManyLabels)
    } else {
        Ok(())
    }
}

fn scope(matcher: &Matcher, rules: &Rulebook) -> Result<Scope, Unwanted> {
    let of_service: Vec<&SloRules> = rules.slos.values().filter(|slo| slo.spec.id.service == matcher.service).collect();
    if of_service.is_empty() {
        let services: BTreeSet<&Name> = rules.slos.keys().map(|id| &id.service).collect();
        return Err(unknown("service", &matcher.service, services));
    }
    let named: Vec<&SloRules> = of_service.iter().copied().filter(|slo| matcher.names(&slo.spec.id)).collect();
    if let Some(slo) = matcher.slo.as_ref().filter(|_| named.is_empty()) {
        return Err(unknown("SLO", slo, of_service.iter().map(|slo| &slo.spec.id.slo)));
    }
    let meant: Vec<&SloRules> =
        named.iter().copied().filter(|slo| matcher.labels.keys().all(|label| slo.per.contains(label))).collect();
    if meant.is_empty() {
        let labels: BTreeSet<&String> = named.iter().flat_map(|slo| &slo.per).collect();
        let help =
            if labels.is_empty() { "its SLOs have no `per`: leave out `labels`".to_owned() } else { listed(labels) };
        return Err(Unwanted::Unknown { what: "SLO there with series of these labels".to_owned(), help });
    }
    let mut scope = Scope { all: rules.slos.len(), ..Scope::default() };
    for slo in &meant {
        let theirs = slo.policies.iter().map(|rules| &rules.policy.name);
        let mine: Vec<&Name> = theirs.filter(|name| matcher.policy.as_ref().is_none_or(|only| only == *name)).collect();
        if matcher.policy.is_some() && mine.is_empty() {
            continue;
        }
        scope.whole += usize::from(mine.len() == slo.policies.len() && matcher.labels.is_empty());
        scope.policies.extend(mine.into_iter().cloned());
        scope.slos.push(slo.spec.id.clone());
    }
    if let Some(policy) = matcher.policy.as_ref().filter(|_| scope.slos.is_empty()) {
        let policies = meant.iter().flat_map(|slo| &slo.policies).map(|rules| &rules.policy.name);
        return Err(unknown("policy", policy, policies.collect::<BTreeSet<_>>()));
    }
    Ok(scope)
}

fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a Name>) -> Unwanted {
    let name: String = name.chars().take(100).collect();
    Unwanted::Unknown { what: format!("{what} `{name}`"), help: listed(known) }
}

fn listed(known: impl IntoIterator<Item = impl ToString>) -> String {
    let known: Vec<String> = known.into_iter().take(NAMED_MAX).map(|name| name.to_string()).collect();
    format!("known: {}", known.join(", "))
}
