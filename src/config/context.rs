//! What all decoders share: the surroundings they may ask, and the place where problems are collected.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Mode,
    codes::Code,
    fields::clipped,
    files::Files,
    finding::Finding,
    mask::Hidden,
    tree::{Key, Span},
};

/// Most problems kept of each severity.
const FINDINGS_MAX: usize = 1_000;
/// Most comparisons of patterns with SLOs.
const STEPS_MAX: usize = 2_000_000;

/// What a reference points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// Under `sources`.
    Source,
    /// Under `services`.
    Service,
    /// Under `receivers`.
    Receiver,
    /// Under `escalations`.
    Escalation,
    /// Under `templates`.
    Template,
}

impl Thing {
    /// All.
    pub const ALL: [Self; 5] = [Self::Source, Self::Service, Self::Receiver, Self::Escalation, Self::Template];

    /// For messages.
    pub fn word(self) -> &'static str {
        ["source", "service", "receiver", "escalation", "template"][self as usize]
    }

    /// Its top-level key.
    pub fn section(self) -> &'static str {
        ["sources", "services", "receivers", "escalations", "templates"][self as usize]
    }
}

/// Something that exists: where it is written, and of which kind it is.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Its key.
    pub at: Span,
    /// The word of its kind, where it has one.
    pub kind: Option<&'static str>,
}

/// The surroundings of decoding.
pub(crate) struct Context<'a> {
    /// The files.
    pub files: &'a Files,
    /// What the values are wanted for.
    pub mode: Mode,
    /// Looks up a variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Everything that can be referred to.
    pub known: BTreeMap<Thing, BTreeMap<String, Known>>,
    findings: RefCell<Vec<Finding>>,
    counts: [Cell<usize>; 3],
    steps_left: Cell<usize>,
    used: RefCell<BTreeSet<(Thing, String)>>,
    hidden: RefCell<Hidden>,
    notes: RefCell<BTreeMap<(Code, &'static str), Vec<Span>>>,
}

impl<'a> Context<'a> {
    /// An empty collection.
    pub fn new(files: &'a Files, mode: Mode, env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            files,
            mode,
            env,
            known: BTreeMap::new(),
            findings: RefCell::default(),
            counts: Default::default(),
            steps_left: Cell::new(STEPS_MAX),
            used: RefCell::default(),
            hidden: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    /// Collects a problem; of each severity the first thousand.
    pub fn push(&self, finding: Finding) {
        let count = &self.counts[finding.severity as usize];
        count.set(count.get() + 1);
        if count.get() <= FINDINGS_MAX {
            self.findings.borrow_mut().push(finding);
        }
    }

    /// Whether there are so many problems that looking for likely spellings is a waste.
    pub fn is_crowded(&self) -> bool {
        self.findings.borrow().len() > 200
    }

    /// Counts steps of work that grows with the square of the input. False once there were too many.
    pub fn spend(&self, steps: usize) -> bool {
        let left = self.steps_left.get();
        self.steps_left.set(left.saturating_sub(steps));
        left >= steps
    }

    /// Marks a place whose text must never be shown.
    pub fn hide(&self, at: Span) {
        self.hidden.borrow_mut().places.push(at);
    }

    /// Marks a text that no message about this place may repeat.
    pub fn hide_text(&self, at: Span, text: &str) {
        self.hidden.borrow_mut().texts.push((at, clipped(text)));
    }

    /// Remembers that something asks for what is not built yet.
    pub fn not_yet(&self, what: &'static str, at: Span) {
        self.notes.borrow_mut().entry((Code::NotYet, what)).or_default().push(at);
    }

    /// Follows a reference; reports one that leads nowhere.
    pub fn refer(&self, thing: Thing, name: &Key, owner: &str) -> Option<&Known> {
        self.used.borrow_mut().insert((thing, name.value.clone()));
        let all = self.known.get(&thing);
        if let Some(found) = all.and_then(|all| all.get(&name.value)) {
            return Some(found);
        }
        let names: Vec<&str> = match all {
            Some(all) if !self.is_crowded() => all.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        let message = format!("{owner} names {} `{}`, which does not exist", thing.word(), name.value);
        self.push(Finding::error(Code::UnknownReference, name.at, message).help(suggestion(&name.value, &names)));
        None
    }

    /// Notes that something is used, though nothing refers to it by a name.
    pub fn mark_used(&self, thing: Thing, name: &str) {
        self.used.borrow_mut().insert((thing, name.to_owned()));
    }

    /// The kind of something that exists.
    pub fn known_kind(&self, thing: Thing, name: &str) -> Option<&'static str> {
        self.known.get(&thing)?.get(name)?.kind
    }

    /// Whether anything refers to it.
    pub fn is_used(&self, thing: Thing, name: &str) -> bool {
        self.used.borrow().contains(&(thing, name.to_owned()))
    }

    /// `slo.yaml:52`.
    pub fn location(&self, at: Span) -> String {
        let file = self.files.get(at.file);
        format!("{}:{}", file.short, file.line_at(at.start).0)
    }

    /// All that was collected, and the places to hide.
    pub fn finish(self) -> (Vec<Finding>, Hidden) {
        let mut findings = self.findings.take();
        for ((code, what), places) in self.notes.take() {
            let mut message = format!("{what}: read and checked, but not built yet");
            let more: Vec<String> = places
                .iter()
                .skip(1)
                .take(3)
                .map(|at| {
                    let file = self.files.get(at.file);
                    format!("{}:{}", file.short, file.line_at(at.start).0)
                })
                .collect();
            if !more.is_empty() {
                let rest = if places.len() > 4 { ", …" } else { "" };
                message = format!("{message} (also at {}{rest})", more.join(", "));
            }
            findings.push(Finding::note(code, places[0], message));
        }
        let mut hidden = self.hidden.take();
        hidden.places.sort_unstable();
        hidden.places.dedup();
        hidden.texts.sort_unstable();
        hidden.texts.dedup();
        (findings, hidden)
    }
}

/// `did you mean …? known: a, b, …`
pub(crate) fn suggestion(wrong: &str, names: &[&str]) -> String {
    if names.is_empty() {
        return "there is none".to_owned();
    }
    let shown = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    let dots = if names.len() > 8 { ", …" } else { "" };
    match nearest(wrong, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? known: {shown}{dots}"),
        None => format!("known: {shown}{dots}"),
    }
}

/// The name that was probably meant.
pub(crate) fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if wrong.len() > 80 {
        return None;
    }
    names
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .filter(|(distance, name)| *distance <= (name.len().max(wrong.len()) / 3).max(1))
        .min()
        .map(|(_, name)| name)
}
