//! Stretches of a time of which nothing is known, from settled slots in order: one pass, no second look at the store.

use super::slot::{Slot, SlotState, Span};

/// Time without a gap between, of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// From when to when, in Unix seconds.
    pub span: Span,
    /// Seconds of it that were asked about, without a usable answer.
    pub asked_seconds: i64,
    /// From the first to the last moment of it that nobody was asked about; none if all of it was asked about.
    pub unasked: Option<Span>,
}

/// The stretches without a known slot, in order. `slots` are in order. With `expected`, time in it that no slot covers is
/// unknown too; without, only what was asked about can be.
pub fn gaps(slots: &[(Span, Slot)], expected: Option<Span>) -> Vec<Unknown> {
    let mut found: Vec<Unknown> = Vec::new();
    let mut add = |start: i64, end: i64, asked: bool| {
        let end = expected.map_or(end, |expected| end.min(expected.end));
        if start >= end {
            return;
        }
        let (asked_seconds, unasked) = if asked { (end - start, None) } else { (0, Some(Span { start, end })) };
        match found.last_mut() {
            Some(last) if last.span.end == start => {
                last.span.end = end;
                last.asked_seconds += asked_seconds;
                let begun = last.unasked.map_or(start, |span| span.start);
                last.unasked = unasked.map(|_| Span { start: begun, end }).or(last.unasked);
            }
            _ => found.push(Unknown { span: Span { start, end }, asked_seconds, unasked }),
        }
    };
    let mut seen = expected.map_or(i64::MIN, |expected| expected.start);
    for (span, slot) in slots {
        if expected.is_some() {
            add(seen, span.start, false);
        }
        if slot.state == SlotState::Unmeasured {
            add(span.start.max(seen), span.end, true);
        }
        seen = seen.max(span.end);
    }
    if let Some(expected) = expected {
        add(seen, expected.end, false);
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        ledger::{Counting, Totals},
        slot::{Gap, Reading},
    };

    /// Minutes: `g` good, `e` empty, `x` excluded, `u` asked without an answer, `.` never asked about.
    fn slots(text: &str) -> Vec<(Span, Slot)> {
        let reading = |letter| match letter {
            'g' => Some(Reading::check(true, None)),
            'e' => Some(Reading::Empty),
            'x' => Some(Reading::Excluded),
            'u' => Some(Reading::Unmeasured(Gap::NoData)),
            _ => None,
        };
        let slot = |(at, letter): (usize, char)| {
            Some((Span::slot(at as i64, 60), Slot::settled(at as i64, &reading(letter)?)))
        };
        text.chars().enumerate().filter_map(slot).collect()
    }

    fn said(text: &str, expected: Option<(i64, i64)>) -> String {
        let expected = expected.map(|(from, to)| Span { start: from * 60, end: to * 60 });
        let found = gaps(&slots(text), expected);
        let word = |gap: &Unknown| format!("{}-{}:{}", gap.span.start / 60, gap.span.end / 60, gap.asked_seconds / 60);
        found.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// From–to in minutes, and how many of them were asked about.
    #[test]
    fn what_nobody_knows() {
        for (text, expected, found) in [
            ("gggg", Some((0, 4)), ""),
            ("gg..", Some((0, 4)), "2-4:0"),
            ("..gg", Some((0, 4)), "0-2:0"),
            ("g.u.g", Some((0, 5)), "1-4:1"),
            ("guxug", Some((0, 5)), "1-2:1 3-4:1"),
            ("geug", Some((0, 4)), "2-3:1"),
            ("", Some((0, 4)), "0-4:0"),
            ("", Some((0, 0)), ""),
            ("gguu", Some((0, 3)), "2-3:1"),
            ("g.uug.", None, "2-4:2"),
            ("", None, ""),
        ] {
            assert_eq!(said(text, expected), found, "{text}");
        }
    }

    /// `every` was made longer: a slot that overlaps one of before adds only what is new.
    #[test]
    fn slots_of_other_lengths() {
        let gap = Reading::Unmeasured(Gap::NoData);
        let mixed = [
            (Span { start: 0, end: 60 }, Slot::settled(0, &Reading::check(true, None))),
            (Span { start: 0, end: 300 }, Slot::settled(0, &gap)),
            (Span { start: 60, end: 120 }, Slot::settled(1, &gap)),
        ];
        let found = gaps(&mixed, Some(Span { start: 0, end: 600 }));
        let unasked = Some(Span { start: 300, end: 600 });
        assert_eq!(found, [Unknown { span: Span { start: 60, end: 600 }, asked_seconds: 240, unasked }]);
    }

    proptest! {
        /// What is known, what does not count and the gaps are the whole time; gaps are in order and never touch.
        #[test]
        fn they_are_what_is_left(text in "[geux.]{0,300}") {
            let all = Span { start: 0, end: 60 * text.len() as i64 };
            let slots = slots(&text);
            let found = gaps(&slots, Some(all));
            let mut totals = Totals::default();
            for (span, slot) in &slots {
                totals.add_slot(slot, span.seconds(), Counting::Occurrences);
            }
            let seconds: i64 = found.iter().map(|gap| gap.span.seconds()).sum();
            prop_assert_eq!(seconds + totals.known_seconds + totals.excluded_seconds, all.seconds());
            let asked: i64 = found.iter().map(|gap| gap.asked_seconds).sum();
            prop_assert_eq!(asked, totals.unmeasured_seconds);
            prop_assert!(found.windows(2).all(|pair| pair[0].span.end < pair[1].span.start));
            for gap in &found {
                let unasked = gap.unasked.map_or(0, Span::seconds);
                prop_assert!(gap.asked_seconds + unasked >= gap.span.seconds() && unasked <= gap.span.seconds());
                prop_assert_eq!(gap.asked_seconds == gap.span.seconds(), gap.unasked.is_none());
                prop_assert!(gap.unasked.is_none_or(|part| part.start >= gap.span.start && part.end <= gap.span.end));
            }
            let asked_alone: i64 = gaps(&slots, None).iter().map(|gap| gap.span.seconds()).sum();
            prop_assert_eq!(asked_alone, totals.unmeasured_seconds);
        }
    }
}
