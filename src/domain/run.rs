//! Bad slots in a row, and what a gap does to them.

use super::{ledger::Ledger, policy::OnGap, slo::SloSpec, slot::SlotState};

/// Gaps in a row that a held run survives.
pub const GAPS_HELD: u32 = 12;

/// Bad slots in a row up to one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Run {
    /// How many.
    pub slots: u32,
    /// The bad events in them.
    pub events: f64,
    /// What was measured in them: bad events and all events.
    pub measured: (f64, f64),
    /// The good slot that stands before it. Without one a gap, or the beginning of what is known, cut it short: it may
    /// be longer than it seems.
    pub after_good: Option<i64>,
}

/// The run up to slot `at`.
pub fn run(ledger: &Ledger, spec: &SloSpec, at: i64, on_gap: OnGap) -> Run {
    let mut run = Run::default();
    let mut gaps = 0;
    let mut expected = at;
    for slot in ledger.back_from(at) {
        // numbers without a row are gaps too
        let missing = u32::try_from(expected - slot.index).unwrap_or(u32::MAX);
        expected = slot.index - 1;
        if missing > 0 && !cross_gap(on_gap, missing, &mut gaps) {
            break;
        }
        match slot.state {
            SlotState::Measured if slot.total == 0.0 => {}
            SlotState::Measured if spec.is_bad(&slot) => {
                run.slots = run.slots.saturating_add(1);
                run.events += slot.bad();
                run.measured = (run.measured.0 + slot.bad(), run.measured.1 + slot.total);
                gaps = 0;
            }
            SlotState::Measured => {
                run.after_good = Some(slot.index);
                break;
            }
            SlotState::Unmeasured if on_gap == OnGap::Count => {
                run.slots = run.slots.saturating_add(1);
                run.events += 1.0;
                gaps = 0;
            }
            _ => {
                if !cross_gap(on_gap, 1, &mut gaps) {
                    break;
                }
            }
        }
    }
    run
}

/// Whether a run goes on behind `more` gaps.
fn cross_gap(on_gap: OnGap, more: u32, gaps: &mut u32) -> bool {
    *gaps = gaps.saturating_add(more);
    on_gap != OnGap::Reset && *gaps <= GAPS_HELD
}
