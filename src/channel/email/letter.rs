//! From a delivery to a mail with all its headers.

use lettre::{
    Message as Letter,
    message::{Body, Mailbox, MultiPart, SinglePart, header},
};
use sha2::{Digest, Sha256};

use chrono::{DateTime, Utc};

use super::{
    super::answer::Failure,
    bulletin,
    look::{Look, look},
};
use crate::domain::{bulletin::Bulletin, notification::Notification};

/// Who writes to whom.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The sender.
    pub from: Mailbox,
    /// Receivers.
    pub to: Vec<Mailbox>,
    /// More receivers.
    pub cc: Vec<Mailbox>,
}

/// Writes the mail. The same delivery is the same mail: its Message-ID lets mailboxes drop a repeat.
pub fn letter(
    notification: &Notification,
    delivery: i64,
    thread: Option<&str>,
    addresses: &Addresses,
) -> Result<Letter, Failure> {
    let id = message_id(&notification.thread_key, delivery, addresses.from.email.domain());
    write(look(notification), notification.decided_at, id, thread, addresses)
}

/// Writes a bulletin as a mail of its own: it belongs to no thread.
pub fn bulletin_letter(bulletin: &Bulletin, delivery: i64, addresses: &Addresses) -> Result<Letter, Failure> {
    let id = message_id(&bulletin.key, delivery, addresses.from.email.domain());
    write(bulletin::look(bulletin), bulletin.decided_at, id, None, addresses)
}

fn write(
    look: Look,
    decided_at: DateTime<Utc>,
    id: String,
    thread: Option<&str>,
    addresses: &Addresses,
) -> Result<Letter, Failure> {
    let mut builder = Letter::builder()
        .from(addresses.from.clone())
        .date(decided_at.into())
        .subject(look.subject)
        .message_id(Some(id));
    for mailbox in &addresses.to {
        builder = builder.to(mailbox.clone());
    }
    for mailbox in &addresses.cc {
        builder = builder.cc(mailbox.clone());
    }
    if let Some(first) = thread.filter(|first| is_message_id(first)) {
        builder = builder.in_reply_to(first.to_owned()).references(first.to_owned());
    }
    let parts = MultiPart::alternative()
        .singlepart(part(header::ContentType::TEXT_PLAIN, look.plain)?)
        .singlepart(part(header::ContentType::TEXT_HTML, look.html)?);
    builder.multipart(parts).map_err(|error| Failure::dead(format!("cannot be written as a mail: {error}")))
}

/// Quoted-printable always: no line over 76 octets, whatever the text.
fn part(kind: header::ContentType, text: String) -> Result<SinglePart, Failure> {
    let body = Body::new_with_encoding(text, header::ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| Failure::dead("cannot be encoded as a mail"))?;
    Ok(SinglePart::builder().header(kind).body(body))
}

/// `<slod-KEY-ID@domain>`, where a key that is too long or has other characters than these is a hash.
pub fn message_id(key: &str, delivery: i64, domain: &str) -> String {
    let plain =
        key.len() <= 64 && !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let key = if plain { key.to_owned() } else { hex::encode(&Sha256::digest(key)[..16]) };
    format!("<slod-{key}-{delivery}@{domain}>")
}

fn is_message_id(text: &str) -> bool {
    let visible = text.chars().all(|c| c.is_ascii_graphic());
    visible && text.len() <= 250 && text.starts_with('<') && text.ends_with('>') && text.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{channel::samples, domain::notification::Event};

    fn addresses() -> Addresses {
        Addresses {
            from: "slod <slod@example.com>".parse().unwrap(),
            to: vec!["ops-lead@example.com".parse().unwrap()],
            cc: vec!["Zoë <zoe@example.com>".parse().unwrap()],
        }
    }

    fn head(letter: &Letter) -> String {
        let text = String::from_utf8(letter.formatted()).unwrap().replace("\r\n", "\n");
        let head = text.split("\n\n").next().unwrap();
        let boundary = head.split("boundary=").nth(1).unwrap().lines().next().unwrap();
        head.replace(boundary, "[boundary]")
    }

    #[test]
    fn the_first_mail_starts_a_thread_and_later_ones_join_it() {
        let first = letter(&samples::opening(), 11, None, &addresses()).unwrap();
        insta::assert_snapshot!("head-first", head(&first));
        let id = message_id(&samples::opening().thread_key, 11, "example.com");
        let second = letter(&samples::later(Event::Resolve), 12, Some(&id), &addresses()).unwrap();
        insta::assert_snapshot!("head-later", head(&second));
    }

    #[test]
    fn hostile_texts_add_no_header_and_no_long_line() {
        let letter = letter(&samples::hostile(), 11, Some("<x>\r\nBcc: y@evil.example"), &addresses()).unwrap();
        let text = String::from_utf8(letter.formatted()).unwrap();
        assert!(text.split("\r\n").all(|line| line.len() <= 998));
        assert!(!text.split("\r\n\r\n").next().unwrap().contains("\nBcc:"));
        assert!(!text.contains("In-Reply-To") && !text.contains('\0'));
        assert_eq!(letter.envelope().to().len(), 2);
    }

    #[test]
    fn ids_are_stable_and_tame() {
        assert_eq!(message_id("abc", 7, "example.com"), "<slod-abc-7@example.com>");
        assert_eq!(message_id("a/2", 7, "example.com"), message_id("a/2", 7, "example.com"));
        assert!(is_message_id(&message_id(&"<\r\n>".repeat(99), 7, "example.com")));
    }
}
