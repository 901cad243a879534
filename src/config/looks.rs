//! Tells by its looks whether a piece of text may be a secret, whatever key it stands under.

use std::ops::Range;

/// Fewest letters of a token that has no prefix of its own.
const TOKEN_MIN: usize = 20;
/// Fewest letters of a part between separators that is no word.
const PART_MIN: usize = 16;
/// More digits than this are in no name.
const DIGITS_MAX: usize = 5;

/// The stretches of `text` that look like secrets.
pub(crate) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = tokens(text);
    found.extend(addresses(text));
    found
}

/// Whether anything in it looks like a secret.
pub(crate) fn is_secret(text: &str) -> bool {
    !secrets(text).is_empty()
}

/// `text` without what looks like a secret.
pub(crate) fn without_secrets(text: &str) -> String {
    let mut pieces = secrets(text);
    pieces.sort_by_key(|piece| piece.start);
    let (mut shown, mut copied) = (String::new(), 0);
    for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        if piece.start >= copied {
            shown += &text[copied..piece.start];
            shown += super::mask::STARS;
        }
        copied = copied.max(piece.end);
    }
    shown + &text[copied..]
}

fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    for run in text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"+/_-".contains(letter)) {
        let range = at..at + run.len();
        // every separator is one letter long, in bytes as it may be
        at = range.end + text[range.end..].chars().next().map_or(0, char::len_utf8);
        if run.starts_with('/') || text[..range.start].ends_with('.') {
            // a path, or the end of a host and a path: each of its parts by itself
            let mut from = range.start;
            for part in run.split('/') {
                if is_token(part) {
                    found.push(from..from + part.len());
                }
                from += part.len() + 1;
            }
        } else if is_token(run) && !text[range.end..].starts_with(".yaml") && !text[range.end..].starts_with(".yml") {
            found.push(range);
        }
    }
    found
}

/// `xoxb-…`, or long and of digits and letters as no name is.
fn is_token(run: &str) -> bool {
    let prefixes = ["xoxa-", "xoxb-", "xoxp-", "xoxe-", "xoxr-", "xoxs-", "xapp-", "ghp_", "glpat-", "sk_live_"];
    if prefixes.iter().any(|prefix| run.len() > prefix.len() && run.starts_with(prefix)) {
        return true;
    }
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    if run.len() < TOKEN_MIN || digits == 0 {
        return false;
    }
    let mixed = run.bytes().any(|byte| byte.is_ascii_lowercase()) && run.bytes().any(|byte| byte.is_ascii_uppercase());
    let long = |part: &str| part.len() >= PART_MIN && part.bytes().any(|byte| byte.is_ascii_digit());
    mixed || digits > DIGITS_MAX || run.split(['-', '_', '/', '+']).any(long)
}

/// What an address says beyond host and path: who asks, and the question; the path too where it is the secret.
fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, marker) in text.match_indices("://") {
        let start = at + marker.len();
        let rest = &text[start..];
        let end = rest.find([' ', '"', '\'', '`', ',', '}', ']', ')']).unwrap_or(rest.len());
        let rest = &rest[..end];
        let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let host = rest[..authority].rfind('@').map_or(0, |at| at + 1);
        let is_web = text[..at].ends_with("http") || text[..at].ends_with("https");
        if host > 1 {
            let colon = rest[..host].find(':').map(|colon| colon + 1);
            // `postgres://user@host` is no secret
            found.extend(colon.or(is_web.then_some(0)).map(|from| start + from..start + host - 1));
        }
        let path = &rest[authority..];
        let is_hook = rest[host..].starts_with("hooks.") || path.contains("webhook") || path.contains("/hooks/");
        if is_hook && path.len() > 1 {
            found.push(start + authority + 1..start + end);
        } else if let Some(question) = path.find('?').filter(|question| question + 1 < path.len()) {
            found.push(start + authority + question + 1..start + end);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_seen_and_names_are_left() {
        let cases = [
            ("text xoxb-1-a", "text ***"),
            ("a 0123456789abcdef0123 b", "a *** b"),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "***"),
            ("123e4567-e89b-12d3-a456-426614174000", "***"),
            ("warehouse/api-p99-response-time-30d", "warehouse/api-p99-response-time-30d"),
            ("http_request_duration_seconds_bucket", "http_request_duration_seconds_bucket"),
            ("/home/Someone/site2/config/slo.yaml:8:9", "/home/Someone/site2/config/slo.yaml:8:9"),
            ("https://u@h/p?q=1", "https://***@h/p?***"),
            ("postgres://u@h/p", "postgres://u@h/p"),
            ("postgres://u:ö@h/p", "postgres://u:***@h/p"),
            ("`https://hooks.slack.com/services/T/B`", "`https://hooks.slack.com/***`"),
            ("https://shop.example.com/api/v1/Orders-list", "https://shop.example.com/api/v1/Orders-list"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_secrets(text), shown);
        }
    }
}
