//! Every kind of diagnostic, against real servers and against servers that mean no good.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use slod::{
    config::{self, Mode, Overrides, model::Config, render},
    domain::diagnostic::{COLUMNS_MAX, Diagnosis, ROWS_MAX},
    source::Diagnoser,
};
use sqlx::Executor as _;
use testbed::postgres::Postgres;

use super::evil::{Evil, EvilServer};

const OK: &str = r#"{"page":{"id":"p"},"status":{"indicator":"none"},"components":[],"incidents":[]}"#;

fn now() -> DateTime<Utc> {
    "2026-10-25T12:00:00Z".parse().unwrap()
}

/// A configuration with these diagnostics, and the sources `db` and `prom`.
fn with(db: &str, prom: &str, diagnostics: &Value) -> Config {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir().unwrap();
    let document = json!({
        "version": 1,
        "sources": {
            "db": {"postgres": {"url": db, "statement_timeout": "5s"}},
            "prom": {"prometheus": {"url": prom}},
        },
        "services": {"shop": {"runbook": {"diagnostics": diagnostics}}},
    });
    std::fs::write(folder.path().join("slo.yaml"), document.to_string()).unwrap();
    let loaded = config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default());
    loaded.config.unwrap_or_else(|| panic!("{}", render::text(&loaded.diagnostics, false)))
}

/// What came of all of them, in the order that is written.
async fn looked(config: &Config) -> Vec<Diagnosis> {
    let diagnoser = Diagnoser::new(config).unwrap();
    let mut found = Vec::new();
    for diagnostic in config.services.values().flat_map(|service| &service.diagnostics) {
        found.push(diagnoser.diagnose(diagnostic, now()).await);
    }
    found
}

/// `ok` or `look`, and the summary.
fn said(found: &Diagnosis) -> String {
    format!("{} {}", if found.ok { "ok" } else { "look" }, found.summary)
}

async fn one(db: &str, diagnostic: Value) -> Diagnosis {
    looked(&with(db, "http://127.0.0.1:1", &json!({"one": diagnostic}))).await.remove(0)
}

fn sql(query: &str) -> Value {
    json!({"sql": {"source": "db", "query": query, "unchecked": true}})
}

fn explain(query: &str) -> Value {
    json!({"explain": {"source": "db", "query": query, "unchecked": true}})
}

const NOWHERE: &str = "postgres://slod@127.0.0.1:1/postgres";

#[tokio::test]
async fn rows_are_small_tables() {
    let server = Postgres::start().await.unwrap();
    for (query, words) in [
        ("select 1 as ok", "ok ok"),
        ("select 1 as ok;\n", "ok ok"),
        ("select false as ok", "look not ok (false)"),
        ("select count(*) as connections from generate_series(1, 17) x", "ok 17"),
        ("select null::int as a", "ok no value"),
        ("select 1 as a where false", "ok no rows"),
        (
            "select x as id, timestamptz '2026-10-25T11:19:00Z' as queued_at from generate_series(7, 9) x",
            "ok 3 rows, first queued_at 41 min ago",
        ),
        ("select 'b' as b, 1 as a -- in the order that is written", "ok 1 row, first b b"),
        ("select 1,\n  nope", "look could not be asked: column \"nope\" does not exist (line 2, column 3 of the SQL)"),
        ("select 1; select 2", "look could not be asked: syntax error at or near \";\" (line 1, column 9 of the SQL)"),
    ] {
        assert_eq!(said(&one(&server.url(), sql(query)).await), words, "{query}");
    }
    let wide =
        "select x as a, repeat('<b>\u{1b}', 100000) as b, x, x, x, x, x, x, x, x from generate_series(1, 100000) x";
    let found = one(&server.url(), sql(wide)).await;
    let table = found.table.unwrap();
    assert!(table.more && table.rows.len() == ROWS_MAX && table.columns.len() == COLUMNS_MAX, "{table:?}");
    assert_eq!(&table.columns[..2], ["a", "b"]);
    let cell = table.rows[0][1].clone().unwrap();
    assert!(cell.chars().count() <= 80 && cell.ends_with('…') && !cell.contains('\u{1b}'), "{cell}");
    assert_eq!(found.summary, "10+ rows, first a 1");
}

