//! Reads what a daemon says of itself, and what the kernel says of it.

use anyhow::Context as _;
use testbed::daemon::Slod;

/// The values of one family of a `/metrics` page.
pub fn values(page: &str, family: &str) -> Vec<f64> {
    let of_family =
        |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' '));
    page.lines().filter(of_family).filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect()
}

/// A daemon's `/metrics`.
pub async fn page(slod: &Slod) -> anyhow::Result<String> {
    Ok(slod.get("/metrics").await?.1)
}

/// Slots of history that are still to be asked about, of all SLOs. None while there is no SLO.
pub fn missing(page: &str) -> Option<f64> {
    let missing = values(page, "slod_backfill_missing_slots");
    (!missing.is_empty()).then(|| missing.iter().sum())
}

/// Processor time that a process has used so far, in seconds. Some milliseconds coarse.
pub fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name may hold anything, but no second closing parenthesis follows it.
    let fields = stat.rsplit(')').next().context("no stat")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

/// Resident memory of a process in bytes.
pub fn memory_bytes(process: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1_024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn families_are_told_apart() {
        let page = "# TYPE a gauge\na{x=\"1\"} 2\na{x=\"2\"} 3.5\na_b 7\nab 8\na 1\n";
        assert_eq!(super::values(page, "a"), [2.0, 3.5, 1.0]);
        assert_eq!(super::values(page, "a_b"), [7.0]);
    }
}
