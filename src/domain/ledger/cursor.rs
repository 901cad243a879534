//! Sums over windows that end at the newest slot: each new slot costs the same, however long the window.
//!
//! A window is the rest of the chunk at its beginning, whole chunks, and the newest chunk. The sum of the whole ones is
//! kept and made anew whenever a chunk is closed or anything else changes, so that no error adds up; of the first chunk
//! a reader has passed over what has left the window.

use super::{Counts, held::Place, track::Track};
use crate::domain::chunk::{Reader, SLOTS, chunk_of};

/// More windows than this are not remembered.
const CURSORS_MAX: usize = 24;

/// One window that is asked for again and again.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub from: i64,
    to: i64,
    /// State of the track that `middle`, `reader` and `passed` are of.
    changes: u32,
    /// Whole chunks behind the first and before the newest.
    middle: Counts,
    reader: Reader,
    /// What the reader has passed over in the first chunk.
    passed: Counts,
    /// Asked for since the last eviction.
    touched: bool,
}

impl Cursor {
    fn new(from: i64, to: i64, track: &Track) -> Self {
        let mut cursor = Self {
            from,
            to,
            changes: 0,
            middle: Counts::default(),
            reader: Reader::new(0),
            passed: Counts::default(),
            touched: true,
        };
        cursor.begin(from, track);
        cursor
    }

    /// Whether it was of use; asked once each eviction.
    pub fn stays(&mut self) -> bool {
        std::mem::take(&mut self.touched)
    }

    fn begin(&mut self, from: i64, track: &Track) {
        let first = chunk_of(from);
        self.from = from;
        self.changes = track.changes;
        self.reader = Reader::new(first);
        self.passed = Counts::default();
        self.middle = Counts::default();
        let (chunks, _) = track.split();
        let behind = chunks.partition_point(|sums| i64::from(sums.number) <= first);
        chunks[behind..].iter().for_each(|sums| self.middle.add(&sums.counts()));
    }

    fn sums(&mut self, from: i64, to: i64, track: &Track) -> Counts {
        if self.changes != track.changes || from < self.from || chunk_of(from) != chunk_of(self.from) {
            self.begin(from, track);
        }
        (self.from, self.to, self.touched) = (from, to, true);
        let mut sums = self.first(from, track);
        sums.add(&self.middle);
        if let (_, Some(newest)) = track.split()
            && i64::from(newest.number) > chunk_of(from)
        {
            sums.add(&newest.counts());
        }
        sums
    }

    /// What is left of the first chunk.
    fn first(&mut self, from: i64, track: &Track) -> Counts {
        let number = chunk_of(from);
        let head = track.head.as_ref().map(|head| &head.sums).filter(|sums| i64::from(sums.number) == number);
        let sums = head.or_else(|| track.sums_of(i32::try_from(number).ok()?));
        let Some(sums) = sums else { return Counts::default() };
        if from == number * SLOTS {
            return sums.counts();
        }
        let Place::Here(bytes) = track.place(number) else {
            track.miss(number);
            return Counts::default();
        };
        // What is in here was encoded or decoded once already.
        let mut ahead = self.reader;
        while ahead.index() < from
            && let Ok(Some(slot)) = ahead.next(bytes)
            && slot.index < from
        {
            self.passed.add_slot(&slot, track.counting);
            self.reader = ahead;
        }
        if sums.whole {
            return sums.counts().without(&self.passed);
        }
        let mut left = Counts::default();
        let mut rest = self.reader;
        while let Ok(Some(slot)) = rest.next(bytes) {
            if slot.index >= from {
                left.add_slot(&slot, track.counting);
            }
        }
        left
    }
}

impl Track {
    /// Sums of the slots numbered `[from, to)`.
    pub fn sums(&self, from: i64, to: i64) -> Counts {
        let Some(newest) = self.newest.filter(|newest| from < to && from <= *newest) else { return Counts::default() };
        if to <= newest {
            return self.plain_sums(from, to);
        }
        let mut cursors = self.cursors.lock();
        let same_length = |cursor: &Cursor| cursor.to.saturating_sub(cursor.from) == to.saturating_sub(from);
        let known = cursors.iter().position(same_length);
        let known = known.or_else(|| cursors.iter().position(|cursor| cursor.from == from));
        let at = known.unwrap_or_else(|| {
            if cursors.len() == CURSORS_MAX {
                cursors.remove(0);
            }
            cursors.reserve_exact(1);
            cursors.push(Cursor::new(from, to, self));
            cursors.len() - 1
        });
        cursors[at].sums(from, to, self)
    }

    /// All chunks but the newest, and that one.
    pub fn split(&self) -> (&[super::ChunkSums], Option<&super::ChunkSums>) {
        match (&self.head, self.closed.split_last()) {
            (Some(head), _) => (&self.closed, Some(&head.sums)),
            (None, Some((newest, others))) => (others, Some(newest)),
            (None, None) => (&[], None),
        }
    }
}
