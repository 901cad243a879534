//! Every SQL indicator in every state, against a real server.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use slod::{
    config::model::{Indicator, Postgres, SourceKind},
    domain::slot::Span,
    source::SharedSource,
};
use sqlx::Executor;
use testbed::{action_queue::ActionQueue, postgres::Postgres as Server};

use super::{LIMIT, asking, at_most, main_source, number_query, only, postgres_at, shown};

const SLOT: Span = Span { start: 1_767_268_800, end: 1_767_272_400 };

async fn server() -> (Server, SharedSource) {
    let server = Server::start().await.unwrap();
    let source = only(SourceKind::Postgres(postgres_at(&server.url())));
    (server, source)
}

pub fn ratio(sql: &str) -> Indicator {
    Indicator::RatioSql { source: main_source(), sql: sql.to_owned() }
}

pub fn value(sql: &str) -> Indicator {
    Indicator::Value { query: number_query(sql), unit: None, good: at_most(900.0) }
}

pub fn latency(sql: &str) -> Indicator {
    Indicator::LatencySql { source: main_source(), sql: sql.to_owned(), threshold: 180.0, percentile: Some(95.0) }
}

#[tokio::test]
async fn ratios_and_values_in_every_state() {
    let (_server, source) = server().await;
    for (indicator, expected) in [
        (ratio("select 9 as good, 10 as total"), "9/10"),
        (ratio("select 1::numeric as bad, 10::float4 as total;\n"), "9/10"),
        (ratio("select sum(x) as bad, count(x) as total from generate_series(1, 0) as x"), "empty"),
        (ratio("select null as bad, null::bigint as total"), "no data"),
        (ratio("select 1 as bad, 1 as total where false"), "no data"),
        (ratio("select 11 as good, 10 as total"), "fault: good (11) is more than total (10)"),
        (ratio("select 11 as bad, 10 as total"), "fault: bad (11) is more than total (10)"),
        (ratio("select 'NaN'::float8 as good, 10 as total"), "fault: good is NaN, total is 10"),
        (
            ratio("select 1 as good, 2 as total from generate_series(1, 3)"),
            "fault: the statement answered several rows where one is expected",
        ),
        (ratio("select 1 as fine"), "refused: the statement answers no column `total`, only `fine`"),
        // Neither, one or both of the slot's bounds.
        (value("select 1"), "1/1 at 1.000"),
        (value("select extract(epoch from $2)::bigint - 1767272000"), "1/1 at 400.000"),
        (value("select extract(epoch from $1)::bigint - 1767268000"), "1/1 at 800.000"),
        (value("select extract(epoch from $2 - $1)"), "0/1 at 3600.000"),
        (value("with x as (select 901 as y) select y from x -- the last line"), "0/1 at 901.000"),
        (value("select null"), "no data"),
        (value("select 1 where false"), "no data"),
        (value("select 'NaN'::numeric"), "fault: the value is NaN"),
        (
            value("select interval '5 minutes'"),
            "refused: column `interval` is no number: write extract(epoch from …) for seconds",
        ),
        (
            value("select 1 as a, 2 as b"),
            "refused: the statement answers several columns: call the one that is meant `value`",
        ),
        (value("select 1,\n  nope"), "refused: column \"nope\" does not exist (line 2, column 3 of the SQL)"),
        (value("select 1; select 2"), "refused: syntax error at or near \";\" (line 1, column 9 of the SQL)"),
        (value("select 1/0"), "refused: division by zero"),
        (value("select repeat('x', 1000000)"), "error: answer over 65536 bytes"),
        (
            value("select x from generate_series(1, 100000) as x"),
            "fault: the statement answered several rows where one is expected",
        ),
    ] {
        assert_eq!(shown(&source.read(asking(&indicator, SLOT), SLOT, LIMIT).await), expected, "{indicator:?}");
    }
}

