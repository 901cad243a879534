//! A ledger against a plain list of slots, whatever happens to it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::slot::{Gap, Reading};

const EVERY: u32 = 60;
/// Slots of windows that are asked for again and again.
const WINDOWS: [i64; 6] = [1, 5, 60, 250, 480, 1_000];

#[derive(Clone, Debug)]
enum Act {
    /// Slots behind the newest: how many, how far behind, of what kind.
    Append(u16, u16, u8),
    /// A slot so far before the newest.
    Late(i64, u8),
    /// Slots before the newest, one behind the other: how far back, how many.
    Fill(i64, u8, u8),
    /// The newest so many are forgotten.
    Rewind(i64),
    /// All but the newest so many are forgotten.
    Forget(i64),
    Evict,
    /// Read back from the store: with its sums, or with the chunks alone.
    Restart(bool),
    /// All windows, moved back by so much.
    Ask(i64, i64),
}

fn act() -> impl Strategy<Value = Act> {
    let kind = || 0_u8..12;
    prop_oneof![
        6 => (1_u16..120, prop_oneof![4 => Just(1_u16), 1 => 1_u16..600], kind()).prop_map(|(a, b, c)| Act::Append(a, b, c)),
        3 => (0_i64..1_500, kind()).prop_map(|(a, b)| Act::Late(a, b)),
        2 => (0_i64..1_500, 1_u8..60, kind()).prop_map(|(a, b, c)| Act::Fill(a, b, c)),
        1 => (0_i64..700).prop_map(Act::Rewind),
        1 => (300_i64..2_000).prop_map(Act::Forget),
        4 => Just(Act::Evict),
        2 => any::<bool>().prop_map(Act::Restart),
        6 => (prop_oneof![3 => Just(0_i64), 1 => 0_i64..1_200], 0_i64..1_200).prop_map(|(a, b)| Act::Ask(a, b)),
    ]
}

fn slot(index: i64, kind: u8) -> Slot {
    let n = f64::from(u8::try_from(index.rem_euclid(7)).unwrap_or_default());
    let reading = match kind {
        0 => Reading::Unmeasured(Gap::NoData),
        1 => Reading::Empty,
        2 => Reading::Excluded,
        3 => Reading::Charged,
        4 => Reading::events(n / 10.0, n / 3.0 + 0.1, Some(n)),
        5 => Reading::events(n, 1_000.0 + n, Some(n / 3.0)),
        kind => Reading::events(n, n + f64::from(kind % 3) + 1.0, None),
    };
    Slot::settled(index, &reading)
}

/// A ledger, what it should hold, and what the store would.
struct Both {
    ledger: Ledger,
    plain: BTreeMap<i64, Slot>,
    chunks: BTreeMap<i64, Vec<u8>>,
    sums: Option<StoredSums>,
    counting: Counting,
    /// Chunks before this one are forgotten.
    first: i64,
}

impl Both {
    fn new(counting: Counting) -> Self {
        let ledger = Ledger::counting(EVERY, counting);
        Self { ledger, plain: BTreeMap::new(), chunks: BTreeMap::new(), sums: None, counting, first: i64::MIN }
    }

    fn newest(&self) -> i64 {
        self.plain.last_key_value().map_or(0, |(index, _)| *index)
    }

    fn load(&mut self, wanted: Vec<ChunkKey>) {
        for chunk in wanted {
            self.ledger.load(chunk.every, chunk.number, self.chunks[&chunk.number].clone()).expect("sound");
        }
    }

    /// Reads until nothing is missing.
    fn read<T>(&mut self, read: impl Fn(&Ledger) -> T) -> T {
        for _ in 0..1_000 {
            let answer = read(&self.ledger);
            if self.ledger.is_whole() {
                return answer;
            }
            self.load(self.ledger.missing());
        }
        panic!("never whole: {:?}", self.ledger.missing());
    }

    fn save(&mut self, changed: impl IntoIterator<Item = i64>) {
        for number in changed {
            if let Some(bytes) = self.ledger.chunk_bytes(number) {
                self.chunks.insert(number, bytes);
            }
        }
        if let Some(sums) = self.ledger.take_sums() {
            self.sums = Some(sums);
        }
    }

