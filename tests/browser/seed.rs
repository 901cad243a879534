//! A real daemon with a month behind it and trouble at hand: incidents in every state, messages that arrived and
//! messages that did not, silences, planned work, corrections.

use std::{collections::BTreeMap, path::Path, time::Duration};

use chrono::TimeDelta;
use serde_json::{Value, json};
use slod::clock::{Clock as _, SystemClock};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use testbed::{
    clock::eventually,
    daemon::Slod,
    inbox::{Fault, Inbox},
    ports::free_port,
    postgres::Postgres,
};

use crate::{
    config, hostile,
    plant::{Dip, Past, plant},
};

/// The binary under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_slod");
/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// What the operator's browser signs in with.
pub const TOKEN: &str = "operator-SECRET-0123456789abcdef";

/// The daemon and all it talks to.
pub struct Seeded {
    pub slod: Slod,
    pub inbox: Inbox,
    _postgres: Postgres,
    _folder: TempDir,
}

impl Seeded {
    /// A shop with SLOs in every state, and incidents.
    pub async fn shop() -> Self {
        let seeded = Self::launch(&config::shop(), shop_pasts(), &[]).await;
        seeded
            .live_through(&["inventory/response-time", "inventory/queue-latency", "checkout/orders", "payments-db"])
            .await;
        seeded
    }

    /// The same, with texts from people and machines that mean harm.
    pub async fn hostile() -> Self {
        let now = SystemClock.now();
        let mut pasts = shop_pasts();
        let paths = hostile_paths();
        for (label, bad) in paths.iter().zip([0.05, 0.001, 0.001]) {
            pasts.push(Past { series: vec![("path", label.clone())], bad, ..past("edge", "paths", 60) });
        }
        pasts.push(past("edge", "quiet", 300));
        let rows: Vec<(String, String)> = paths
            .iter()
            .map(|path| (path.clone(), hostile::everything()))
            .chain([(hostile::EMOJI.to_owned(), hostile::endless(5_000))])
            .collect();
        let seeded = Self::launch(&config::hostile_shop(now), pasts, &rows).await;
        let subjects = [
            "inventory/response-time",
            "inventory/queue-latency",
            "checkout/orders",
            "payments-db",
            "edge/paths",
            "edge/quiet",
        ];
        seeded.live_through(&subjects).await;
        seeded.be_hostile().await;
        seeded
    }

    /// Fifty SLOs, nothing wrong.
    pub async fn fifty() -> Self {
        let mut pasts = Vec::new();
        for service in ["service-0", "service-1", "service-2", "service-3", "service-4"] {
            pasts.extend((0..10).map(|number| past(service, &format!("promise-{number}"), 300)));
        }
        Self::launch(&config::fifty(), pasts, &[]).await
    }

    async fn launch(config: &Value, pasts: Vec<Past>, paths: &[(String, String)]) -> Self {
        // A second installation is refused, which is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = TempDir::with_prefix("slod-seeded-").unwrap();
        let (postgres, inbox) = tokio::join!(Postgres::start(), Inbox::start());
        let postgres = postgres.unwrap();
        fill(&postgres, paths).await;
        // JSON is YAML.
        std::fs::write(folder.path().join("slo.yaml"), serde_json::to_string_pretty(config).unwrap()).unwrap();
        plant(&folder.path().join("slod.db"), &pasts, SystemClock.now()).await;
        inbox.fault("/slack/services", Fault::Says(410, format!("channel_is_archived {}", hostile::SCRIPT)), 2);
        let env = environment(&postgres, &inbox);
        let slod = Slod::launch(Path::new(PROGRAM), folder.path(), &env).await.unwrap();
        Self { slod, inbox, _postgres: postgres, _folder: folder }
    }

