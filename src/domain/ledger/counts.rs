//! Sums of slots, as small as they can be.

use super::{Counting, Totals};
use crate::domain::{
    chunk::is_whole,
    slot::{Slot, SlotState},
};

/// Sums of slots of one length.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub good: f64,
    pub total: f64,
    pub known: u32,
    pub unmeasured: u32,
    pub excluded: u32,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.good += other.good;
        self.total += other.total;
        self.known += other.known;
        self.unmeasured += other.unmeasured;
        self.excluded += other.excluded;
    }

    pub fn add_slot(&mut self, slot: &Slot, counting: Counting) {
        let (good, total) = counting.events(slot);
        self.good += good;
        self.total += total;
        match slot.state {
            SlotState::Measured | SlotState::Empty => self.known += 1,
            SlotState::Unmeasured => self.unmeasured += 1,
            SlotState::Excluded => self.excluded += 1,
        }
    }

    /// Without a part that is in here. Exact if all counts are whole.
    pub fn without(&self, part: &Self) -> Self {
        Self {
            good: self.good - part.good,
            total: self.total - part.total,
            known: self.known.saturating_sub(part.known),
            unmeasured: self.unmeasured.saturating_sub(part.unmeasured),
            excluded: self.excluded.saturating_sub(part.excluded),
        }
    }

    /// In seconds.
    pub fn add_to(&self, totals: &mut Totals, every: u32) {
        let seconds = |slots: u32| i64::from(slots) * i64::from(every);
        totals.good += self.good;
        totals.total += self.total;
        totals.known_seconds += seconds(self.known);
        totals.unmeasured_seconds += seconds(self.unmeasured);
        totals.excluded_seconds += seconds(self.excluded);
    }
}

/// The sums of one chunk: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ChunkSums {
    pub good: f64,
    pub total: f64,
    pub number: i32,
    pub known: u8,
    pub unmeasured: u8,
    pub excluded: u8,
    /// Whether all counts are integers, so that taking some away again is exact.
    pub whole: bool,
}

impl ChunkSums {
    pub fn new(number: i32) -> Self {
        Self { good: 0.0, total: 0.0, number, known: 0, unmeasured: 0, excluded: 0, whole: true }
    }

    pub fn of(number: i32, slots: &[Slot], counting: Counting) -> Self {
        let mut sums = Self::new(number);
        for slot in slots {
            sums.add(slot, counting);
        }
        sums
    }

    pub fn add(&mut self, slot: &Slot, counting: Counting) {
        let (good, total) = counting.events(slot);
        self.good += good;
        self.total += total;
        self.whole = self.whole && is_whole(good) && is_whole(total);
        // A chunk has 240 slots.
        let count = match slot.state {
            SlotState::Measured | SlotState::Empty => &mut self.known,
            SlotState::Unmeasured => &mut self.unmeasured,
            SlotState::Excluded => &mut self.excluded,
        };
        *count = count.saturating_add(1);
    }

    pub fn counts(&self) -> Counts {
        Counts {
            good: self.good,
            total: self.total,
            known: u32::from(self.known),
            unmeasured: u32::from(self.unmeasured),
            excluded: u32::from(self.excluded),
        }
    }
}
