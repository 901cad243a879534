//! The one place that reads YAML: text in, a tree with places out, or one problem.
//!
//! Built on the event parser below serde-saphyr, because serde stops at the first problem and forgets places.
//! Everything is bounded: depth, nodes, aliases, and the text that aliases repeat.

use std::collections::{HashMap, HashSet};

use serde_yaml::granit_parser::{Event, Marker, Parser, ScalarStyle, Span as YamlSpan};

use super::{
    codes::Code,
    finding::Finding,
    tree::{Entry, Key, Node, Span, Spanned, Value},
};

/// Deepest nesting.
const DEPTH_MAX: usize = 32;
/// Most nodes of one file, those that aliases repeat included.
const NODES_MAX: usize = 400_000;
/// Most aliases of one file.
const ALIASES_MAX: usize = 10_000;
/// Most bytes of scalars of one file, those that aliases repeat included.
const BYTES_MAX: usize = 8 << 20;

/// A tree and what else was noticed while reading it.
pub(crate) struct Document {
    /// The top; none if the file is empty.
    pub root: Option<Node>,
    /// What is written, but overruled: the second value of a key, the merged value of one that stands there.
    pub dropped: Vec<Node>,
    /// Problems that do not stop the reading.
    pub findings: Vec<Finding>,
}

/// Reads one file's text.
pub(crate) fn parse(text: &str, file: usize) -> Result<Document, Finding> {
    let mut builder = Builder::new(text, file);
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Ok((event, span)) => builder.take(event, span)?,
            Err(error) => {
                let at = builder.mark(error.marker());
                if error.info().contains("recursion limit") || error.info().contains("nesting") {
                    return Err(too_deep(at));
                }
                return Err(Finding::error(Code::Syntax, at, format!("not valid YAML: {}", error.info())));
            }
        }
    }
    Ok(Document { root: builder.root, dropped: builder.dropped, findings: builder.findings })
}

/// A collection that is still open.
struct Frame {
    at: Span,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<Entry>,
    /// Where each key stands first.
    keys: HashMap<String, Span>,
    /// The key that waits for its value; whether it stands there for the second time.
    waiting: Option<(Key, bool)>,
    merged: Vec<Node>,
}

/// A node that aliases may repeat, with its weight.
struct Anchored {
    node: Node,
    nodes: usize,
    bytes: usize,
    height: usize,
}

