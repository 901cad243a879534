//! Which slots the core wants to be asked about after the fact.

use std::sync::Arc;

use slod::domain::{
    decide::{Core, Decision, Input, SeriesKey, time},
    history::History,
    name::SloId,
    slo::{IndicatorKind, Window},
    slot::{Gap, Reading},
};

use super::world::{rulebook, settled, slo};

fn answer(key: &SeriesKey, slot: i64, reading: Reading, late: bool) -> Input {
    match settled(key, slot, reading) {
        Input::Settled { id, asked, slots, absent, degraded, .. } => {
            Input::Settled { id, asked, slots, absent, degraded, late }
        }
        other => other,
    }
}

fn silence(id: &SloId, slot: i64) -> Input {
    let absent = Reading::Unmeasured(Gap::NoAnswer("no".into()));
    Input::Settled { id: id.clone(), asked: slot..slot + 1, slots: Vec::new(), absent, degraded: None, late: false }
}

/// What is asked and answered from slot 100 on, and how many slots of the ten-slot window are missing then.
/// `g` an answer, `!` none, `?` that it is not known yet, `.` not asked, `f` the newest missing slot is filled.
#[test]
fn what_is_missing_is_asked_again() {
    let id = SloId::new("shop", "front");
    let key = SeriesKey::whole(id.clone());
    for (kind, asked, missing) in [
        (IndicatorKind::Value, "g", 9),
        (IndicatorKind::Value, "gf", 8),
        (IndicatorKind::Value, "gffffffffff", 0),
        (IndicatorKind::Value, "gfffffffffg", 0),
        (IndicatorKind::Value, "gfffffffff!!", 2),
        (IndicatorKind::Value, "gfffffffff..g", 2),
        (IndicatorKind::Value, "gfffffffff!.gff", 0),
        (IndicatorKind::Value, "gfffffffff!gggggggggg", 0),
        // The source does not know yet, and is asked until it does.
        (IndicatorKind::Value, "gfffffffff??", 2),
        (IndicatorKind::Value, "gfffffffff?f", 0),
        (IndicatorKind::Probe, "g!..g", 0),
    ] {
        let mut rules = slo(kind, 99.0, 60);
        rules.spec.window = Window::Rolling(600);
        let mut core = Core::new(Arc::new(rulebook(vec![rules])));
        let mut decision = Decision::default();
        let mut slot = 100;
        for step in asked.chars() {
            // A slot is asked about a second after its end, and filled at once after that.
            let now = time((slot + i64::from(step != 'f')) * 60 + 1);
            let good = Reading::check(true, None);
            let input = match step {
                'g' => Some(answer(&key, slot, good, false)),
                '!' => Some(silence(&id, slot)),
                '?' => Some(answer(&key, slot, Reading::Unmeasured(Gap::NotYet), false)),
                'f' => core
                    .histories
                    .get(&id)
                    .and_then(|history| history.newest(1))
                    .map(|newest| answer(&key, newest.start, good, true)),
                _ => None,
            };
            if let Some(input) = input {
                core.handle(now, input, &mut decision).unwrap();
            }
            slot += i64::from(step != 'f');
        }
        let got = core.histories.get(&id).map_or(0, History::missing);
        assert_eq!(got, missing, "{kind:?} {asked}");
        assert_eq!(decision.histories.contains(&id), kind != IndicatorKind::Probe, "{asked}");
    }
}
