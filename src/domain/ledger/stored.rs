//! Sums of chunks as they are stored, so that a start need not read every chunk.
//!
//! Layout: version (1 byte), how slots are counted (0, or 1 and the slice target's allowed bad share in parts per
//! billion), the chunk that they begin with, how many; then for each its number as the distance to the one before,
//! known, unmeasured and excluded slots, and its counts: 1, all and bad events as integers, or 0, good and all events as
//! numbers. At the end 8 bytes of checksum. Integers are variable-length.

use super::{Counting, StoredSums, counts::ChunkSums, track::Track};
use crate::domain::chunk::{ChunkError, SLOTS, put_varint, take, take_f64, take_varint, unzigzag, zigzag};

const VERSION: u8 = 1;
const CHECKSUM: usize = 8;
/// Without a beginning: everything there ever was.
const ALL: i64 = i64::MIN >> 1;

impl Track {
    /// The sums of all chunks but the newest.
    pub fn stored_sums(&self) -> StoredSums {
        let (chunks, newest) = self.split();
        let mut bytes = vec![VERSION];
        match self.counting {
            Counting::Occurrences => bytes.push(0),
            Counting::Timeslices(target) => {
                bytes.push(1);
                put_varint(&mut bytes, u64::from(target.allowed_ppb()));
            }
        }
        put_varint(&mut bytes, zigzag(self.since.max(ALL)));
        put_varint(&mut bytes, chunks.len() as u64);
        let mut before = 0;
        for sums in chunks {
            put_varint(&mut bytes, zigzag(i64::from(sums.number) - before));
            before = i64::from(sums.number);
            bytes.extend([sums.known, sums.unmeasured, sums.excluded, u8::from(sums.whole)]);
            if sums.whole {
                put_varint(&mut bytes, sums.total as u64);
                put_varint(&mut bytes, (sums.total - sums.good) as u64);
            } else {
                bytes.extend(sums.good.to_le_bytes());
                bytes.extend(sums.total.to_le_bytes());
            }
        }
        let sum = checksum(&bytes);
        bytes.extend(sum.to_le_bytes());
        StoredSums { newest: newest.map(|newest| i64::from(newest.number)), bytes }
    }

    /// Takes in stored sums; the chunks themselves stay in the store. `since` is the first chunk that is wanted.
    pub fn load_sums(&mut self, since: i64, newest: i64, bytes: &[u8]) -> Result<(), ChunkError> {
        let (begin, sums) = read(bytes, self.counting, newest).map_err(|why| ChunkError { chunk: newest, why })?;
        if begin > since {
            return Err(ChunkError { chunk: newest, why: "sums begin too late" });
        }
        self.since = self.since.max(since);
        let wanted = sums.partition_point(|sums| i64::from(sums.number) < since);
        self.closed = sums[wanted..].to_vec();
        Ok(())
    }
}

fn read(bytes: &[u8], counting: Counting, newest: i64) -> Result<(i64, Vec<ChunkSums>), &'static str> {
    let (content, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or("sums are cut off")?;
    if checksum(content) != u64::from_le_bytes(*sum) {
        return Err("checksum of sums is wrong");
    }
    let mut at = content;
    if take(&mut at) != Some(VERSION) {
        return Err("sums of an unknown version");
    }
    let counted = match take(&mut at) {
        Some(0) => None,
        _ => take_varint(&mut at),
    };
    let wanted = match counting {
        Counting::Occurrences => None,
        Counting::Timeslices(target) => Some(u64::from(target.allowed_ppb())),
    };
    if counted != wanted {
        return Err("sums are counted otherwise");
    }
    let begin = unzigzag(take_varint(&mut at).ok_or("sums are cut off")?);
    let count = take_varint(&mut at).ok_or("sums are cut off")?;
    let mut chunks = Vec::with_capacity(usize::try_from(count).unwrap_or_default().min(bytes.len()) + 1);
    let mut before = 0;
    for _ in 0..count {
        let sums = one(&mut at, before).ok_or("sums are cut off")?;
        let last = chunks.last().map(|last: &ChunkSums| last.number);
        if last.is_some_and(|last| last >= sums.number) || i64::from(sums.number) >= newest {
            return Err("sums are out of order");
        }
        if u64::from(sums.known) + u64::from(sums.unmeasured) + u64::from(sums.excluded) > SLOTS as u64 {
            return Err("sums of too many slots");
        }
        before = i64::from(sums.number);
        chunks.push(sums);
    }
    Ok((if begin <= ALL { i64::MIN } else { begin }, chunks))
}

fn one(at: &mut &[u8], before: i64) -> Option<ChunkSums> {
    let number = i32::try_from(before.checked_add(unzigzag(take_varint(at)?))?).ok()?;
    let (known, unmeasured, excluded, whole) = (take(at)?, take(at)?, take(at)?, take(at)? == 1);
    let (good, total) = if whole {
        let (total, bad) = (take_varint(at)?, take_varint(at)?);
        (total as f64 - bad as f64, total as f64)
    } else {
        (take_f64(at)?, take_f64(at)?)
    };
    Some(ChunkSums { good, total, number, known, unmeasured, excluded, whole })
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
