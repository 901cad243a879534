//! A reminder, and what its check found, as a bulletin.

use chrono::TimeDelta;
use serde_json::json;

use super::{render_words::duration, when::When};
use crate::domain::{
    bulletin::{Bulletin, BulletinKind, Mark, Row, Table},
    notification::Link,
};

/// What one question of a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// It is as it should be.
    pub ok: bool,
    /// `ok`, `failed`, `no answer`.
    pub word: String,
    /// What was asked about, with its place where it has one.
    pub name: String,
    /// What was learned, without secrets.
    pub text: String,
}

/// A check of everything that is asked and told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// In the order they were asked.
    pub findings: Vec<Finding>,
    /// How long it took.
    pub took: TimeDelta,
    /// The configuration that was checked.
    pub config_hash: String,
}

impl Check {
    fn failed(&self) -> usize {
        self.findings.iter().filter(|finding| !finding.ok).count()
    }

    fn words(&self) -> String {
        let (all, failed) = (self.findings.len(), self.failed());
        match (all, failed) {
            (0, _) => "checked: there is nothing to ask".to_owned(),
            (all, 0) => format!("checked: all {all} ok"),
            (all, failed) => format!("checked: {failed} of {all} not ok"),
        }
    }

    /// What is not as it should be first.
    fn table(&self) -> Table {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.ok);
        let row = |finding: &Finding| Row {
            mark: if finding.ok { Mark::Good } else { Mark::Bad },
            line: format!("{}: {}: {}", finding.name, finding.word, finding.text),
            cells: vec![finding.name.clone(), finding.word.clone(), finding.text.clone()],
            bar: None,
        };
        Table {
            title: "What was asked".to_owned(),
            columns: ["Asked", "Result", "Answer"].map(str::to_owned).to_vec(),
            rows: findings.into_iter().map(row).collect(),
            ..Table::default()
        }
    }
}

/// Words a reminder.
pub fn reminder(name: &str, text: &str, check: Option<&Check>, when: When, external_url: &str) -> Bulletin {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or(name).trim();
    let headline = match check {
        Some(check) => format!("{}: {}", check.words(), first),
        None => first.to_owned(),
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.extend(when.words());
    if let Some(check) = check {
        let took = duration((check.took.num_milliseconds() as f64 / 1_000.0).max(0.001));
        let hash: String = check.config_hash.chars().take(12).collect();
        lines.push(format!(
            "As `slod check --online` asks, of the running configuration {hash}, in {took}; no message was sent to ask."
        ));
    }
    let found = |check: &Check| {
        let each: Vec<_> = check
            .findings
            .iter()
            .map(
                |finding| json!({"name": finding.name, "ok": finding.ok, "result": finding.word, "text": finding.text}),
            )
            .collect();
        json!({"ok": check.failed() == 0, "asked": each})
    };
    Bulletin {
        kind: BulletinKind::Reminder,
        name: name.to_owned(),
        key: when.key,
        headline,
        lines,
        tables: check.map(Check::table).into_iter().collect(),
        links: vec![Link { text: "Sources and receivers".to_owned(), url: format!("{external_url}/sources") }],
        due_at: when.due_at,
        decided_at: when.decided_at,
        late: when.late,
        data: json!({"text": text, "missed": when.missed, "check": check.map(found)}),
    }
    .bounded()
}
