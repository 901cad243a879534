//! The ledger of one series: all its settled slots, filled in any order, summed over any window.
//!
//! Slots are packed in chunks of which the sums are kept: a window over 30 days is about 180 sums and part of a chunk at
//! each end, and from one slot to the next only those parts change. The bytes of old chunks may be left to the store
//! ([`Ledger::evict`]). A read that would have needed one takes note of it: as long as [`Ledger::is_whole`] is false,
//! what was read since is not to be used; load what is [`Ledger::missing`] and read again.

use super::{
    chunk::{self, ChunkError, chunk_of},
    slo::{Budgeting, Objective, SloSpec},
    slot::{Slot, SlotState, Span},
};

mod counts;
mod cursor;
mod held;
mod memo;
#[cfg(test)]
mod oracle;
mod read;
mod stored;
mod track;

use self::{
    counts::{ChunkSums, Counts},
    track::Track,
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

    /// Seconds of settled slots, whatever is known of them.
    pub fn asked_seconds(&self) -> i64 {
        self.known_seconds + self.unmeasured_seconds + self.excluded_seconds
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
    /// Its chunk is not at hand; nothing changed.
    Evicted,
}

/// The sums of a ledger's chunks, for the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSums {
    /// The newest chunk, which is not in the sums; none if there are no slots.
    pub newest: Option<i64>,
    /// The sums of all others, packed.
    pub bytes: Vec<u8>,
}

/// A chunk of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// Length of its slots in seconds.
    pub every: u32,
    /// Its number.
    pub number: i64,
}

