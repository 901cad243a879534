//! One SLO, many series: from the columns of a statement to the figures of each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection};
use testbed::{clock::eventually, postgres::Postgres};

use crate::{live::PATIENCE, own::Own};

const CONFIG: &str = r"
version: 1
daemon: {max_series_per_slo: 3}
sources: {shop-db: {postgres: {url: {from_env: SHOP_URL}}}}
services:
  shop:
    slos:
      checkout:
        objective: 90%
        window: 10m
        every: 5s
        settle: 1s
        per: [tenant]
        indicator:
          ratio:
            source: shop-db
            sql: >
              select tenant, count(*) filter (where failed) as bad, count(*) as total
              from orders where at >= $1 and at < $2 group by tenant
";

/// Ten orders every five seconds, of which so many failed: for the last ten minutes and the two to come.
async fn orders(connection: &mut PgConnection, tenant: &str, failed: i32) {
    sqlx::query(
        "insert into orders select $1, to_timestamp(floor(extract(epoch from now()) / 5) * 5 - slot * 5 + 1), \
         number <= $2 from generate_series(-24, 130) slot, generate_series(1, 10) number",
    )
    .bind(tenant)
    .bind(failed)
    .execute(connection)
    .await
    .unwrap();
}

async fn bad_shares(daemon: &Own) -> BTreeMap<String, i64> {
    let slos = daemon.slos().await;
    let share = |slo: &serde_json::Value| {
        let (bad, total) = (slo["bad"].as_f64()?, slo["total"].as_f64()?);
        Some((slo["series"]["tenant"].as_str()?.to_owned(), (100.0 * bad / total.max(1.0)).round() as i64))
    };
    slos.iter().filter_map(share).collect()
}

#[tokio::test]
async fn series_come_are_bounded_and_survive() {
    let postgres = Postgres::start().await.unwrap();
    let mut connection = PgConnection::connect(&postgres.url()).await.unwrap();
    sqlx::query("create table orders (tenant text, at timestamptz, failed bool)")
        .execute(&mut connection)
        .await
        .unwrap();
    orders(&mut connection, "acme", 1).await;
    orders(&mut connection, "bolt", 3).await;
    let mut daemon = Own::launch(CONFIG, &[("SHOP_URL", postgres.url())]).await;
    daemon.until_filled().await;
    let two = BTreeMap::from([("acme".to_owned(), 10), ("bolt".to_owned(), 30)]);
    assert_eq!(bad_shares(&daemon).await, two, "{}", daemon.slod.log());

    // One SLO is asked about: its worst series, or the one that is named.
    for (query, tenant) in [("", "bolt"), ("?tenant=acme", "acme"), ("?tenant=bolt", "bolt")] {
        let slo = daemon.slo(&format!("shop/checkout{query}")).await;
        assert_eq!(slo["series"]["tenant"], tenant, "{query}: {slo}");
    }
    let slots = daemon.slod.api("/api/v1/slos/shop/checkout/slots?tenant=acme").await.unwrap();
    assert!(slots["slots"].as_array().is_some_and(|slots| slots.iter().any(|slot| slot["good"] == 9.0)), "{slots}");
    for (path, status) in [("?tenant=nobody", 404), ("?route=a", 400), ("/slots?tenant=acme&tenant=bolt", 400)] {
        assert_eq!(daemon.slod.get(&format!("/api/v1/slos/shop/checkout{path}")).await.unwrap().0, status, "{path}");
    }
    let report = daemon.slod.api("/api/v1/budget").await.unwrap();
    let slo = &report["services"][0]["slos"][0];
    assert_eq!(slo["series"][0]["series"]["tenant"], "bolt", "the worst first: {slo}");
    let sum: f64 = slo["series"].as_array().unwrap().iter().filter_map(|part| part["total"].as_f64()).sum();
    assert_eq!(slo["total"].as_f64(), Some(sum));

    // A third with a hostile name comes, and one too many.
    orders(&mut connection, "<b>'\"; --", 0).await;
    orders(&mut connection, "zeta", 10).await;
    let mut three = two;
    three.insert("<b>'\"; --".to_owned(), 0);
    let came = eventually(PATIENCE, async || bad_shares(&daemon).await.len() == 3).await;
    assert!(came, "{:?}\n{}", bad_shares(&daemon).await, daemon.slod.log());
    assert_eq!(bad_shares(&daemon).await.keys().collect::<Vec<_>>(), three.keys().collect::<Vec<_>>());
    let fault = daemon.slos().await.iter().find_map(|slo| Some(slo["fault"].as_str()?.to_owned()));
    assert!(fault.as_ref().is_some_and(|fault| fault.contains("1 series more")), "{fault:?}");

    daemon.slod.kill9();
    daemon.slod.relaunch().await.unwrap();
    assert_eq!(bad_shares(&daemon).await.len(), 3);
    connection.close().await.unwrap();
}
