//! Typed values under a key: durations, percentages, counts, words, names.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    codes::Code,
    context::{Thing, nearest},
    fields::{Fields, clipped, quoted},
    finding::Finding,
    tree::{Key, Node, Span, Spanned, Value},
    units::{self, UnitError},
};
use crate::domain::{name::Name, policy::Priority, slo::Comparison};

/// Where no other bound is known.
pub(crate) const ANY: RangeInclusive<Duration> = Duration::ZERO..=units::DURATION_MAX;
/// At least a second.
pub(crate) const FROM_SECOND: RangeInclusive<Duration> = Duration::from_secs(1)..=units::DURATION_MAX;

impl Fields<'_> {
    /// The scalar under `key`; anything else is reported.
    pub fn word(&self, key: &'static str, shape: &str) -> Option<Key> {
        let node = self.get(key)?;
        match &node.value {
            Value::Scalar { text, .. } => Some(Spanned { value: text.clone(), at: node.at }),
            _ => self.wrong(key, node, shape),
        }
    }

    fn wrong<T>(&self, key: &str, node: &Node, shape: &str) -> Option<T> {
        let message = format!("`{key}` of {} must be {shape}, not {}", self.owner, node.word());
        self.cx.push(Finding::error(Code::WrongType, node.at, message));
        None
    }

    /// Reports a value that is not `shape`.
    pub fn reject(&self, code: Code, key: &str, found: &Key, shape: &str) {
        let message = format!("`{key}` of {} must be {shape}, not `{}`", self.owner, clipped(&found.value));
        self.cx.push(Finding::error(code, found.at, message));
    }

    /// A duration within bounds.
    pub fn duration(&self, key: &'static str, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        let found = self.word(key, "a duration such as `15m`")?;
        let error = match units::duration(&found.value) {
            Ok(duration) if bounds.contains(&duration) => return Some(duration),
            Ok(_) => UnitError::OutOfRange,
            Err(error) => error,
        };
        match error {
            UnitError::NoUnit => {
                let message = format!("{key} `{}` has no unit", clipped(&found.value));
                let help = match found.value.parse::<u64>() {
                    Ok(number) => format!("write `{number}s` or `{number}m`"),
                    Err(_) => "write it as `15m`, `800ms` or `1h30m`".to_owned(),
                };
                self.cx.push(Finding::error(Code::NoUnit, found.at, message).help(help));
            }
            UnitError::Unreadable => self.reject(Code::NoUnit, key, &found, "a duration such as `15m` or `1h30m`"),
            UnitError::OutOfRange => {
                let (from, to) = (units::written(*bounds.start()), units::written(*bounds.end()));
                self.reject(Code::OutOfRange, key, &found, &format!("between {from} and {to}"));
            }
        }
        None
    }

    /// A duration in whole seconds.
    pub fn seconds(&self, key: &'static str, bounds: RangeInclusive<Duration>) -> Option<u32> {
        let found = self.duration(key, bounds)?;
        if found.subsec_millis() != 0 {
            let message = format!("`{key}` of {} must be whole seconds", self.owner);
            let at = self.get(key).map(|node| node.at);
            self.cx.push(Finding::error(Code::OutOfRange, at, message));
            return None;
        }
        Some(found.as_secs() as u32)
    }

    /// A percentage in parts per billion.
    pub fn percent(&self, key: &'static str, bounds: RangeInclusive<i64>) -> Option<i64> {
        let found = self.word(key, "a percentage such as `99.5%`")?;
        match units::percent(&found.value) {
            Ok(parts) if bounds.contains(&parts) => return Some(parts),
            Ok(_) | Err(UnitError::OutOfRange) => {
                let shape = format!("between {}% and {}%", bounds.start() / 10_000_000, bounds.end() / 10_000_000);
                self.reject(Code::OutOfRange, key, &found, &shape);
            }
            Err(UnitError::NoUnit) => {
                let message = format!("{key} `{}` has no unit", clipped(&found.value));
                self.cx.push(Finding::error(Code::NoUnit, found.at, message).help(with_percent(&found.value)));
            }
            Err(UnitError::Unreadable) => self.reject(Code::NoUnit, key, &found, "a percentage such as `99.5%`"),
        }
        None
    }

    /// A whole number within bounds.
    pub fn integer(&self, key: &'static str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let found = self.word(key, "a whole number")?;
        match found.value.parse::<u64>() {
            Ok(number) if bounds.contains(&number) => Some(number),
            Ok(_) => {
                self.reject(Code::OutOfRange, key, &found, &format!("between {} and {}", bounds.start(), bounds.end()));
                None
            }
            Err(_) => {
                self.reject(Code::WrongType, key, &found, "a whole number");
                None
            }
        }
    }

    /// A number within bounds.
    pub fn number(&self, key: &'static str, bounds: RangeInclusive<f64>) -> Option<f64> {
        let found = self.word(key, "a number")?;
        match found.value.parse::<f64>().ok().filter(|_| units::is_number(&found.value)) {
            Some(number) if bounds.contains(&number) => Some(number),
            Some(_) => {
                self.reject(Code::OutOfRange, key, &found, &format!("between {} and {}", bounds.start(), bounds.end()));
                None
            }
            None => {
                self.reject(Code::WrongType, key, &found, "a number");
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &'static str) -> Option<bool> {
        let node = self.get(key)?;
        match &node.value {
            Value::Scalar { text, plain: true } if matches!(text.as_str(), "true" | "True" | "TRUE") => Some(true),
            Value::Scalar { text, plain: true } if matches!(text.as_str(), "false" | "False" | "FALSE") => Some(false),
            Value::Scalar { text, .. } => {
                let found = Spanned { value: text.clone(), at: node.at };
                self.reject(Code::WrongType, key, &found, "`true` or `false`");
                None
            }
            _ => self.wrong(key, node, "`true` or `false`"),
        }
    }

    /// One of several words.
    pub fn choice<T: Copy>(&self, key: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let found = self.word(key, "a word")?;
        let chosen = choices.iter().find(|(word, _)| *word == found.value).map(|(_, value)| *value);
        if chosen.is_none() {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let message = format!("`{key}` of {} cannot be `{}`", self.owner, clipped(&found.value));
            let help = match nearest(&found.value, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", quoted(&words)),
            };
            self.cx.push(Finding::error(Code::UnknownChoice, found.at, message).help(help));
        }
        chosen
    }

    /// `P1` … `P5`.
    pub fn priority(&self, key: &'static str) -> Option<Priority> {
        self.choice(key, &Priority::ALL.map(|priority| (priority.as_str(), priority)))
    }

    /// `<= 15m`, `> 30`.
    pub fn comparison(&self, key: &'static str) -> Option<Comparison> {
        let shape = "a comparison such as `\"<= 15m\"` or `\"> 0.5\"`";
        let found = self.word(key, shape)?;
        let comparison = units::comparison(&found.value);
        if comparison.is_none() {
            self.reject(Code::NoUnit, key, &found, shape);
        }
        comparison
    }

    /// A name that refers to something.
    pub fn reference(&self, key: &'static str, thing: Thing) -> Option<Spanned<Name>> {
        let found = self.word(key, "a name")?;
        self.cx.refer(thing, &found, &self.owner);
        Some(Spanned { value: Name::from(found.value), at: found.at })
    }

    /// Names of receivers.
    pub fn receivers(&self, key: &'static str) -> Option<Vec<Name>> {
        let node = self.get(key)?;
        if matches!(node.value, Value::Null) {
            return self.wrong(key, node, "a list of receivers");
        }
        let (mut names, mut seen) = (Vec::new(), std::collections::HashSet::new());
        for word in self.words(key) {
            if !seen.insert(word.value.clone()) {
                let message = format!("{} names receiver `{}` twice", self.owner, word.value);
                self.cx.push(Finding::error(Code::DuplicateKey, word.at, message));
                continue;
            }
            if let Some(known) = self.cx.refer(Thing::Receiver, &word, &self.owner)
                && known.kind.is_some_and(|kind| matches!(kind, "statuspage" | "instatus"))
            {
                let message = format!("{} notifies `{}`, which is a public status page", self.owner, word.value);
                let finding = Finding::error(Code::WrongKind, word.at, message);
                self.cx.push(finding.help("status pages are named under `status_page` of a service"));
            }
            names.push(Name::from(word.value));
        }
        Some(names)
    }

    /// `key: value` pairs of free text.
    pub fn labels(&self, key: &'static str) -> std::collections::BTreeMap<String, String> {
        let label = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !text.starts_with(|letter: char| letter.is_ascii_digit())
                && !text.is_empty()
        };
        let mut labels = std::collections::BTreeMap::new();
        for entry in self.free_map(key, label) {
            let what = format!("label `{}` of {}", entry.key.value, self.owner);
            if let Some(text) = super::outside::resolve(self.cx, &entry.value, &what) {
                labels.insert(entry.key.value.clone(), text.value);
            }
        }
        labels
    }

    /// The place of the value under `key`, else of the map.
    pub fn value_at(&self, key: &'static str) -> Span {
        self.get(key).map_or(self.at, |node| node.at)
    }
}

/// `0.995` → ``write `99.5%` ``.
fn with_percent(text: &str) -> String {
    let number: f64 = text.parse().unwrap_or_default();
    let share = if number.abs() <= 1.0 { number * 100.0 } else { number };
    let digits = format!("{share:.7}");
    format!("write `{}%`", digits.trim_end_matches('0').trim_end_matches('.'))
}
