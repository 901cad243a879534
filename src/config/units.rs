//! Quantities as they are written: `99.5%`, `1h30m`, `64KiB`, `<= 15m`.

use std::time::Duration;

use crate::domain::slo::{BILLION, Comparison, Operator};

/// Longest duration: ten years.
pub(crate) const DURATION_MAX: Duration = Duration::from_hours(3650 * 24);

/// Why a quantity cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnitError {
    /// Only a number.
    NoUnit,
    /// Not understood at all.
    Unreadable,
    /// Understood, but too large or too fine.
    OutOfRange,
}

/// `800ms`, `15m`, `1h30m`. Units: ms, s, m, h, d, w, the larger ones first.
pub(crate) fn duration(text: &str) -> Result<Duration, UnitError> {
    const UNITS: [(&str, u64); 6] =
        [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    if is_number(text) {
        return if text == "0" { Ok(Duration::ZERO) } else { Err(UnitError::NoUnit) };
    }
    let (mut rest, mut total, mut next) = (text, 0_u64, 0);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or(UnitError::Unreadable)?;
        let number: u64 = rest[..digits].parse().map_err(|_| too_long(&rest[..digits]))?;
        let letters = rest[digits..].find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len() - digits);
        let unit = &rest[digits..digits + letters];
        let at = UNITS.iter().position(|(word, _)| *word == unit).ok_or(UnitError::Unreadable)?;
        if at < next {
            return Err(UnitError::Unreadable);
        }
        next = at + 1;
        let milliseconds = number.checked_mul(UNITS[at].1).ok_or(UnitError::OutOfRange)?;
        total = total.checked_add(milliseconds).ok_or(UnitError::OutOfRange)?;
        rest = &rest[digits + letters..];
    }
    let found = Duration::from_millis(total);
    if text.is_empty() {
        Err(UnitError::Unreadable)
    } else if found > DURATION_MAX {
        Err(UnitError::OutOfRange)
    } else {
        Ok(found)
    }
}

fn too_long(digits: &str) -> UnitError {
    if digits.is_empty() { UnitError::Unreadable } else { UnitError::OutOfRange }
}

/// `99.5%` in parts per billion, exactly. May be negative, and over 100 %.
pub(crate) fn percent(text: &str) -> Result<i64, UnitError> {
    let Some(number) = text.strip_suffix('%').map(str::trim_end) else {
        return Err(if is_number(text) { UnitError::NoUnit } else { UnitError::Unreadable });
    };
    let (sign, number) = number.strip_prefix('-').map_or((1, number), |number| (-1, number));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(UnitError::Unreadable);
    }
    if whole.len() > 6 || fraction.len() > 7 {
        return Err(UnitError::OutOfRange);
    }
    let whole: i64 = whole.parse().map_err(|_| UnitError::Unreadable)?;
    let fraction: i64 = format!("{fraction:0<7}").parse().map_err(|_| UnitError::Unreadable)?;
    Ok(sign * (whole * i64::from(BILLION / 100) + fraction))
}

/// `64KiB`, `10MB`, `512B` in bytes.
pub(crate) fn size(text: &str) -> Result<u64, UnitError> {
    const UNITS: [(&str, u64); 7] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    if is_number(text) {
        return Err(UnitError::NoUnit);
    }
    let (unit, factor) = UNITS.iter().find(|(unit, _)| text.ends_with(unit)).ok_or(UnitError::Unreadable)?;
    let number = text[..text.len() - unit.len()].trim_end();
    let number: u64 = number.parse().map_err(|_| UnitError::Unreadable)?;
    number.checked_mul(*factor).ok_or(UnitError::OutOfRange)
}

/// Whether this is a bare decimal number.
pub(crate) fn is_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E' | b'_'))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Splits `<= 15m` into its operator and the rest.
pub(crate) fn operator(text: &str) -> Option<(Operator, &str)> {
    const OPERATORS: [(&str, Operator); 6] = [
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    let text = text.trim();
    OPERATORS.iter().find_map(|(word, operator)| text.strip_prefix(word).map(|rest| (*operator, rest.trim())))
}

/// `<= 15m`, `> 0.5`, `< 64MiB`: a duration counts in seconds, a size in bytes.
pub(crate) fn comparison(text: &str) -> Option<Comparison> {
    let (operator, rest) = operator(text)?;
    let bound = if is_number(rest) {
        rest.parse().ok()?
    } else if let Ok(duration) = duration(rest) {
        duration.as_secs_f64()
    } else {
        size(rest).ok()? as f64
    };
    Some(Comparison { operator, bound })
}

/// A duration as it would be written.
pub(crate) fn written(duration: Duration) -> String {
    let mut rest = duration.as_millis() as u64;
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= length {
            text.push_str(&(rest / length).to_string());
            text.push_str(unit);
            rest %= length;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("15m", Ok(900_000)),
            ("800ms", Ok(800)),
            ("30d", Ok(2_592_000_000)),
            ("1h30m", Ok(5_400_000)),
            ("0m", Ok(0)),
            ("0", Ok(0)),
            ("1w", Ok(604_800_000)),
            ("15", Err(UnitError::NoUnit)),
            ("1.5", Err(UnitError::NoUnit)),
            ("1.5h", Err(UnitError::Unreadable)),
            ("-5m", Err(UnitError::Unreadable)),
            ("5 m", Err(UnitError::Unreadable)),
            ("30m1h", Err(UnitError::Unreadable)),
            ("1m1m", Err(UnitError::Unreadable)),
            ("5min", Err(UnitError::Unreadable)),
            ("m", Err(UnitError::Unreadable)),
            ("", Err(UnitError::Unreadable)),
            ("4000d", Err(UnitError::OutOfRange)),
            ("99999999999999999999d", Err(UnitError::OutOfRange)),
            ("9999999999999999999d", Err(UnitError::OutOfRange)),
        ];
        for (text, expected) in cases {
            assert_eq!(duration(text).map(|found| found.as_millis()), expected, "{text}");
        }
        assert_eq!(written(Duration::from_millis(5_400_800)), "1h30m800ms");
    }

    #[test]
    fn percentages() {
        let cases = [
            ("99.5%", Ok(995_000_000)),
            ("100%", Ok(1_000_000_000)),
            ("99.99999%", Ok(999_999_900)),
            ("-50%", Ok(-500_000_000)),
            ("0%", Ok(0)),
            ("0.995", Err(UnitError::NoUnit)),
            ("95", Err(UnitError::NoUnit)),
            ("%", Err(UnitError::Unreadable)),
            ("1.%", Err(UnitError::Unreadable)),
            ("1e2%", Err(UnitError::Unreadable)),
            ("99.99999999%", Err(UnitError::OutOfRange)),
            ("9999999%", Err(UnitError::OutOfRange)),
        ];
        for (text, expected) in cases {
            assert_eq!(percent(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes_and_comparisons() {
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("64"), Err(UnitError::NoUnit));
        assert_eq!(size("many"), Err(UnitError::Unreadable));
        assert_eq!(size("99999999999GiB"), Err(UnitError::OutOfRange));
        let cases =
            [("<= 15m", Some(900.0)), (">0.5", Some(0.5)), ("< 1KiB", Some(1024.0)), ("15m", None), ("<", None)];
        for (text, expected) in cases {
            assert_eq!(comparison(text).map(|found| found.bound), expected, "{text}");
        }
    }
}
