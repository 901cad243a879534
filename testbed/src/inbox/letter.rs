//! Mails: read far enough to show their text, and checked by the rules mail servers live by.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Every Message-ID seen, with its texts: a repeat must be the same mail.
#[derive(Debug, Default)]
pub(super) struct Mailboxes(BTreeMap<String, Value>);

impl Mailboxes {
    /// Takes one mail, as it was sent, to `to`. Returns it for the log, and its subject.
    pub fn take(&mut self, raw: &[u8], to: &[String], problems: &mut Vec<String>) -> (Value, String) {
        check_octets(raw, problems);
        let text = String::from_utf8_lossy(raw).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let headers = headers(head);
        let (plain, html) = (part(body, &headers, "text/plain", problems), part(body, &headers, "text/html", problems));
        let subject = encoded_words(headers.get("subject").map_or("", String::as_str));
        for name in ["from", "to", "date", "subject", "message-id", "mime-version", "content-type"] {
            if headers.get(name).is_none_or(String::is_empty) {
                problems.push(format!("no {name}"));
            }
        }
        if subject.chars().count() > 200 {
            problems.push("a subject over 200 characters".to_owned());
        }
        if html.contains("<script") || html.contains("javascript:") {
            problems.push("the HTML runs something".to_owned());
        }
        for name in ["in-reply-to", "references"] {
            if headers.get(name).is_some_and(|id| !self.0.contains_key(id)) {
                problems.push(format!("{name} of no mail"));
            }
        }
        let said = json!({"subject": subject, "plain": plain, "html": html});
        let id = headers.get("message-id").cloned().unwrap_or_default();
        if self.0.insert(id, said.clone()).is_some_and(|before| before != said) {
            problems.push("the same Message-ID with other words".to_owned());
        }
        (json!({"to": to, "headers": headers, "subject": subject, "plain": plain, "html": html}), subject)
    }
}

fn check_octets(raw: &[u8], problems: &mut Vec<String>) {
    if raw.split(|&octet| octet == b'\n').any(|line| line.len() > 999) {
        problems.push("a line over 998 octets".to_owned());
    }
    if raw.iter().any(|&octet| octet == 0 || octet > 127) {
        problems.push("NUL or 8-bit octets: not encoded".to_owned());
    }
    let bare = raw.iter().enumerate().any(|(at, &octet)| octet == b'\n' && (at == 0 || raw[at - 1] != b'\r'));
    if bare {
        problems.push("a bare line feed".to_owned());
    }
}

/// Unfolded, by lower-case names.
fn headers(head: &str) -> BTreeMap<String, String> {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let pairs = unfolded.split("\r\n").filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect()
}

/// The decoded text of the first part of this kind.
fn part(body: &str, headers: &BTreeMap<String, String>, kind: &str, problems: &mut Vec<String>) -> String {
    let boundary = headers.get("content-type").and_then(|value| value.split("boundary=").nth(1));
    let boundary = boundary.map(|rest| rest.split(';').next().unwrap_or_default().trim_matches('"'));
    let delimiter = format!("--{}", boundary.unwrap_or("no boundary"));
    let parts = body.split(delimiter.as_str()).filter_map(|part| part.split_once("\r\n\r\n"));
    let found = parts.map(|(head, body)| (self::headers(head), body)).find(|(head, _)| {
        head.get("content-type").is_some_and(|value| value.starts_with(kind) && value.contains("utf-8"))
    });
    let Some((head, body)) = found else {
        problems.push(format!("no {kind} part in UTF-8"));
        return String::new();
    };
    let octets = match head.get("content-transfer-encoding").map(String::as_str) {
        Some("quoted-printable") => quoted_printable(body),
        Some("base64") => base64(body),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8(octets).unwrap_or_else(|_| {
        problems.push(format!("the {kind} part is not UTF-8"));
        String::new()
    })
}

/// `=?utf-8?b?…?=` words of a header, decoded.
fn encoded_words(text: &str) -> String {
    let joined = text.replace("?= =?", "?==?");
    let mut octets = Vec::new();
    let mut rest = joined.as_str();
    while let Some(start) = rest.find("=?utf-8?") {
        octets.extend_from_slice(&rest.as_bytes()[..start]);
        let word = &rest[start + 8..];
        let Some((coding, tail)) = word.split_once('?') else { break };
        let Some((coded, after)) = tail.split_once("?=") else { break };
        octets.extend(if coding.eq_ignore_ascii_case("b") {
            base64(coded)
        } else {
            quoted_printable(&coded.replace('_', " "))
        });
        rest = after;
    }
    octets.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&octets).into_owned()
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let joined = text.replace("=\r\n", "");
    let (bytes, mut decoded, mut at) = (joined.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let pair = (bytes[at] == b'=').then(|| joined.get(at + 1..at + 3)).flatten();
        if let Some(octet) = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            decoded.push(octet);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    decoded
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values = text.bytes().filter_map(|octet| ALPHABET.iter().position(|&letter| letter == octet));
    let (mut decoded, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for value in values {
        buffer = (buffer << 6) | value as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            decoded.push((buffer >> bits) as u8);
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_read() {
        assert_eq!(base64("Wm/Dqw=="), "Zoë".as_bytes());
        assert_eq!(quoted_printable("caf=C3=A9 =\r\nx=3D1"), "café x=1".as_bytes());
        assert_eq!(encoded_words("a =?utf-8?b?Wm/Dqw==?= =?utf-8?q?_caf=C3=A9?= z"), "a Zoë café z");
    }

    #[test]
    fn a_mail_is_checked() {
        let mail = "From: a@b.c\r\nTo: d@e.f\r\nDate: x\r\nSubject: hi\r\nMessage-ID: <1@b.c>\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/alternative;\r\n boundary=\"B\"\r\n\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain\r\n\
            --B\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>html</p>\r\n--B--\r\n";
        let (mut mailboxes, mut problems) = (Mailboxes::default(), Vec::new());
        let (letter, subject) = mailboxes.take(mail.as_bytes(), &["d@e.f".to_owned()], &mut problems);
        assert_eq!((subject.as_str(), letter["plain"].as_str()), ("hi", Some("plain\r\n")));
        assert_eq!(problems, [""; 0]);
        mailboxes.take(mail.replace("plain\r\n", "other\r\n").as_bytes(), &[], &mut problems);
        assert_eq!(problems, ["the same Message-ID with other words"]);
        problems.clear();
        mailboxes.take(b"Subject: x\nIn-Reply-To: <9@b.c>\r\n\r\n\xff", &[], &mut problems);
        assert!(
            problems.contains(&"a bare line feed".to_owned()) && problems.contains(&"no date".to_owned()),
            "{problems:?}"
        );
    }
}