/// All settled slots of one series.
#[derive(Clone, Debug)]
pub struct Ledger {
    track: Track,
    /// Slots of other lengths, from before `every` changed.
    older: Vec<Track>,
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
        self.track.every == spec.every && self.track.counting == Counting::of(spec.budgeting)
    }

    fn counting(every: u32, counting: Counting) -> Self {
        Self { track: Track::new(every.max(1), counting), older: Vec::new() }
    }

    /// Slot length in seconds.
    pub fn every(&self) -> u32 {
        self.track.every
    }

    /// Number of the newest settled slot: the watermark.
    pub fn newest(&self) -> Option<i64> {
        self.track.newest
    }

    /// Whether nothing was ever settled, at any slot length.
    pub fn is_empty(&self) -> bool {
        self.track.newest.is_none() && self.older.iter().all(|track| track.newest.is_none())
    }

    /// Takes in a stored chunk, of this slot length or another.
    pub fn load(&mut self, every: u32, number: i64, bytes: Vec<u8>) -> Result<(), ChunkError> {
        self.track_of(every).load(number, bytes)
    }

    /// Counts a stored chunk that stays in the store.
    pub fn count(&mut self, every: u32, number: i64, bytes: &[u8]) -> Result<(), ChunkError> {
        let slots = chunk::decode(number, bytes)?;
        self.track_of(every).count(number, &slots).map(drop)
    }

    /// Takes in stored sums of all chunks but `newest`, which is to be [loaded](Self::load) next. Nothing that ends
    /// before `from` (Unix seconds) is wanted. An error means that all chunks must be [counted](Self::count).
    pub fn load_sums(&mut self, every: u32, newest: i64, from: i64, bytes: &[u8]) -> Result<(), ChunkError> {
        self.track_of(every).load_sums(first_chunk(from, every), newest, bytes)
    }

    /// Chunks that end before `from` (Unix seconds) are not in here.
    pub fn begins_at(&mut self, from: i64) {
        for track in std::iter::once(&mut self.track).chain(&mut self.older) {
            track.since = track.since.max(first_chunk(from, track.every));
        }
    }

    /// The sums for the store, if they have changed since they were last taken.
    pub fn take_sums(&mut self) -> Option<StoredSums> {
        std::mem::take(&mut self.track.unsaved).then(|| self.track.stored_sums())
    }

    /// The sums for the store.
    pub fn sums(&self) -> StoredSums {
        self.track.stored_sums()
    }

    /// The sums for the store, of slots of all lengths.
    pub fn all_sums(&mut self) -> Vec<(u32, StoredSums)> {
        self.track.unsaved = false;
        self.tracks().map(|track| (track.every, track.stored_sums())).collect()
    }

    /// A newest chunk that was [counted](Self::count) and is not loaded: of slots of one length, one after the other.
    pub fn unopened(&self) -> Option<ChunkKey> {
        self.tracks().filter(|track| track.newest.is_none()).find_map(|track| {
            let number = i64::from(track.closed.last()?.number);
            Some(ChunkKey { every: track.every, number })
        })
    }

    /// How many chunks are at hand.
    pub fn resident(&self) -> usize {
        self.tracks().map(|track| track.packed.len()).sum()
    }

    /// Gives up a chunk that the store has lost.
    pub fn lose(&mut self, chunk: ChunkKey) {
        self.track_of(chunk.every).lose(chunk.number);
    }

    /// Whether no read has needed a chunk that is not at hand.
    pub fn is_whole(&self) -> bool {
        self.tracks().all(|track| track.missed.lock().is_empty())
    }

    /// The chunks that reads have needed and that are not at hand.
    pub fn missing(&self) -> Vec<ChunkKey> {
        let of = |track: &Track| {
            let every = track.every;
            let missed = track.missed.lock().clone();
            missed.into_iter().map(move |number| ChunkKey { every, number })
        };
        self.tracks().flat_map(of).collect()
    }

    /// The chunks not at hand that windows will begin in when `ahead` more slots are there. 0 is now.
    pub fn wanted(&self, ahead: i64) -> Vec<ChunkKey> {
        let mut found = Vec::new();
        for track in self.tracks() {
            let seconds = ahead.saturating_mul(i64::from(self.track.every));
            let mut numbers = Vec::new();
            track.wanted(seconds.div_euclid(i64::from(track.every)), &mut numbers);
            found.extend(numbers.into_iter().map(|number| ChunkKey { every: track.every, number }));
        }
        found
    }

    /// The chunk that is needed before a slot is inserted, if it is not at hand.
    pub fn wanted_for(&self, slot: i64) -> Option<ChunkKey> {
        let number = chunk_of(slot);
        self.track.is_evicted(number).then_some(ChunkKey { every: self.track.every, number })
    }

    /// The chunks not at hand that are needed before slots behind number `last` are forgotten.
    pub fn wanted_to_forget_after(&self, last: i64) -> Vec<ChunkKey> {
        let mut numbers: Vec<i64> = self.track.numbers().filter(|number| *number <= chunk_of(last)).collect();
        let near = numbers.split_off(numbers.len().saturating_sub(2));
        let wanted = near.into_iter().filter(|number| self.track.is_evicted(*number));
        wanted.map(|number| ChunkKey { every: self.track.every, number }).collect()
    }

    /// Drops the bytes of old chunks that nothing has read since the last time. All chunks must be in the store.
    pub fn evict(&mut self) {
        self.track.evict();
        self.older.iter_mut().for_each(Track::evict);
    }

    /// Settles a slot. Settling one again changes nothing; only an unmeasured one is replaced.
    pub fn insert(&mut self, slot: Slot) -> Inserted {
        self.track.insert(slot)
    }

    /// A chunk as it is to be stored. None if it is not at hand, and so as it is stored already.
    pub fn chunk_bytes(&self, number: i64) -> Option<Vec<u8>> {
        self.track.chunk_bytes(number)
    }

    /// Forgets slots that start before `start` (Unix seconds), by whole chunks.
    pub fn forget_before(&mut self, start: i64) {
        for track in std::iter::once(&mut self.track).chain(&mut self.older) {
            track.forget_before(first_chunk(start, track.every));
        }
        self.older.retain(|track| track.newest.is_some());
    }

    /// Forgets slots behind number `last`: the clock had been ahead. Answers the chunks that changed.
    pub fn forget_after(&mut self, last: i64) -> Vec<i64> {
        self.track.forget_after(last)
    }

    /// The same slots in a ledger for slots of another length, or counted otherwise. What is not at hand is left out.
    #[must_use]
    pub fn for_other(self, spec: &SloSpec) -> Self {
        let mut ledger = Self::for_slo(spec);
        for track in std::iter::once(&self.track).chain(&self.older) {
            for number in track.numbers() {
                if let Some(bytes) = track.chunk_bytes(number) {
                    // What is in here was encoded or decoded once already.
                    drop(ledger.load(track.every, number, bytes));
                }
            }
        }
        ledger
    }

    /// One slot.
    pub fn get(&self, index: i64) -> Option<Slot> {
        self.track.get(index)
    }

    /// Sums of the slots numbered `[from, to)`, and of older ones of another length that start in the same time.
    pub fn totals(&self, from: i64, to: i64) -> Totals {
        let mut totals = Totals::default();
        if from >= to {
            return totals;
        }
        self.track.sums(from, to).add_to(&mut totals, self.track.every);
        let seconds = i64::from(self.track.every);
        for track in &self.older {
            let (from, to) = starting_within(from * seconds, to * seconds, track.every);
            track.sums(from, to).add_to(&mut totals, track.every);
        }
        totals
    }

    /// Slots that start within `span`, in order, with their lengths.
    pub fn slots(&self, span: Span) -> Vec<(Span, Slot)> {
        let mut found = Vec::new();
        for track in self.tracks() {
            let (from, to) = starting_within(span.start, span.end, track.every);
            found.extend(track.slots(from, to).into_iter().map(|slot| (Span::slot(slot.index, track.every), slot)));
        }
        found.sort_by_key(|(span, _)| span.start);
        found
    }

    /// Settled slots from number `from` backwards, the newest first. Missing numbers are passed over.
    pub fn back_from(&self, from: i64) -> impl Iterator<Item = Slot> + '_ {
        self.track.back_from(from)
    }

    fn tracks(&self) -> impl Iterator<Item = &Track> {
        std::iter::once(&self.track).chain(&self.older)
    }

    fn track_of(&mut self, every: u32) -> &mut Track {
        if every == self.track.every {
            return &mut self.track;
        }
        let at = self.older.iter().position(|track| track.every == every).unwrap_or_else(|| {
            self.older.push(Track::new(every.max(1), self.track.counting));
            self.older.len() - 1
        });
        &mut self.older[at]
    }
}

/// The chunk that holds second `start`.
fn first_chunk(start: i64, every: u32) -> i64 {
    chunk_of(start.div_euclid(i64::from(every.max(1))))
}

/// The numbers of slots that start in the seconds `[from, to)`.
fn starting_within(from: i64, to: i64, every: u32) -> (i64, i64) {
    let number = |second: i64| -(-second).div_euclid(i64::from(every));
    (number(from), number(to))
}
