//! What a look at one slot found, in words.

use crate::{
    domain::slot::{Gap, Reading},
    source::{Answer, Question},
};

/// `Ok` if the statement can be counted with, `Err` with what is wrong.
pub(super) fn words(question: Question<'_>, answer: &Answer) -> Result<String, String> {
    if let Some(fault) = answer.slots.iter().find_map(|slot| fault(&slot.reading)) {
        return Err(fault.to_owned());
    }
    if question.per.is_empty() {
        let found = answer.slots.first().map_or("no value in the last slot".to_owned(), |slot| one(&slot.reading));
        return Ok(format!("the statement runs: {found}"));
    }
    let (mut good, mut total) = (0.0, 0.0);
    for slot in &answer.slots {
        if let Reading::Events { good: more_good, total: more, .. } = slot.reading {
            good += more_good;
            total += more;
        }
    }
    let more = answer.degraded.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    let series = answer.slots.len();
    Ok(format!("the statement runs: {series} series, {good} of {total} events good in the last slot{more}"))
}

fn one(reading: &Reading) -> String {
    match reading {
        Reading::Events { good, total, shown } => {
            let shown = shown.map(|shown| format!(", value {shown}")).unwrap_or_default();
            format!("{good} of {total} events good in the last slot{shown}")
        }
        Reading::Empty => "no events in the last slot".to_owned(),
        _ => "no value in the last slot".to_owned(),
    }
}

fn fault(reading: &Reading) -> Option<&str> {
    match reading {
        Reading::Unmeasured(Gap::DataFault(fault)) => Some(fault),
        _ => None,
    }
}
