//! Single slots and stretches of them, unpacked when they are asked for.

use super::{Counts, held::Place, track::Track};
use crate::domain::{
    chunk::{self, Reader, SLOTS, chunk_of},
    slot::Slot,
};

/// Chunks that are wanted together with the one that a look back has met evicted.
const BEYOND: usize = 3;

/// The bytes are not at hand.
pub(super) struct Evicted;

impl Track {
    pub fn get(&self, index: i64) -> Option<Slot> {
        if self.tail.first().is_some_and(|first| first.index <= index) {
            return self.tail.iter().rev().find(|slot| slot.index == index).copied();
        }
        let slots = self.slots_of(chunk_of(index)).unwrap_or_default();
        slots.binary_search_by_key(&index, |slot| slot.index).ok().map(|at| slots[at])
    }

    /// The slots of a chunk. A miss is noted.
    pub fn slots_of(&self, number: i64) -> Result<Vec<Slot>, Evicted> {
        let opened = [&self.head, &self.filling].into_iter().flatten();
        if let Some(open) = opened.into_iter().find(|open| i64::from(open.sums.number) == number) {
            return Ok(chunk::decode(number, &open.encoder.finish()).unwrap_or_default());
        }
        match self.place(number) {
            // What is in here was encoded or decoded once already.
            Place::Here(bytes) => Ok(chunk::decode(number, bytes).unwrap_or_default()),
            Place::Nothing => Ok(Vec::new()),
            Place::Evicted => {
                self.miss(number);
                Err(Evicted)
            }
        }
    }

    /// Slots numbered `[from, to)`, in order.
    pub fn slots(&self, from: i64, to: i64) -> Vec<Slot> {
        let mut found = Vec::new();
        if from < to {
            let within = chunk_of(from)..=chunk_of(to - 1);
            for number in self.numbers().filter(|number| within.contains(number)) {
                let slots = self.slots_of(number).unwrap_or_default();
                found.extend(slots.into_iter().filter(|slot| (from..to).contains(&slot.index)));
            }
        }
        found
    }

    /// Slots from number `from` backwards, the newest first. Ends early at what is not at hand.
    pub fn back_from(&self, from: i64) -> impl Iterator<Item = Slot> + '_ {
        let near = self.tail.iter().rev().copied().skip_while(move |slot| slot.index > from);
        let before = self.tail.first().map_or(from, |first| from.min(first.index - 1));
        near.chain(self.far_back_from(before))
    }

    fn far_back_from(&self, from: i64) -> impl Iterator<Item = Slot> + '_ {
        let head =
            self.head.as_ref().map(|head| i64::from(head.sums.number)).filter(|number| *number <= chunk_of(from));
        let behind = self.closed.partition_point(|sums| i64::from(sums.number) <= chunk_of(from));
        let closed = self.closed[..behind].iter().rev().map(|sums| i64::from(sums.number));
        // A look back goes on: each chunk on its way would be a question to the store.
        let beyond = move |number: i64| {
            let before = self.closed.partition_point(|sums| i64::from(sums.number) < number);
            let older = self.closed[..before].iter().rev().map(|sums| i64::from(sums.number)).take(BEYOND);
            older.filter(|older| self.is_evicted(*older)).for_each(|older| self.miss(older));
        };
        head.into_iter()
            .chain(closed)
            .map_while(move |number| self.slots_of(number).inspect_err(|_| beyond(number)).ok())
            .flat_map(|slots| slots.into_iter().rev())
            .skip_while(move |slot| slot.index > from)
    }

    /// Sums of the slots numbered `[from, to)`, wherever they lie.
    pub fn plain_sums(&self, from: i64, to: i64) -> Counts {
        let mut sums = Counts::default();
        let within = chunk_of(from)..=chunk_of(to - 1);
        let first = self.closed.partition_point(|sums| i64::from(sums.number) < *within.start());
        let chunks = self.closed[first..].iter().chain(self.head.as_ref().map(|head| &head.sums));
        for chunk in chunks.take_while(|chunk| i64::from(chunk.number) <= *within.end()) {
            let number = i64::from(chunk.number);
            if from <= number * SLOTS && (number + 1) * SLOTS <= to {
                sums.add(&chunk.counts());
                continue;
            }
            let Place::Here(bytes) = self.place(number) else {
                self.miss(number);
                continue;
            };
            let mut reader = Reader::new(number);
            while let Ok(Some(slot)) = reader.next(bytes) {
                if (from..to).contains(&slot.index) {
                    sums.add_slot(&slot, self.counting);
                }
            }
        }
        sums
    }

    /// The chunks there are, in order.
    pub fn numbers(&self) -> impl Iterator<Item = i64> + '_ {
        self.closed
            .iter()
            .map(|sums| i64::from(sums.number))
            .chain(self.head.as_ref().map(|head| i64::from(head.sums.number)))
    }

    /// Evicted chunks at the beginnings of the windows that are asked for, once `ahead` more slots are there.
    pub fn wanted(&self, ahead: i64, wanted: &mut Vec<i64>) {
        for cursor in self.cursors.lock().iter() {
            let from = cursor.from.saturating_add(ahead);
            let number = chunk_of(from);
            if from != number * SLOTS && self.is_evicted(number) && !wanted.contains(&number) {
                wanted.push(number);
            }
        }
    }
}
