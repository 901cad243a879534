//! `60 1000/1000 ok _ ! x60`: one word a slot.

use super::Feed;
use crate::{
    config::{
        Code,
        context::Context,
        fields::clipped,
        finding::Finding,
        model::{Indicator, Slo},
        tree::{Node, Span, Value},
        units,
    },
    domain::{
        name::SloId,
        slot::{Gap, Reading},
    },
};

/// Most slots of one feed.
const SLOTS_MAX: usize = 500_000;

/// The slots of `id`; what cannot be read is reported.
pub(super) fn feed(cx: &Context<'_>, node: &Node, id: SloId, slo: &Slo) -> Option<Feed> {
    let Value::Scalar { text, .. } = &node.value else {
        let message = format!("the slots of `{id}` must be one text, not {}", node.word());
        let finding = Finding::error(Code::WrongType, node.at, message);
        cx.push(finding.help(format!("write one item a slot, such as `{}`", sample(&slo.indicator))));
        return None;
    };
    let mut readings: Vec<Reading> = Vec::new();
    for word in text.split_whitespace() {
        let at = || place(cx, node.at, word.as_ptr() as usize - text.as_ptr() as usize, word);
        if let Some(times) = word.strip_prefix('x') {
            let times = times.parse::<usize>().ok().filter(|times| *times > 0);
            let (Some(times), Some(last)) = (times, readings.last().cloned()) else {
                let message = format!("`{}` repeats nothing", clipped(word));
                let finding = Finding::error(Code::UnknownChoice, at(), message);
                cx.push(finding.help("write an item and how often it is there in all: `ok x60`"));
                return None;
            };
            if readings.len().saturating_add(times) > SLOTS_MAX {
                let message = format!("over {SLOTS_MAX} slots are fed to `{id}`");
                cx.push(Finding::error(Code::TooLarge, at(), message).help("feed fewer slots"));
                return None;
            }
            readings.extend(std::iter::repeat_n(last, times - 1));
        } else if let Some(reading) = reading(word, &slo.indicator) {
            readings.push(reading);
        } else {
            let message = format!("`{}` is no slot of `{id}`, {}", clipped(word), kind(&slo.indicator));
            let help = format!("write items such as `{}`", sample(&slo.indicator));
            cx.push(Finding::error(Code::UnknownChoice, at(), message).help(help));
            return None;
        }
    }
    Some(Feed { id, every: slo.spec.every, source: slo.indicator.source().cloned(), readings })
}

/// The place of one word of a text, if the text stands there as it is; else that of the text.
fn place(cx: &Context<'_>, at: Span, offset: usize, word: &str) -> Span {
    let text = &cx.files.get(at.file).text;
    let spot = |quote: usize| {
        let start = at.start + quote + offset;
        Span { file: at.file, start, end: start + word.len() }
    };
    let stands = |span: &Span| span.end <= at.end && text.get(span.start..span.end) == Some(word);
    [0, 1].map(spot).into_iter().find(stands).unwrap_or(at)
}

fn reading(word: &str, indicator: &Indicator) -> Option<Reading> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|_| units::is_number(text));
    match (word, indicator) {
        ("!", _) => Some(Reading::Unmeasured(Gap::NoAnswer("the scenario says `!`".to_owned()))),
        ("_", Indicator::Value { .. } | Indicator::Probe(_)) => Some(Reading::Unmeasured(Gap::NoData)),
        ("_", _) => Some(Reading::Empty),
        ("ok" | "fail", Indicator::Probe(_)) => Some(Reading::check(word == "ok", None)),
        (_, Indicator::Probe(_)) => None,
        (_, Indicator::Value { good, .. }) => Some(Reading::value(number(word)?, good)),
        _ => {
            let (good, total) = word.split_once('/')?;
            Some(Reading::events(number(good)?, number(total)?, None))
        }
    }
}

fn kind(indicator: &Indicator) -> &'static str {
    match indicator {
        Indicator::Probe(_) => "a probe",
        Indicator::Value { .. } => "a value",
        _ => "which counts events",
    }
}

fn sample(indicator: &Indicator) -> &'static str {
    match indicator {
        Indicator::Probe(_) => "ok x60 fail _ !",
        Indicator::Value { .. } => "60 x12 1000.5 _ !",
        _ => "100/100 x60 97/100 _ !",
    }
}
