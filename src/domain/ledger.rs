//! The ledger of one series: all its settled slots, filled in any order, summed over any window.
//!
//! Slots are kept packed in chunks with their sums beside them: a window over 30 days adds up about 180 sums and
//! opens at most the two chunks at its edges.

use std::collections::BTreeMap;

use super::{
    chunk::{self, ChunkError, SLOTS, chunk_of},
    slo::{Budgeting, Objective, SloSpec},
    slot::{Slot, SlotState, Span},
};

/// Sums over a stretch of time. Time in seconds, so that slots of different lengths can be added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Good events.
    pub good: f64,
    /// All events.
    pub total: f64,
    /// Seconds of measured and empty slots.
    pub known_seconds: i64,
    /// Seconds of settled slots of which nothing is known. Slots without a row are not in here.
    pub unmeasured_seconds: i64,
    /// Seconds that do not count.
    pub excluded_seconds: i64,
}

impl Totals {
    /// Bad events.
    pub fn bad(&self) -> f64 {
        self.total - self.good
    }

    /// Adds one slot of so many seconds.
    pub fn add_slot(&mut self, slot: &Slot, seconds: i64, counting: Counting) {
        let (good, total) = counting.events(slot);
        self.good += good;
        self.total += total;
        match slot.state {
            SlotState::Measured | SlotState::Empty => self.known_seconds += seconds,
            SlotState::Unmeasured => self.unmeasured_seconds += seconds,
            SlotState::Excluded => self.excluded_seconds += seconds,
        }
    }

    fn add(&mut self, other: &Self) {
        self.good += other.good;
        self.total += other.total;
        self.known_seconds += other.known_seconds;
        self.unmeasured_seconds += other.unmeasured_seconds;
        self.excluded_seconds += other.excluded_seconds;
    }
}

/// What one slot adds to the sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// Its events.
    #[default]
    Occurrences,
    /// Itself: a known slot is one event, good if its ratio reaches the target or it is without events.
    Timeslices(Objective),
}

impl Counting {
    /// How an SLO is counted.
    pub fn of(budgeting: Budgeting) -> Self {
        match budgeting {
            Budgeting::Occurrences => Self::Occurrences,
            Budgeting::Timeslices { slice_target } => Self::Timeslices(slice_target),
        }
    }

    /// Good and all events that a slot counts as.
    pub fn events(self, slot: &Slot) -> (f64, f64) {
        match self {
            Self::Occurrences => (slot.good, slot.total),
            Self::Timeslices(_) if !slot.state.is_known() => (0.0, 0.0),
            Self::Timeslices(target) => (f64::from(u8::from(target.is_met(slot.bad(), slot.total))), 1.0),
        }
    }
}

/// What became of an inserted slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// There was nothing.
    New,
    /// There was an unmeasured one.
    Replaced,
    /// The slot was settled already; nothing changed.
    Unchanged,
}

#[derive(Clone, Debug)]
struct Chunk {
    bytes: Vec<u8>,
    totals: Totals,
}

/// All settled slots of one series.
#[derive(Clone, Debug)]
pub struct Ledger {
    every: u32,
    counting: Counting,
    chunks: BTreeMap<i64, Chunk>,
    /// Slots of another length, from before `every` changed, by their start.
    older: BTreeMap<i64, (u32, Slot)>,
    newest: Option<i64>,
}

impl Ledger {
    /// An empty one for slots of `every` seconds (at least 1).
    pub fn new(every: u32) -> Self {
        Self::counting(every, Counting::Occurrences)
    }

    /// An empty one for an SLO's slots.
    pub fn for_slo(spec: &SloSpec) -> Self {
        Self::counting(spec.every, Counting::of(spec.budgeting))
    }

    /// Whether slots are as long, and counted as, an SLO wants them.
    pub fn is_for(&self, spec: &SloSpec) -> bool {
        self.every == spec.every && self.counting == Counting::of(spec.budgeting)
    }

    fn counting(every: u32, counting: Counting) -> Self {
        Self { every: every.max(1), counting, chunks: BTreeMap::new(), older: BTreeMap::new(), newest: None }
    }

    /// Slot length in seconds.
    pub fn every(&self) -> u32 {
        self.every
    }

    /// Number of the newest settled slot: the watermark.
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Whether nothing was ever settled, at any slot length.
    pub fn is_empty(&self) -> bool {
        self.newest.is_none() && self.older.is_empty()
    }

