//! Slack's text: exactly three characters are escaped, so that no text from outside can mention anybody or make a link.

use super::super::text;

/// One line of text from outside, escaped, of at most `max` UTF-16 units *after* escaping (no fewer than code points,
/// whichever way the vendor counts). Cut between characters, never inside an entity.
pub fn line(raw: &str, max: usize) -> String {
    let raw = text::one_line(raw);
    let whole: usize = raw.chars().map(width).sum();
    if whole <= max {
        return raw.chars().map(escaped).collect();
    }
    let mut room = max.saturating_sub(1);
    let mut line = String::new();
    for character in raw.chars() {
        let Some(left) = room.checked_sub(width(character)) else { break };
        room = left;
        line.push_str(&escaped(character));
    }
    line + "…"
}

/// As many of `lines` as fit into `max`, each of at most `line_max`; says how many did not.
pub fn lines<'a>(raw: impl ExactSizeIterator<Item = &'a str>, line_max: usize, max: usize) -> String {
    const MORE_MAX: usize = 32;
    let count = raw.len();
    let (mut text, mut used) = (String::new(), 0);
    for (index, raw) in raw.enumerate() {
        let next = line(raw, line_max);
        let wide = next.encode_utf16().count() + 1;
        if used + wide + MORE_MAX > max {
            return format!("{text}… and {} more lines", count - index);
        }
        used += wide;
        text = text + &next + "\n";
    }
    text.truncate(text.trim_end().len());
    text
}

fn escaped(character: char) -> std::borrow::Cow<'static, str> {
    match character {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        other => other.to_string().into(),
    }
}

fn width(character: char) -> usize {
    match character {
        '&' => 5,
        '<' | '>' => 4,
        other => other.len_utf16(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_mentions_and_nothing_is_cut_in_two() {
        let table = [
            ("<!channel> & <@U1>", 100, "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
            ("&amp;", 100, "&amp;amp;"),
            ("a<b", 6, "a&lt;b"),
            ("a<bc", 6, "a&lt;…"),
            ("a<bc", 5, "a…"),
            ("<<", 4, "…"),
            ("🙂🙂", 3, "🙂…"),
            ("a\nb", 9, "a b"),
        ];
        for (raw, max, expected) in table {
            assert_eq!(line(raw, max), expected, "{raw} {max}");
        }
    }

    #[test]
    fn lines_that_do_not_fit_are_counted() {
        let raw = ["one", "two", "three"];
        assert_eq!(lines(raw.into_iter(), 10, 100), "one\ntwo\nthree");
        assert_eq!(lines(raw.into_iter(), 10, 40), "one\ntwo\n… and 1 more lines");
    }
}
