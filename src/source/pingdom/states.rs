//! A check's states, and what they say of a slot: exact seconds up and down.

use serde::Deserialize;

use crate::domain::slot::{Gap, Reading, Span};

/// Unix seconds beyond which a time is none.
const TIME_MAX: f64 = 1e11;

/// `summary.outage` as it is answered. No attribute is promised to be there.
#[derive(Deserialize)]
struct Outage {
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    states: Vec<State>,
}

#[derive(Deserialize)]
struct State {
    status: Option<String>,
    timefrom: Option<f64>,
    timeto: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Status {
    Up,
    Down,
    /// Not monitored, paused, not confirmed: not counted.
    Uncounted,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: i64,
    to: i64,
    status: Status,
}

/// A check's states over some time, in order, none of them twice.
pub(super) struct States {
    stretches: Vec<Stretch>,
    /// Where two states contradict each other.
    conflicts: Vec<Span>,
    /// What is wrong with all of it.
    fault: Option<String>,
}

impl States {
    /// Reads an answer. The order of the states does not matter; the same state twice at once counts once.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let Outage { summary } = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let mut stretches = Vec::with_capacity(summary.states.len());
        for state in &summary.states {
            match stretch(state) {
                Ok(stretch) => stretches.extend(stretch),
                Err(fault) => return Ok(Self { stretches: Vec::new(), conflicts: Vec::new(), fault: Some(fault) }),
            }
        }
        stretches.sort_unstable_by_key(|stretch| (stretch.from, stretch.to));
        let mut states = Self { stretches: Vec::with_capacity(stretches.len()), conflicts: Vec::new(), fault: None };
        for stretch in stretches {
            states.add(stretch);
        }
        Ok(states)
    }

    fn add(&mut self, mut next: Stretch) {
        if let Some(last) = self.stretches.last_mut()
            && next.from < last.to
        {
            if next.status == last.status {
                last.to = last.to.max(next.to);
                return;
            }
            let both = Span { start: next.from, end: next.to.min(last.to) };
            match self.conflicts.last_mut() {
                Some(conflict) if both.start <= conflict.end => conflict.end = conflict.end.max(both.end),
                _ => self.conflicts.push(both),
            }
            next.from = last.to;
        }
        if next.from < next.to {
            self.stretches.push(next);
        }
    }

    /// What is known of one slot. A slot whose last second no state covers is not known yet: counted too early, it
    /// would stay as it is.
    pub fn reading(&self, slot: Span) -> Reading {
        if let Some(fault) = &self.fault {
            return Reading::Unmeasured(Gap::DataFault(fault.clone()));
        }
        let conflict = self.conflicts.partition_point(|conflict| conflict.end <= slot.start);
        if let Some(conflict) = self.conflicts.get(conflict).filter(|conflict| conflict.start < slot.end) {
            let fault = format!("the check has two states at once, at {}", conflict.start.max(slot.start));
            return Reading::Unmeasured(Gap::DataFault(fault));
        }
        let first = self.stretches.partition_point(|stretch| stretch.to <= slot.start);
        let (mut up, mut down, mut covered) = (0, 0, false);
        for stretch in self.stretches[first..].iter().take_while(|stretch| stretch.from < slot.end) {
            let seconds = stretch.to.min(slot.end) - stretch.from.max(slot.start);
            match stretch.status {
                Status::Up => up += seconds,
                Status::Down => down += seconds,
                Status::Uncounted => {}
            }
            covered = stretch.to >= slot.end;
        }
        if !covered {
            return Reading::Unmeasured(Gap::NotYet);
        }
        if up + down == 0 {
            return Reading::Unmeasured(Gap::NoData);
        }
        Reading::events(up as f64, (up + down) as f64, None)
    }
}

