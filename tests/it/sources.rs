//! Sources against real servers, and against servers that mean no good.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod diagnosis;
mod evil;
mod history;
mod live;
mod pingdom;
pub mod pingdom_mock;
mod postgres;
mod postgres_series;
mod probe;
mod prometheus;
mod prometheus_evil;
mod prometheus_exact;
mod prometheus_month;
mod prometheus_recorded;
mod prometheus_series;
pub mod tls;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use slod::{
    config::{
        model::{
            Config, Daemon, Indicator, LogFormat, NumberQuery, Postgres, Prometheus, Source, SourceKind, StoreUrl, Tls,
        },
        secret::Secret,
    },
    domain::{
        name::Name,
        slo::{Comparison, Operator},
        slot::{Gap, Reading, Span},
    },
    source::{Answer, Question, SharedSource, SourceError, build},
};

/// Longer than any honest answer takes.
const LIMIT: Duration = Duration::from_secs(10);

/// What is called `main` in the indicators.
fn main_source() -> Name {
    Name::from("main")
}

fn prometheus_at(url: &str) -> Prometheus {
    Prometheus {
        url: url.to_owned(),
        timeout: LIMIT,
        headers: BTreeMap::new(),
        bearer: None,
        basic: None,
        tls: Tls::default(),
        tenant: None,
        max_concurrency: 4,
        lookback: Duration::from_mins(5),
        settle: Duration::ZERO,
    }
}

fn postgres_at(url: &str) -> Postgres {
    Postgres {
        url: Secret::new(url),
        statement_timeout: Duration::from_secs(5),
        connections: 2,
        max_rows: 1_000,
        tls: Tls::default(),
    }
}

fn config(kinds: Vec<(&str, SourceKind)>) -> Config {
    // Tests that never speak TLS need the provider too; a second installation is refused, which is fine.
    drop(rustls::crypto::ring::default_provider().install_default());
    let source = |kind| Source { kind, blind_after: Duration::from_mins(5), blind: None };
    Config {
        reports: BTreeMap::new(),
        reminders: BTreeMap::new(),
        daemon: Daemon {
            heartbeat: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            external_url: "http://127.0.0.1".to_owned(),
            store: StoreUrl::Sqlite(PathBuf::new()),
            timezone: "UTC".to_owned(),
            tokens: BTreeMap::new(),
            retention: Duration::from_hours(24),
            max_series_per_slo: 1,
            socket: None,
            log_level: "info".to_owned(),
            log_format: LogFormat::Logfmt,
        },
        sources: kinds.into_iter().map(|(name, kind)| (Name::from(name), source(kind))).collect(),
        services: BTreeMap::new(),
        slos: BTreeMap::new(),
        policies: BTreeMap::new(),
        receivers: BTreeMap::new(),
        escalations: BTreeMap::new(),
        maintenance: Vec::new(),
        templates: std::sync::Arc::default(),
        mail: None,
        hash: String::new(),
    }
}

fn built(kinds: Vec<(&str, SourceKind)>) -> BTreeMap<Name, SharedSource> {
    build(&config(kinds)).unwrap()
}

/// One source, called `main`.
fn only(kind: SourceKind) -> SharedSource {
    built(vec![("main", kind)]).remove("main").unwrap()
}

fn number_query(query: &str) -> NumberQuery {
    NumberQuery { source: main_source(), query: query.to_owned() }
}

/// An indicator of another kind than a source may be asked for.
fn ratio_of_one() -> Indicator {
    Indicator::RatioSql { source: main_source(), sql: "select 1 as good, 1 as total".to_owned() }
}

fn at_most(bound: f64) -> Comparison {
    Comparison { operator: Operator::AtMost, bound }
}

/// The question for the one slot of `span`.
fn asking(indicator: &Indicator, span: Span) -> Question<'_> {
    Question { indicator, per: &[], every: span.seconds() as u32, max_series: 1_000 }
}

/// The reading of the one slot that was asked about.
fn only_reading(answer: &Answer) -> &Reading {
    match answer.slots.as_slice() {
        [] => &answer.absent,
        [one] => &one.reading,
        several => panic!("{} slots where one was asked about", several.len()),
    }
}

/// A reading as a short text, for tables.
fn shown(answer: &Result<Answer, SourceError>) -> String {
    match answer.as_ref().map(only_reading) {
        Ok(Reading::Events { good, total, shown: None }) => format!("{good}/{total}"),
        Ok(Reading::Events { good, total, shown: Some(shown) }) => format!("{good}/{total} at {shown:.3}"),
        Ok(Reading::Charged) => "charged".to_owned(),
        Ok(Reading::Excluded) => "excluded".to_owned(),
        Ok(Reading::Empty) => "empty".to_owned(),
        Ok(Reading::Unmeasured(Gap::NoData)) => "no data".to_owned(),
        Ok(Reading::Unmeasured(Gap::NotYet)) => "not yet".to_owned(),
        Ok(Reading::Unmeasured(Gap::DataFault(fault))) => format!("fault: {fault}"),
        Ok(Reading::Unmeasured(gap)) => format!("{gap:?}"),
        Err(SourceError::Refused(why)) => format!("refused: {why}"),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn what_cannot_be_built_is_said_without_secrets() {
    let kinds = vec![
        ("a", SourceKind::Prometheus(prometheus_at("ftp://user:secret@host"))),
        ("b", SourceKind::Prometheus(prometheus_at("user:secret"))),
        ("c", SourceKind::Postgres(postgres_at("http//user:secret@host"))),
        ("d", SourceKind::Postgres(postgres_at(""))),
        ("f", SourceKind::Pingdom { token: Secret::new("secret\n"), url: "http://127.0.0.1".to_owned() }),
        ("g", SourceKind::Pingdom { token: Secret::new(""), url: "http://127.0.0.1".to_owned() }),
        ("h", SourceKind::Pingdom { token: Secret::new("secret"), url: "mailto:secret@host".to_owned() }),
        (
            "e",
            SourceKind::Prometheus(Prometheus {
                tls: Tls { ca: Some("/nowhere/ca.pem".into()), ..Tls::default() },
                ..prometheus_at("https://host")
            }),
        ),
    ];
    let errors = build(&config(kinds)).err().unwrap();
    let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "source `a`: `url` must begin with http:// or https://",
            "source `b`: `url` must begin with http:// or https://",
            "source `c`: `url` is no address: write postgres://user:password@host/database",
            "source `d`: `url` is empty: is its variable set?",
            "source `e`: cannot read /nowhere/ca.pem: No such file or directory (os error 2)",
            "source `f`: `token` holds characters no header may",
            "source `g`: `token` is empty: is its variable set?",
            "source `h`: `url` must begin with http:// or https://",
        ]
    );
}