struct Builder<'t> {
    text: &'t str,
    file: usize,
    open: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Node>,
    dropped: Vec<Node>,
    documents: usize,
    nodes: usize,
    aliases: usize,
    bytes: usize,
    findings: Vec<Finding>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, file: usize) -> Self {
        Self {
            text,
            file,
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            dropped: Vec::new(),
            documents: 0,
            nodes: 0,
            aliases: 0,
            bytes: 0,
            findings: Vec::new(),
        }
    }

    fn take(&mut self, event: Event<'_>, span: YamlSpan) -> Result<(), Finding> {
        let at = self.span(&span);
        if let Some(tag) = event.tag()
            && !tag.is_yaml_core_schema_tag("str")
        {
            return Err(Finding::error(Code::Syntax, at, "tags are not supported").help("leave the tag out"));
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Finding::error(Code::Syntax, at, "a second document begins here")
                        .help("one file holds one document: remove `---`"));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                self.weigh(1, text.len(), at)?;
                if self.take_key(&text, at)? {
                    return Ok(());
                }
                let null = plain && matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let value = if null { Value::Null } else { Value::Scalar { text: text.into_owned(), plain } };
                self.place(Node { at, value }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at, anchor, Content::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => self.begin(at, anchor, Content::Map(Mapping::default())),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.repeat(anchor, at),
            Event::UnresolvedAlias(name) => {
                Err(Finding::error(Code::Syntax, at, format!("there is no anchor `{name}`")))
            }
            _ => Ok(()),
        }
    }

    /// Takes a scalar as the next key, if the innermost collection waits for one.
    fn take_key(&mut self, text: &str, at: Span) -> Result<bool, Finding> {
        let Some(Frame { content: Content::Map(map), .. }) = self.open.last_mut() else { return Ok(false) };
        if map.waiting.is_some() {
            return Ok(false);
        }
        if text.len() > 1024 {
            return Err(Finding::error(Code::TooLarge, at, "a key is over 1024 bytes"));
        }
        let first = *map.keys.entry(text.to_owned()).or_insert(at);
        if first != at {
            let finding = Finding::error(Code::DuplicateKey, at, format!("key `{text}` stands twice"));
            self.findings.push(finding.related(first, "first here"));
        }
        map.waiting = Some((Spanned { value: text.to_owned(), at }, first != at));
        Ok(true)
    }

    fn begin(&mut self, at: Span, anchor: usize, content: Content) -> Result<(), Finding> {
        self.weigh(1, 0, at)?;
        if let Some(Frame { content: Content::Map(Mapping { waiting: None, .. }), .. }) = self.open.last() {
            return Err(Finding::error(Code::Syntax, at, "a key must be text"));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(at));
        }
        self.open.push(Frame { at, anchor, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Finding> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::List(items) => Value::List(items),
            Content::Map(Mapping { mut entries, merged, .. }) => {
                let mut present: HashSet<String> = if merged.is_empty() {
                    HashSet::new()
                } else {
                    entries.iter().map(|entry| entry.key.value.clone()).collect()
                };
                for node in merged {
                    self.merge(&mut entries, &mut present, node)?;
                }
                Value::Map(entries)
            }
        };
        self.place(Node { at: frame.at, value }, frame.anchor)
    }

    /// `<<: *anchor`: what is not written here comes from there.
    fn merge(&mut self, entries: &mut Vec<Entry>, present: &mut HashSet<String>, node: Node) -> Result<(), Finding> {
        match node.value {
            Value::Map(more) => {
                self.weigh(more.len(), 0, node.at)?;
                for entry in more {
                    if present.insert(entry.key.value.clone()) {
                        entries.push(entry);
                    } else {
                        self.dropped.push(entry.value);
                    }
                }
                Ok(())
            }
            Value::List(items) => items.into_iter().try_for_each(|item| match item.value {
                Value::Map(_) => self.merge(entries, present, item),
                _ => Err(Finding::error(Code::Syntax, item.at, "`<<` joins maps only")),
            }),
            _ => Err(Finding::error(Code::Syntax, node.at, "`<<` joins maps only")),
        }
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Finding> {
        if anchor != 0 {
            let (nodes, bytes, height) = weight(&node);
            self.weigh(nodes, bytes, node.at)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, bytes, height });
        }
        match self.open.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(map)) => {
                let Some((key, again)) = map.waiting.take() else {
                    return Err(Finding::error(Code::Syntax, node.at, "a key must be text"));
                };
                if key.value == "<<" {
                    map.merged.push(node);
                } else if again {
                    self.dropped.push(node);
                } else {
                    map.entries.push(Entry { key, value: node });
                }
            }
        }
        Ok(())
    }

    fn repeat(&mut self, anchor: usize, at: Span) -> Result<(), Finding> {
        self.aliases += 1;
        if self.aliases > ALIASES_MAX {
            return Err(Finding::error(Code::TooLarge, at, format!("over {ALIASES_MAX} aliases")));
        }
        let Some(found) = self.anchors.get(&anchor) else {
            return Err(Finding::error(Code::Syntax, at, "an alias inside of what it repeats"));
        };
        let (nodes, bytes, height, node) = (found.nodes, found.bytes, found.height, found.node.clone());
        if self.open.len() + height > DEPTH_MAX {
            return Err(too_deep(at));
        }
        self.weigh(nodes, bytes, at)?;
        self.place(node, 0)
    }

    fn weigh(&mut self, nodes: usize, bytes: usize, at: Span) -> Result<(), Finding> {
        self.nodes += nodes;
        self.bytes += bytes;
        if self.nodes > NODES_MAX || self.bytes > BYTES_MAX {
            return Err(Finding::error(Code::TooLarge, at, "too many values in one file")
                .help("split the file, or use fewer aliases"));
        }
        Ok(())
    }

    /// The place of an event, cut to its first line.
    fn span(&self, span: &YamlSpan) -> Span {
        let start = self.mark(&span.start).start;
        let end = self.mark(&span.end).start.max(start);
        let text = self.text.get(start..end).unwrap_or_default();
        let first = text.split('\n').next().unwrap_or_default().trim_end();
        Span { file: self.file, start, end: start + first.len() }
    }

    fn mark(&self, marker: &Marker) -> Span {
        let mut at = marker.byte_offset().unwrap_or_default().min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        Span { file: self.file, start: at, end: at }
    }
}

