//! The slots of one length: sums of all chunks, the bytes of some.
//!
//! Only the newest chunk is always at hand, as an encoder that takes slot after slot. Of the others the sums are kept,
//! and those bytes that something looks at; what lies in the store may be [evicted](Track::evict). A read that meets an
//! evicted chunk notes it as [missing](Track::missing), and its answer must not be used until that chunk is loaded.

use super::{
    Counting, Inserted,
    counts::ChunkSums,
    cursor::Cursor,
    held::{Open, Packed, Place},
    memo::Memo,
};
use crate::domain::{
    chunk::{self, ChunkError, SLOTS, chunk_of},
    slot::{Slot, SlotState},
};

/// Newest slots that are kept unpacked.
const TAIL: usize = 8;

#[derive(Clone, Debug)]
pub(super) struct Track {
    pub every: u32,
    pub counting: Counting,
    pub newest: Option<i64>,
    /// All chunks from this one on are in here.
    pub since: i64,
    /// Sums of all chunks but `head`, in order.
    pub closed: Vec<ChunkSums>,
    /// In order; `head` and `filling` are not among them.
    pub packed: Vec<Packed>,
    /// The newest chunk, once a slot was added behind all others.
    pub head: Option<Open>,
    /// The older chunk that a slot was last put into.
    pub filling: Option<Open>,
    /// The newest slots, in order, none left out between them.
    pub tail: Vec<Slot>,
    pub cursors: Memo<Vec<Cursor>>,
    /// Goes up whenever anything changes but by a slot behind the newest.
    pub changes: u32,
    /// Whether the sums are other than they were last taken for the store.
    pub unsaved: bool,
    pub missed: Memo<Vec<i64>>,
}

impl Track {
    pub fn new(every: u32, counting: Counting) -> Self {
        Self {
            every,
            counting,
            newest: None,
            since: i64::MIN,
            closed: Vec::new(),
            packed: Vec::new(),
            head: None,
            filling: None,
            tail: Vec::new(),
            cursors: Memo::default(),
            changes: 0,
            unsaved: false,
            missed: Memo::default(),
        }
    }

    pub fn insert(&mut self, slot: Slot) -> Inserted {
        let Ok(number) = i32::try_from(chunk_of(slot.index)) else { return Inserted::Unchanged };
        if self.newest.is_none_or(|newest| slot.index > newest) {
            self.append(number, &slot)
        } else {
            self.fill(number, slot)
        }
    }

    fn append(&mut self, number: i32, slot: &Slot) -> Inserted {
        if self.head.as_ref().is_none_or(|head| head.sums.number != number) {
            let Ok(slots) = self.slots_of(i64::from(number)) else { return Inserted::Evicted };
            self.close();
            self.remove(number);
            self.head = Some(Open::of(number, &slots, self.counting));
            self.change();
        }
        let counting = self.counting;
        if let Some(head) = &mut self.head {
            head.push(slot, counting);
        }
        if self.tail.len() == TAIL {
            self.tail.remove(0);
        } else if self.tail.is_empty() {
            self.tail.reserve_exact(TAIL);
        }
        self.tail.push(*slot);
        self.newest = Some(slot.index);
        Inserted::New
    }

    fn fill(&mut self, number: i32, slot: Slot) -> Inserted {
        if let Some(filling) = self.filling.as_mut().filter(|open| open.sums.number == number && open.last < slot.index)
        {
            filling.push(&slot, self.counting);
            let sums = filling.sums;
            self.put_sums(sums);
            self.tail.clear();
            self.change();
            return Inserted::New;
        }
        let Ok(mut slots) = self.slots_of(i64::from(number)) else { return Inserted::Evicted };
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
        self.put(number, &slots);
        inserted
    }

    /// Puts other slots in the place of a chunk.
    fn put(&mut self, number: i32, slots: &[Slot]) {
        let open = Open::of(number, slots, self.counting);
        self.tail.clear();
        self.change();
        if let Some(head) = self.head.as_mut().filter(|head| head.sums.number == number) {
            *head = open;
            return;
        }
        self.unpack(number);
        if self.filling.as_ref().is_some_and(|filling| filling.sums.number != number) {
            self.pack_filling();
        }
        self.put_sums(open.sums);
        self.filling = Some(open);
    }

