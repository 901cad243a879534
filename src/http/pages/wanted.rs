//! Which SLOs are wanted, and in which order: `?state=`, `?service=`, `?q=`, `?sort=`.

use std::cmp::Ordering;

use serde::Serialize;

use super::slo_table::{COLUMNS, Head, Row};
use crate::{
    http::{ask::Ask, problem::Problem},
    views::slo::{SloState, SloView},
};

/// All states, the worst first.
pub const STATES: [SloState; 5] =
    [SloState::Blind, SloState::Exhausted, SloState::Burning, SloState::Empty, SloState::Ok];
/// Most characters that are searched for.
pub const SEARCH_MAX: usize = 200;

/// What the table can be sorted by.
pub fn sorts() -> Vec<String> {
    COLUMNS.iter().flat_map(|(column, ..)| [(*column).to_owned(), format!("-{column}")]).collect()
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// Only SLOs in this state.
    pub state: Option<String>,
    /// Only this service's.
    pub service: Option<String>,
    /// Only those whose name, title or labels hold this.
    pub q: Option<String>,
    /// A column, `-` before it for the other direction; by default the worst first.
    pub sort: Option<String>,
    /// As part of a wallboard.
    #[serde(skip)]
    pub embed: bool,
}

impl Wanted {
    /// Reads it. Unknown values are refused by a text that says which there are.
    pub fn read(ask: &Ask, services: &[&str], embed: bool) -> Result<Self, Problem> {
        let states = STATES.map(SloState::as_str);
        let sorts = sorts();
        let sorts: Vec<&str> = sorts.iter().map(String::as_str).collect();
        let owned = |word: Option<&str>| word.map(str::to_owned);
        let q = ask.get("q").map(str::trim).filter(|q| !q.is_empty());
        if q.is_some_and(|q| q.chars().count() > SEARCH_MAX) {
            return Err(Problem::invalid(format!("`q` is longer than {SEARCH_MAX} characters")));
        }
        Ok(Self {
            state: owned(ask.word("state", &states)?),
            service: owned(ask.word("service", services)?),
            q: owned(q),
            sort: owned(ask.word("sort", &sorts)?),
            embed,
        })
    }

    /// Whether an SLO is wanted, its state aside.
    pub fn names(&self, slo: &SloView) -> bool {
        let holds = |text: &str, q: &str| text.to_lowercase().contains(q);
        let found = |q: &String| {
            let q = q.to_lowercase();
            holds(&slo.name, &q)
                || holds(&slo.title, &q)
                || holds(&slo.service, &q)
                || slo.series.values().any(|value| holds(value, &q))
        };
        self.service.as_ref().is_none_or(|service| *service == slo.service) && self.q.as_ref().is_none_or(found)
    }

    /// Whether it is in the wanted state.
    pub fn shows(&self, slo: &SloView) -> bool {
        self.state.as_ref().is_none_or(|state| *state == slo.state.as_str())
    }

    /// The same in other words: the address of the overview that has this and `key` set so.
    pub fn with(&self, key: &str, value: Option<&str>) -> String {
        let given = [("state", &self.state), ("service", &self.service), ("q", &self.q), ("sort", &self.sort)];
        let mut query = url::form_urlencoded::Serializer::new(String::from("/?"));
        let mut query_is_empty = true;
        for (name, own) in given {
            if let Some(value) = if name == key { value } else { own.as_deref() } {
                query.append_pair(name, value);
                query_is_empty = false;
            }
        }
        if self.embed {
            query.append_pair("embed", "1");
            query_is_empty = false;
        }
        if query_is_empty { "/".to_owned() } else { query.finish().replacen("/?&", "/?", 1) }
    }

    /// The heads of the table: each sorts by its column, the other way round if it does already.
    pub fn heads(&self) -> Vec<Head> {
        let head = |(column, title, _): (&'static str, &'static str, bool)| {
            let down = format!("-{column}");
            let sorted = match self.sort.as_deref() {
                Some(sort) if sort == column => Some("ascending"),
                Some(sort) if sort == down => Some("descending"),
                _ => None,
            };
            let next = if sorted == Some("ascending") { &down } else { column };
            Head { title, href: Some(self.with("sort", Some(next))), sorted }
        };
        COLUMNS.into_iter().map(head).collect()
    }

    /// Puts rows into the wanted order: the worst first if nothing else is.
    pub fn sort(&self, rows: &mut [Row<'_>]) {
        let Some(sort) = self.sort.as_deref() else {
            rows.sort_by(|one, other| SloView::worst_first(one.slo, other.slo));
            return;
        };
        let (column, is_down) = sort.strip_prefix('-').map_or((sort, false), |column| (column, true));
        rows.sort_by(|one, other| {
            // What has no figure stands at the end both ways.
            let (order, fixed) = compare(column, one, other);
            let order = if is_down && !fixed { order.reverse() } else { order };
            order.then_with(|| SloView::worst_first(one.slo, other.slo))
        });
    }
}

/// How two rows stand by a column; and whether that holds in both directions.
fn compare(column: &str, one: &Row<'_>, other: &Row<'_>) -> (Ordering, bool) {
    let figures = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => (one.total_cmp(&other), false),
        (one, other) => (one.is_none().cmp(&other.is_none()), true),
    };
    let (left, right) = (one.slo, other.slo);
    let burn = |slo: &SloView| slo.burn_rate.get("1h").copied().flatten();
    let instant = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.timestamp() as f64);
    match column {
        "name" => ((&left.title, &left.id, &left.series).cmp(&(&right.title, &right.id, &right.series)), false),
        "state" => (left.state.cmp(&right.state), false),
        "budget" => figures(left.budget.remaining, right.budget.remaining),
        "burn" => figures(burn(left), burn(right)),
        "exhaustion" => figures(instant(left.budget.exhausts_at), instant(right.budget.exhausts_at)),
        "incident" => {
            let urgency = |row: &Row<'_>| row.incident.map(|incident| f64::from(incident.priority as u8));
            figures(urgency(one), urgency(other))
        }
        "sli" => figures(left.sli, right.sli),
        "objective" => (left.objective.total_cmp(&right.objective), false),
        _ => figures(instant(left.watermark), instant(right.watermark)),
    }
}
