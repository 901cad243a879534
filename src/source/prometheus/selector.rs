//! Selectors as text: `name{label="value"}`, taken apart and put together again without a parser's reformatting.

use std::collections::BTreeSet;

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, Expr},
};

use super::answer::Labels;

/// The labels that name a target.
pub(super) const TARGET: [&str; 2] = ["job", "instance"];

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
        let Self { name, matchers } = self;
        (!name.is_empty()).then(|| braced(&format!("{name}{suffix}"), &[matchers]))
    }

    /// The label that needs not be looked at to tell this selector's series apart: the name's, if it is written.
    pub fn fixed_name(self) -> &'static str {
        if self.name.is_empty() { "" } else { "__name__" }
    }

    /// The same selector with more matchers.
    pub fn narrowed(self, more: &str) -> String {
        braced(self.name, &[self.matchers, more])
    }

    /// The `up` of the targets that the matchers on `job` and `instance` name. `None` if there are none.
    pub fn up(self) -> Option<String> {
        let Ok(Expr::VectorSelector(found)) = parser::parse(&self.narrowed("")) else { return None };
        let of_target = |matcher: &&Matcher| TARGET.contains(&matcher.name.as_str());
        if !found.matchers.or_matchers.is_empty() {
            return None;
        }
        let matchers: Vec<_> = found.matchers.matchers.iter().filter(of_target).map(written).collect();
        (!matchers.is_empty()).then(|| braced("up", &[&matchers.join(",")]))
    }
}

fn braced(name: &str, matchers: &[&str]) -> String {
    let matchers: Vec<_> = matchers.iter().copied().filter(|matchers| !matchers.is_empty()).collect();
    if matchers.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", matchers.join(",")) }
}

fn written(matcher: &Matcher) -> String {
    let operator = match matcher.op {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Re(_) => "=~",
        MatchOp::NotRe(_) => "!~",
    };
    format!("{}{operator}{}", matcher.name, text(&matcher.value))
}

/// A PromQL string.
fn text(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A text as a regular expression that matches it alone.
fn literal(value: &str) -> String {
    let mut regex = String::with_capacity(value.len());
    for letter in value.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            regex.push('\\');
        }
        regex.push(letter);
    }
    regex
}

/// Matchers that hold for all of `wanted`, and for few other series: for each label, the values there are.
pub(super) fn hull(wanted: &[&Labels], names: &BTreeSet<&str>) -> String {
    let matcher = |name: &&str| {
        let values: BTreeSet<&str> = wanted.iter().map(|labels| labels.get(*name).map_or("", String::as_str)).collect();
        match values.first() {
            Some(only) if values.len() == 1 => format!("{name}={}", text(only)),
            _ => {
                let values: Vec<_> = values.into_iter().map(literal).collect();
                format!("{name}=~{}", text(&values.join("|")))
            }
        }
    };
    names.iter().map(matcher).collect::<Vec<_>>().join(",")
}

/// Labels that may be written without quotes, except for `but`: a name must not be written twice.
pub(super) fn plain_names<'a>(wanted: &[&'a Labels], but: &str) -> BTreeSet<&'a str> {
    let is_plain = |name: &&str| !name.contains(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    wanted
        .iter()
        .flat_map(|labels| labels.keys().map(String::as_str))
        .filter(|name| *name != but && is_plain(name))
        .collect()
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
    fn up_is_asked_of_the_same_targets() {
        for (text, up) in [
            (r#"x{job="a",code=~"5.."}"#, Some(r#"up{job="a"}"#)),
            (r#"x{instance!~"b.*",job=~'c"|\\d'}"#, Some(r#"up{instance!~"b.*",job=~"c\"|\\d"}"#)),
            (r#"x{code="500"}"#, None),
            ("x", None),
        ] {
            assert_eq!(Selector::parse(text).and_then(Selector::up).as_deref(), up, "{text}");
        }
    }

    #[test]
    fn a_hull_holds_all_and_escapes() {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let wanted = [
            labels(&[("__name__", "x"), ("path", "/a.b|c"), ("é", "1")]),
            labels(&[("__name__", "x"), ("path", "q\"\n\\"), ("pod", "p")]),
        ];
        let wanted: Vec<&Labels> = wanted.iter().collect();
        let matchers = hull(&wanted, &plain_names(&wanted, "__name__"));
        assert_eq!(matchers, r#"path=~"/a\\.b\\|c|q\"\n\\\\",pod=~"|p""#);
        let narrowed = Selector::parse("x{a='1'}").unwrap().narrowed(&matchers);
        assert!(parser::parse(&narrowed).is_ok(), "{narrowed}");
        assert_eq!(Selector::parse("x").unwrap().narrowed(r#"a="1""#), r#"x{a="1"}"#);
    }

    #[test]
    fn a_selector_may_have_no_name() {
        assert_eq!(Selector::parse(r#"{job="a"}"#), Some(Selector { name: "", matchers: r#"job="a""# }));
    }
}