    fn change(&mut self) {
        self.changes = self.changes.wrapping_add(1);
        self.unsaved = true;
    }

    /// Puts a stored chunk at hand. Its sums are put right if they were others.
    pub fn load(&mut self, number: i64, bytes: Vec<u8>) -> Result<(), ChunkError> {
        let slots = chunk::decode(number, &bytes)?;
        let place = self.count(number, &slots)?;
        if slots.is_empty() {
            return Ok(());
        }
        if self.newest.is_none_or(|newest| slots.last().is_some_and(|last| last.index > newest)) {
            self.newest = slots.last().map(|last| last.index);
        }
        self.unpack(place);
        let at = self.packed.partition_point(|packed| packed.number < place);
        self.packed.insert(at, Packed::new(place, bytes));
        self.missed.get_mut().retain(|missed| *missed != number);
        Ok(())
    }

    /// Counts a stored chunk whose bytes are not kept.
    pub fn count(&mut self, number: i64, slots: &[Slot]) -> Result<i32, ChunkError> {
        let place = i32::try_from(number).map_err(|_| ChunkError { chunk: number, why: "number out of range" })?;
        for open in [&mut self.head, &mut self.filling] {
            if open.as_ref().is_some_and(|open| open.sums.number == place) {
                *open = None;
            }
        }
        let sums = ChunkSums::of(place, slots, self.counting);
        if slots.is_empty() {
            self.lose(number);
        } else if self.sums_of(place) != Some(&sums) {
            self.put_sums(sums);
            self.tail.clear();
            self.change();
        }
        Ok(place)
    }

    /// Gives up a chunk that cannot be loaded.
    pub fn lose(&mut self, number: i64) {
        self.missed.get_mut().retain(|missed| *missed != number);
        if let Ok(place) = i32::try_from(number)
            && matches!(self.place(number), Place::Evicted)
        {
            self.remove(place);
            self.change();
        }
    }

    /// Forgets whole chunks before this one.
    pub fn forget_before(&mut self, first: i64) {
        self.since = self.since.max(first);
        let kept = self.closed.partition_point(|sums| i64::from(sums.number) < first);
        if kept == 0 {
            return;
        }
        self.closed.drain(..kept);
        self.packed.retain(|packed| i64::from(packed.number) >= first);
        if self.filling.as_ref().is_some_and(|open| i64::from(open.sums.number) < first) {
            self.filling = None;
        }
        self.missed.get_mut().retain(|missed| *missed >= first);
        if self.head.is_none() && self.closed.is_empty() {
            self.newest = None;
        }
        self.tail.retain(|slot| chunk_of(slot.index) >= first);
        self.changes = self.changes.wrapping_add(1);
    }

    /// Forgets slots behind number `last`. Answers the chunks that changed.
    pub fn forget_after(&mut self, last: i64) -> Vec<i64> {
        let mut changed = Vec::new();
        self.close();
        self.tail.clear();
        self.change();
        while let Some(number) = self.closed.last().map(|sums| sums.number) {
            if i64::from(number) > chunk_of(last) {
                changed.push(i64::from(number));
                self.remove(number);
                continue;
            }
            // The shell has loaded it: it knows of the jump before the core does.
            let Ok(mut slots) = self.slots_of(i64::from(number)) else {
                self.newest = Some(last.min((i64::from(number) + 1) * SLOTS - 1));
                break;
            };
            let before = slots.len();
            slots.retain(|slot| slot.index <= last);
            self.newest = slots.last().map(|slot| slot.index);
            if slots.len() < before {
                changed.push(i64::from(number));
                self.put(number, &slots);
            }
            if self.newest.is_some() {
                break;
            }
            self.remove(number);
        }
        if self.closed.is_empty() {
            self.newest = None;
        }
        changed.sort_unstable();
        changed
    }

    /// A chunk as it is to be stored: none if it lies in the store and not here, an empty one if there are no slots.
    pub fn chunk_bytes(&self, number: i64) -> Option<Vec<u8>> {
        let opened = [&self.head, &self.filling].into_iter().flatten();
        if let Some(open) = opened.into_iter().find(|open| i64::from(open.sums.number) == number) {
            return Some(open.encoder.finish());
        }
        match self.place(number) {
            Place::Here(bytes) => Some(bytes.to_vec()),
            Place::Nothing => Some(chunk::encode(&[])),
            Place::Evicted => None,
        }
    }

