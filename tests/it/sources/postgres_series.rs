//! Many slots of a question, and one series per combination of column values, against a real server.

use std::time::Duration;

use slod::{
    config::model::{Indicator, Postgres, SourceKind},
    domain::slot::{Gap, Reading, Span},
    source::{Answer, Question, SharedSource, SourceError},
};
use testbed::postgres::Postgres as Server;

use super::{
    LIMIT, only,
    postgres::{latency, ratio, value},
    postgres_at, shown,
};

const EVERY: u32 = 3_600;
const FIRST: i64 = 490_000;

fn span(slots: i64) -> Span {
    Span { start: FIRST * i64::from(EVERY), end: (FIRST + slots) * i64::from(EVERY) }
}

struct Asked {
    _server: Server,
    source: SharedSource,
}

impl Asked {
    async fn new(change: impl FnOnce(Postgres) -> Postgres) -> Self {
        let server = Server::start().await.unwrap();
        let source = only(SourceKind::Postgres(change(postgres_at(&server.url()))));
        Self { _server: server, source }
    }

    async fn read(&self, indicator: &Indicator, per: &[&str], slots: i64) -> Result<Answer, SourceError> {
        let per: Vec<String> = per.iter().map(|name| (*name).to_owned()).collect();
        let question = Question { indicator, per: &per, every: EVERY, max_series: 3 };
        self.source.read(question, span(slots), LIMIT).await
    }
}

/// `a,b 9/10 at 1.000; …`, in the answer's order, with slots counted from the first.
fn table(answer: &Result<Answer, SourceError>) -> String {
    let Ok(answer) = answer else { return shown(answer) };
    let line = |slot: &slod::domain::slot::SlotAnswer| {
        let labels: Vec<_> = slot.series.values().map(String::as_str).collect();
        let reading = shown(&Ok(Answer::one(slot.slot, slot.reading.clone())));
        let labels = labels.join(",").replace(&"x".repeat(256), "xxx");
        format!("{}:{labels}:{reading}", slot.slot - FIRST)
    };
    let mut said: Vec<String> = answer.slots.iter().map(line).collect();
    if let Some(degraded) = &answer.degraded {
        said.push(format!("({degraded})"));
    }
    said.join("; ")
}

#[tokio::test]
async fn an_hour_of_slots_is_one_transaction() {
    let asked = Asked::new(|settings| settings).await;
    for indicator in [
        ratio("select 8 as good, 8 + (extract(epoch from $1)::bigint / 3600) % 3 as total"),
        value("select extract(epoch from $2)::bigint % 7000"),
        latency(
            "select x as seconds from generate_series(1, 100 + (extract(epoch from $1)::bigint / 3600) % 5 * 50) x",
        ),
    ] {
        let many = asked.read(&indicator, &[], 60).await.unwrap();
        assert_eq!(many.slots.len(), 60);
        for (at, slot) in many.slots.iter().enumerate().step_by(7) {
            let one = Span::slot(FIRST + at as i64, EVERY);
            let question = Question { indicator: &indicator, per: &[], every: EVERY, max_series: 1 };
            let alone = asked.source.read(question, one, LIMIT).await.unwrap();
            assert_eq!(alone.slots, std::slice::from_ref(slot), "the answer is the same alone and with others");
        }
    }
    // One state of the database, one statement, and none that is left over.
    let same = asked.read(&value("select extract(epoch from now())"), &[], 5).await.unwrap();
    let (first, all) = (&same.slots[0].reading, &same.slots);
    assert!(all.iter().all(|slot| slot.reading == *first), "{all:?}");
    let prepared = value("select count(*) from pg_prepared_statements");
    assert_eq!(table(&asked.read(&prepared, &[], 3).await), "0::1/1 at 1.000; 1::1/1 at 1.000; 2::1/1 at 1.000");
    assert_eq!(table(&asked.read(&prepared, &[], 1).await), "0::1/1 at 0.000");
    let question = Question { indicator: &prepared, per: &[], every: EVERY, max_series: 1 };
    assert_eq!(asked.source.reach(question), 60);
}