    /// Takes in a stored chunk, of this slot length or another.
    pub fn load(&mut self, every: u32, number: i64, bytes: Vec<u8>) -> Result<(), ChunkError> {
        let slots = chunk::decode(number, &bytes)?;
        if every == self.every {
            if let Some(last) = slots.last() {
                self.newest = self.newest.max(Some(last.index));
            }
            self.chunks.insert(number, Chunk { totals: self.sum(&slots), bytes });
        } else {
            for slot in slots {
                self.older.insert(slot.index * i64::from(every), (every, slot));
            }
        }
        Ok(())
    }

    /// Settles a slot. Settling one again changes nothing; only an unmeasured one is replaced.
    pub fn insert(&mut self, slot: Slot) -> Inserted {
        let number = chunk_of(slot.index);
        let mut slots = self.slots_of(number);
        let inserted = match slots.binary_search_by_key(&slot.index, |old| old.index) {
            Ok(at) if slots[at].state == SlotState::Unmeasured && slot.state != SlotState::Unmeasured => {
                slots[at] = slot;
                Inserted::Replaced
            }
            Ok(_) => return Inserted::Unchanged,
            Err(at) => {
                slots.insert(at, slot);
                Inserted::New
            }
        };
        let chunk = Chunk { totals: self.sum(&slots), bytes: chunk::encode(&slots) };
        self.chunks.insert(number, chunk);
        self.newest = self.newest.max(Some(slot.index));
        inserted
    }

    /// The packed bytes of a chunk, for the store.
    pub fn chunk_bytes(&self, number: i64) -> Option<&[u8]> {
        self.chunks.get(&number).map(|chunk| chunk.bytes.as_slice())
    }

    /// Forgets slots that start before `start` (Unix seconds), by whole chunks.
    pub fn forget_before(&mut self, start: i64) {
        let first = chunk_of(start.div_euclid(i64::from(self.every)));
        self.chunks = self.chunks.split_off(&first);
        self.older = self.older.split_off(&start);
    }

    /// Forgets slots behind number `last`: the clock had been ahead. Answers the chunks that changed.
    pub fn forget_after(&mut self, last: i64) -> Vec<i64> {
        let mut changed = Vec::new();
        for number in self.chunks.range(chunk_of(last)..).map(|(number, _)| *number).collect::<Vec<_>>() {
            let mut slots = self.slots_of(number);
            let before = slots.len();
            slots.retain(|slot| slot.index <= last);
            if slots.len() < before {
                changed.push(number);
                self.chunks.insert(number, Chunk { totals: self.sum(&slots), bytes: chunk::encode(&slots) });
            }
        }
        let newest = self.back_from(last).next().map(|slot| slot.index);
        self.newest = newest;
        changed
    }

    /// The same slots in a ledger for slots of another length, or counted otherwise.
    #[must_use]
    pub fn for_other(self, spec: &SloSpec) -> Self {
        let mut ledger = Self::for_slo(spec);
        ledger.older = self.older;
        for (number, chunk) in self.chunks {
            // What is in here was encoded or decoded once already.
            drop(ledger.load(self.every, number, chunk.bytes));
        }
        ledger
    }

    /// One slot.
    pub fn get(&self, index: i64) -> Option<Slot> {
        let slots = self.slots_of(chunk_of(index));
        slots.binary_search_by_key(&index, |slot| slot.index).ok().map(|at| slots[at])
    }

    /// Sums of the slots numbered `[from, to)`, and of older ones of another length that start in the same time.
    pub fn totals(&self, from: i64, to: i64) -> Totals {
        let mut sums = Totals::default();
        if from >= to {
            return sums;
        }
        let seconds = i64::from(self.every);
        for (number, chunk) in self.chunks.range(chunk_of(from)..=chunk_of(to - 1)) {
            if from <= number * SLOTS && (number + 1) * SLOTS <= to {
                sums.add(&chunk.totals);
            } else {
                for slot in self.slots_of(*number) {
                    if (from..to).contains(&slot.index) {
                        sums.add_slot(&slot, seconds, self.counting);
                    }
                }
            }
        }
        for (_, (length, slot)) in self.older.range(from * seconds..to * seconds) {
            sums.add_slot(slot, i64::from(*length), self.counting);
        }
        sums
    }

