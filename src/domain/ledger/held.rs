//! What is at hand of single chunks.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{Counting, counts::ChunkSums};
use crate::domain::{chunk::Encoder, slot::Slot};

/// A chunk that slots are added to.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub sums: ChunkSums,
    pub encoder: Encoder,
    pub last: i64,
}

impl Open {
    pub fn new(number: i32) -> Self {
        Self { sums: ChunkSums::new(number), encoder: Encoder::new(i64::from(number)), last: i64::MIN }
    }

    pub fn of(number: i32, slots: &[Slot], counting: Counting) -> Self {
        let mut open = Self::new(number);
        for slot in slots {
            open.push(slot, counting);
        }
        open
    }

    pub fn push(&mut self, slot: &Slot, counting: Counting) {
        self.encoder.push(slot);
        self.sums.add(slot, counting);
        self.last = slot.index;
    }
}

/// The bytes of a chunk that are at hand.
#[derive(Debug)]
pub(super) struct Packed {
    pub number: i32,
    pub bytes: Box<[u8]>,
    /// Read since the last eviction.
    touched: AtomicBool,
}

impl Packed {
    pub fn new(number: i32, bytes: Vec<u8>) -> Self {
        Self { number, bytes: bytes.into_boxed_slice(), touched: AtomicBool::new(true) }
    }

    /// It is read.
    pub fn touch(&self) {
        self.touched.store(true, Relaxed);
    }

    /// Whether it was read since it was last asked.
    pub fn was_touched(&mut self) -> bool {
        std::mem::take(self.touched.get_mut())
    }
}

impl Clone for Packed {
    fn clone(&self) -> Self {
        Self { number: self.number, bytes: self.bytes.clone(), touched: AtomicBool::new(self.touched.load(Relaxed)) }
    }
}

/// What is at hand of a chunk.
pub(super) enum Place<'a> {
    Here(&'a [u8]),
    Nothing,
    Evicted,
}
