//! `when:` of a policy.

use super::{
    codes::Code,
    fields::{Fields, clipped},
    finding::Finding,
    tree::{Entry, Node, Value},
    units::{self, UnitError},
    values::FROM_SECOND,
};
use crate::domain::{
    policy::{BurnPair, BurnRate, Condition},
    slo::{BILLION, Comparison, Operator},
};

/// What a condition can be.
const KINDS: [&str; 8] =
    ["consecutive", "budget_remaining", "burn_rate", "exhausted_within", "no_data", "value", "all", "any"];

/// Reads a condition.
pub(crate) fn decode(policy: &Fields<'_>, entry: &Entry) -> Option<Condition> {
    condition(policy, &entry.value, &format!("`when` of {}", policy.owner))
}

/// Conditions nest as deep as the file may, so this may recurse.
fn condition(policy: &Fields<'_>, node: &Node, owner: &str) -> Option<Condition> {
    let fields = Fields::open(policy.cx, node, node.at, owner)?;
    let kind = fields.kind(&KINDS);
    let found = kind.and_then(|(word, entry)| match word {
        "consecutive" => fields.integer(word, 1..=10_000).map(|count| Condition::Consecutive(count as u32)),
        "budget_remaining" => budget_remaining(&fields).map(Condition::BudgetRemaining),
        "burn_rate" => burn_rate(&fields, entry).map(Condition::BurnRate),
        "exhausted_within" => exhausted_within(&fields, entry),
        "no_data" => fields.seconds(word, FROM_SECOND).map(Condition::NoData),
        "value" => fields.comparison(word).map(Condition::Value),
        _ => several(&fields, word, entry, owner),
    });
    fields.close();
    found
}

fn several(fields: &Fields<'_>, word: &'static str, entry: &Entry, owner: &str) -> Option<Condition> {
    let Value::List(items) = &entry.value.value else {
        let message = format!("`{word}` in {owner} must be a list of conditions, not {}", entry.value.word());
        fields.cx.push(Finding::error(Code::WrongType, entry.value.at, message));
        return None;
    };
    if items.is_empty() {
        let message = format!("`{word}` in {owner} is empty");
        fields.cx.push(Finding::error(Code::MissingKey, entry.value.at, message));
        return None;
    }
    let parts: Vec<Option<Condition>> =
        items.iter().map(|item| condition(fields, item, &format!("`{word}` in {owner}"))).collect();
    let parts: Vec<Condition> = parts.into_iter().collect::<Option<_>>()?;
    Some(if word == "all" { Condition::All(parts) } else { Condition::Any(parts) })
}

/// `"< 25%"`: the bound is a share, 0–1.
fn budget_remaining(fields: &Fields<'_>) -> Option<Comparison> {
    let shape = "a comparison such as `\"< 25%\"`";
    let found = fields.word("budget_remaining", shape)?;
    let Some((operator, rest)) = units::operator(&found.value) else {
        fields.reject(Code::NoUnit, "budget_remaining", &found, shape);
        return None;
    };
    if !matches!(operator, Operator::Less | Operator::AtMost) {
        let message = format!("`budget_remaining` of {} fires when little is left", fields.owner);
        fields.cx.push(Finding::error(Code::OutOfRange, found.at, message).help("write it with `<`"));
        return None;
    }
    match units::percent(rest) {
        Ok(parts) if parts < i64::from(BILLION) => {
            Some(Comparison { operator, bound: parts as f64 / f64::from(BILLION) })
        }
        Ok(_) | Err(UnitError::OutOfRange) => {
            fields.reject(Code::OutOfRange, "budget_remaining", &found, "below 100%");
            None
        }
        Err(UnitError::NoUnit) => {
            let message = format!("budget_remaining `{}` has no unit", clipped(&found.value));
            fields.cx.push(Finding::error(Code::NoUnit, found.at, message).help(format!("write `{rest}%`")));
            None
        }
        Err(UnitError::Unreadable) => {
            fields.reject(Code::NoUnit, "budget_remaining", &found, shape);
            None
        }
    }
}

fn burn_rate(fields: &Fields<'_>, entry: &Entry) -> Option<BurnRate> {
    let items = match &entry.value.value {
        Value::Scalar { text, .. } if text == "sre-workbook" => return Some(BurnRate::SreWorkbook),
        Value::Scalar { text, .. } => {
            let message = format!("`burn_rate` of {} cannot be `{}`", fields.owner, clipped(text));
            let help = "write `sre-workbook`, or `{long: 1h, short: 5m, factor: 14.4}`";
            fields.cx.push(Finding::error(Code::UnknownChoice, entry.value.at, message).help(help));
            return None;
        }
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(&entry.value),
    };
    if items.is_empty() {
        let message = format!("`burn_rate` of {} is empty", fields.owner);
        fields.cx.push(Finding::error(Code::MissingKey, entry.value.at, message));
        return None;
    }
    let pairs: Vec<Option<BurnPair>> = items.iter().map(|item| pair(fields, item)).collect();
    Some(BurnRate::Pairs(pairs.into_iter().collect::<Option<_>>()?))
}

fn pair(fields: &Fields<'_>, node: &Node) -> Option<BurnPair> {
    let inner = Fields::open(fields.cx, node, node.at, format!("`burn_rate` in {}", fields.owner))?;
    for key in ["long", "short", "factor"] {
        inner.require(key);
    }
    let (long, short) = (inner.seconds("long", FROM_SECOND), inner.seconds("short", FROM_SECOND));
    let factor = inner.number("factor", 0.0..=1e9);
    if factor == Some(0.0) {
        let message = format!("the factor in {} is always reached", inner.owner);
        fields.cx.push(Finding::error(Code::OutOfRange, inner.value_at("factor"), message));
    }
    let fits = match (long, short) {
        (Some(long), Some(short)) if short >= long => {
            let message = format!("the short window of {} is not shorter than the long one", inner.owner);
            let finding = Finding::error(Code::Unreachable, inner.value_at("short"), message);
            fields.cx.push(finding.help("the workbook takes a twelfth of the long one"));
            false
        }
        _ => true,
    };
    inner.close();
    let found = BurnPair { long: long?, short: short?, factor: factor? };
    fits.then_some(found)
}

fn exhausted_within(fields: &Fields<'_>, entry: &Entry) -> Option<Condition> {
    let owner = format!("`exhausted_within` in {}", fields.owner);
    if let Value::Scalar { .. } = entry.value.value {
        let time = fields.seconds("exhausted_within", FROM_SECOND)?;
        return Some(Condition::ExhaustedWithin { time, over: 6 * 3600 });
    }
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, owner)?;
    inner.require("time");
    let time = inner.seconds("time", FROM_SECOND);
    let over = inner.seconds("over", FROM_SECOND);
    inner.close();
    Some(Condition::ExhaustedWithin { time: time?, over: over.unwrap_or(6 * 3600) })
}