    /// The incidents of these subjects open; some are taken, noted, ended.
    async fn live_through(&self, subjects: &[&str]) {
        for subject in subjects {
            self.incident(subject).await;
        }
        let queue = self.incident("inventory/queue-latency").await;
        let orders = self.incident("checkout/orders").await;
        self.act(&format!("/api/v1/incidents/{queue}/acknowledge"), &json!({"by": "ann"})).await;
        self.act(
            &format!("/api/v1/incidents/{queue}/note"),
            &json!({"by": "ann", "text": "The queue's worker hangs; restarting it."}),
        )
        .await;
        self.act(
            &format!("/api/v1/incidents/{orders}/resolve"),
            &json!({"by": "bob", "text": "A region was drained."}),
        )
        .await;
        let at = SystemClock.now() - TimeDelta::days(2);
        let correction = json!({"slo": "search/results", "at": at.to_rfc3339(), "bad": -500, "total": -500, "reason": "A load test, not customers.", "by": "ann"});
        self.act("/api/v1/corrections", &correction).await;
        self.annotate().await;
        self.silence(&json!({"service": "checkout", "slo": "refunds"}), "The refunds' provider moves.").await;
        let settled = eventually(PATIENCE, async || {
            let Ok(answer) = self.slod.api("/api/v1/deliveries").await else { return false };
            let rows = answer["deliveries"].as_array().cloned().unwrap_or_default();
            rows.iter().any(|row| row["state"] == "dead")
                && rows.iter().all(|row| !matches!(row["state"].as_str(), Some("queued" | "sending")))
        });
        assert!(settled.await, "{:?}\n{}", self.slod.api("/api/v1/deliveries").await, self.slod.log());
    }

    /// Deploys before the incidents and long before them, and a note for everybody.
    async fn annotate(&self) {
        let now = SystemClock.now();
        for (ago, service, kind, text) in [
            (TimeDelta::minutes(9), Some("inventory"), "deploy", "inventory-api 4.2.1"),
            (TimeDelta::minutes(31), None, "note", "Network maintenance by the provider begins"),
            (TimeDelta::hours(340), Some("inventory"), "deploy", "inventory-api 4.2.0"),
        ] {
            let url = (kind == "deploy").then_some("https://ci.example/builds/4711");
            let at = (now - ago).to_rfc3339();
            let said = json!({"at": at, "service": service, "kind": kind, "text": text, "url": url, "by": "ci"});
            self.act("/api/v1/annotations", &said).await;
        }
    }

    async fn be_hostile(&self) {
        let paths = self.incident("edge/paths").await;
        for text in [hostile::everything(), hostile::endless(5_000)] {
            self.act(&format!("/api/v1/incidents/{paths}/note"), &json!({"by": hostile::IMAGE, "text": text})).await;
        }
        self.silence(&json!({"service": "edge", "slo": "quiet"}), &hostile::everything()).await;
        for text in [hostile::SCRIPT, hostile::IMAGE, hostile::RIGHT_TO_LEFT, &hostile::endless(200)] {
            let said = json!({
                "service": "edge", "kind": "deploy", "text": text, "by": hostile::IMAGE,
                "url": "https://ci.example/\"onmouseover=alert(1)><script>alert(1)</script>",
            });
            self.act("/api/v1/annotations", &said).await;
        }
        let at = SystemClock.now() - TimeDelta::hours(5);
        let correction = json!({
            "slo": "edge/quiet", "at": at.to_rfc3339(), "bad": -1, "total": 0, "reason": hostile::everything(), "by": hostile::SCRIPT,
        });
        self.act("/api/v1/corrections", &correction).await;
    }

    async fn silence(&self, matcher: &Value, reason: &str) {
        let ends_at = SystemClock.now() + TimeDelta::hours(6);
        let silence = json!({"match": matcher, "ends_at": ends_at.to_rfc3339(), "by": "ann", "reason": reason});
        self.act("/api/v1/silences", &silence).await;
    }

    async fn act(&self, path: &str, body: &Value) {
        let (status, text) = self.slod.post(path, body).await.unwrap();
        assert_eq!(status, 200, "{path} {body}: {text}");
    }

    /// The newest incident of a subject, once there is one.
    pub async fn incident(&self, of: &str) -> String {
        let mut id = None;
        let found = eventually(PATIENCE, async || {
            let Ok(answer) = self.slod.api("/api/v1/incidents").await else { return false };
            let all = answer["incidents"].as_array().cloned().unwrap_or_default();
            id = all.iter().find(|one| subject(one) == of).and_then(|one| Some(one["id"].as_str()?.to_owned()));
            id.is_some()
        });
        assert!(found.await, "no incident of {of}\n{}", self.slod.log());
        id.unwrap()
    }
}