#[tokio::test]
async fn many_slots_are_bounded_in_time_and_size() {
    let asked = Asked::new(|settings| settings).await;
    let slow = value("select 1 from pg_sleep(0.1)");
    let question = Question { indicator: &slow, per: &[], every: EVERY, max_series: 1 };
    let limit = Duration::from_millis(300);
    assert_eq!(asked.source.read(question, span(60), limit).await, Err(SourceError::Timeout(limit)));
    assert_eq!(table(&asked.read(&slow, &[], 2).await), "0::1/1 at 1.000; 1::1/1 at 1.000");
    // A fault in one of them is the question's: whoever asked asks for less.
    let one_by_zero = value("select 1 / (extract(epoch from $1)::bigint - 490002 * 3600::bigint)");
    assert_eq!(table(&asked.read(&one_by_zero, &[], 4).await), "refused: division by zero");
    assert!(asked.read(&one_by_zero, &[], 2).await.is_ok());
    let wide =
        ratio("select 1 as good, 1 as total, repeat('y', 60000) as note, n::text as name from generate_series(1, 3) n");
    assert!(asked.read(&wide, &["name"], 60).await.is_ok());
    let wider =
        ratio("select 1 as good, 1 as total, repeat('ä', 60000) as note, n::text as name from generate_series(1, 3) n");
    assert_eq!(asked.read(&wider, &["name"], 60).await, Err(SourceError::TooLarge(16 << 20)));
    assert_eq!(table(&asked.read(&ratio("select 1 as good, 1 as total"), &[], 1).await), "0::1/1");
}

#[tokio::test]
async fn each_combination_is_a_series() {
    let asked = Asked::new(|settings| settings).await;
    let regions = "(values ('eu', 1), ('us', 2), (null, 3)) as t(region, n)";
    let long =
        "select repeat('x', 256 + n) as region, n as zone, 1 as good, 2 as total from generate_series(0, 2) as n";
    for (indicator, per, expected) in [
        (
            ratio(&format!("select region, n as good, 10 as total from {regions} order by n desc")),
            vec!["region"],
            "0::3/10; 0:eu:1/10; 0:us:2/10",
        ),
        (
            value(&format!("select n * 500, region from {regions}")),
            vec!["region"],
            "0::0/1 at 1500.000; 0:eu:1/1 at 500.000; 0:us:0/1 at 1000.000",
        ),
        (
            value("select 'a' as region, 'NaN'::float8 as value, true as b union all select 'b', null, false"),
            vec!["region", "b"],
            "0:true,a:fault: the value is NaN; 0:false,b:no data",
        ),
        (
            latency("select 60.0 * n as seconds, n % 2 = 0 as even, 'x' as other from generate_series(1, 7) as n"),
            vec!["even"],
            "0:false:2/4 at 420.000; 0:true:1/3 at 360.000",
        ),
        (
            latency("select null::float8 as seconds, null::int as a, '2026-01-01'::date as b"),
            vec!["b", "a"],
            "0:,2026-01-01:0/1",
        ),
        // No row, no series: nothing is said of any.
        (ratio("select 1 as good, 1 as total, '' as region where false"), vec!["region"], ""),
        (latency("select 1 as seconds, '' as region where false"), vec!["region"], ""),
        // One row a series; a null and an empty text are the same.
        (
            ratio("select * from (values ('a', 1, 2), ('a', 2, 2), ('b', 1, 1)) as t(region, good, total)"),
            vec!["region"],
            "0:a:fault: the statement answered several rows where one is expected; 0:b:1/1",
        ),
        (
            value("select 1 as value, region from (values (null), ('')) as t(region)"),
            vec!["region"],
            "0::fault: the statement answered several rows where one is expected",
        ),
        // At most three series, the first by their names, whatever their language.
        (
            ratio("select chr(105 - n) as region, 1 as good, 1 as total from generate_series(1, 8) as n"),
            vec!["region"],
            "0:a:1/1; 0:b:1/1; 0:c:1/1; (5 series more than the 3 that are counted)",
        ),
        (
            latency("select 1 as seconds, n as region from generate_series(1, 100000) as n"),
            vec!["region"],
            "0:1:1/1 at 1.000; 0:10:1/1 at 1.000; 0:100:1/1 at 1.000; (99997 series more than the 3 that are counted)",
        ),
        (
            value("select 1 as value, region from (values ('a'), ('B'), ('ä'), ('-'), ('\u{7}\n\"{')) as t(region)"),
            vec!["region"],
            "0:\u{7}\n\"{:1/1 at 1.000; 0:-:1/1 at 1.000; 0:B:1/1 at 1.000; (2 series more than the 3 that are counted)",
        ),
        (ratio(long), vec!["region"], "0:xxx:1/2; (rows are left out: `region` is over 256 characters)"),
        (
            ratio("select repeat('z', 1000000) as region, 1 as good, 2 as total union all select 'a', 1, 2"),
            vec!["region"],
            "0:a:1/2; (rows are left out: `region` is over 256 characters)",
        ),
        // Names are the columns' own.
        (ratio("select 1 as good, 1 as total, 'x' as \"Region\""), vec!["Region"], "0:x:1/1"),
        (value("select 1 as value, 'x' as labels, 'y' as answer"), vec!["labels", "answer"], "0:y,x:1/1 at 1.000"),
        (ratio("select 1 as good, 1 as total"), vec!["region"], "refused: column answer.region does not exist"),
        (
            latency("select 1 as seconds, 'x' as zone"),
            vec!["zone", "region"],
            "refused: column answer.region does not exist",
        ),
        (latency("select 1 as second, 'x' as zone"), vec!["zone"], "refused: column answer.seconds does not exist"),
        (
            ratio("select 1 as fine, 'x' as zone"),
            vec!["zone"],
            "refused: the statement answers no column `total`, only `fine`",
        ),
        (
            value("select 1 as a, 2 as b, 'x' as zone"),
            vec!["zone"],
            "refused: the statement answers several columns: call the one that is meant `value`",
        ),
        (
            ratio("select 1 as good,\n nope"),
            vec!["zone"],
            "refused: column \"nope\" does not exist (line 2, column 2 of the SQL)",
        ),
    ] {
        assert_eq!(table(&asked.read(&indicator, &per, 1).await), expected, "{indicator:?}");
    }
}

