//! `min_confidence`: whether so many bad events of so many prove that the rate of bad ones reaches a line.
//!
//! The one-sided lower bound of Clopper and Pearson ("The use of confidence or fiducial limits illustrated in the case
//! of the binomial", Biometrika 26, 1934) is the rate *p* at which as many bad events or more have the probability
//! 1 − confidence. That probability is the regularised incomplete beta function (NIST DLMF 8.17.5):
//! P(X ≥ bad) = Iₚ(bad, total − bad + 1). It grows with *p*; so the bound reaches the line exactly if the probability at
//! the line is at most 1 − confidence, and nothing need be inverted.

/// Rounds of the continued fraction: it takes about √total of them.
const ROUNDS_MAX: u32 = 200_000;
/// Below this, a number counts as nothing.
const TINY: f64 = 1e-300;
/// `ln(2π) / 2`
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// Whether the lower bound of `bad / total` at `confidence` (0–1) reaches `line` (0–1). Counts need not be whole.
pub fn reaches(bad: f64, total: f64, line: f64, confidence: f64) -> bool {
    if line <= 0.0 {
        return true;
    }
    // The bound lies below the rate itself.
    if bad <= 0.0 || total <= 0.0 || bad < line * total {
        return false;
    }
    let chance = 1.0 - confidence;
    // Chernoff: the probability is at most exp(−total · D(rate ‖ line)), which tells of many events without a sum.
    if -total * divergence((bad / total).min(1.0), line) <= chance.ln() {
        return true;
    }
    // Of more events than the fraction can take, the rate itself says enough.
    incomplete_beta(line, bad, (total - bad).max(0.0) + 1.0).is_none_or(|probability| probability <= chance)
}

/// Kullback and Leibler's divergence of two rates.
fn divergence(rate: f64, from: f64) -> f64 {
    let part = |rate: f64, from: f64| if rate <= 0.0 { 0.0 } else { rate * (rate / from).ln() };
    part(rate, from) + part(1.0 - rate, 1.0 - from)
}

/// The regularised incomplete beta function Iₓ(a, b) for 0 ≤ x ≤ 1 and a, b > 0. None if it takes too long.
fn incomplete_beta(x: f64, a: f64, b: f64) -> Option<f64> {
    if x <= 0.0 || x >= 1.0 {
        return Some(x.clamp(0.0, 1.0));
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    // The fraction converges where x is below the mean; elsewhere Iₓ(a, b) = 1 − I₁₋ₓ(b, a) (DLMF 8.17.4).
    if x < (a + 1.0) / (a + b + 2.0) {
        Some((front * fraction(x, a, b)? / a).clamp(0.0, 1.0))
    } else {
        Some((1.0 - front * fraction(1.0 - x, b, a)? / b).clamp(0.0, 1.0))
    }
}

/// The continued fraction of DLMF 8.17.22, by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> Option<f64> {
    let solid = |number: f64| if number.abs() < TINY { TINY } else { number };
    let mut upper = 1.0;
    let mut lower = 1.0 / solid(1.0 - (a + b) * x / (a + 1.0));
    let mut product = lower;
    for round in 1..=ROUNDS_MAX {
        let m = f64::from(round);
        for part in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            lower = 1.0 / solid(1.0 + part * lower);
            upper = solid(1.0 + part / upper);
            product *= lower * upper;
        }
        if (lower * upper - 1.0).abs() < 1e-15 {
            return Some(product);
        }
    }
    None
}

