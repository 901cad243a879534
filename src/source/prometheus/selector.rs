//! Selectors as text: `name{label="value"}`, taken apart and put together again without a parser's reformatting.

/// A plain selector: a metric's name, matchers in braces, or both; no range, offset, operator or function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Selector<'a> {
    /// The metric's name; empty if only braces are written.
    pub name: &'a str,
    /// What is between the braces, without a trailing comma.
    pub matchers: &'a str,
}

impl<'a> Selector<'a> {
    /// Reads a plain selector. `None` for any other expression.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let name_end = text.find(|character: char| !is_name(character)).unwrap_or(text.len());
        let (name, rest) = text.split_at(name_end);
        let rest = rest.trim_start();
        if name.starts_with(|character: char| character.is_ascii_digit()) {
            return None;
        }
        if rest.is_empty() {
            return (!name.is_empty()).then_some(Self { name, matchers: "" });
        }
        let inside = rest.strip_prefix('{')?;
        let end = closing_brace(inside)?;
        if !inside[end + 1..].trim().is_empty() {
            return None;
        }
        let matchers = inside[..end].trim().trim_end_matches(',').trim_end();
        (!name.is_empty() || !matchers.is_empty()).then_some(Self { name, matchers })
    }

    /// The same selector with `suffix` at the name: `_bucket`, `_count`. `None` where no name is written.
    pub fn suffixed(self, suffix: &str) -> Option<String> {
        if self.name.is_empty() {
            return None;
        }
        let Self { name, matchers } = self;
        Some(if matchers.is_empty() { format!("{name}{suffix}") } else { format!("{name}{suffix}{{{matchers}}}") })
    }
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == ':'
}

/// Where the braces close, outside of quoted values.
fn closing_brace(inside: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in inside.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(open) => {
                if character == '\\' && open != '`' {
                    escaped = true;
                } else if character == open {
                    quote = None;
                }
            }
            None => match character {
                '"' | '\'' | '`' => quote = Some(character),
                '}' => return Some(at),
                '{' | '#' => return None,
                _ => {}
            },
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_suffixed_where_they_stand() {
        for (text, suffixed) in [
            ("x", Some("x_bucket")),
            (" ns:x_y \n", Some("ns:x_y_bucket")),
            ("x{}", Some("x_bucket")),
            (r#"x{handler="/x"}"#, Some(r#"x_bucket{handler="/x"}"#)),
            (r#"x {a="1", b=~"2|3",}"#, Some(r#"x_bucket{a="1", b=~"2|3"}"#)),
            (r#"x{a="}"}"#, Some(r#"x_bucket{a="}"}"#)),
            (r#"x{a="\"}"}"#, Some(r#"x_bucket{a="\"}"}"#)),
            (r"x{a='}',b=`\`}", Some(r"x_bucket{a='}',b=`\`}")),
            (r#"{__name__="x"}"#, None),
            ("x[5m]", None),
            ("x offset 5m", None),
            (r#"x{a="1"} offset 5m"#, None),
            ("sum(x)", None),
            ("x + y", None),
            ("1", None),
            ("{}", None),
            ("", None),
            (r#"x{a="1""#, None),
            (r#"x{a="1"#, None),
        ] {
            assert_eq!(
                Selector::parse(text).and_then(|found| found.suffixed("_bucket")).as_deref(),
                suffixed,
                "{text}"
            );
        }
    }

    #[test]
    fn a_selector_may_have_no_name() {
        assert_eq!(Selector::parse(r#"{job="a"}"#), Some(Selector { name: "", matchers: r#"job="a""# }));
    }
}