fn too_deep(at: Span) -> Finding {
    Finding::error(Code::TooLarge, at, format!("nested deeper than {DEPTH_MAX}"))
}

/// How many nodes and scalar bytes there are, and how deep. The depth is bounded, so this may recurse.
fn weight(node: &Node) -> (usize, usize, usize) {
    let add = |sum: (usize, usize, usize), more: (usize, usize, usize)| {
        (sum.0 + more.0, sum.1 + more.1, sum.2.max(more.2 + 1))
    };
    match &node.value {
        Value::Null => (1, 0, 0),
        Value::Scalar { text, .. } => (1, text.len(), 0),
        Value::List(items) => items.iter().map(weight).fold((1, 0, 1), add),
        Value::Map(entries) => entries
            .iter()
            .map(|entry| {
                let (nodes, bytes, height) = weight(&entry.value);
                (nodes + 1, bytes + entry.key.value.len(), height)
            })
            .fold((1, 0, 1), add),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> &'static str {
        match parse(text, 0) {
            Ok(document) => document.findings.first().map_or("", |finding| finding.code.id()),
            Err(finding) => finding.code.id(),
        }
    }

    #[test]
    fn hostile_and_broken_texts_are_refused() {
        let bomb = (0..30).fold(String::from("x-0: &a0 [lol, lol]\n"), |text, n| {
            text + &format!("x-{}: &a{} [{}]\n", n + 1, n + 1, vec![format!("*a{n}"); 9].join(", "))
        });
        let cases: &[(&str, &str)] = &[
            ("", ""),
            ("a: 1\nb: [1, {c: d}]\n", ""),
            ("a: &x {b: 1}\nc: {<<: *x, d: 2}\n", ""),
            ("a: 1\na: 2\n", "E0102"),
            ("a: [1\n", "E0110"),
            ("a: *nowhere\n", "E0110"),
            ("a: &x [*x]\n", "E0110"),
            ("a: 1\n---\nb: 2\n", "E0110"),
            ("a: !secret 1\n", "E0110"),
            ("a: !!str 1\n", ""),
            ("? [a]\n: b\n", "E0110"),
            ("<<: 1\n", "E0110"),
            (&"[".repeat(100_000), "E0112"),
            (&"{a: ".repeat(100_000), "E0112"),
            (&"- ".repeat(100_000), "E0112"),
            (&bomb, "E0112"),
        ];
        for (text, code) in cases {
            assert_eq!(&problem(text), code, "{}", &text[..text.len().min(60)]);
        }
    }

    #[test]
    fn places_are_bytes_of_the_text() {
        let text = "ä: 'ö x'\nb:\n  - {c: dd}\n";
        let root = parse(text, 0).ok().and_then(|document| document.root).unwrap();
        let slice = |span: Span| &text[span.start..span.end];
        let entries = root.entries().unwrap();
        assert_eq!(slice(entries[0].key.at), "ä");
        assert_eq!(slice(entries[0].value.at), "'ö x'");
        let Value::List(items) = &entries[1].value.value else { panic!() };
        assert_eq!(slice(items[0].child("c").unwrap().at), "dd");
    }
}
