//! The packing of slots: [`SLOTS`] consecutive slots of one series in a few bytes each.
//!
//! A month of minutes of ten thousand series must fit into 1.5 GB, so a slot costs its own news only: runs of
//! equal slots cost one byte together, a slot of whole counts costs the difference of its total to the one before
//! and its bad events, both as variable-length integers.
//!
//! Layout: version (1 byte), then tokens. A token's low 3 bits are its kind, its high 5 bits the run length − 1.
//! After the tokens, if any slot has a shown value: one little-endian `f64` for each measured slot, NaN for none.

use super::slot::{Slot, SlotState};

/// Slots in a chunk.
pub const SLOTS: i64 = 240;

const VERSION: u8 = 1;
const ABSENT: u8 = 0;
const UNMEASURED: u8 = 1;
const EMPTY: u8 = 2;
const EXCLUDED: u8 = 3;
const SAME: u8 = 4;
const WHOLE: u8 = 5;
const FRACTION: u8 = 6;
const END: u8 = 7;
const RUN_MAX: usize = 32;
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
    let mut bytes = vec![VERSION];
    let Some(first) = slots.first() else {
        bytes.push(END);
        return bytes;
    };
    let mut next = chunk_of(first.index) * SLOTS;
    let (mut total_before, mut bad_before) = (0_i64, None);
    let mut run: Option<(u8, usize)> = None;
    let mut push = |bytes: &mut Vec<u8>, kind: u8, payload: &[u8]| {
        if payload.is_empty() && kind < WHOLE {
            match &mut run {
                Some((same, count)) if *same == kind && *count < RUN_MAX => {
                    *count += 1;
                    let last = bytes.len() - 1;
                    bytes[last] = kind | ((*count as u8 - 1) << 3);
                    return;
                }
                _ => run = Some((kind, 1)),
            }
        } else {
            run = None;
        }
        bytes.push(kind);
        bytes.extend_from_slice(payload);
    };
    for slot in slots {
        while next < slot.index {
            push(&mut bytes, ABSENT, &[]);
            next += 1;
        }
        next += 1;
        match slot.state {
            SlotState::Unmeasured => push(&mut bytes, UNMEASURED, &[]),
            SlotState::Empty => push(&mut bytes, EMPTY, &[]),
            SlotState::Excluded => push(&mut bytes, EXCLUDED, &[]),
            SlotState::Measured => {
                let bad = slot.bad();
                if is_whole(slot.total) && is_whole(bad) {
                    let (total, bad) = (slot.total as i64, bad as u64);
                    if bad_before == Some(bad) && total_before == total {
                        push(&mut bytes, SAME, &[]);
                    } else {
                        let mut payload = Vec::with_capacity(6);
                        put_varint(&mut payload, zigzag(total - total_before));
                        put_varint(&mut payload, bad);
                        push(&mut bytes, WHOLE, &payload);
                        (total_before, bad_before) = (total, Some(bad));
                    }
                } else {
                    let mut payload = [0; 16];
                    payload[..8].copy_from_slice(&slot.good.to_le_bytes());
                    payload[8..].copy_from_slice(&slot.total.to_le_bytes());
                    push(&mut bytes, FRACTION, &payload);
                }
            }
        }
    }
    bytes.push(END);
    if slots.iter().any(|slot| slot.shown.is_some()) {
        for slot in slots.iter().filter(|slot| slot.state == SlotState::Measured) {
            bytes.extend_from_slice(&slot.shown.unwrap_or(f64::NAN).to_le_bytes());
        }
    }
    bytes
}

