//! Text from outside, made fit for one line or one paragraph of a vendor's message. Escaping is each sink's own business.

use crate::domain::notification::Link;

/// One line: line breaks, control characters and runs of white space become single spaces, and characters that turn
/// the reading direction around are left out.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(4096));
    for character in text.chars().filter(|&character| !is_invisible(character)) {
        let blank = character.is_whitespace() || character.is_control();
        if !blank {
            line.push(character);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Several lines, each as [`one_line`] leaves it. Empty lines stay where they separate.
pub fn paragraphs(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(one_line).collect();
    lines.join("\n").trim().to_owned()
}

/// At most `max` code points, the last one `…` if anything was cut.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

/// A line of at most `max` code points.
pub fn line(text: &str, max: usize) -> String {
    cut(&one_line(text), max)
}

/// The address a link leads to, if it is one that may stand in a message: http or https, and not over `max` characters.
pub fn address(link: &Link, max: usize) -> Option<String> {
    let url = url::Url::parse(&link.url).ok()?;
    let fit = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= max;
    fit.then(|| url.into())
}

/// Direction overrides and isolates, zero-width characters that hide text, and the byte order mark.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let table = [
            ("a\r\nb\n\n c", "a b c"),
            ("nul\0byte", "nul byte"),
            (" \u{202e}evil\u{202c} ", "evil"),
            ("שלום", "שלום"),
            ("\u{1b}[31mred", "[31mred"),
            ("\n", ""),
        ];
        for (text, expected) in table {
            assert_eq!(one_line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn cutting_counts_code_points() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü!", 3), "äö…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn only_web_addresses_are_links() {
        let link = |url: &str| address(&Link { text: "x".into(), url: url.into() }, 100);
        assert_eq!(link("https://a.example/x y"), Some("https://a.example/x%20y".into()));
        assert_eq!(link("javascript:alert(1)"), None);
        assert_eq!(link("not an address"), None);
        assert_eq!(link(&format!("https://a.example/{}", "x".repeat(200))), None);
    }
}