    /// Slots that start within `span`, in order, with their lengths.
    pub fn slots(&self, span: Span) -> Vec<(Span, Slot)> {
        let seconds = i64::from(self.every);
        let (from, to) = (span.start.div_euclid(seconds), (span.end - 1).div_euclid(seconds));
        let mut found: Vec<(Span, Slot)> = self
            .older
            .range(span.start..span.end.max(span.start))
            .map(|(start, (length, slot))| (Span { start: *start, end: start + i64::from(*length) }, *slot))
            .collect();
        if from <= to {
            for (number, _) in self.chunks.range(chunk_of(from)..=chunk_of(to)) {
                let inside = |slot: &Slot| (span.start..span.end).contains(&(slot.index * seconds));
                let slots = self.slots_of(*number).into_iter().filter(inside);
                found.extend(slots.map(|slot| (Span::slot(slot.index, self.every), slot)));
            }
        }
        found.sort_by_key(|(span, _)| span.start);
        found
    }

    /// Settled slots from number `from` backwards, the newest first. Missing numbers are passed over.
    pub fn back_from(&self, from: i64) -> impl Iterator<Item = Slot> + '_ {
        self.chunks
            .range(..=chunk_of(from))
            .rev()
            .flat_map(|(number, _)| self.slots_of(*number).into_iter().rev())
            .skip_while(move |slot| slot.index > from)
    }

    fn slots_of(&self, number: i64) -> Vec<Slot> {
        // What is in here was encoded or decoded once already.
        self.chunks.get(&number).map_or_else(Vec::new, |chunk| chunk::decode(number, &chunk.bytes).unwrap_or_default())
    }

    fn sum(&self, slots: &[Slot]) -> Totals {
        let mut totals = Totals::default();
        for slot in slots {
            totals.add_slot(slot, i64::from(self.every), self.counting);
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::slot::{Gap, Reading};

    fn reading(kind: u8) -> Reading {
        match kind {
            0 => Reading::Unmeasured(Gap::NoData),
            1 => Reading::Empty,
            n => Reading::events(f64::from(n), f64::from(n) + 1.0, None),
        }
    }

    proptest! {
        #[test]
        fn any_order_of_settling_gives_the_same_ledger(
            slots in prop::collection::btree_map(-600_i64..600, 0_u8..9, 1..80),
            order in any::<u64>(), from in -700_i64..700, length in 0_i64..900,
        ) {
            let mut straight = Ledger::new(60);
            let mut mixed = Ledger::new(60);
            let mut slots: Vec<_> = slots.into_iter().collect();
            for (index, kind) in &slots {
                straight.insert(Slot::settled(*index, &reading(*kind)));
            }
            slots.sort_by_key(|(index, _)| (*index as u64).wrapping_mul(order | 1).rotate_left(17));
            for (index, kind) in &slots {
                // first a gap, then the answer, then the answer again
                mixed.insert(Slot::settled(*index, &Reading::Unmeasured(Gap::NotAsked)));
                mixed.insert(Slot::settled(*index, &reading(*kind)));
                prop_assert_eq!(mixed.insert(Slot::settled(*index, &reading(7))), if *kind == 0 { Inserted::Replaced } else { Inserted::Unchanged });
                if *kind == 0 { straight.insert(Slot::settled(*index, &reading(7))); }
            }
            prop_assert_eq!(straight.newest(), mixed.newest());
            prop_assert_eq!(straight.totals(from, from + length), mixed.totals(from, from + length));
            let by_slot = straight.slots(Span { start: from * 60, end: (from + length) * 60 });
            let total: f64 = by_slot.iter().map(|(_, slot)| slot.total).sum();
            prop_assert!((total - mixed.totals(from, from + length).total).abs() < 1e-9);
        }
    }

    #[test]
    fn slots_of_another_length_still_count_by_their_time() {
        let mut before = Ledger::new(300);
        before.insert(Slot::settled(10, &Reading::events(1.0, 1.0, None))); // 3000..3300
        let mut now = Ledger::new(60);
        now.load(300, 0, before.chunk_bytes(0).expect("packed").to_vec()).expect("sound");
        now.insert(Slot::settled(55, &Reading::events(0.0, 2.0, None))); // 3300..3360
        let sums = now.totals(50, 56);
        assert_eq!((sums.good, sums.total, sums.known_seconds), (1.0, 3.0, 360));
        assert_eq!(now.slots(Span { start: 3000, end: 3360 }).len(), 2);
    }
}
