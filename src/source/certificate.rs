//! When a certificate ends: the one field of X.509 that a probe needs, read without a parser for the rest.

use chrono::{DateTime, NaiveDateTime, Utc};

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// The certificate's `notAfter`. `None` if this is no certificate.
pub(super) fn not_after(der: &[u8]) -> Option<DateTime<Utc>> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = any(rest)?.2;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        rest = any(rest)?.2;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, _, after) = any(validity)?;
    let (tag, text, _) = any(after)?;
    let text = std::str::from_utf8(text).ok()?;
    let full = match tag {
        // RFC 5280: two digits of the year, 50 is 1950.
        UTC_TIME => format!("{}{text}", if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
}

fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    any(der).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// Splits off one element: its tag, its content, and what follows.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let digits = usize::from(first & 0x7f);
        if !(1..=4).contains(&digits) || rest.len() < digits {
            return None;
        }
        let (digits, rest) = rest.split_at(digits);
        (digits.iter().fold(0usize, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut der = vec![tag, 0x82, (content.len() >> 8) as u8, content.len() as u8];
        der.extend_from_slice(content);
        der
    }

    fn certificate(version: bool, until: &[u8]) -> Vec<u8> {
        let mut fields = if version { vec![VERSION, 3, 2, 1, 2] } else { vec![] };
        fields.extend([0x02, 1, 7]);
        fields.extend([SEQUENCE, 2, 5, 0]);
        fields.extend([SEQUENCE, 0]);
        let mut validity = vec![UTC_TIME, 13];
        validity.extend(b"250101000000Z");
        validity.extend_from_slice(until);
        fields.extend(wrap(SEQUENCE, &validity));
        wrap(SEQUENCE, &wrap(SEQUENCE, &fields))
    }

    #[test]
    fn ends_are_read() {
        let mut utc = vec![UTC_TIME, 13];
        utc.extend(b"261231235959Z");
        let general = [&[GENERALIZED_TIME, 15][..], b"20500101000000Z"].concat();
        for (version, field, end) in
            [(true, &utc, "2026-12-31T23:59:59+00:00"), (false, &general, "2050-01-01T00:00:00+00:00")]
        {
            let found = not_after(&certificate(version, field)).map(|end| end.to_rfc3339());
            assert_eq!(found.as_deref(), Some(end));
        }
    }

    #[test]
    fn nonsense_has_no_end() {
        let whole = certificate(true, &[&[UTC_TIME, 13][..], b"261231235959Z"].concat());
        for cut in 0..whole.len() {
            assert_eq!(not_after(&whole[..cut]), None);
        }
        assert_eq!(not_after(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff, 1]), None);
    }
}