#[tokio::test]
async fn latencies_are_counted_in_the_database() {
    let (server, source) = server().await;
    let queue = ActionQueue::create(&server.url()).await.unwrap();
    let indicator = latency(
        "select extract(epoch from coalesce(viewed_at, $2::timestamptz + interval '3 minutes') - queued_at) as seconds
         from action_queue where queued_at >= $1 and queued_at < $2",
    );
    assert_eq!(shown(&source.read(asking(&indicator, SLOT), SLOT, LIMIT).await), "empty");
    let start = DateTime::from_timestamp(SLOT.start, 0).unwrap();
    for minute in 0..10 {
        let waited = if minute == 5 { 240 } else { 60 };
        queue.add(start + TimeDelta::minutes(minute), Some(Duration::from_secs(waited))).await.unwrap();
    }
    assert_eq!(shown(&source.read(asking(&indicator, SLOT), SLOT, LIMIT).await), "9/10 at 240.000");
    queue.add(start + TimeDelta::minutes(30), None).await.unwrap();
    queue.add(start + TimeDelta::minutes(60), Some(Duration::ZERO)).await.unwrap();
    assert_eq!(
        shown(&source.read(asking(&indicator, SLOT), SLOT, LIMIT).await),
        "9/11 at 1980.000",
        "the next slot's are not ours"
    );
    assert_eq!(queue.pending().await.unwrap(), 1);

    for (sql, expected) in [
        ("select null::float8 as seconds", "0/1"),
        ("select 'infinity'::float8 as seconds", "0/1"),
        ("select 'NaN'::float8 as seconds", "fault: `seconds` of 1 rows are negative or no number"),
        ("select x as seconds from generate_series(-2, 5) x", "fault: `seconds` of 2 rows are negative or no number"),
        ("select 180 as seconds", "1/1 at 180.000"),
        ("select 1 as second", "refused: column answer.seconds does not exist"),
        ("select interval '1 minute' as seconds", "refused: cannot cast type interval to double precision"),
    ] {
        assert_eq!(shown(&source.read(asking(&latency(sql), SLOT), SLOT, LIMIT).await), expected, "{sql}");
    }
    let found = source.inspect(asking(&indicator, SLOT), SLOT, LIMIT).await;
    assert_eq!(found.as_deref(), Ok("the statement runs: 9 of 11 events good in the last slot, value 1980"));
}

#[tokio::test]
async fn nothing_is_ever_written() {
    let (server, source) = server().await;
    let mut direct = server.connect().await.unwrap();
    direct
        .execute(
            "create table precious (id int); insert into precious values (1); create sequence ids;
             create function wipe() returns int language sql as 'delete from precious returning id'",
        )
        .await
        .unwrap();
    for sql in [
        "delete from precious returning id",
        "with d as (delete from precious returning id) select count(*) from d",
        "select wipe()",
        "select nextval('ids')",
        "select 1) as answer; delete from precious; --",
        "select set_config('transaction_read_only', 'off', true)::int; delete from precious",
        "select 1 from precious for update",
        "commit",
        "truncate precious",
        "drop table precious",
    ] {
        let said = shown(&source.read(asking(&value(sql), SLOT), SLOT, LIMIT).await);
        assert!(said.starts_with("refused: "), "{sql}: {said}");
    }
    let said = shown(&source.read(asking(&value("select wipe()"), SLOT), SLOT, LIMIT).await);
    assert_eq!(said, "refused: cannot execute DELETE in a read-only transaction: a source only reads");
    let left: i64 = sqlx::query_scalar("select count(*) from precious").fetch_one(&mut direct).await.unwrap();
    assert_eq!(left, 1);
    // Whatever happened, no connection was left in a transaction.
    let open: i64 = sqlx::query_scalar("select count(*) from pg_stat_activity where state like 'idle in transaction%'")
        .fetch_one(&mut direct)
        .await
        .unwrap();
    assert_eq!(open, 0);
}

#[tokio::test]
async fn slow_and_absent_servers() {
    let (mut server, source) = server().await;
    let hasty = Postgres { statement_timeout: Duration::from_millis(200), ..postgres_at(&server.url()) };
    let hasty = only(SourceKind::Postgres(hasty));
    let slow = value("select 1 from pg_sleep(30)");
    assert_eq!(shown(&hasty.read(asking(&slow, SLOT), SLOT, LIMIT).await), "error: no answer within 200ms");
    let limit = Duration::from_millis(200);
    assert_eq!(shown(&source.read(asking(&slow, SLOT), SLOT, limit).await), "error: no answer within 200ms");

    assert_eq!(source.ping(LIMIT).await, Ok(()));
    assert_eq!(
        source.number(&number_query("select count(*) from pg_class where false"), 0, LIMIT).await,
        Ok(Some(0.0))
    );
    server.stop();
    let gone = source.ping(LIMIT).await.unwrap_err();
    let place = server.url().split('@').nth(1).unwrap().split('?').next().unwrap().to_owned();
    assert_eq!(gone.to_string(), format!("cannot reach {place}: connection refused"));
    server.restart().await.unwrap();
    assert_eq!(source.ping(LIMIT).await, Ok(()));
    // A connection that died while nobody used it is replaced without anyone noticing.
    server.restart().await.unwrap();
    assert_eq!(source.ping(LIMIT).await, Ok(()));

    let elsewhere = server.url().replace("/postgres?", "/nowhere?").replace("slod@", "slod:secret@");
    let error = only(SourceKind::Postgres(postgres_at(&elsewhere))).ping(LIMIT).await.unwrap_err();
    let place = place.replace("/postgres", "/nowhere");
    assert_eq!(error.to_string(), format!("{place} cannot answer: database \"nowhere\" does not exist"));
    assert!(error.is_blinding());
}