/// A state's stretch of time; none if it has no length.
fn stretch(state: &State) -> Result<Option<Stretch>, String> {
    let time = |name: &str, time: Option<f64>| {
        let time = time.ok_or_else(|| format!("a state of the check has no `{name}`"))?;
        let is_time = (0.0..TIME_MAX).contains(&time);
        if is_time { Ok(time as i64) } else { Err(format!("a state of the check has the `{name}` {time}")) }
    };
    let (from, to) = (time("timefrom", state.timefrom)?, time("timeto", state.timeto)?);
    let status = match state.status.as_deref() {
        Some("up") => Status::Up,
        Some("down") => Status::Down,
        Some(_) => Status::Uncounted,
        None => return Err("a state of the check has no `status`".to_owned()),
    };
    if from > to {
        return Err(format!("a state of the check ends before it begins: {from} to {to}"));
    }
    Ok((from < to).then_some(Stretch { from, to, status }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(list: &str) -> States {
        States::read(format!(r#"{{"summary":{{"states":[{list}]}}}}"#).as_bytes()).unwrap()
    }

    /// `up/total`, `none` or the fault of slot 60–120.
    fn shown(list: &[(&str, i64, i64)]) -> String {
        let list: Vec<String> = list
            .iter()
            .map(|(status, from, to)| format!(r#"{{"status":"{status}","timefrom":{from},"timeto":{to}}}"#))
            .collect();
        match states(&list.join(",")).reading(Span { start: 60, end: 120 }) {
            Reading::Events { good, total, shown: None } => format!("{good}/{total}"),
            Reading::Unmeasured(Gap::NoData | Gap::NotYet) => "none".to_owned(),
            Reading::Unmeasured(Gap::DataFault(fault)) => fault,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn seconds_are_exact() {
        for (list, expected) in [
            (&[("up", 0, 500)][..], "60/60"),
            (&[("up", 60, 120)], "60/60"),
            (&[("down", 0, 500)], "0/60"),
            (&[("up", 0, 100), ("down", 100, 101), ("up", 101, 130)], "59/60"),
            (&[("up", 0, 70), ("unknown", 70, 100), ("down", 100, 200)], "10/30"),
            // out of order, without length, twice the same, overlapping alike
            (&[("down", 100, 200), ("up", 0, 70), ("up", 90, 90), ("up", 50, 80)], "20/40"),
            (&[("up", 0, 200), ("up", 0, 200), ("up", 60, 61)], "60/60"),
            // not covered: not counted
            (&[("up", 0, 70), ("down", 110, 120)], "10/20"),
            (&[("up", 80, 120)], "40/40"),
            // nothing counted at all
            (&[], "none"),
            (&[("unknown", 0, 500)], "none"),
            (&[("unconfirmed_down", 0, 500)], "none"),
            (&[("up", 0, 60), ("down", 120, 500)], "none"),
            // the rest is not known yet
            (&[("up", 0, 119)], "none"),
            (&[("down", 0, 61), ("unknown", 61, 100)], "none"),
            (&[("down", 0, 61), ("unknown", 61, 120)], "0/1"),
            // contradictions, here and elsewhere
            (&[("up", 0, 100), ("down", 90, 200)], "the check has two states at once, at 90"),
            (&[("unknown", 0, 500), ("down", 90, 100)], "the check has two states at once, at 90"),
            (&[("up", 0, 200), ("down", 0, 200)], "the check has two states at once, at 60"),
            (&[("up", 0, 50), ("down", 40, 55), ("up", 55, 130)], "60/60"),
            (&[("up", 0, 300), ("down", 120, 130)], "60/60"),
            (&[("up", 100, 60)], "a state of the check ends before it begins: 100 to 60"),
            (&[("up", 0, 500), ("up", 1_000, 900)], "a state of the check ends before it begins: 1000 to 900"),
            (&[("up", -5, 500)], "a state of the check has the `timefrom` -5"),
            (&[("up", 0, 100_000_000_000)], "a state of the check has the `timeto` 100000000000"),
        ] {
            assert_eq!(shown(list), expected, "{list:?}");
        }
    }

    #[test]
    fn attributes_may_be_missing() {
        let fault = |list: &str| states(list).fault;
        assert_eq!(fault(r#"{"timefrom":1,"timeto":2}"#).unwrap(), "a state of the check has no `status`");
        assert_eq!(fault(r#"{"status":"up","timeto":2}"#).unwrap(), "a state of the check has no `timefrom`");
        assert_eq!(
            fault(r#"{"status":"up","timefrom":1,"timeto":null}"#).unwrap(),
            "a state of the check has no `timeto`"
        );
        assert_eq!(fault(r#"{"status":"up","timefrom":1.0,"timeto":2e9,"more":[1]}"#), None);
        for unreadable in ["", "<html>", "[]", "{}", r#"{"summary":{}}"#, r#"{"summary":{"states":{}}}"#, "null"] {
            assert!(States::read(unreadable.as_bytes()).is_err(), "{unreadable}");
        }
    }

    proptest::proptest! {
        /// Whatever comes, the seconds of a slot are those of its parts, and never more than it has.
        #[test]
        fn slots_add_up(list in proptest::collection::vec((0..3_usize, 0..200_i64, 0..60_i64), 0..12), cut in 1..119_i64) {
            let words = ["up", "down", "unknown"];
            let list: Vec<String> = list
                .iter()
                .map(|(status, from, length)| {
                    format!(r#"{{"status":"{}","timefrom":{from},"timeto":{}}}"#, words[*status], from + length)
                })
                .collect();
            let states = states(&list.join(","));
            let counts = |start, end| match states.reading(Span { start, end }) {
                Reading::Events { good, total, .. } => Some((good, total)),
                _ => None,
            };
            if let Some((good, total)) = counts(0, 120) {
                proptest::prop_assert!(0.0 <= good && good <= total && total <= 120.0);
                if let (Some(left), Some(right)) = (counts(0, cut), counts(cut, 120)) {
                    proptest::prop_assert_eq!((left.0 + right.0, left.1 + right.1), (good, total));
                }
            }
        }
    }
}
