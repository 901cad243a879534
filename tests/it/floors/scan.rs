//! Reads a tree of files as far as the rules need it: paths, imports and words.

use std::{collections::BTreeMap, ops::Range};

use super::{EMPTY_NAMES, FLOORS, GROUND, GROUND_CRATES, GROUND_WITHOUT, GROUND_WORDS, LINES_MAX, NOWHERE};

/// Text by path.
pub type Tree = BTreeMap<String, String>;

/// What is wrong with a tree whose paths begin with `src/`, each with its place.
pub fn broken_rules(tree: &Tree) -> Vec<String> {
    tree.iter()
        .flat_map(|(path, text)| {
            [imports(path, text), ground(path, text), words(path, text), shape(path, text)].concat()
        })
        .collect()
}

/// A file's length, and the names of modules.
pub fn shape(path: &str, text: &str) -> Vec<String> {
    if !is_rust(path) {
        return Vec::new();
    }
    let mut broken = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        broken.push(format!("{path}: {lines} lines, {LINES_MAX} are enough"));
    }
    let inside = code(text, true);
    let stems = path.split('/').map(|part| part.trim_end_matches(".rs"));
    let modules = after(&inside, "mod ").map(|at| ident(&inside[at..]));
    for name in stems.chain(modules).filter(|name| EMPTY_NAMES.contains(name)) {
        broken.push(format!("{path}: the name `{name}` says nothing"));
    }
    broken
}

fn words(path: &str, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    NOWHERE
        .iter()
        .filter_map(|word| text.find(word).map(|at| format!("{path}:{}: `{word}` stands in src/", line(&text, at))))
        .collect()
}

fn imports(path: &str, text: &str) -> Vec<String> {
    let Some(own) = module(path).filter(|own| is_rust(path) && *own != "lib") else { return Vec::new() };
    let Some(floor) = floor(own) else { return vec![format!("{path}: `{own}` has no floor")] };
    let code = code(text, true);
    let mut broken = Vec::new();
    for (at, name) in named(path, &code) {
        let place = format!("{path}:{}", line(&code, at));
        match self::floor(name) {
            _ if name == own => {}
            Some(other) if other > floor => {}
            Some(_) => broken.push(format!("{place}: `{own}` imports `{name}`, which is not below it")),
            None => broken.push(format!("{place}: `{name}` has no floor")),
        }
    }
    broken
}

fn ground(path: &str, text: &str) -> Vec<String> {
    if module(path) != Some(GROUND) || !is_rust(path) {
        return Vec::new();
    }
    let bare = code(text, true);
    let mut broken = Vec::new();
    for at in after(&bare, "use ") {
        let name = ident(bare[at..].trim_start_matches(':'));
        if !GROUND_CRATES.contains(&name) && !["crate", "super", "self"].contains(&name) {
            broken.push(format!("{path}:{}: `{GROUND}` uses `{name}`", line(&bare, at)));
        }
    }
    for part in GROUND_WITHOUT {
        if let Some(at) = bare.find(part) {
            broken.push(format!("{path}:{}: `{GROUND}` uses `{part}`", line(&bare, at)));
        }
    }
    let said = code(text, false).to_lowercase();
    for word in GROUND_WORDS {
        if let Some(at) = said.find(word) {
            broken.push(format!("{path}:{}: `{GROUND}` knows `{word}`", line(&said, at)));
        }
    }
    broken
}

/// The top-level modules that `code` names, each with where.
fn named<'a>(path: &str, code: &'a str) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for root in ["crate::", "slod::"] {
        for at in after(code, root) {
            if code[at..].starts_with('{') {
                found.extend(heads(&code[at..]).into_iter().map(|head| (at + head.start, &code[at..][head])));
            } else {
                found.push((at, ident(&code[at..])));
            }
        }
    }
    // `super` often enough leaves the module: src/a/b.rs is a::b.
    let folders = path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count() - 1;
    let climb = "super::".repeat(folders);
    for at in after(code, &climb) {
        let name = ident(&code[at..]);
        if floor(name).is_some() {
            found.push((at, name));
        }
    }
    found
}

/// The first name of each branch of `{a::b, c::{d, e}, f}`.
fn heads(group: &str) -> Vec<Range<usize>> {
    let (mut found, mut depth, mut awaited) = (Vec::new(), 0, false);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => {
                depth += 1;
                awaited = depth == 1;
            }
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' => awaited = depth == 1,
            _ if awaited && is_word(letter) => {
                let name = ident(&group[at..]);
                found.push(at..at + name.len());
                awaited = false;
            }
            _ => {}
        }
    }
    found
}

/// `text` with its comments blanked (and its strings, if they are unwanted); lines and lengths stay.
fn code(text: &str, without_strings: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (length, blank) = token(&text[at..]);
        if blank == Blank::Comment || (blank == Blank::Text && without_strings) {
            out[at..at + length].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at += length;
    }
    String::from_utf8(out).unwrap()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Blank {
    No,
    Comment,
    Text,
}

/// The length of what stands first in `rest`, and what it is.
fn token(rest: &str) -> (usize, Blank) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), Blank::Comment);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), Blank::Comment);
    }
    let hashes = rest.strip_prefix('r').map(|after| after.len() - after.trim_start_matches('#').len());
    if let Some(hashes) = hashes.filter(|hashes| rest[1 + hashes..].starts_with('"')) {
        let end = format!("\"{}", "#".repeat(hashes));
        let start = hashes + 2;
        return (rest[start..].find(&end).map_or(rest.len(), |found| start + found + end.len()), Blank::Text);
    }
    if rest.starts_with('"') {
        return (quoted(rest, '"'), Blank::Text);
    }
    let mut letters = rest.chars();
    let first = letters.next().map_or(1, char::len_utf8);
    if rest.starts_with('\'') {
        let (second, third) = (letters.next(), letters.next());
        // 'a' and '\n' are letters, 'a alone is a lifetime.
        return if second == Some('\\') || third == Some('\'') {
            (quoted(rest, '\''), Blank::Text)
        } else {
            (1, Blank::No)
        };
    }
    // A whole word at once, so that the r of `for` begins no raw string.
    (ident(rest).len().max(first), Blank::No)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let tail = &rest.as_bytes()[at..];
        if tail.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Where `words` ends, wherever it stands on its own.
fn after<'a>(text: &'a str, words: &'a str) -> impl Iterator<Item = usize> {
    text.match_indices(words)
        .filter(|(at, _)| !text[..*at].ends_with(|letter: char| is_word(letter) || letter == '#' || letter == ':'))
        .map(|(at, _)| at + words.len())
}

fn ident(text: &str) -> &str {
    &text[..text.find(|letter| !is_word(letter)).unwrap_or(text.len())]
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_rust(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs")
}

fn module(path: &str) -> Option<&str> {
    path.strip_prefix("src/")?.split('/').next().map(|name| name.trim_end_matches(".rs"))
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&name))
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
