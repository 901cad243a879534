//! Native histograms: how many of their events are at most a threshold.

use serde::Deserialize;

use super::answer::Number;

/// One sample of a native histogram.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Sent")]
pub(super) struct Native {
    /// All events.
    pub count: f64,
    /// Lower bound, upper bound, events.
    buckets: Vec<(f64, f64, f64)>,
}

#[derive(Deserialize)]
struct Sent {
    count: Number,
    #[serde(default)]
    buckets: Vec<(u8, Number, Number, Number)>,
}

impl From<Sent> for Native {
    fn from(sent: Sent) -> Self {
        let buckets = sent.buckets.into_iter().map(|(_, low, high, events)| (low.0, high.0, events.0)).collect();
        Self { count: sent.count.0, buckets }
    }
}

impl Native {
    /// Events at most `threshold`, a part of the bucket it falls into included, as `histogram_fraction()` of
    /// Prometheus 3 counts them: exponential buckets are cut by the logarithm, the zero bucket and custom buckets in
    /// proportion. Where no observation is negative, the zero bucket begins at 0.
    pub fn at_most(&self, threshold: f64) -> f64 {
        let negative = self.buckets.iter().any(|(low, high, _)| *low < 0.0 && *high <= 0.0);
        let part = |&(low, high, events): &(f64, f64, f64)| {
            let low = if low < 0.0 && high > 0.0 && !negative { 0.0 } else { low };
            events * share(low, high, threshold)
        };
        self.buckets.iter().map(part).sum()
    }
}

/// The share of a bucket that is at most `threshold`.
fn share(low: f64, high: f64, threshold: f64) -> f64 {
    if threshold >= high {
        1.0
    } else if threshold <= low || !low.is_finite() || !high.is_finite() {
        0.0
    } else if is_exponential(low, high) {
        let within = (threshold / low).abs().log2() / (high / low).abs().log2();
        within.clamp(0.0, 1.0)
    } else {
        (threshold - low) / (high - low)
    }
}

/// Whether the bounds are those of a standard schema: their ratio is 2^(2^-schema), schema −4 to 8.
fn is_exponential(low: f64, high: f64) -> bool {
    if low == 0.0 || high == 0.0 || low.is_sign_negative() != high.is_sign_negative() {
        return false;
    }
    let schema = -(high / low).log2().abs().log2();
    (schema - schema.round()).abs() < 1e-6 && (-4.0..=8.0).contains(&schema.round())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn native(text: &str) -> Native {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_bucket_is_cut_where_the_threshold_falls() {
        // Schema 0: bounds double. The middle of (1, 2] by the logarithm is the root of 2.
        let exponential = r#"{"count":"40","sum":"9","buckets":[
            [3,"-0.001","0.001","4"],[0,"0.5","1","8"],[0,"1","2","16"],[0,"2","4","12"]]}"#;
        let custom = r#"{"count":"30","sum":"9","buckets":[[0,"0.1","0.8","10"],[0,"0.8","1","20"]]}"#;
        let negative = r#"{"count":"12","sum":"9","buckets":[[1,"-2","-1","4"],[3,"-0.5","0.5","8"]]}"#;
        for (text, threshold, expected) in [
            (exponential, 2_f64.sqrt(), 20.0),
            (exponential, 1.0, 12.0),
            (exponential, 4.0, 40.0),
            (exponential, 1e9, 40.0),
            (exponential, 0.0005, 2.0),
            (exponential, 0.0, 0.0),
            (custom, 0.9, 20.0),
            (custom, 0.05, 0.0),
            (negative, 0.0, 8.0),
            (negative, -(2_f64.sqrt()), 2.0),
            (r#"{"count":"0","sum":"0"}"#, 1.0, 0.0),
        ] {
            let found = native(text).at_most(threshold);
            assert!((found - expected).abs() < 1e-9, "{threshold}: {found}, not {expected}");
        }
        // Schema 3, as measured: eight buckets between powers of two.
        let fine = r#"{"count":"2","sum":"9","buckets":[[0,"1","1.0905077326652577","2"]]}"#;
        assert!((native(fine).at_most(1.090_507_732_665_257_7_f64.sqrt()) - 1.0).abs() < 1e-9);
    }
}
