//! Packs slots one behind the other.

use super::{
    ABSENT, BAD_FOLLOWS, EMPTY, END, EXCLUDED, FRACTION, RUN_MAX, SAME, SHOWN_NONE, SLOTS, UNMEASURED, VERSION, WHOLE,
    is_whole, put_varint, zigzag,
};
use crate::domain::slot::{Slot, SlotState};

/// A chunk that is being written: each slot costs the same, however many there are.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Version and tokens, without the end.
    tokens: Vec<u8>,
    /// Shown values; nothing as long as none was seen.
    shown: Vec<u8>,
    shown_before: u64,
    measured: u8,
    next: i64,
    /// Kind and length of the run that ends the tokens, if one does.
    run: Option<(u8, u8)>,
    total_before: i64,
    bad_before: Option<u64>,
}

impl Encoder {
    /// An empty chunk.
    pub fn new(chunk: i64) -> Self {
        Self {
            tokens: vec![VERSION],
            shown: Vec::new(),
            shown_before: 0,
            measured: 0,
            next: chunk.saturating_mul(SLOTS),
            run: None,
            total_before: 0,
            bad_before: None,
        }
    }

    /// Adds a slot of this chunk that lies behind all before it.
    pub fn push(&mut self, slot: &Slot) {
        debug_assert!(slot.index >= self.next, "slots come in order");
        while self.next < slot.index {
            self.lengthen(ABSENT);
            self.next += 1;
        }
        self.next = slot.index + 1;
        match slot.state {
            SlotState::Unmeasured => self.lengthen(UNMEASURED),
            SlotState::Empty => self.lengthen(EMPTY),
            SlotState::Excluded => self.lengthen(EXCLUDED),
            SlotState::Measured => {
                self.measured(slot);
                self.show(slot.shown);
            }
        }
    }

    /// What [`super::Reader`] reads while the chunk is being written.
    pub fn tokens(&self) -> &[u8] {
        &self.tokens
    }

    /// The chunk as it is stored.
    pub fn finish(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.tokens.len() + 1 + self.shown.len());
        bytes.extend_from_slice(&self.tokens);
        bytes.push(END);
        bytes.extend_from_slice(&self.shown);
        bytes
    }

    fn measured(&mut self, slot: &Slot) {
        let bad = slot.bad();
        if !is_whole(slot.total) || !is_whole(bad) {
            self.run = None;
            self.tokens.push(FRACTION);
            self.tokens.extend_from_slice(&slot.good.to_le_bytes());
            self.tokens.extend_from_slice(&slot.total.to_le_bytes());
            return;
        }
        let (total, bad) = (slot.total as i64, bad as u64);
        if self.bad_before == Some(bad) && self.total_before == total {
            self.lengthen(SAME);
            return;
        }
        self.run = None;
        let few = u8::try_from(bad).ok().filter(|few| *few < BAD_FOLLOWS);
        self.tokens.push(WHOLE | few.unwrap_or(BAD_FOLLOWS) << 3);
        put_varint(&mut self.tokens, zigzag(total - self.total_before));
        if few.is_none() {
            put_varint(&mut self.tokens, bad);
        }
        (self.total_before, self.bad_before) = (total, Some(bad));
    }

    /// One more slot of a kind that needs no numbers.
    fn lengthen(&mut self, kind: u8) {
        match (&mut self.run, self.tokens.last_mut()) {
            (Some((same, count)), Some(token)) if *same == kind && *count < RUN_MAX => {
                *count += 1;
                *token = kind | (*count - 1) << 3;
            }
            _ => {
                self.run = Some((kind, 1));
                self.tokens.push(kind);
            }
        }
    }

    fn show(&mut self, shown: Option<f64>) {
        let before = self.measured;
        self.measured += 1;
        let Some(value) = shown else {
            if !self.shown.is_empty() {
                self.shown.push(SHOWN_NONE);
            }
            return;
        };
        if self.shown.is_empty() {
            self.shown.extend((0..before).map(|_| SHOWN_NONE));
        }
        let differs = (value.to_bits() ^ self.shown_before).to_be_bytes();
        self.shown_before = value.to_bits();
        let leading = differs.iter().take_while(|byte| **byte == 0).count();
        let trailing = differs[leading..].iter().rev().take_while(|byte| **byte == 0).count();
        self.shown.push((leading << 4 | trailing) as u8);
        self.shown.extend_from_slice(&differs[leading..differs.len() - trailing]);
    }
}
