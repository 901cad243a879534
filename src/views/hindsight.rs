//! What the past says of an objective: on how many days it held, and how often others would have.
//!
//! A day counts as met if the window that ended with it was: what the SLO would have said at midnight. Time of which nothing is
//! known is left out, as in the measured reading of a budget.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::render_words::percent;
use crate::domain::{
    name::{Series, SloId},
    slo::Objective,
};

/// Objectives that are tried beside the present one.
const LADDER: [u32; 13] = [
    500_000_000,
    800_000_000,
    900_000_000,
    950_000_000,
    970_000_000,
    980_000_000,
    990_000_000,
    995_000_000,
    998_000_000,
    999_000_000,
    999_500_000,
    999_900_000,
    999_990_000,
];
/// How many steps of the ladder are shown on each side of the present objective.
const AROUND: usize = 3;
/// With fewer whole windows nothing is proposed.
const LEAST_DAYS: usize = 7;
/// An objective is proposed that held on this share of the days.
const HELD: f64 = 0.95;

/// One series of an SLO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hindsight {
    /// `service/slo`.
    pub id: SloId,
    /// For people.
    pub title: String,
    /// Its labels.
    pub series: Series,
    /// The present objective, 0–1.
    pub objective: f64,
    /// As configured: `30d`.
    pub window: String,
    /// What was achieved over all days; null without events.
    pub achieved: Option<f64>,
    /// Days at whose end a whole window was known.
    pub days: usize,
    /// How often each objective was met, the loosest first. The present one is among them; none where no whole window is known.
    pub ladder: Vec<Rung>,
    /// The tightest of them that the past supports; null if there is too little of it.
    pub suggested: Option<f64>,
    /// Why, in words.
    pub reasoning: String,
    /// How much would have been within other thresholds; empty where readings are not compared.
    pub thresholds: Vec<Threshold>,
}

/// One objective.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// 0–1.
    pub objective: f64,
    /// On how many of the days it was met.
    pub met: usize,
}

/// One threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// In the indicator's unit.
    pub bound: f64,
    /// Slots whose reading was within it.
    pub within: usize,
    /// Slots that had a reading.
    pub of: usize,
}

/// What was counted on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Day {
    /// Good events.
    pub good: f64,
    /// All events.
    pub total: f64,
    /// Whether anything was known of it.
    pub known: bool,
}

/// The series that is told of.
#[derive(Clone, Debug)]
pub struct About {
    /// `service/slo`.
    pub id: SloId,
    /// For people.
    pub title: String,
    /// Its labels.
    pub series: Series,
    /// The present objective.
    pub objective: Objective,
    /// As configured.
    pub window: String,
    /// The window in days, at least one.
    pub window_days: usize,
    /// The day after the last that is looked back over.
    pub today: NaiveDate,
}

/// Looks back over days, the oldest first.
pub fn hindsight(about: About, days: &[Day], thresholds: Vec<Threshold>) -> Hindsight {
    let first = days.iter().position(|day| day.known).unwrap_or(days.len());
    let known = &days[first..];
    let ends: Vec<(f64, f64)> = known
        .windows(about.window_days.max(1))
        .map(|window| window.iter().fold((0.0, 0.0), |(good, total), day| (good + day.good, total + day.total)))
        .filter(|(_, total)| *total > 0.0)
        .collect();
    let met = |objective: Objective| ends.iter().filter(|(good, total)| objective.is_met(total - good, *total)).count();
    let ladder: Vec<Rung> =
        rungs(about.objective).into_iter().map(|one| Rung { objective: one.ratio(), met: met(one) }).collect();
    let (good, total) = known.iter().fold((0.0, 0.0), |(good, total), day| (good + day.good, total + day.total));
    let enough = ends.len() as f64 * HELD;
    let tightest = ladder.iter().rev().find(|rung| ends.len() >= LEAST_DAYS && rung.met as f64 >= enough).copied();
    let reasoning = if ends.len() < LEAST_DAYS {
        too_early(&about, ends.len(), known.len(), days.len())
    } else {
        reasoning(&about, &ladder, tightest, ends.len())
    };
    Hindsight {
        objective: about.objective.ratio(),
        id: about.id,
        title: about.title,
        series: about.series,
        window: about.window,
        achieved: (total > 0.0).then(|| good / total),
        days: ends.len(),
        ladder: if ends.is_empty() { Vec::new() } else { ladder },
        suggested: tightest.map(|rung| rung.objective),
        reasoning,
        thresholds,
    }
}

/// The present objective and its neighbours, the loosest first.
fn rungs(present: Objective) -> Vec<Objective> {
    let mut all: Vec<Objective> = LADDER.into_iter().filter_map(Objective::from_ppb).chain([present]).collect();
    all.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
    all.dedup();
    let place = all.iter().position(|one| *one == present).unwrap_or_default();
    all[place.saturating_sub(AROUND)..all.len().min(place + AROUND + 1)].to_vec()
}

/// Why nothing can be said yet, and from when on something can.
fn too_early(about: &About, days: usize, known: usize, all: usize) -> String {
    let window = about.window_days.max(1);
    let why = if days == 0 && window == 1 {
        "Too early to say: the one day that a window needs is not known".to_owned()
    } else if days == 0 {
        format!("Too early to say: {known} of the {window} days that one window needs are known")
    } else {
        format!(
            "Too early to say: a whole window is known at the end of {days} day{}, and {LEAST_DAYS} are needed",
            if days == 1 { "" } else { "s" }
        )
    };
    let wanted = window.saturating_add(LEAST_DAYS - 1);
    if wanted > all {
        return format!("{why}. Of so long a window nothing can be proposed from the last {all} days.");
    }
    let wait = wanted.checked_sub(known).filter(|days| *days > 0).and_then(|days| u64::try_from(days).ok());
    match wait.and_then(|days| about.today.checked_add_days(Days::new(days))) {
        Some(from) => format!("{why}. From {from} on something can be proposed."),
        None => format!("{why}."),
    }
}