    fn insert(&mut self, slot: Slot) {
        if chunk_of(slot.index) < self.first {
            return;
        }
        self.load(self.ledger.wanted_for(slot.index).into_iter().collect());
        let expected = match self.plain.get(&slot.index) {
            None => Inserted::New,
            Some(old) if old.state == SlotState::Unmeasured && slot.state != SlotState::Unmeasured => {
                Inserted::Replaced
            }
            Some(_) => Inserted::Unchanged,
        };
        assert_eq!(self.ledger.insert(slot), expected, "{slot:?}");
        if expected != Inserted::Unchanged {
            self.plain.insert(slot.index, slot);
            self.save([chunk_of(slot.index)]);
        }
    }

    fn act(&mut self, act: &Act) {
        let newest = self.newest();
        match act {
            Act::Append(count, step, kind) => {
                for number in 1..=i64::from(*count) {
                    let index = newest + number + i64::from(*step) - 1;
                    self.insert(slot(index, kind + u8::from(number % 5 == 0)));
                }
            }
            Act::Late(back, kind) => self.insert(slot(newest - back, *kind)),
            Act::Fill(back, count, kind) => {
                for number in 0..i64::from(*count).min(*back) {
                    self.insert(slot(newest - back + number, *kind));
                }
            }
            Act::Rewind(back) => {
                self.load(self.ledger.wanted_to_forget_after(newest - back));
                let changed = self.ledger.forget_after(newest - back);
                self.plain.split_off(&(newest - back + 1));
                self.save(changed);
            }
            Act::Forget(back) => {
                self.first = self.first.max(chunk_of(newest - back));
                self.ledger.forget_before((newest - back) * i64::from(EVERY));
                self.plain = self.plain.split_off(&(self.first * chunk::SLOTS));
            }
            Act::Evict => self.ledger.evict(),
            Act::Restart(by_sums) => self.ledger = self.stored(*by_sums),
            Act::Ask(back, other) => {
                for window in WINDOWS {
                    self.ask(newest - back - window + 1, newest - back + 1);
                }
                self.ask(newest - back - other, newest - back / 2);
            }
        }
        let last = self.plain.last_key_value().map(|(index, _)| *index);
        assert_eq!(self.ledger.newest(), last, "{act:?}");
    }

    /// What the store would give back.
    fn stored(&self, by_sums: bool) -> Ledger {
        let mut ledger = Ledger::counting(EVERY, self.counting);
        let from = self.first.max(-1_000_000) * chunk::SLOTS * i64::from(EVERY);
        ledger.begins_at(from);
        let wanted = self.chunks.range(self.first..);
        if let (true, Some(StoredSums { newest: Some(newest), bytes })) = (by_sums, &self.sums) {
            ledger.load_sums(EVERY, *newest, from, bytes).expect("sound sums");
            ledger.load(EVERY, *newest, self.chunks[newest].clone()).expect("sound");
        } else {
            for (number, bytes) in wanted {
                ledger.load(EVERY, *number, bytes.clone()).expect("sound");
            }
        }
        ledger
    }

