//! The table that is printed, and what happens until then.

use testbed::clock::Stopwatch;

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    what: String,
    measured: String,
    wanted: String,
}

impl Row {
    /// What, how much, and what is wanted: `–` for nothing in particular.
    pub fn new(what: &str, measured: &str, wanted: &str) -> Self {
        Self { what: what.to_owned(), measured: measured.to_owned(), wanted: wanted.to_owned() }
    }

    /// As Markdown.
    pub fn line(&self) -> String {
        format!("| {} | {} | {} |", self.what, self.measured, self.wanted)
    }
}

/// Above the rows.
pub const HEAD: &str = "| what | measured | wanted |\n|---|---|---|";

/// Says what happens, with the time since the start.
#[derive(Clone, Copy, Debug)]
pub struct Progress(Stopwatch);

impl Progress {
    /// From now on.
    pub fn start() -> Self {
        Self(Stopwatch::start())
    }

    /// Says so on stderr.
    #[expect(clippy::print_stderr, reason = "progress, beside the table on stdout")]
    pub fn say(self, what: &str) {
        let seconds = self.0.elapsed().as_secs();
        eprintln!("{:>3}:{:02}  {what}", seconds / 60, seconds % 60);
    }
}

/// Bytes in MiB.
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// A number with commas: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(super::grouped(number), text);
        }
    }
}