/// `service/slo`, or the source.
fn subject(incident: &Value) -> String {
    match (incident["service"].as_str(), incident["slo"].as_str()) {
        (Some(service), Some(slo)) => format!("{service}/{slo}"),
        _ => incident["source"].as_str().unwrap_or_default().to_owned(),
    }
}

/// Label values of the hostile service.
pub fn hostile_paths() -> [String; 3] {
    [
        format!("/{}", hostile::SCRIPT),
        hostile::IMAGE.to_owned(),
        format!("{} {}", hostile::RIGHT_TO_LEFT, hostile::EMOJI),
    ]
}

async fn fill(postgres: &Postgres, paths: &[(String, String)]) {
    let mut connection = PgConnection::connect(&postgres.url()).await.unwrap();
    sqlx::raw_sql(include_str!("tables.sql")).execute(&mut connection).await.unwrap();
    for (number, (path, value)) in paths.iter().enumerate() {
        sqlx::query("insert into hostile values ($1, $2)")
            .bind(path)
            .bind(value)
            .execute(&mut connection)
            .await
            .unwrap();
        if number < hostile_paths().len() {
            let row = sqlx::query("insert into paths values ($1, $2, 1000)").bind(path).bind(if number == 0 {
                700_i64
            } else {
                0
            });
            row.execute(&mut connection).await.unwrap();
        }
    }
    connection.close().await.unwrap();
}

fn environment(postgres: &Postgres, inbox: &Inbox) -> BTreeMap<String, String> {
    let nobody = free_port().unwrap();
    let variables = [
        ("SLOD_LISTEN", format!("127.0.0.1:{}", free_port().unwrap())),
        ("OPS_TOKEN", TOKEN.to_owned()),
        ("SHOP_URL", postgres.url()),
        ("PAYMENTS_URL", format!("postgres://slod@127.0.0.1:{nobody}/payments?sslmode=disable")),
        ("PAGER_KEY", testbed::world::OPS_KEY.to_owned()),
        ("PAGER_URL", inbox.url("/pagerduty")),
        ("CHAT_URL", inbox.url("/slack/services/T000/B000/SECRET")),
        ("PAGE_KEY", "page-SECRET".to_owned()),
        ("PAGE_URL", inbox.url("/statuspage")),
        ("MAIL_URL", inbox.smtp_url()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}

fn past(service: &'static str, slo: &str, every: u32) -> Past {
    Past {
        slo: (service, slo.to_owned()),
        series: Vec::new(),
        every,
        objective_ppb: 990_000_000,
        events: 1_000.0,
        bad: 0.002,
        dips: Vec::new(),
        shown: None,
    }
}

fn dip(hours_ago: f64, minutes: f64, bad: f64) -> Dip {
    Dip { hours_ago, minutes, bad }
}

fn shop_pasts() -> Vec<Past> {
    let region = |name: &str| vec![("region", name.to_owned())];
    let availability = Past {
        events: 1.0,
        bad: 0.0,
        objective_ppb: 995_000_000,
        dips: vec![dip(210.0, 55.0, 1.0), dip(505.0, 25.0, 1.0)],
        ..past("inventory", "availability", 300)
    };
    let freshness = Past {
        events: 1.0,
        bad: 0.004,
        objective_ppb: 950_000_000,
        dips: vec![dip(130.0, 300.0, 0.7)],
        shown: Some(400.0),
        ..past("inventory", "freshness", 300)
    };
    let response_time = Past {
        bad: 0.004,
        dips: vec![dip(3.0, 180.0, 0.12), dip(340.0, 240.0, 0.2)],
        ..past("inventory", "response-time", 60)
    };
    let queue = Past {
        events: 60.0,
        bad: 0.03,
        objective_ppb: 950_000_000,
        dips: vec![dip(60.0, 1_200.0, 0.9)],
        ..past("inventory", "queue-latency", 300)
    };
    let orders = Past { bad: 0.000_3, objective_ppb: 999_000_000, ..past("checkout", "orders", 60) };
    let results = Past { bad: 0.004, dips: vec![dip(50.0, 60.0, 0.3)], ..past("search", "results", 300) };
    vec![
        availability,
        freshness,
        response_time,
        queue,
        Past { series: region("eu-central"), ..orders.clone() },
        Past { series: region("us-east"), dips: vec![dip(20.0, 30.0, 0.4)], ..orders.clone() },
        Past { series: region("ap-south"), ..orders },
        results,
    ]
}
