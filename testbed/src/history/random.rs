//! Numbers that look random and are the same on every run: splitmix64.

/// A stream of them.
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed and of what it is for.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut stream = Self(seed ^ purpose.wrapping_mul(0xd134_2543_de82_ef95));
        stream.word();
        stream
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0, below 1.
    pub fn share(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// At least `from`, below `to`; `from` if there is nothing between.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + (self.share() * (to - from).max(0) as f64) as i64
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A whole number that is `mean` on average, and within some 30 % of it.
    pub fn about(&mut self, mean: f64) -> u64 {
        let wanted = mean * (0.7 + 0.6 * self.share());
        wanted as u64 + u64::from(self.happens(wanted.fract()))
    }

    /// Stretches within `from..to`, one every `every` on average, each of a length between `shortest` and `longest`. In order,
    /// never overlapping.
    pub fn stretches(
        &mut self,
        (from, to): (i64, i64),
        every: i64,
        (shortest, longest): (i64, i64),
    ) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        let mut at = from;
        loop {
            at += self.between(every / 4, every * 7 / 4);
            let end = at + self.between(shortest, longest);
            if end >= to {
                return found;
            }
            found.push((at, end));
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_repeat_and_spread() {
        let draw = |seed, purpose| {
            let mut random = Random::new(seed, purpose);
            (0..1_000).map(|_| random.between(0, 10)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        for digit in 0..10 {
            let times = draw(7, 7).into_iter().filter(|drawn| *drawn == digit).count();
            assert!((60..140).contains(&times), "{digit}: {times}");
        }
        let mut random = Random::new(5, 5);
        let sum: u64 = (0..10_000).map(|_| random.about(2.5)).sum();
        assert!((24_000..26_000).contains(&sum), "{sum}");
    }

    #[test]
    fn stretches_are_in_order() {
        let found = Random::new(3, 3).stretches((100, 10_000), 300, (10, 50));
        assert!((20..50).contains(&found.len()), "{}", found.len());
        assert!(found.windows(2).all(|pair| pair[0].0 < pair[0].1 && pair[0].1 <= pair[1].0));
        assert!(found.iter().all(|(from, to)| *from >= 100 && *to < 10_000 && (10..50).contains(&(to - from))));
    }
}
