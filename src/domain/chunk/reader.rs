//! Unpacks slots one behind the other.

use super::{
    ABSENT, BAD_FOLLOWS, ChunkError, EMPTY, END, EXCLUDED, FRACTION, SAME, SHOWN_NONE, SLOTS, UNMEASURED, VERSION,
    VERSION_1, WHOLE, take, take_f64, take_varint, unzigzag,
};
use crate::domain::slot::{Slot, SlotState};

/// A place in a chunk from which reading can go on, also if the chunk is still being written.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The next token, or the one whose run is not used up.
    at: u32,
    used: u8,
    /// Slots read or passed over.
    passed: u8,
    ended: bool,
    first: i64,
    total: i64,
    bad: Option<u64>,
}

impl Reader {
    /// At the beginning.
    pub fn new(chunk: i64) -> Self {
        Self { at: 1, used: 0, passed: 0, ended: false, first: chunk.saturating_mul(SLOTS), total: 0, bad: None }
    }

    /// The next slot, without its shown value; none at the end of what is written. `bytes` are those of before, maybe
    /// with more behind.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Option<Slot>, &'static str> {
        let version = *bytes.first().ok_or("cut off")?;
        loop {
            let at = self.at as usize;
            let Some(&token) = bytes.get(at) else { return Ok(None) };
            let (kind, high) = (token & 7, token >> 3);
            match kind {
                END => {
                    self.ended = true;
                    return Ok(None);
                }
                WHOLE => return self.whole(version, bytes, high).map(Some),
                FRACTION => return self.fraction(bytes).map(Some),
                _ => {}
            }
            if self.used > high {
                if bytes.len() == at + 1 {
                    // The run may still grow.
                    return Ok(None);
                }
                self.at += 1;
                self.used = 0;
                continue;
            }
            if kind == ABSENT {
                let more = high + 1 - self.used;
                self.used += more;
                self.pass(more)?;
                continue;
            }
            self.used += 1;
            let (good, total) = match (kind, self.bad) {
                (SAME, Some(bad)) => (self.total as f64 - bad as f64, self.total as f64),
                (SAME, None) => return Err("repeats nothing"),
                _ => (0.0, 0.0),
            };
            let state = match kind {
                UNMEASURED => SlotState::Unmeasured,
                EMPTY => SlotState::Empty,
                EXCLUDED => SlotState::Excluded,
                _ => SlotState::Measured,
            };
            let index = self.pass(1)?;
            return Ok(Some(Slot { index, state, good, total, shown: None }));
        }
    }

    /// The number of the slot that comes next, if it is there.
    pub fn index(&self) -> i64 {
        self.first.saturating_add(i64::from(self.passed))
    }

    /// Goes over slots; answers the number of the first.
    fn pass(&mut self, slots: u8) -> Result<i64, &'static str> {
        let passed = u16::from(self.passed) + u16::from(slots);
        if passed > SLOTS as u16 {
            return Err("too many slots");
        }
        let index = self.index();
        self.passed = passed as u8;
        Ok(index)
    }

    fn whole(&mut self, version: u8, bytes: &[u8], high: u8) -> Result<Slot, &'static str> {
        let mut rest = bytes.get(self.at as usize + 1..).unwrap_or_default();
        let step = take_varint(&mut rest).ok_or("cut off")?;
        let bad = if version == VERSION_1 || high == BAD_FOLLOWS {
            take_varint(&mut rest).ok_or("cut off")?
        } else {
            u64::from(high)
        };
        self.total = self.total.checked_add(unzigzag(step)).ok_or("count out of range")?;
        self.bad = Some(bad);
        let (good, total) = (self.total as f64 - bad as f64, self.total as f64);
        self.measured(bytes, rest, good, total)
    }

    fn fraction(&mut self, bytes: &[u8]) -> Result<Slot, &'static str> {
        let mut rest = bytes.get(self.at as usize + 1..).unwrap_or_default();
        let good = take_f64(&mut rest).ok_or("cut off")?;
        let total = take_f64(&mut rest).ok_or("cut off")?;
        self.measured(bytes, rest, good, total)
    }

    fn measured(&mut self, bytes: &[u8], rest: &[u8], good: f64, total: f64) -> Result<Slot, &'static str> {
        let index = self.pass(1)?;
        self.at = u32::try_from(bytes.len() - rest.len()).map_err(|_| "too long")?;
        self.used = 0;
        Ok(Slot { index, state: SlotState::Measured, good, total, shown: None })
    }
}

/// Unpacks chunk number `chunk`. Never panics, whatever the bytes.
pub fn decode(chunk: i64, bytes: &[u8]) -> Result<Vec<Slot>, ChunkError> {
    read(chunk, bytes).map_err(|why| ChunkError { chunk, why })
}

fn read(chunk: i64, bytes: &[u8]) -> Result<Vec<Slot>, &'static str> {
    let version = bytes.first().copied().filter(|version| [VERSION_1, VERSION].contains(version));
    let version = version.ok_or("unknown version")?;
    chunk.checked_mul(SLOTS).and_then(|first| first.checked_add(SLOTS)).ok_or("number out of range")?;
    let mut reader = Reader::new(chunk);
    let mut slots = Vec::with_capacity(SLOTS as usize);
    while let Some(slot) = reader.next(bytes)? {
        slots.push(slot);
    }
    if !reader.ended {
        return Err("cut off");
    }
    let mut rest = bytes.get(reader.at as usize + 1..).unwrap_or_default();
    if !rest.is_empty() {
        let mut before = 0;
        for slot in slots.iter_mut().filter(|slot| slot.state == SlotState::Measured) {
            let shown = if version == VERSION_1 { take_f64(&mut rest) } else { shown(&mut rest, &mut before)? };
            slot.shown = shown.filter(|shown| shown.is_finite());
            if version == VERSION_1 && shown.is_none() {
                return Err("cut off");
            }
        }
    }
    Ok(slots)
}

fn shown(rest: &mut &[u8], before: &mut u64) -> Result<Option<f64>, &'static str> {
    let token = take(rest).ok_or("cut off")?;
    if token == SHOWN_NONE {
        return Ok(None);
    }
    let (leading, trailing) = (usize::from(token >> 4), usize::from(token & 15));
    let length = 8_usize.checked_sub(leading + trailing).ok_or("no shown value")?;
    let (middle, behind) = rest.split_at_checked(length).ok_or("cut off")?;
    *rest = behind;
    let mut differs = [0; 8];
    differs[leading..leading + length].copy_from_slice(middle);
    *before ^= u64::from_be_bytes(differs);
    Ok(Some(f64::from_bits(*before)))
}
