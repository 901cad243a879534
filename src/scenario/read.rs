//! A file of scenarios: everything in it is checked before any of it is played.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use chrono::DateTime;

use super::{Act, Deed, Feed, Scenario, Spot, expect, feed, quiet::Quiet};
use crate::{
    config::{
        self, Code, Mode, Overrides,
        context::{Context, suggestion},
        diagnostics::{Diagnostic, Severity},
        fields::{Fields, clipped},
        files,
        finding::Finding,
        model::Config,
        tree::{Entry, Key, Node, Span, Spanned, Value},
        values::ANY,
    },
    domain::{
        name::{Name, SloId},
        rulebook::Rulebook,
    },
    engine::rulebook::rulebook,
};

/// The scenarios of one file, and what is decided by in them.
#[derive(Clone, Debug)]
pub struct Book {
    /// As the user would name the file.
    pub file: String,
    /// In the order of the file.
    pub scenarios: Vec<Scenario>,
    /// The rules of the configuration that the file names, every settle 0.
    pub rules: Arc<Rulebook>,
}

/// What the words of a scenario refer to.
pub(super) struct World<'a> {
    pub cx: &'a Context<'a>,
    pub config: &'a Config,
    pub rules: &'a Rulebook,
    pub quiet: &'a Quiet,
}

