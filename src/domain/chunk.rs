//! The packing of slots: [`SLOTS`] consecutive slots of one series in a few bytes each.
//!
//! A month of minutes of ten thousand series must fit into 1.5 GB, so a slot costs its own news only: runs of
//! equal slots cost one byte together, a slot of whole counts costs the difference of its total to the one before
//! as a variable-length integer, and a byte for its bad events.
//!
//! Layout: version (1 byte), then tokens. A token's low 3 bits are its kind. Its high 5 bits are the run length − 1;
//! for a slot of whole counts they are its bad events, 31 if these follow as a variable-length integer. After the
//! tokens, if any slot has a shown value, one for each measured slot: a byte that counts the leading (high 4 bits) and
//! trailing (low 4 bits) zero bytes of what differs from the one before, then the bytes between; 255 for none.
//!
//! Version 1 wrote all bad events as integers of their own, and shown values as 8 bytes each; it is still read.

use super::slot::Slot;

mod encoder;
mod reader;

pub use self::{
    encoder::Encoder,
    reader::{Reader, decode},
};

/// Slots in a chunk.
pub const SLOTS: i64 = 240;

const VERSION_1: u8 = 1;
const VERSION: u8 = 2;
const ABSENT: u8 = 0;
const UNMEASURED: u8 = 1;
const EMPTY: u8 = 2;
const EXCLUDED: u8 = 3;
const SAME: u8 = 4;
const WHOLE: u8 = 5;
const FRACTION: u8 = 6;
const END: u8 = 7;
const RUN_MAX: u8 = 32;
/// Bad events that do not fit into a token.
const BAD_FOLLOWS: u8 = 31;
/// No shown value.
const SHOWN_NONE: u8 = 255;
/// Whole numbers up to here survive the way through `f64` and zigzag.
const WHOLE_MAX: f64 = 4_503_599_627_370_496.0;

/// Stored bytes that are not a chunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("chunk {chunk} cannot be read: {why}")]
pub struct ChunkError {
    /// Its number.
    pub chunk: i64,
    /// What is wrong.
    pub why: &'static str,
}

/// The chunk that holds slot `index`.
pub fn chunk_of(index: i64) -> i64 {
    index.div_euclid(SLOTS)
}

/// Packs the slots of one chunk. They are in order, at most one for each number, all of the same chunk.
pub fn encode(slots: &[Slot]) -> Vec<u8> {
    let mut encoder = Encoder::new(slots.first().map_or(0, |slot| chunk_of(slot.index)));
    for slot in slots {
        encoder.push(slot);
    }
    encoder.finish()
}

/// Whether a count is kept as an integer.
pub fn is_whole(count: f64) -> bool {
    count.fract() == 0.0 && (0.0..=WHOLE_MAX).contains(&count)
}

/// Appends an integer, 7 bits a byte, the low ones first.
pub fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes one byte off the front.
pub fn take(at: &mut &[u8]) -> Option<u8> {
    let (first, rest) = at.split_first()?;
    *at = rest;
    Some(*first)
}

