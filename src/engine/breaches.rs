//! Bad time that no incident was about: found in history when it was over, or watched by no policy. A line in the
//! report, not a page.

use crate::{
    domain::{
        decide::time,
        incident::Incident,
        ledger::Counting,
        name::Series,
        run::GAPS_HELD,
        slo::SloSpec,
        slot::{Slot, SlotState, Span},
    },
    views::report::Breach,
};

/// What costs less of the month's budget is not worth a line.
const LEAST_SHARE: f64 = 0.01;
/// Most lines for one series, the worst.
const LINES_MAX: usize = 20;

/// The stretches of bad slots during which none of `incidents` was open. `allowed` is the month's budget in events, `now` in
/// Unix seconds.
pub fn breaches(
    spec: &SloSpec,
    series: &Series,
    slots: &[(Span, Slot)],
    incidents: &[&Incident],
    allowed: f64,
    now: i64,
) -> Vec<Breach> {
    let told = |stretch: &Stretch| {
        incidents.iter().any(|incident| {
            let end = incident.resolved.as_ref().map_or(now, |end| end.at.timestamp());
            stretch.start <= end && stretch.end >= incident.opened_at.timestamp()
        })
    };
    let costly = |stretch: &Stretch| allowed > 0.0 && stretch.bad / allowed >= LEAST_SHARE;
    let mut found: Vec<Stretch> =
        stretches(spec, slots).into_iter().filter(|stretch| costly(stretch) && !told(stretch)).collect();
    found.sort_by(|one, other| other.bad.total_cmp(&one.bad));
    found.truncate(LINES_MAX);
    found.sort_by_key(|stretch| stretch.start);
    let line = |stretch: Stretch| Breach {
        series: series.clone(),
        from: time(stretch.start),
        to: time(stretch.end),
        bad: stretch.bad,
        budget_share: stretch.bad / allowed,
    };
    found.into_iter().map(line).collect()
}

struct Stretch {
    start: i64,
    end: i64,
    bad: f64,
}

/// Bad slots in a row; gaps neither extend nor end them, up to as many as a run survives.
fn stretches(spec: &SloSpec, slots: &[(Span, Slot)]) -> Vec<Stretch> {
    let counting = Counting::of(spec.budgeting);
    let (mut found, mut open, mut gaps) = (Vec::new(), None::<Stretch>, 0);
    for (span, slot) in slots {
        if spec.is_bad(slot) {
            let (good, total) = counting.events(slot);
            let stretch = open.get_or_insert(Stretch { start: span.start, end: span.end, bad: 0.0 });
            stretch.end = span.end;
            stretch.bad += total - good;
            gaps = 0;
        } else {
            gaps += 1;
            if (slot.state == SlotState::Measured && slot.total > 0.0) || gaps > GAPS_HELD {
                found.extend(open.take());
            }
        }
    }
    found.extend(open);
    found
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::{
        incident::Subject,
        name::SloId,
        policy::Priority,
        slo::{Budgeting, IndicatorKind, Objective},
        slot::{Gap, Reading},
        window::Window,
    };

    fn spec() -> SloSpec {
        SloSpec {
            id: SloId::new("shop", "front"),
            objective: Objective::from_ppb(900_000_000).expect("90 %"),
            window: Window::Rolling(86_400),
            budgeting: Budgeting::Occurrences,
            every: 60,
            settle_ms: 0,
            good_for: 300,
            min_coverage: 0.9,
            kind: IndicatorKind::Ratio,
        }
    }

    /// Minutes: `g` good, `b` ten bad events, `.` unmeasured. An incident may be open from one minute to another. What is
    /// found: first and last minute, bad events.
    #[test]
    fn bad_time_that_nobody_was_told_of() {
        for (slots, incident, found) in [
            ("gggggg", None, ""),
            ("gbbggg", None, "1-3:20"),
            ("gbbggg", Some((2, 4)), ""),
            ("gbbggggbbg", Some((2, 4)), "7-9:20"),
            ("gb..bggb", None, "1-5:20 7-8:10"),
            ("b.............b", None, "0-1:10 14-15:10"),
            ("bb", None, "0-2:20"),
        ] {
            let reading = |letter| match letter {
                'g' => Reading::events(10.0, 10.0, None),
                'b' => Reading::events(0.0, 10.0, None),
                _ => Reading::Unmeasured(Gap::NoData),
            };
            let slots: Vec<_> = slots
                .chars()
                .enumerate()
                .map(|(at, letter)| (Span::slot(at as i64, 60), Slot::settled(at as i64, &reading(letter))))
                .collect();
            let subject = Subject::Slo { id: spec().id, series: Series::new() };
            let incidents: Vec<Incident> = incident
                .map(|(from, to)| {
                    let mut incident = Incident::open(subject, time(from * 60), Priority::P2);
                    incident.resolved = Some(crate::domain::incident::Resolution {
                        at: time(0) + TimeDelta::minutes(to),
                        by: None,
                        taken_out: None,
                        new_period: false,
                        gone: false,
                    });
                    incident
                })
                .into_iter()
                .collect();
            let lines = breaches(&spec(), &Series::new(), &slots, &incidents.iter().collect::<Vec<_>>(), 100.0, 10_000);
            let minute = |at: chrono::DateTime<chrono::Utc>| at.timestamp() / 60;
            let said: Vec<_> =
                lines.iter().map(|line| format!("{}-{}:{}", minute(line.from), minute(line.to), line.bad)).collect();
            assert_eq!(said.join(" "), found);
        }
        assert!(breaches(&spec(), &Series::new(), &[], &[], 0.0, 0).is_empty());
    }
}
