//! Which templates a template takes in, as far as it names them in quotes.

use std::ops::Range;

/// The words after which a template is named.
const TAKING: [&str; 4] = ["include", "import", "from", "extends"];

/// The names, each with the bytes where it stands, quotes included.
pub fn includes(source: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find('{').map(|offset| at + offset) {
        let rest = &source[start..];
        at = start + 1;
        if rest.starts_with("{#") {
            at = rest.find("#}").map_or(source.len(), |end| start + end + 2);
        } else if let Some(code) = rest.strip_prefix("{%") {
            let code = code.trim_start_matches(['-', '+']).trim_start();
            let word = code.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
            if word == "raw" {
                at = rest.find("endraw").map_or(source.len(), |end| start + end);
            } else if TAKING.contains(&word) {
                found.extend(name(source, start + rest.len() - code.len() + word.len()));
            }
        }
    }
    found
}

/// The quoted name that comes next.
fn name(source: &str, from: usize) -> Option<(String, Range<usize>)> {
    let rest = source[from..].trim_start();
    let start = source.len() - rest.len();
    let quote = rest.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
    let end = rest[1..].find(quote)? + 1;
    Some((rest[1..end].to_owned(), start..start + end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_quotes_are_found() {
        for (source, names) in [
            ("", ""),
            ("{{ 'a' }} {% if a %}{% endif %} include 'b' { %", ""),
            ("{% include 'a' %}{%- include \"b-c\" -%}{%+include'd'%}", "a b-c d"),
            ("{% from 'a' import b %}{% import 'c' as d %}{% extends 'e' %}", "a c e"),
            ("{# {% include 'a' %} #}{% include 'b' ignore missing %}", "b"),
            ("{% raw %}{% include 'a' %}{% endraw %}{% include 'b' %}", "b"),
            ("{% include name %}{% include ['a', 'b'] %}", ""),
            ("{% include 'a", ""),
            ("{% include", ""),
            ("{#", ""),
            ("{% raw %}", ""),
            ("ä{% include 'ö' %}", "ö"),
        ] {
            let found = includes(source);
            let found_names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(found_names.join(" "), names, "{source}");
            assert!(
                found.iter().all(|(name, range)| source[range.clone()][1..].starts_with(name.as_str())),
                "{source}"
            );
        }
    }
}
