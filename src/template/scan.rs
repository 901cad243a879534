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

/// The first list, tuple or map that is made of values. Each would be a way to hold a value many times over, and so on.
pub fn made_list(source: &str) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(start) = source[at..].find('{').map(|offset| at + offset) {
        let rest = &source[start..];
        at = start + 1;
        if rest.starts_with("{#") {
            at = rest.find("#}").map_or(source.len(), |end| start + end + 2);
        } else if rest.starts_with("{%") || rest.starts_with("{{") {
            let code = rest[2..].trim_start_matches(['-', '+']).trim_start();
            if code.starts_with("raw") && rest.starts_with("{%") {
                at = rest.find("endraw").map_or(source.len(), |end| start + end);
                continue;
            }
            let unpacks = rest.starts_with("{%") && !code.starts_with("set");
            match made_list_in(source, start + 2, unpacks) {
                Ok(end) => at = end,
                Err(range) => return Some(range),
            }
        }
    }
    None
}

/// The end of an expression, or what it makes. `unpacks`: commas outside all brackets make no tuple.
fn made_list_in(source: &str, from: usize, unpacks: bool) -> Result<usize, Range<usize>> {
    // Where each open bracket stands, and whether commas and values may be in it.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut before = ' ';
    let mut letters = source[from..].char_indices();
    let mut assigned = false;
    while let Some((offset, letter)) = letters.next() {
        let at = from + offset;
        let constant_only = open.last().is_some_and(|(_, values)| !values);
        match letter {
            '"' | '\'' => {
                while let Some((_, inner)) = letters.next() {
                    if inner == '\\' {
                        letters.next();
                    } else if inner == letter {
                        break;
                    }
                }
            }
            '}' | '%' if open.is_empty() && source[at + 1..].starts_with('}') => return Ok(at + 2),
            '[' | '(' => {
                let is_of_something = before.is_alphanumeric() || matches!(before, '_' | ')' | ']' | '"' | '\'');
                open.push((at, is_of_something || letter == '('));
                if letter == '(' && !is_of_something {
                    // A bracket around an expression: a comma makes it a tuple.
                    open.push((at, true));
                }
            }
            ']' => drop(open.pop()),
            ')' => {
                let Some((start, _)) = open.pop() else { continue };
                if open.last().is_some_and(|(same, _)| *same == start) {
                    open.pop();
                }
            }
            '{' => return Err(at..at + 1),
            '=' if open.is_empty() => assigned = true,
            ',' => {
                let is_plain_bracket = open.len() > 1 && open[open.len() - 1].0 == open[open.len() - 2].0;
                if is_plain_bracket || open.is_empty() && (!unpacks && (assigned || !source[..from].ends_with("{%"))) {
                    return Err(at..at + 1);
                }
            }
            _ if constant_only && (letter.is_alphabetic() || letter == '_') => return Err(at..at + 1),
            _ => {}
        }
        if !letter.is_whitespace() {
            before = letter;
        }
    }
    Ok(source.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_lists_are_found() {
        for fine in [
            "{{ a }} [b] (c, d) {x}",
            "{{ a[0] }} {{ a['b'] }} {{ f(a, b) }} {{ (a) }} {{ 'a, [b' }} {{ a | f(b, c) }}",
            "{% for a, b in c %}{% endfor %}{% set a, b = c %}{% macro m(a, b) %}{% endmacro %}",
            "{% for a in ['1h', '6h', 3] %}{% include ['a', 'b'] %}{% endfor %}",
            "{# {{ [a] }} #}{% raw %}{{ [a] }}{% endraw %}",
            "{{ a",
            "{{ (a",
        ] {
            assert_eq!(made_list(fine), None, "{fine}");
        }
        for made in [
            "{{ [a] }}",
            "{{ [1, [a]] }}",
            "{{ (a, b) }}",
            "{{ a, b }}",
            "{% set l = l, l %}",
            "{% set l = [l, l] %}",
            "{{ {'a': a} }}",
            "{{ f([a]) }}",
            "{% for a in [[text]] recursive %}",
            "{{ f((a, b)) }}",
            "ä{{ 'ö' ~ [a] }}",
        ] {
            assert!(made_list(made).is_some(), "{made}");
        }
    }

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