#[tokio::test]
async fn a_series_without_a_row() {
    let asked = Asked::new(|settings| settings).await;
    let none = "where false";
    let absent = async |indicator: &Indicator| asked.read(indicator, &["region"], 2).await.unwrap().absent;
    assert_eq!(absent(&ratio(&format!("select 1 as good, 1 as total, '' as region {none}"))).await, Reading::Empty);
    assert_eq!(absent(&latency(&format!("select 1 as seconds, '' as region {none}"))).await, Reading::Empty);
    let value_of_none = value(&format!("select 1 as value, '' as region {none}"));
    assert_eq!(absent(&value_of_none).await, Reading::Unmeasured(Gap::NoData));
    // Where rows were left out, that no row came proves nothing.
    let many = "select 1 as good, 1 as total, n as region from generate_series(1, 4) as n where $1 > 'epoch'";
    let cut = Reading::Unmeasured(Gap::DataFault("more series than are counted".to_owned()));
    assert_eq!(absent(&ratio(many)).await, cut);
}

#[tokio::test]
async fn rows_are_capped_by_the_source_too() {
    let asked = Asked::new(|settings| Postgres { max_rows: 1, ..settings }).await;
    let two = ratio("select n as good, 2 as total, n as zone from generate_series(1, 2) as n");
    assert_eq!(table(&asked.read(&two, &["zone"], 1).await), "0:1:1/2; (1 series more than the 1 that are counted)");
}

#[tokio::test]
async fn what_check_online_says_of_series() {
    let asked = Asked::new(|settings| settings).await;
    let look = async |indicator: Indicator| {
        let per = ["zone".to_owned()];
        let question = Question { indicator: &indicator, per: &per, every: EVERY, max_series: 3 };
        asked.source.inspect(question, span(1), LIMIT).await
    };
    assert_eq!(
        look(ratio("select 1 as good, 2 as total, n as zone from generate_series(1, 2) as n")).await.as_deref(),
        Ok("the statement runs: 2 series, 2 of 4 events good in the last slot")
    );
    assert_eq!(
        look(latency("select 1 as seconds, n as zone from generate_series(1, 4) as n")).await.as_deref(),
        Ok(
            "the statement runs: 3 series, 3 of 3 events good in the last slot (1 series more than the 3 that are counted)"
        )
    );
    let fault = "good (3) is more than total (2)".to_owned();
    assert_eq!(look(ratio("select 3 as good, 2 as total, 'a' as zone")).await, Err(fault));
}