fn reasoning(about: &About, ladder: &[Rung], tightest: Option<Rung>, days: usize) -> String {
    let present = about.objective.ratio();
    let same = |rung: &Rung| (rung.objective - present).abs() < 1e-12;
    let held = ladder.iter().find(|rung| same(rung)).map_or(0, |rung| rung.met);
    let now = format!("{} held at the end of {held} of {days} days", percent(present));
    let Some(best) = tightest else {
        return format!("{now}, and even {} did not hold on {} of them.", percent(ladder[0].objective), percent(HELD));
    };
    let next = ladder.iter().find(|rung| rung.objective > best.objective && !same(rung));
    let next =
        next.map_or_else(String::new, |rung| format!("; {} would have held on {}", percent(rung.objective), rung.met));
    if same(&best) {
        format!("Keep it: {now}{next}.")
    } else if best.objective > present {
        format!("It may be tighter: {now}, {} would have held on {}{next}.", percent(best.objective), best.met)
    } else {
        format!(
            "It promises more than is kept: {now}, {} would have held on {}{next}.",
            percent(best.objective),
            best.met
        )
    }
}

/// Bounds that are tried beside the present one.
pub fn bounds(present: f64) -> Vec<f64> {
    [0.5, 0.75, 1.0, 1.25, 1.5, 2.0].into_iter().map(|factor| present * factor).collect()
}

/// The time that is looked back over: whole days up to the last midnight (UTC), as Unix seconds.
pub fn days_before(now: DateTime<Utc>, days: u32) -> (i64, i64) {
    let end = now.timestamp().div_euclid(86_400) * 86_400;
    (end - i64::from(days) * 86_400, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(ppb: u32, window_days: usize) -> About {
        About {
            id: SloId::new("shop", "front"),
            title: "Front".into(),
            series: Series::new(),
            objective: Objective::from_ppb(ppb).unwrap(),
            window: format!("{window_days}d"),
            window_days,
            today: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
        }
    }

    /// Bad events of 1000 a day; `None` where nothing is known.
    fn look(ppb: u32, window_days: usize, bad: &[Option<f64>]) -> Hindsight {
        let day = |bad: &Option<f64>| {
            bad.map_or(Day::default(), |bad| Day { good: 1000.0 - bad, total: 1000.0, known: true })
        };
        hindsight(about(ppb, window_days), &bad.iter().map(day).collect::<Vec<_>>(), Vec::new())
    }

    #[test]
    fn the_past_speaks_for_the_tightest_that_held() {
        for (ppb, window, bad, days, suggested, says) in [
            (990_000_000, 1, vec![Some(10.0); 20], 20, Some(0.99), "Keep it: 99 % held at the end of 20 of 20 days"),
            (990_000_000, 1, vec![Some(1.0); 20], 20, Some(0.999), "It may be tighter"),
            (
                990_000_000,
                1,
                vec![Some(20.0); 20],
                20,
                Some(0.98),
                "It promises more than is kept: 99 % held at the end of 0 of 20 days",
            ),
            (990_000_000, 30, vec![Some(1.0); 20], 0, None, "Too early to say: 20 of the 30 days"),
            (990_000_000, 7, vec![Some(10.0); 20], 14, Some(0.99), "Keep it"),
            (990_000_000, 1, [vec![None; 2], vec![Some(10.0); 8]].concat(), 8, Some(0.99), "Keep it"),
            (
                990_000_000,
                1,
                vec![None, None, Some(10.0)],
                1,
                None,
                "Too early to say: a whole window is known at the end of 1 day,",
            ),
            (990_000_000, 1, vec![Some(900.0); 9], 9, None, "even 95 % did not hold on 95 % of them"),
            (990_000_000, 7, vec![], 0, None, "Too early"),
        ] {
            let found = look(ppb, window, &bad);
            assert_eq!((found.days, found.suggested), (days, suggested), "{window} {bad:?}");
            assert!(found.reasoning.contains(says), "{}", found.reasoning);
        }
    }

    /// The last 90 days, of which the newest were measured.
    #[test]
    fn what_is_too_early_says_until_when() {
        for (window, known, rungs, says) in [
            (
                30,
                0,
                0,
                "0 of the 30 days that one window needs are known. From 2026-12-29 on something can be proposed.",
            ),
            (1, 0, 0, "the one day that a window needs is not known. From 2026-11-30 on"),
            (1, 6, 7, "a whole window is known at the end of 6 days, and 7 are needed. From 2026-11-24 on"),
            (84, 80, 0, "80 of the 84 days that one window needs are known. From 2026-12-03 on"),
            (
                90,
                90,
                7,
                "of 1 day, and 7 are needed. Of so long a window nothing can be proposed from the last 90 days.",
            ),
        ] {
            let found = look(990_000_000, window, &[vec![None; 90 - known], vec![Some(1.0); known]].concat());
            assert!(found.reasoning.ends_with(says) || found.reasoning.contains(says), "{}", found.reasoning);
            assert_eq!(found.ladder.len(), rungs, "rows of nothing say nothing");
        }
    }

    #[test]
    fn the_present_objective_is_among_those_tried() {
        for ppb in [1, 123_456_789, 990_000_000, 999_999_999] {
            let found = look(ppb, 1, &[Some(0.0)]);
            assert!(found.ladder.iter().any(|rung| (rung.objective - found.objective).abs() < 1e-12), "{ppb}");
            assert!(
                found.ladder.windows(2).all(|pair| pair[0].objective < pair[1].objective && pair[0].met >= pair[1].met)
            );
        }
    }
}