/// ln Γ(z) for z > 0: Stirling's series (DLMF 5.11.1), from where it is good to the last digits.
fn ln_gamma(z: f64) -> f64 {
    let (mut z, mut below) = (z, 0.0);
    while z < 15.0 {
        below += z.ln();
        z += 1.0;
    }
    let square = z * z;
    let series = (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1_260.0 - (1.0 / 1_680.0 - 1.0 / (1_188.0 * square)) / square) / square) / square)
        / z;
    (z - 0.5) * z.ln() - z + HALF_LN_TWO_PI + series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound itself, by halving.
    fn lower_bound(bad: f64, total: f64, confidence: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if reaches(bad, total, middle, confidence) { low = middle } else { high = middle }
        }
        low
    }

    /// Sums of the binomial distribution with 80 digits; `binom.test(682, 925)` and `binom.test(3, 10)` of R, whose
    /// two-sided intervals at 95 % begin at the one-sided bounds at 97.5 %, print 0.7076683 and 0.06673951.
    #[test]
    fn bounds_are_those_of_the_exact_sums() {
        for (bad, total, confidence, bound) in TABLE {
            let found = lower_bound(bad, total, confidence);
            assert!((found / bound - 1.0).abs() < 1e-9, "{bad} of {total} at {confidence}: {found}, not {bound}");
        }
    }

    #[rustfmt::skip]
    const TABLE: [(f64, f64, f64, f64); 12] = [
        (1.0, 3.0, 0.95, 0.016_952_427_508_441_5),
        (2.0, 3.0, 0.95, 0.135_350_362_171_584),
        (1.0, 1.0, 0.95, 0.05),
        (10.0, 10.0, 0.95, 0.741_134_449_106_948),
        (3.0, 10.0, 0.975, 0.066_739_511_177_734_5),
        (682.0, 925.0, 0.975, 0.707_668_264_079_039),
        (1.0, 1_000.0, 0.95, 5.129_197_890_901_78e-05),
        (5.0, 100.0, 0.99, 0.012_968_921_327_023_3),
        (50.0, 1_000.0, 0.95, 0.039_163_535_925_589_3),
        (50.0, 1_000.0, 0.5, 0.049_650_502_558_522),
        (2.0, 5_000.0, 0.95, 7.107_688_439_686_94e-05),
        (999.0, 1_000.0, 0.95, 0.995_265_006_424_5),
    ];

    #[test]
    fn what_chance_explains_proves_nothing() {
        for (bad, total, line, confidence, proven) in [
            (0.0, 0.0, 0.1, 0.95, false),
            (0.0, 1_000.0, 0.001, 0.95, false),
            (1.0, 3.0, 0.001 * 14.4, 0.95, true), // one of three is not chance at 1.44 %
            (1.0, 3.0, 0.02, 0.95, false),        // at 2 % it is
            (2.0, 3.0, 0.02, 0.95, true),
            (20.0, 1_000.0, 0.0144, 0.95, false), // the rate is over the line, and it may be chance
            (30.0, 1_000.0, 0.0144, 0.95, true),
            (5.0, 5.0, 1.0, 0.95, false), // nothing proves that all are bad
            (5.0, 5.0, 0.5, 0.95, true),
            (4.0, 4.0, 0.5, 0.95, false),
            (0.5, 2.5, 0.5, 0.95, false), // parts of events
            (1.0, 10.0, 0.0, 0.95, true),
        ] {
            assert_eq!(reaches(bad, total, line, confidence), proven, "{bad} of {total} against {line}");
        }
    }

    /// Near the line of ten thousand million events: the answer is that of the rate, in no time.
    #[test]
    fn many_events() {
        for (bad, total, line, proven) in [
            (1.0e8, 1.0e10, 0.01, false),
            (1.000_1e8, 1.0e10, 0.01, false),
            (1.001e8, 1.0e10, 0.01, true),
            (1.0e6, 1.0e9, 0.001, false),
            (1.002e6, 1.0e9, 0.001, true),
            (9.9e5, 1.0e9, 0.001, false),
        ] {
            assert_eq!(reaches(bad, total, line, 0.95), proven, "{bad} of {total} against {line}");
        }
    }

    #[test]
    fn more_confidence_asks_for_more() {
        for bad in 1..50 {
            let bounds = [0.5, 0.8, 0.95, 0.99, 0.999].map(|confidence| lower_bound(f64::from(bad), 50.0, confidence));
            assert!(bounds.windows(2).all(|pair| pair[0] > pair[1]), "{bounds:?}");
            assert!(lower_bound(f64::from(bad), 50.0, 0.95) < lower_bound(f64::from(bad + 1), 50.0, 0.95));
        }
    }
}
