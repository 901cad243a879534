//! Keeps secrets out of what diagnostics show.

use std::ops::Range;

use super::{looks, tree::Span};

/// Keys whose values are secrets.
pub(crate) const SECRET_KEYS: [&str; 13] = [
    "api_token",
    "authorization",
    "bearer",
    "key",
    "password",
    "routing_key",
    "secret",
    "signing_secret",
    "token",
    "webhook",
    "webhook_secret",
    "x-api-key",
    "cookie",
];

/// What is shown instead.
pub(crate) const STARS: &str = "***";

/// What must not be shown. Sorted.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    /// Bytes of the files, each stretch within one line.
    pub places: Vec<Span>,
    /// What messages about a place must not repeat, as they would show it.
    pub texts: Vec<(Span, String)>,
}

/// Shortest text that is also masked where it stands without quotes.
const UNQUOTED_MIN: usize = 6;

impl Hidden {
    /// The stretches that begin in the bytes of one line.
    pub fn in_line(&self, file: usize, start: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
        let from = self.places.partition_point(|place| (place.file, place.start) < (file, start));
        let places = self.places[from..].iter();
        places
            .take_while(move |place| place.file == file && place.start <= start + length)
            .map(move |place| place.start - start..(place.end - start).min(length))
    }

    /// A message about a place, without what it must not repeat.
    pub fn mask_message(&self, mut message: String, at: Option<Span>) -> String {
        let Some(at) = at else { return message };
        let from = self.texts.partition_point(|(place, _)| (place.file, place.start) < (at.file, at.start));
        let texts = self.texts[from..].iter();
        let near = texts.take_while(|(place, _)| place.file == at.file && place.start <= at.end).take(16);
        for (_, text) in near.filter(|(_, text)| !text.is_empty()) {
            message = message.replace(&format!("`{text}`"), &format!("`{STARS}`"));
            if text.len() >= UNQUOTED_MIN {
                message = message.replace(text, STARS);
            }
        }
        looks::without_secrets(&message)
    }
}

/// A line without its secrets, and where the meant bytes are now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Masked {
    /// The line.
    pub text: String,
    /// The meant bytes.
    pub range: Range<usize>,
}

/// Masks `hidden` and whatever follows a key that holds a secret: the latter also works on a line that does not parse.
pub(crate) fn mask_line(line: &str, hidden: &[Range<usize>], range: Range<usize>) -> Masked {
    let mut hidden: Vec<Range<usize>> =
        hidden.iter().cloned().chain(by_key(line)).chain(looks::secrets(line)).collect();
    hidden.retain(|piece| piece.start < piece.end && line.is_char_boundary(piece.start));
    hidden.sort_by_key(|piece| piece.start);
    let mut masked = Masked { text: String::new(), range: 0..0 };
    let (mut copied, mut start, mut end) = (0, None, None);
    for piece in hidden {
        let to = ceil_boundary(line, piece.end);
        if to <= copied {
            continue;
        }
        let from = piece.start.max(copied);
        let shift = |at: usize, out: usize| out + at.saturating_sub(copied);
        if range.start <= from && start.is_none() {
            start = Some(shift(range.start, masked.text.len()));
        }
        if range.end <= from && end.is_none() {
            end = Some(shift(range.end, masked.text.len()));
        }
        masked.text.push_str(&line[copied..from]);
        if from == piece.start {
            masked.text.push_str(STARS);
        }
        if range.start < to && start.is_none() {
            start = Some(masked.text.len() - STARS.len());
        }
        if range.end <= to && end.is_none() {
            end = Some(masked.text.len());
        }
        copied = to;
    }
    let tail = masked.text.len();
    masked.text.push_str(&line[copied..]);
    let start = start.unwrap_or_else(|| tail + range.start.saturating_sub(copied));
    let end = end.unwrap_or_else(|| tail + range.end.saturating_sub(copied)).max(start);
    masked.range = floor_boundary(&masked.text, start)..ceil_boundary(&masked.text, end);
    masked
}

/// The values after keys that hold secrets, as far as one line tells.
fn by_key(line: &str) -> Vec<Range<usize>> {
    let lower = line.to_ascii_lowercase();
    let mut found = Vec::new();
    for key in SECRET_KEYS {
        for (at, _) in lower.match_indices(key) {
            let before = lower[..at].chars().next_back();
            if before.is_some_and(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')) {
                continue;
            }
            let rest = &line[at + key.len()..];
            let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
            let Some(value) = rest.strip_prefix(':').map(str::trim_start) else { continue };
            if value.is_empty()
                || value.starts_with('{')
                || value.starts_with('#')
                || value.starts_with(['*', '|', '>'])
            {
                continue;
            }
            let start = line.len() - value.len();
            let quote = value.chars().next().filter(|letter| matches!(letter, '"' | '\''));
            let length = match quote {
                Some(quote) => value[1..].find(quote).map_or(value.len(), |end| end + 2),
                None => value.find([',', '}']).or_else(|| value.find(" #")).unwrap_or(value.len()),
            };
            found.push(start..start + length);
        }
    }
    found
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_disappear_and_carets_stay() {
        let cases: &[(&str, &str, &str)] = &[
            // line, what is meant, line shown
            ("  title: hello", "hello", "  title: hello"),
            ("  token: xoxb-1", "token", "  token: ***"),
            ("  token: xoxb-1", "xoxb-1", "  token: ***"),
            ("  slack: {token: 'a b', chanel: C}", "chanel", "  slack: {token: ***, chanel: C}"),
            ("  \"token\": \"ä\", x: y", "x", "  \"token\": ***, x: y"),
            ("  token: {from_env: T}", "from_env", "  token: {from_env: T}"),
            ("  url: postgres://u:pw@h/d", "url", "  url: postgres://u:***@h/d"),
            ("  monkey: banana", "banana", "  monkey: banana"),
        ];
        for (line, meant, shown) in cases {
            let start = line.find(meant).unwrap();
            let masked = mask_line(line, &[], start..start + meant.len());
            assert_eq!(&masked.text, shown);
            let pointed = &masked.text[masked.range.clone()];
            assert!(pointed == *meant || pointed == STARS, "{line}: {pointed}");
        }
    }

    #[test]
    fn spans_are_masked() {
        let masked = mask_line("ab secret cd e", &[3..9, 13..14], 10..12);
        assert_eq!(masked, Masked { text: "ab *** cd ***".into(), range: 7..9 });
    }
}
