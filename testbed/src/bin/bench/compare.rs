//! The same SLO by recording rules and by plain queries: what they say, and what they read.

use super::proxy::{Answer, evaluate};

/// The recorded series that a 30-day rule averages: one sample a minute.
pub const RECORDED: &str = "slo:sli_error:ratio_rate5m";
/// Windows of the rules that a generator like Sloth writes for each SLO.
const RULE_WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];
/// 30 days of steps of a minute, both ends included.
const STEPS: &str = "2591940s:1m";

/// A pair of selectors on a Prometheus.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// Its address.
    pub prometheus: &'a str,
    /// Bad events.
    pub bad: &'a str,
    /// All events.
    pub total: &'a str,
}

impl Compared<'_> {
    fn ratio(self, window: &str) -> String {
        format!("sum(rate({}[{window}])) / sum(rate({}[{window}]))", self.bad, self.total)
    }

    async fn value(self, query: &str, at: i64) -> anyhow::Result<f64> {
        Ok(evaluate(self.prometheus, query, at).await?.value)
    }

    /// Bad events of 30 days: `sum(increase(X[30d]))`.
    pub async fn increase(self, at: i64) -> anyhow::Result<f64> {
        self.value(&format!("sum(increase({}[30d]))", self.bad), at).await
    }

    /// Bad events of 30 days: the sum of `sum(increase(X[1m]))` of every minute.
    pub async fn minutes(self, at: i64) -> anyhow::Result<f64> {
        self.value(&format!("sum_over_time(sum(increase({}[1m]))[{STEPS}])", self.bad), at).await
    }

    /// The error ratio of 30 days: the mean of the ratios of 5 minutes, one recorded each minute.
    pub async fn mean_of_ratios(self, at: i64) -> anyhow::Result<f64> {
        self.value(&format!("avg_over_time(({})[{STEPS}])", self.ratio("5m")), at).await
    }

    /// Samples that one evaluation of all the rules reads.
    pub async fn rules_read(self, at: i64) -> anyhow::Result<u64> {
        let mut rules: Vec<String> = RULE_WINDOWS.iter().map(|window| self.ratio(window)).collect();
        rules.push(format!("sum_over_time({RECORDED}[30d]) / count_over_time({RECORDED}[30d])"));
        let mut samples = 0;
        for rule in rules {
            samples += evaluate(self.prometheus, &rule, at).await?.samples;
        }
        Ok(samples)
    }

    /// Samples that one evaluation of the error ratio of 30 days reads.
    pub async fn plain_reads(self, at: i64) -> anyhow::Result<u64> {
        let query = format!("sum(increase({}[30d])) / sum(increase({}[30d]))", self.bad, self.total);
        Ok(evaluate(self.prometheus, &query, at).await?.samples)
    }

    /// How many series the total has.
    pub async fn series(self, at: i64) -> anyhow::Result<Answer> {
        evaluate(self.prometheus, &format!("count({})", self.total), at).await
    }
}