/// Reads a file and the configuration that it names; `env` looks up variables of that. All problems at once.
pub fn read(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Book, Vec<Diagnostic>> {
    let (files, findings) = files::read_one(path);
    let cx = Context::new(&files, Mode::Check, env);
    for finding in findings {
        cx.push(finding);
    }
    let mut of_config = Vec::new();
    let found = if files.get(0).is_parsed() { decode(&cx, path, env, &mut of_config) } else { None };
    let (mut findings, hidden) = cx.finish();
    findings.sort_by_key(|finding| finding.at.map(|at| (at.file, at.start)));
    let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
    let own = findings.into_iter().map(|finding| Diagnostic::new(finding, &files, &hidden));
    let problems: Vec<Diagnostic> = own.chain(of_config).collect();
    match found {
        Some((scenarios, rules)) if !failed => {
            Ok(Book { file: files.get(0).shown.clone(), scenarios, rules: Arc::new(rules) })
        }
        _ => Err(problems),
    }
}

fn decode(
    cx: &Context<'_>,
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Vec<Scenario>, Rulebook)> {
    let top = Span { file: 0, start: 0, end: 0 };
    let empty = Node { at: top, value: Value::Null };
    let root = cx.files.get(0).root.as_ref().unwrap_or(&empty);
    let fields = Fields::open(cx, root, top, "the scenario file")?;
    fields.require("config");
    fields.require("scenarios");
    let (named, scenarios) = (fields.word("config", "a path"), fields.get("scenarios"));
    fields.close();
    let named = named?;
    let config = load(cx, path, &named, env, problems)?;
    let mut rules = rulebook(&config);
    rules.slos.values_mut().for_each(|slo| slo.spec.settle_ms = 0);
    let node = scenarios?;
    let entries = node.entries().unwrap_or_default();
    if entries.is_empty() {
        let message = format!("`scenarios` must be a map of names to scenarios, not {}", node.word());
        let at = if matches!(node.value, Value::Null) { top } else { node.at };
        cx.push(Finding::error(Code::WrongType, at, message).help("write `scenarios: {it pages: {start: …, …}}`"));
        return None;
    }
    let quiet = Quiet::new(&config);
    let world = World { cx, config: &config, rules: &rules, quiet: &quiet };
    let entries = entries.iter().filter(|entry| !entry.key.value.starts_with("x-"));
    let scenarios = entries.filter_map(|entry| world.scenario(entry)).collect();
    Some((scenarios, rules))
}

fn load(
    cx: &Context<'_>,
    path: &Path,
    named: &Key,
    env: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Config> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let loaded = config::load(&folder.join(&named.value), Mode::Check, env, &Overrides::default());
    if loaded.config.is_none() {
        let message = format!("the configuration `{}` cannot be used", clipped(&named.value));
        let help = "its problems follow; the path counts from the folder of this file";
        cx.push(Finding::error(Code::Unreadable, named.at, message).help(help));
        problems.extend(loaded.diagnostics.into_iter().filter(|found| found.severity == Severity::Error));
    }
    loaded.config
}

impl<'a> World<'a> {
    fn scenario(&self, entry: &'a Entry) -> Option<Scenario> {
        let name = &entry.key.value;
        let fields = Fields::open(self.cx, &entry.value, entry.key.at, format!("scenario `{}`", clipped(name)))?;
        for key in ["start", "feed", "expect"] {
            fields.require(key);
        }
        let start = fields.word("start", "a time").and_then(|word| self.start(&word));
        let entries = self.entries(&fields, "feed").iter();
        let fed: Vec<(SloId, &Node)> =
            entries.filter_map(|entry| Some((self.slo(&entry.key)?, &entry.value))).collect();
        // Each is read, so that the problems of all are told.
        let feeds: Vec<_> = fed.iter().map(|(id, node)| self.feed(id, node)).collect();
        let feeds: Option<Vec<_>> = feeds.into_iter().collect();
        if let (Some(start), Some(feeds)) = (&start, &feeds) {
            for feed in feeds.iter().filter(|feed| start.value.timestamp() % i64::from(feed.every) != 0) {
                let message = format!("`start` is not at the beginning of a slot of `{}`", feed.id);
                let every = crate::domain::condition::duration(feed.every);
                let help = format!("choose a time that is a multiple of {every}");
                self.cx.push(Finding::error(Code::OutOfRange, start.at, message).help(help));
            }
        }
        let mut acts: Vec<_> = self.items(&fields, "do").filter_map(|node| self.act(node)).collect();
        let fed: Vec<SloId> = fed.into_iter().map(|(id, _)| id).collect();
        let expected = self.items(&fields, "expect");
        let mut expectations: Vec<_> = expected.filter_map(|node| expect::expectation(self, node, &fed)).collect();
        if fields.has("expect") && fields.list("expect").is_empty() {
            let message = format!("{} expects nothing", fields.owner);
            let finding = Finding::error(Code::MissingKey, fields.key_at("expect"), message);
            self.cx.push(finding.help("add what must be so: `- {at: 20m, firing: []}`"));
        }
        fields.close();
        acts.sort_by_key(|act| act.at);
        expectations.sort_by_key(|expectation| expectation.at);
        let (mut feeds, start) = (feeds?, start?.value);
        feeds.sort_by(|one, other| one.id.cmp(&other.id));
        let spot = self.spot(entry.key.at);
        let last = expectations.last().map_or(0, |last| last.at);
        let planned = self.quiet.plan(&mut feeds, start, last);
        Some(Scenario { name: name.clone(), spot, start, feeds, acts, planned, expectations })
    }

    fn feed(&self, id: &SloId, node: &Node) -> Option<Feed> {
        feed::feed(self.cx, node, id.clone(), self.config.slos.get(id)?)
    }

    fn start(&self, word: &Key) -> Option<Spanned<DateTime<chrono::Utc>>> {
        let time = DateTime::parse_from_rfc3339(&word.value).ok().filter(|time| time.timestamp_subsec_nanos() == 0);
        if time.is_none() {
            let message = format!("`start` must be a time in whole seconds, not `{}`", clipped(&word.value));
            let finding = Finding::error(Code::WrongType, word.at, message);
            self.cx.push(finding.help("write it as `2026-01-05T00:00:00Z`"));
        }
        time.map(|time| Spanned { value: time.to_utc(), at: word.at })
    }

    fn act(&self, node: &'a Node) -> Option<Act> {
        let fields = Fields::open(self.cx, node, node.at, "an item of `do`")?;
        fields.require("at");
        let at = fields.seconds("at", ANY);
        let kind = fields.kind(&["acknowledge", "resolve", "silence", "restart", "source_down", "source_up"]);
        let by = match kind {
            Some(("acknowledge" | "resolve", _)) => fields.word("by", "a name").map(|by| by.value),
            _ => None,
        };
        let by = by.unwrap_or_else(|| "scenario".to_owned());
        fields.close();
        let (kind, entry) = kind?;
        let word = || {
            let text = entry.value.scalar().map(|text| Spanned { value: text.to_owned(), at: entry.value.at });
            if text.is_none() {
                let message = format!("`{kind}` must be a name, not {}", entry.value.word());
                let finding = Finding::error(Code::WrongType, entry.value.at, message);
                self.cx.push(finding.help(if kind.starts_with("source") {
                    "name a source"
                } else {
                    "name `service/slo`"
                }));
            }
            text
        };
        let deed = match kind {
            "acknowledge" => Deed::Acknowledge { id: self.slo(&word()?)?, by },
            "resolve" => Deed::Resolve { id: self.slo(&word()?)?, by },
            "source_down" => Deed::SourceDown(self.source(&word()?)?),
            "source_up" => Deed::SourceUp(self.source(&word()?)?),
            "restart" => {
                if !matches!(entry.value.value, Value::Null) && entry.value.scalar() != Some("true") {
                    let finding = Finding::error(Code::WrongType, entry.value.at, "`restart` takes no value");
                    self.cx.push(finding.help("write `restart: true`"));
                }
                Deed::Restart
            }
            _ => self.silence(entry)?,
        };
        Some(Act { at: at?, spot: self.spot(node.at), deed })
    }

    /// The items of a list of maps; anything else is reported.
    fn items(&self, fields: &Fields<'a>, key: &'static str) -> impl Iterator<Item = &'a Node> + use<'a> {
        let node = fields.get(key);
        if let Some(node) = node
            && !matches!(node.value, Value::List(_) | Value::Null)
        {
            let message = format!("`{key}` of {} must be a list, not {}", fields.owner, node.word());
            self.cx.push(Finding::error(Code::WrongType, node.at, message).help("begin each item with `- `"));
        }
        match node.map(|node| &node.value) {
            Some(Value::List(items)) => items.iter(),
            _ => [].iter(),
        }
    }

    /// The entries of a map; anything else is reported.
    pub fn entries(&self, fields: &Fields<'a>, key: &'static str) -> &'a [Entry] {
        let Some(node) = fields.get(key) else { return &[] };
        node.entries().unwrap_or_else(|| {
            let message = format!("`{key}` of {} must be a map, not {}", fields.owner, node.word());
            self.cx.push(Finding::error(Code::WrongType, node.at, message).help(format!("write `{key}: {{name: …}}`")));
            &[]
        })
    }

    /// The SLO of that name.
    pub fn slo(&self, word: &Key) -> Option<SloId> {
        let known: BTreeMap<String, &SloId> = self.config.slos.keys().map(|id| (id.to_string(), id)).collect();
        let found = known.get(&word.value).map(|id| (*id).clone());
        if found.is_none() {
            self.unknown("SLO", word, &known.keys().map(String::as_str).collect::<Vec<_>>());
        }
        found
    }

    fn source(&self, word: &Key) -> Option<Name> {
        let known: Vec<&str> = self.config.sources.keys().map(Name::as_str).collect();
        if known.contains(&word.value.as_str()) {
            return Some(Name::from(word.value.as_str()));
        }
        self.unknown("source", word, &known);
        None
    }

    /// Reports a name of nothing.
    pub fn unknown(&self, what: &str, word: &Key, known: &[&str]) {
        let message = format!("there is no {what} `{}` in the configuration", clipped(&word.value));
        let finding = Finding::error(Code::UnknownReference, word.at, message);
        self.cx.push(finding.help(suggestion(&word.value, known)));
    }

    /// The line of a place.
    pub fn spot(&self, at: Span) -> Spot {
        let file = self.cx.files.get(at.file);
        Spot { file: file.shown.clone(), line: file.line_at(at.start).0 }
    }
}
