//! Text from outside within Markdown: one line in which nothing is markup.

/// One line: no emphasis, link, HTML, heading, list, table cell, mention or bare address comes of it.
pub fn line(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let first = text.len() - text.trim_start().len();
    let digits = text[first..].find(|letter: char| !letter.is_ascii_digit()).map_or(text.len(), |at| first + at);
    for (at, letter) in text.char_indices() {
        let rest = &text[at..];
        let numbers =
            at == digits && at > first && letter == '.' && !rest[1..].starts_with(|next: char| !next.is_whitespace());
        let begins = at == first && matches!(letter, '-' | '+' | '=') || numbers;
        let addresses = rest.starts_with("://") || letter == '.' && is_after_www(text, at);
        match letter {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '@' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            letter if begins || addresses => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter if letter.is_control() || is_direction(letter) => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn is_after_www(text: &str, at: usize) -> bool {
    text.as_bytes()[at.saturating_sub(3)..at].eq_ignore_ascii_case(b"www")
}

/// Marks that turn the direction of writing.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn nothing_is_markup() {
        let cases = [
            ("a|b\n<script>[x](y)", "a\\|b &lt;script&gt;\\[x\\]\\(y\\)"),
            ("- item", "\\- item"),
            ("  - item", "  \\- item"),
            ("+ item - x", "\\+ item - x"),
            ("1. item", "1\\. item"),
            ("12) item", "12\\) item"),
            ("2026-10-25 14:03 UTC", "2026-10-25 14:03 UTC"),
            ("99.5 %", "99.5 %"),
            ("7.", "7\\."),
            ("# head", "\\# head"),
            ("=== x", "\\=== x"),
            ("see http://evil.example and www.evil.example", "see http\\://evil.example and www\\.evil.example"),
            ("ask @team", "ask \\@team"),
            ("a\u{202e}b\0c", "a b c"),
            ("", ""),
        ];
        for (text, shown) in cases {
            assert_eq!(line(text), shown);
        }
    }
}
