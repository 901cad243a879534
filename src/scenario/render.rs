//! How scenarios ended: as text for people, as `JUnit` XML for programs.

use std::fmt::Write as _;

use super::{Failure, Outcome};

/// One line a scenario, with what was expected and what there was side by side; the last line counts.
pub fn text(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let word = if outcome.failures.is_empty() { "ok    " } else { "failed" };
        let _ = writeln!(out, "{word}  {}: {}", printable(&outcome.spot.file), printable(&outcome.name));
        for failure in &outcome.failures {
            let _ = writeln!(out, "\n  {}: {}", printable(&failure.spot.to_string()), printable(&failure.what));
            out.push_str(&table(failure));
        }
        if !outcome.failures.is_empty() {
            out.push('\n');
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    let word = if outcomes.len() == 1 { "scenario" } else { "scenarios" };
    let _ = writeln!(out, "{} {word}: {} passed, {failed} failed", outcomes.len(), outcomes.len() - failed);
    out
}

/// Rows that differ are marked.
fn table(failure: &Failure) -> String {
    let rows = failure.rows.iter().map(|(expected, got)| (printable(expected), printable(got)));
    let rows: Vec<(String, String)> = rows.collect();
    let wide = rows.iter().map(|(expected, _)| expected.chars().count()).max().unwrap_or_default().max(8);
    let mut out = format!("      {:wide$}   got\n", "expected");
    for (expected, got) in rows {
        let mark = if expected == got { ' ' } else { '≠' };
        let _ = writeln!(out, "    {mark} {expected:wide$}   {got}");
    }
    out
}

/// `JUnit` XML: a test suite a file, a test case a scenario.
pub fn junit(outcomes: &[Outcome]) -> String {
    let failed = |of: &[Outcome]| of.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ =
        writeln!(out, "<testsuites name=\"slod test\" tests=\"{}\" failures=\"{}\">", outcomes.len(), failed(outcomes));
    for suite in outcomes.chunk_by(|one, other| one.spot.file == other.spot.file) {
        let file = suite.first().map(|outcome| escaped(&outcome.spot.file)).unwrap_or_default();
        let _ = writeln!(out, "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{}\">", suite.len(), failed(suite));
        for outcome in suite {
            let (name, line) = (escaped(&outcome.name), outcome.spot.line);
            let _ = write!(out, "    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\"");
            if outcome.failures.is_empty() {
                out.push_str("/>\n");
                continue;
            }
            // One element: most readers of these files show the first alone.
            let whats: Vec<String> =
                outcome.failures.iter().map(|failure| format!("{}: {}", failure.spot, failure.what)).collect();
            let mut body = String::new();
            for (failure, what) in outcome.failures.iter().zip(&whats) {
                let _ = writeln!(body, "{what}\n{}", table(failure));
            }
            let message = escaped(&whats.join("; "));
            let _ = writeln!(out, ">\n      <failure message=\"{message}\">\n{}</failure>", escaped(&body));
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text and attributes of XML 1.0; what it cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push('\n'),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// Control characters cannot reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
