//! What is said of no single incident: the review of a month, a reminder, what became of things while slod was away.
//!
//! Neutral of any vendor, plain and unescaped like every message, frozen when it is decided. A bulletin never wakes anybody.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    message::{cut, on_one_line},
    notification::{Event, Link},
};

/// Code points of a headline.
const HEADLINE_MAX: usize = 80;
/// Code points of a line.
const LINE_MAX: usize = 4_000;
const LINES_MAX: usize = 100;
/// Code points of a cell, or of a row in one line.
const CELL_MAX: usize = 400;
const TABLES_MAX: usize = 50;
/// Rows of one table, and of all together.
const ROWS_MAX: usize = 200;
const ALL_ROWS_MAX: usize = 1_000;
/// Bytes of the data for machines.
const DATA_MAX: usize = 256 << 10;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BulletinKind {
    /// The review of a month.
    Report,
    /// A text on a crontab, perhaps with the result of a check.
    Reminder,
    /// slod is back after it was away.
    Restart,
    /// A message of an incident that is over could not be delivered.
    Undelivered,
}

impl BulletinKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Reminder => "reminder",
            Self::Restart => "restart",
            Self::Undelivered => "undelivered",
        }
    }

    /// What it means to its receiver.
    pub fn event(self) -> Event {
        match self {
            Self::Report | Self::Restart | Self::Undelivered => Event::Digest,
            Self::Reminder => Event::Update,
        }
    }
}

/// How a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Neither.
    Plain,
}

impl Mark {
    /// The glyph before a row.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Good => "●",
            Self::Bad => "■",
            Self::Plain => "○",
        }
    }
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// How it stands.
    pub mark: Mark,
    /// The whole row in one line, for where tables cannot be shown.
    pub line: String,
    /// One text for each column.
    pub cells: Vec<String>,
    /// A share that is shown as a bar: 1 is a full one, what is below 0 is overspent.
    pub bar: Option<f64>,
}

/// A table with a title.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it is about.
    pub title: String,
    /// Left out where there is little room.
    pub detail: bool,
    /// The columns' headings. Rows with a bar have it behind the last one.
    pub columns: Vec<String>,
    /// In order.
    pub rows: Vec<Row>,
    /// How many rows there are besides.
    pub left_out: usize,
}

/// One message that is about no single incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bulletin {
    /// What it is.
    pub kind: BulletinKind,
    /// Its name in the configuration.
    pub name: String,
    /// Names this bulletin and no other: `report/monthly@1793523600`.
    pub key: String,
    /// What matters within 80 characters.
    pub headline: String,
    /// Facts in the order of their weight, one line each.
    pub lines: Vec<String>,
    /// What is counted.
    pub tables: Vec<Table>,
    /// Where more is.
    pub links: Vec<Link>,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// Decided later than it was due.
    pub late: bool,
    /// The same for machines.
    pub data: Value,
}

impl Bulletin {
    /// `report monthly`; `restart`, which has no name in the configuration.
    pub fn title(&self) -> String {
        let kind = self.kind.as_str();
        if self.name == kind { kind.to_owned() } else { format!("{kind} {}", self.name) }
    }

    /// The same, cut to what a store and a receiver can be asked to take; what is left out is counted.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.headline = cut(&on_one_line(&self.headline), HEADLINE_MAX);
        self.lines.truncate(LINES_MAX);
        self.lines.iter_mut().for_each(|line| *line = cut(line, LINE_MAX));
        self.tables.truncate(TABLES_MAX);
        let mut room = ALL_ROWS_MAX;
        for table in &mut self.tables {
            let most = ROWS_MAX.min(room);
            table.left_out += table.rows.len().saturating_sub(most);
            table.rows.truncate(most);
            room -= table.rows.len();
            for row in &mut table.rows {
                row.line = cut(&row.line, CELL_MAX);
                row.cells.iter_mut().for_each(|cell| *cell = cut(cell, CELL_MAX));
                row.bar = row.bar.filter(|share| share.is_finite());
            }
        }
        if self.data.to_string().len() > DATA_MAX {
            self.data = json!({"left_out": "too large: ask the API"});
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_left_out_and_counted() {
        let row =
            Row { mark: Mark::Good, line: "x".repeat(9_000), cells: vec!["y".repeat(9_000)], bar: Some(f64::NAN) };
        let table = Table {
            title: "t".into(),
            columns: vec!["c".into()],
            rows: vec![row; 500],
            left_out: 3,
            ..Table::default()
        };
        let bulletin = Bulletin {
            kind: BulletinKind::Report,
            name: "monthly".into(),
            key: "report/monthly@0".into(),
            headline: format!("a\r\nb{}", "h".repeat(200)),
            lines: vec!["l".repeat(9_000); 300],
            tables: vec![table; 90],
            links: Vec::new(),
            due_at: DateTime::UNIX_EPOCH,
            decided_at: DateTime::UNIX_EPOCH,
            late: false,
            data: json!(vec!["d".repeat(1_000); 1_000]),
        };
        let bounded = bulletin.bounded();
        assert_eq!((bounded.headline.chars().count(), bounded.lines.len(), bounded.tables.len()), (80, 100, 50));
        assert!(!bounded.headline.contains(['\r', '\n']));
        let table = &bounded.tables[0];
        assert_eq!((table.rows.len(), table.left_out, table.rows[0].bar), (200, 303, None));
        assert_eq!(table.rows[0].line.chars().count(), CELL_MAX);
        assert_eq!(bounded.tables.iter().map(|table| table.rows.len()).sum::<usize>(), ALL_ROWS_MAX);
        assert_eq!(bounded.tables[49].left_out, 503);
        assert!(bounded.data["left_out"].is_string());
        let again = bounded.clone().bounded();
        assert_eq!(again, bounded, "once is enough");
    }
}