/// Takes an integer of [`put_varint`] off the front.
pub fn take_varint(at: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(at)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes a little-endian number off the front.
pub fn take_f64(at: &mut &[u8]) -> Option<f64> {
    let (first, rest) = at.split_first_chunk::<8>()?;
    *at = rest;
    Some(f64::from_le_bytes(*first))
}

/// A signed integer as an unsigned one, small if it is near zero.
pub fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// Undoes [`zigzag`].
pub fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::slot::SlotState;

    fn slot(index: i64, kind: u8, good: f64, bad: f64) -> Slot {
        let state = match kind {
            0 => SlotState::Unmeasured,
            1 => SlotState::Empty,
            2 => SlotState::Excluded,
            _ => SlotState::Measured,
        };
        let (good, total) = if state == SlotState::Measured { (good, good + bad) } else { (0.0, 0.0) };
        let shown = (kind == 5).then_some(good / 3.0);
        Slot { index, state, good, total, shown }
    }

    fn any_slots() -> impl Strategy<Value = Vec<Slot>> {
        let one = (0_u8..6, prop_oneof![0_u32..5, 0_u32..1_000_000], 0_u32..40, any::<bool>());
        (-5_i64..5, prop::collection::btree_map(0_i64..SLOTS, one, 0..SLOTS as usize)).prop_map(|(chunk, slots)| {
            slots
                .into_iter()
                .map(|(at, (kind, good, bad, fraction))| {
                    let good = f64::from(good) + if fraction { 0.25 } else { 0.0 };
                    slot(chunk * SLOTS + at, kind, good, f64::from(bad))
                })
                .collect()
        })
    }

    /// As version 1 packed them.
    fn version_1(slots: &[Slot]) -> Vec<u8> {
        let mut bytes = vec![VERSION_1];
        let mut next = slots.first().map_or(0, |slot| chunk_of(slot.index)) * SLOTS;
        let mut before = 0;
        for slot in slots {
            bytes.extend((next..slot.index).map(|_| ABSENT));
            next = slot.index + 1;
            match slot.state {
                SlotState::Unmeasured => bytes.push(UNMEASURED),
                SlotState::Empty => bytes.push(EMPTY),
                SlotState::Excluded => bytes.push(EXCLUDED),
                SlotState::Measured if is_whole(slot.total) && is_whole(slot.bad()) => {
                    bytes.push(WHOLE);
                    put_varint(&mut bytes, zigzag(slot.total as i64 - before));
                    put_varint(&mut bytes, slot.bad() as u64);
                    before = slot.total as i64;
                }
                SlotState::Measured => {
                    bytes.push(FRACTION);
                    bytes.extend(slot.good.to_le_bytes());
                    bytes.extend(slot.total.to_le_bytes());
                }
            }
        }
        bytes.push(END);
        if slots.iter().any(|slot| slot.shown.is_some()) {
            let measured = slots.iter().filter(|slot| slot.state == SlotState::Measured);
            bytes.extend(measured.flat_map(|slot| slot.shown.unwrap_or(f64::NAN).to_le_bytes()));
        }
        bytes
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(slots in any_slots()) {
            let chunk = slots.first().map_or(0, |slot| chunk_of(slot.index));
            prop_assert_eq!(decode(chunk, &encode(&slots)), Ok(slots));
        }

        #[test]
        fn what_version_1_packed_comes_back(slots in any_slots()) {
            let chunk = slots.first().map_or(0, |slot| chunk_of(slot.index));
            prop_assert_eq!(decode(chunk, &version_1(&slots)), Ok(slots));
        }

        /// A reader that follows an encoder sees what is written behind it, runs that grow included.
        #[test]
        fn a_reader_follows_an_encoder(slots in any_slots(), steps in prop::collection::vec(0_usize..5, 1..60)) {
            let chunk = slots.first().map_or(0, |slot| chunk_of(slot.index));
            let (mut encoder, mut reader) = (Encoder::new(chunk), Reader::new(chunk));
            let (mut written, mut read) = (slots.iter(), Vec::new());
            for steps in steps.into_iter().chain([SLOTS as usize]) {
                written.by_ref().take(steps).for_each(|slot| encoder.push(slot));
                while let Ok(Some(slot)) = reader.next(encoder.tokens()) {
                    read.push(slot);
                }
            }
            let plain: Vec<_> = slots.iter().map(|slot| Slot { shown: None, ..*slot }).collect();
            prop_assert_eq!(read, plain);
        }

        #[test]
        fn garbage_is_an_error_or_slots_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(slots) = decode(3, &bytes) {
                prop_assert!(slots.len() <= SLOTS as usize);
            }
            for version in [VERSION_1, VERSION] {
                drop(decode(3, &[&[version], bytes.as_slice()].concat()));
            }
        }
    }

    #[test]
    fn quiet_traffic_costs_under_three_bytes_a_slot() {
        let slots: Vec<_> =
            (0..SLOTS).map(|at| slot(at, 4, 6_000.0 + (at * 37 % 100) as f64, (at % 7) as f64)).collect();
        assert!(encode(&slots).len() <= 3 * SLOTS as usize, "{}", encode(&slots).len());
        let probes: Vec<_> = (0..SLOTS).map(|at| slot(at, 4, 1.0, 0.0)).collect();
        assert!(encode(&probes).len() < 16, "{}", encode(&probes).len());
        let values: Vec<_> =
            (0..SLOTS).map(|at| Slot { shown: Some((at % 9) as f64), ..slot(at, 4, 1.0, 0.0) }).collect();
        assert!(encode(&values).len() < 4 * SLOTS as usize, "{}", encode(&values).len());
    }
}