/// Unpacks chunk number `chunk`. Never panics, whatever the bytes.
pub fn decode(chunk: i64, bytes: &[u8]) -> Result<Vec<Slot>, ChunkError> {
    let fail = |why| ChunkError { chunk, why };
    let mut at = bytes;
    if take(&mut at) != Some(VERSION) {
        return Err(fail("unknown version"));
    }
    let mut slots = Vec::with_capacity(SLOTS as usize);
    let mut index = chunk.checked_mul(SLOTS).ok_or_else(|| fail("number out of range"))?;
    let end = index + SLOTS;
    let (mut total, mut bad) = (0_i64, None);
    loop {
        let token = take(&mut at).ok_or_else(|| fail("cut off"))?;
        let (kind, run) = (token & 7, i64::from(token >> 3) + 1);
        if kind == END {
            break;
        }
        if index + run > end {
            return Err(fail("too many slots"));
        }
        let plain = |index, state| Slot { index, state, good: 0.0, total: 0.0, shown: None };
        let measured =
            |index, good: f64, total: f64| Slot { index, state: SlotState::Measured, good, total, shown: None };
        for _ in 0..run {
            match kind {
                ABSENT => {}
                UNMEASURED => slots.push(plain(index, SlotState::Unmeasured)),
                EMPTY => slots.push(plain(index, SlotState::Empty)),
                EXCLUDED => slots.push(plain(index, SlotState::Excluded)),
                SAME => {
                    let bad: u64 = bad.ok_or_else(|| fail("repeats nothing"))?;
                    slots.push(measured(index, total as f64 - bad as f64, total as f64));
                }
                WHOLE => {
                    let step = take_varint(&mut at).ok_or_else(|| fail("cut off"))?;
                    total = total.checked_add(unzigzag(step)).ok_or_else(|| fail("count out of range"))?;
                    let events = take_varint(&mut at).ok_or_else(|| fail("cut off"))?;
                    bad = Some(events);
                    slots.push(measured(index, total as f64 - events as f64, total as f64));
                }
                _ => {
                    let good = take_f64(&mut at).ok_or_else(|| fail("cut off"))?;
                    let all = take_f64(&mut at).ok_or_else(|| fail("cut off"))?;
                    slots.push(measured(index, good, all));
                }
            }
            index += 1;
        }
    }
    if !at.is_empty() {
        for slot in slots.iter_mut().filter(|slot| slot.state == SlotState::Measured) {
            let shown = take_f64(&mut at).ok_or_else(|| fail("cut off"))?;
            slot.shown = Some(shown).filter(|shown| shown.is_finite());
        }
    }
    Ok(slots)
}

fn is_whole(count: f64) -> bool {
    count.fract() == 0.0 && (0.0..=WHOLE_MAX).contains(&count)
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(at: &mut &[u8]) -> Option<u8> {
    let (first, rest) = at.split_first()?;
    *at = rest;
    Some(*first)
}

fn take_varint(at: &mut &[u8]) -> Option<u64> {
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

fn take_f64(at: &mut &[u8]) -> Option<f64> {
    let (first, rest) = at.split_first_chunk::<8>()?;
    *at = rest;
    Some(f64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        let one = (0_u8..6, prop_oneof![0_u32..5, 0_u32..1_000_000], 0_u32..20, any::<bool>());
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

    proptest! {
        #[test]
        fn what_was_packed_comes_back(slots in any_slots()) {
            let chunk = slots.first().map_or(0, |slot| chunk_of(slot.index));
            prop_assert_eq!(decode(chunk, &encode(&slots)), Ok(slots));
        }

        #[test]
        fn garbage_is_an_error_or_slots_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(slots) = decode(3, &bytes) {
                prop_assert!(slots.len() <= SLOTS as usize);
            }
        }
    }

    #[test]
    fn quiet_traffic_costs_about_three_bytes_a_slot() {
        let slots: Vec<_> =
            (0..SLOTS).map(|at| slot(at, 4, 6_000.0 + (at * 37 % 100) as f64, (at % 7) as f64)).collect();
        assert!(encode(&slots).len() <= 4 * SLOTS as usize, "{}", encode(&slots).len());
        let probes: Vec<_> = (0..SLOTS).map(|at| slot(at, 4, 1.0, 0.0)).collect();
        assert!(encode(&probes).len() < 16, "{}", encode(&probes).len());
    }
}
