//! What can be done with a value beside what the language brings along, and how a value is shown.

use std::fmt::{self, Write as _};

use chrono::TimeDelta;
use minijinja::{
    Environment, Error, ErrorKind,
    value::{Kwargs, Value, ValueKind},
};

use crate::domain::message::{cut, percent, span_words};

/// Longest text that one value is shown as, in bytes.
const TEXT_MAX: usize = 64 << 10;
/// Most blanks before a line of JSON, for each level.
const INDENT_MAX: usize = 8;
/// What stands where there is nothing.
const NOTHING: &str = "—";
/// What is taken away: nobody says of a value from outside that it needs no escaping, and nothing makes lists of lists, which
/// would hold themselves many times over, or as many blanks as it is told.
const NOT_THERE: [&str; 9] = ["safe", "escape", "e", "zip", "batch", "slice", "chain", "indent", "pprint"];

/// Adds and removes filters and functions.
pub(super) fn add(environment: &mut Environment<'static>) {
    for filter in NOT_THERE {
        environment.remove_filter(filter);
    }
    for function in ["debug", "dict", "namespace"] {
        environment.remove_global(function);
    }
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    environment.add_filter("truncate", truncate);
    environment.add_filter("percent", |value: Value| number(&value, percent));
    environment.add_filter("duration", |value: Value| number(&value, duration));
    environment.add_filter("link", link);
    environment.add_filter("tojson", tojson);
}

/// A value as text: nothing as a dash, whole numbers without a fraction.
pub(super) fn shown(value: &Value) -> Result<String, Error> {
    Ok(match value.kind() {
        ValueKind::Undefined => String::new(),
        ValueKind::None => NOTHING.to_owned(),
        ValueKind::Bool => if value.is_true() { "yes" } else { "no" }.to_owned(),
        ValueKind::Number => match f64::try_from(value.clone()) {
            Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
            Ok(number) if number.abs() < 1e15 => {
                let text = format!("{number:.6}");
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            _ => value.to_string(),
        },
        _ => {
            // A list that holds itself many times over is written no further than this.
            let mut text = Bounded(String::new());
            write!(text, "{value}").map_err(|_| too_long())?;
            text.0
        }
    })
}

fn replace(text: &str, from: &str, to: &str) -> Result<String, Error> {
    let grown = text.matches(from).count().saturating_mul(to.len()).saturating_add(text.len());
    if grown > TEXT_MAX { Err(too_long()) } else { Ok(text.replace(from, to)) }
}

fn join(values: &Value, between: Option<&str>) -> Result<String, Error> {
    let (mut text, between) = (Bounded(String::new()), between.unwrap_or_default());
    for (at, value) in values.try_iter()?.enumerate() {
        let between = if at == 0 { "" } else { between };
        write!(text, "{between}{}", shown(&value)?).map_err(|_| too_long())?;
    }
    Ok(text.0)
}

#[expect(clippy::needless_pass_by_value, reason = "the engine hands over what is named")]
fn tojson(value: &Value, indent: Option<Value>, options: Kwargs) -> Result<Value, Error> {
    let named: Option<Value> = options.get("indent")?;
    options.assert_all_used()?;
    let indent = indent.or(named);
    if indent.as_ref().is_some_and(|indent| usize::try_from(indent.clone()).is_ok_and(|blanks| blanks > INDENT_MAX)) {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("`indent` is at most {INDENT_MAX}")));
    }
    minijinja::filters::tojson(value, indent, std::iter::empty::<(&str, Value)>().collect())
}

struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > TEXT_MAX {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("a value is over {} KiB", TEXT_MAX >> 10))
}

/// At most so many characters, the last one `…` if anything was cut.
fn truncate(text: &Value, most: usize) -> Result<String, Error> {
    Ok(cut(&shown(text)?, most))
}

/// A number in words; nothing stays nothing.
fn number(value: &Value, words: impl Fn(f64) -> String) -> Result<Value, Error> {
    if value.is_none() {
        return Ok(Value::from(()));
    }
    Ok(Value::from(words(f64::try_from(value.clone())?)))
}

/// `3 h 40 min`
fn duration(seconds: f64) -> String {
    let milliseconds = (seconds * 1_000.0).clamp(0.0, 1e15);
    span_words(TimeDelta::milliseconds(milliseconds as i64))
}

/// An address as Markdown has it: `<https://…>`. Nothing stays nothing; what is no address stays a text.
fn link(value: &Value) -> Result<Value, Error> {
    let text = shown(value)?;
    let web = text.starts_with("https://") || text.starts_with("http://");
    let tame = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'`' | b'\\'));
    Ok(if web && tame { Value::from_safe_string(format!("<{text}>")) } else { value.clone() })
}