    pub fn place(&self, number: i64) -> Place<'_> {
        let Ok(number) = i32::try_from(number) else { return Place::Nothing };
        if let Some(open) = [&self.head, &self.filling].into_iter().flatten().find(|open| open.sums.number == number) {
            return Place::Here(open.encoder.tokens());
        }
        if let Ok(at) = self.packed.binary_search_by_key(&number, |packed| packed.number) {
            self.packed[at].touch();
            return Place::Here(&self.packed[at].bytes);
        }
        if self.sums_of(number).is_some() { Place::Evicted } else { Place::Nothing }
    }

    /// Takes note of a read that met an evicted chunk.
    pub fn miss(&self, number: i64) {
        let mut missed = self.missed.lock();
        if !missed.contains(&number) {
            missed.push(number);
        }
    }

    /// Whether a chunk has slots, but not here.
    pub fn is_evicted(&self, number: i64) -> bool {
        let Ok(place) = i32::try_from(number) else { return false };
        let opened = [&self.head, &self.filling].into_iter().flatten().any(|open| open.sums.number == place);
        !opened
            && self.packed.binary_search_by_key(&place, |packed| packed.number).is_err()
            && self.sums_of(place).is_some()
    }

    /// Drops the bytes of what nothing has looked at since the last time. All of it must be in the store.
    pub fn evict(&mut self) {
        self.pack_filling();
        let keep = self.first_kept();
        self.packed.retain_mut(|packed| packed.was_touched() || packed.number >= keep);
        self.packed.shrink_to_fit();
        self.cursors.get_mut().retain_mut(Cursor::stays);
    }

    /// Chunks from here on are kept, looked at or not: two, and back to the newest slot of which anything is known.
    fn first_kept(&self) -> i32 {
        let mut chunks = self.closed.iter().rev();
        let mut keep = chunks.by_ref().take(1).map(|sums| (sums.number, sums.known)).next();
        let known = self.head.as_ref().is_some_and(|head| head.sums.known > 0);
        while let (Some((_, 0)), false) = (keep, known) {
            let Some(sums) = chunks.next() else { break };
            keep = Some((sums.number, sums.known));
        }
        keep.map_or(i32::MIN, |(number, _)| number)
    }

    fn close(&mut self) {
        if let Some(head) = self.head.take() {
            self.put_sums(head.sums);
            self.pack(&head);
            self.change();
        }
    }

    fn pack_filling(&mut self) {
        if let Some(filling) = self.filling.take() {
            self.pack(&filling);
            // A reader may stand in its tokens.
            self.changes = self.changes.wrapping_add(1);
        }
    }

    fn pack(&mut self, open: &Open) {
        let number = open.sums.number;
        let at = self.packed.partition_point(|packed| packed.number < number);
        self.packed.insert(at, Packed::new(number, open.encoder.finish()));
    }

    fn unpack(&mut self, number: i32) {
        if let Ok(at) = self.packed.binary_search_by_key(&number, |packed| packed.number) {
            self.packed.remove(at);
        }
    }

    /// Takes a chunk out of everything but `head`.
    fn remove(&mut self, number: i32) {
        self.unpack(number);
        if self.filling.as_ref().is_some_and(|open| open.sums.number == number) {
            self.filling = None;
        }
        if let Ok(at) = self.closed.binary_search_by_key(&number, |sums| sums.number) {
            self.closed.remove(at);
        }
    }

    pub fn sums_of(&self, number: i32) -> Option<&ChunkSums> {
        self.closed.binary_search_by_key(&number, |sums| sums.number).ok().map(|at| &self.closed[at])
    }

    pub fn put_sums(&mut self, sums: ChunkSums) {
        match self.closed.binary_search_by_key(&sums.number, |old| old.number) {
            Ok(at) => self.closed[at] = sums,
            Err(at) => {
                if self.closed.len() == self.closed.capacity() {
                    // Doubling would waste more than a chunk every few hours is worth.
                    self.closed.reserve_exact(16);
                }
                self.closed.insert(at, sums);
            }
        }
    }
}