#[tokio::test]
async fn plans_say_what_it_took() {
    let server = Postgres::start().await.unwrap();
    let found = one(&server.url(), explain("select * from generate_series(1, 1000) as x order by 1 desc")).await;
    assert!(found.ok && found.summary.contains(" ms, Sort"), "{}", found.summary);
    let plan = found.text.unwrap();
    assert!(plan.contains("actual time=") && plan.contains("Execution Time: "), "{plan}");
    let found = one(&server.url(), explain("select nope")).await;
    assert_eq!(said(&found), "look could not be asked: column \"nope\" does not exist (line 1, column 8 of the SQL)");
}

#[tokio::test]
async fn nothing_is_ever_written() {
    let server = Postgres::start().await.unwrap();
    let mut direct = server.connect().await.unwrap();
    direct
        .execute(
            "create table precious (id int); insert into precious values (1); create sequence ids;
             create function wipe() returns int language sql as 'delete from precious returning id'",
        )
        .await
        .unwrap();
    for query in [
        "delete from precious returning id",
        "update precious set id = 2 returning id",
        "with d as (delete from precious returning id) select count(*) from d",
        "select wipe()",
        "select nextval('ids')",
        "select 1) as answer) as whole; delete from precious; --",
        "select set_config('transaction_read_only', 'off', true); delete from precious",
        "select 1 from precious for update",
        "insert into precious values (2) returning id",
        "truncate precious",
        "drop table precious",
        "create table other as select 1 as x",
        "commit; delete from precious",
    ] {
        for diagnostic in [sql(query), explain(query)] {
            let found = one(&server.url(), diagnostic.clone()).await;
            assert!(found.summary.starts_with("could not be asked: "), "{diagnostic}: {found:?}");
        }
    }
    let refused = one(&server.url(), explain("create table other as select 1 as x")).await;
    assert!(refused.summary.ends_with(": only a query can be explained"), "{refused:?}");
    let refused = one(&server.url(), explain("select wipe()")).await;
    let why = "could not be asked: cannot execute DELETE in a read-only transaction: a source only reads";
    assert_eq!(refused.summary, why);
    let left: i64 = sqlx::query_scalar("select sum(id) from precious").fetch_one(&mut direct).await.unwrap();
    assert_eq!(left, 1);
    let next: i64 = sqlx::query_scalar("select nextval('ids')").fetch_one(&mut direct).await.unwrap();
    assert_eq!(next, 1);
    let other: bool = sqlx::query_scalar("select exists (select from pg_tables where tablename = 'other')")
        .fetch_one(&mut direct)
        .await
        .unwrap();
    assert!(!other, "a plan makes no table");
    // What a session holds goes with it.
    one(&server.url(), sql("select pg_advisory_lock(7)::text as lock")).await;
    let mut locks = 1;
    for _ in 0..500 {
        locks = sqlx::query_scalar("select count(*) from pg_locks where locktype = 'advisory'")
            .fetch_one(&mut direct)
            .await
            .unwrap();
        if locks == 0_i64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(locks, 0);
}

#[tokio::test]
async fn what_hangs_is_given_up() {
    let server = Postgres::start().await.unwrap();
    let stalls = EvilServer::start(Evil::Stalls).await;
    let drips = EvilServer::start(Evil::Drips).await;
    let diagnostics = json!({
        "slow-sql": {"sql": {"source": "db", "query": "select 1 as a from pg_sleep(60)"}, "timeout": "1s"},
        "slow-plan": {"explain": {"source": "db", "query": "select 1 from pg_sleep(60)"}, "timeout": "1s"},
        "slow-page": {"public_status": {"url": drips.url()}, "timeout": "1s"},
        "slow-site": {"http": {"url": stalls.url()}, "timeout": "1s"},
        "slow-prom": {"promql": {"source": "prom", "query": "up"}, "timeout": "1s"},
    });
    for found in looked(&with(&server.url(), &stalls.url(), &diagnostics)).await {
        assert_eq!(said(&found), "look could not be asked: no answer within 1s", "{}", found.name);
        assert!(found.took_seconds >= 0.9, "{found:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let gone = "http://127.0.0.1:1";
    let diagnostics = json!({
        "a": sql("select 1"),
        "b": {"public_status": {"url": gone}},
        "c": {"http": {"url": gone}},
        "d": {"promql": {"source": "prom", "query": "up"}},
    });
    for found in looked(&with(NOWHERE, gone, &diagnostics)).await {
        assert!(found.summary.ends_with("connection refused") && !found.ok, "{found:?}");
    }
}

#[tokio::test]
async fn status_pages() {
    let page = |rest: &str| Evil::says("200 OK", "", &format!("{{\"page\":{{\"id\":\"p\"}}{rest}}}"));
    let down = r#","components":[{"name":"<b>API</b>","status":"major_outage"}]"#;
    for (evil, words) in [
        (Evil::says("200 OK", "", OK), "ok operational"),
        (page(down), "look <b>API</b> major outage"),
        (Evil::says("200 OK", "", "<html>"), "is no Statuspage page: no JSON: `<html>`"),
        (Evil::says("200 OK", "", "{}"), "is no Statuspage page: its summary names no `page.id`"),
        (Evil::says("404 Not Found", "", OK), "is no Statuspage page: /api/v2/summary.json answers 404 Not Found"),
        (
            Evil::says("302 Found", "location: https://elsewhere.example/\r\n", ""),
            "is no Statuspage page: it leads to elsewhere.example:443, which is not followed",
        ),
        (Evil::Endless, "look could not be asked: answer over 1048576 bytes"),
    ] {
        let server = EvilServer::start(evil).await;
        let found = one(NOWHERE, json!({"public_status": format!("{}/base/", server.url())})).await;
        assert!(said(&found).ends_with(words), "{words}: {found:?}");
        let asked = server.asked.lock().unwrap().join("");
        assert!(asked.starts_with("GET /base/api/v2/summary.json "), "{asked}");
    }
}

#[tokio::test]
async fn addresses() {
    let hop = "location: http://127.0.0.1:1/secret\r\n";
    for (status, headers, fine, words) in [
        ("200 OK", "", json!(null), "ok 200 OK after"),
        ("503 Service Unavailable", "", json!(null), "look 503 Service Unavailable after"),
        ("302 Found", hop, json!("200, 300-399"), "ok 302 Found after"),
        ("302 Found", hop, json!(null), "look 302 Found after"),
    ] {
        let server = EvilServer::start(Evil::says(status, headers, "x")).await;
        let mut http = json!({"url": server.url()});
        if !fine.is_null() {
            http["status"] = fine;
        }
        let found = one(NOWHERE, json!({"http": http})).await;
        assert!(said(&found).starts_with(words), "{words}: {found:?}");
        assert_eq!(found.summary.contains("which is not followed"), status.starts_with("302"), "{found:?}");
        assert!(!found.summary.contains("secret"));
        assert_eq!(server.asked.lock().unwrap().len(), 1);
    }
    // A body without end is not read.
    let endless = EvilServer::start(Evil::Endless).await;
    assert!(one(NOWHERE, json!({"http": {"url": endless.url()}})).await.ok);
}

#[tokio::test]
async fn promql_is_asked_now() {
    let vector =
        |samples: &str| format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{samples}]}}}}"#);
    let sample = |label: &str, value: &str| format!(r#"{{"metric":{{"code":"{label}"}},"value":[1,"{value}"]}}"#);
    let many: Vec<String> = (0..1_000).map(|code| sample(&code.to_string(), "1")).collect();
    for (body, words) in [
        (vector(""), "ok no value"),
        (vector(&sample("500", "61.25")), "ok 61.25"),
        (vector(&format!("{},{}", sample("500", "3"), sample("<b>", "NaN"))), "ok 2 series, first {code=500} 3"),
        (vector(&many.join(",")), "ok 1000 series, first {code=0} 1"),
        (r#"{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}"#.to_owned(), "ok 7"),
        ("no".to_owned(), "look could not be asked: unreadable answer: "),
    ] {
        let server = EvilServer::start(Evil::says("200 OK", "", &body)).await;
        let diagnostics = json!({"one": {"promql": {"source": "prom", "query": "time() - last_sync"}}});
        let found = looked(&with(NOWHERE, &server.url(), &diagnostics)).await.remove(0);
        assert!(said(&found).starts_with(words), "{words}: {found:?}");
        assert!(found.table.is_none_or(|table| table.rows.len() <= ROWS_MAX));
        let asked = server.asked.lock().unwrap().join("");
        assert!(asked.contains("time=1792929600"), "{asked}");
    }
    let endless = EvilServer::start(Evil::Endless).await;
    let diagnostics = json!({"one": {"promql": {"source": "prom", "query": "up"}}});
    let found = looked(&with(NOWHERE, &endless.url(), &diagnostics)).await.remove(0);
    assert_eq!(said(&found), "look could not be asked: answer over 2097152 bytes");
}