    fn ask(&mut self, from: i64, to: i64) {
        let sums = self.read(|ledger| ledger.totals(from, to));
        let mut expected = Totals::default();
        for slot in self.plain.range(from..to.max(from)).map(|(_, slot)| slot) {
            expected.add_slot(slot, i64::from(EVERY), self.counting);
        }
        let seconds = |sums: &Totals| (sums.known_seconds, sums.unmeasured_seconds, sums.excluded_seconds);
        assert_eq!(seconds(&sums), seconds(&expected), "{from}..{to}");
        for (got, want) in [(sums.good, expected.good), (sums.total, expected.total)] {
            assert!((got - want).abs() < 1e-9 * want.max(1.0), "{from}..{to}: {got}, want {want}");
        }
        assert_eq!(self.stored(false).totals(from, to), sums, "not as a ledger that was read back: {from}..{to}");
        let span = Span { start: from * 60, end: to * 60 };
        let slots: Vec<Slot> = self.read(|ledger| ledger.slots(span)).into_iter().map(|(_, slot)| slot).collect();
        let plain: Vec<Slot> = self.plain.range(from..to.max(from)).map(|(_, slot)| *slot).collect();
        assert!(slots == plain, "slots {from}..{to}");
        let back: Vec<Slot> = self.read(|ledger| ledger.back_from(to).take(700).collect());
        let plain: Vec<Slot> = self.plain.range(..=to).rev().take(700).map(|(_, slot)| *slot).collect();
        assert!(back == plain, "back from {to}");
        for index in [from, to, to - 1] {
            assert_eq!(self.read(|ledger| ledger.get(index)), self.plain.get(&index).copied());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn like_a_plain_list(acts in prop::collection::vec(act(), 1..40), slices in any::<bool>()) {
        let target = Objective::from_ppb(600_000_000).expect("60 %");
        let mut both = Both::new(if slices { Counting::Timeslices(target) } else { Counting::Occurrences });
        for act in &acts {
            both.act(act);
        }
        both.act(&Act::Ask(0, 100));
    }

    /// Sums that were stored are those of the chunks, and nothing else is taken for them.
    #[test]
    fn stored_sums_are_the_chunks_own(acts in prop::collection::vec(act(), 1..30), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut both = Both::new(Counting::Occurrences);
        for act in &acts {
            both.act(act);
        }
        let StoredSums { newest: Some(newest), mut bytes } = both.ledger.sums() else { return Ok(()) };
        let (fast, slow) = (both.stored(true), both.stored(false));
        prop_assert_eq!(fast.sums(), slow.sums());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Ledger::new(EVERY).load_sums(EVERY, newest, i64::MIN / 4, &bytes).is_err());
    }
}

#[test]
fn sums_for_something_else_are_refused() {
    let mut ledger = Ledger::new(EVERY);
    ledger.begins_at(240 * 60 * 10);
    (2_400..3_000).for_each(|index| assert_eq!(ledger.insert(slot(index, 7)), Inserted::New));
    let StoredSums { newest, bytes } = ledger.sums();
    let newest = newest.expect("slots");
    let begin = 240 * 60 * 10;
    let load = |mut other: Ledger, from: i64| other.load_sums(EVERY, newest, from, &bytes).map_err(|error| error.why);
    let slices = Counting::Timeslices(Objective::from_ppb(990_000_000).expect("99 %"));
    assert_eq!(load(Ledger::new(EVERY), begin), Ok(()));
    assert_eq!(load(Ledger::new(EVERY), begin + 240 * 60), Ok(()));
    assert_eq!(load(Ledger::new(EVERY), begin - 1), Err("sums begin too late"));
    assert_eq!(load(Ledger::counting(EVERY, slices), begin), Err("sums are counted otherwise"));
}

fn reading(kind: u8) -> Reading {
    match kind {
        0 => Reading::Unmeasured(Gap::NoData),
        1 => Reading::Empty,
        n => Reading::events(f64::from(n), f64::from(n) + 1.0, None),
    }
}

proptest! {
    #[test]
    fn any_order_of_settling_gives_the_same_ledger(
        slots in prop::collection::btree_map(-600_i64..600, 0_u8..9, 1..80),
        order in any::<u64>(), from in -700_i64..700, length in 0_i64..900,
    ) {
        let mut straight = Ledger::new(60);
        let mut mixed = Ledger::new(60);
        let mut slots: Vec<_> = slots.into_iter().collect();
        for (index, kind) in &slots {
            straight.insert(Slot::settled(*index, &reading(*kind)));
        }
        slots.sort_by_key(|(index, _)| (*index as u64).wrapping_mul(order | 1).rotate_left(17));
        for (index, kind) in &slots {
            // first a gap, then the answer, then the answer again
            mixed.insert(Slot::settled(*index, &Reading::Unmeasured(Gap::NotAsked)));
            mixed.insert(Slot::settled(*index, &reading(*kind)));
            prop_assert_eq!(mixed.insert(Slot::settled(*index, &reading(7))), if *kind == 0 { Inserted::Replaced } else { Inserted::Unchanged });
            if *kind == 0 { straight.insert(Slot::settled(*index, &reading(7))); }
        }
        prop_assert_eq!(straight.newest(), mixed.newest());
        prop_assert_eq!(straight.totals(from, from + length), mixed.totals(from, from + length));
        let by_slot = straight.slots(Span { start: from * 60, end: (from + length) * 60 });
        let total: f64 = by_slot.iter().map(|(_, slot)| slot.total).sum();
        prop_assert!((total - mixed.totals(from, from + length).total).abs() < 1e-9);
    }
}

#[test]
fn slots_of_another_length_still_count_by_their_time() {
    let mut before = Ledger::new(300);
    before.insert(Slot::settled(10, &Reading::events(1.0, 1.0, None))); // 3000..3300
    let mut now = Ledger::new(60);
    now.load(300, 0, before.chunk_bytes(0).expect("packed")).expect("sound");
    now.insert(Slot::settled(55, &Reading::events(0.0, 2.0, None))); // 3300..3360
    let sums = now.totals(50, 56);
    assert_eq!((sums.good, sums.total, sums.known_seconds), (1.0, 3.0, 360));
    assert_eq!(now.slots(Span { start: 3000, end: 3360 }).len(), 2);
}
