//! Annotations: in the store, and from the command line to pages and documents, across a kill.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use slod::{
    clock::{Clock as _, SystemClock},
    domain::{
        annotation::{Annotation, Kind},
        name::Name,
    },
    store::{
        Store,
        annotations::{ANNOTATIONS_MAX, Numbered},
    },
};
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use testbed::clock::eventually;

use crate::{live::PATIENCE, own::Own};

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
}

fn deploy(minute: i64, text: &str, service: Option<&str>) -> Annotation {
    Annotation {
        kind: Kind::Deploy,
        at: at(minute),
        text: text.to_owned(),
        url: None,
        service: service.map(Name::from),
        by: "ci".to_owned(),
        created_at: at(minute),
    }
}

fn texts(found: &[Numbered]) -> Vec<&str> {
    found.iter().map(|(_, one)| one.text.as_str()).collect()
}

#[tokio::test]
async fn the_same_is_not_said_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    let one = deploy(0, "a", Some("shop"));
    let said = async |made: &Annotation, since: i64| store.annotate(made.clone(), at(since)).await.unwrap();
    let (first, stands) = said(&one, 0).await;
    assert_eq!(stands, one);
    let again = Annotation { by: "ann".into(), created_at: at(9), ..one.clone() };
    assert_eq!(said(&again, 0).await, (first, one.clone()), "who said it first stands");
    let later = Annotation { at: at(9), ..one.clone() };
    assert_eq!(said(&later, -1).await.0, first, "without a time of its own: tried again");
    for (number, other) in [
        later.clone(),
        Annotation { kind: Kind::Note, ..one.clone() },
        Annotation { text: "b".into(), ..one.clone() },
        Annotation { url: Some("https://ci.example/1".into()), ..one.clone() },
        Annotation { url: Some("https://ci.example/2".into()), ..one.clone() },
        Annotation { service: None, ..one.clone() },
        Annotation { service: Some(Name::from("search")), ..one.clone() },
    ]
    .into_iter()
    .enumerate()
    {
        let since = (other.at - at(0)).num_minutes();
        let (id, stands) = said(&other, since).await;
        assert!(id > first && stands == other, "{number}");
        assert_eq!(said(&other, since).await.0, id, "{number}");
    }
    let all = store.annotations(None, at(-10), at(10), 100).await.unwrap();
    assert_eq!(all.len(), 8);
    assert_eq!(all[0].1, later, "the newest first");
}

#[tokio::test]
async fn they_are_selected_taken_away_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    let store = Store::open(&path).await.unwrap();
    let all = [(0, "a", Some("shop")), (1, "b", None), (2, "c", Some("search")), (3, "d", Some("shop"))];
    for (minute, text, service) in all {
        store.annotate(deploy(minute, text, service), at(minute)).await.unwrap();
    }
    let found = async |service, from, to, limit| {
        let found = store.annotations(service, at(from), at(to), limit).await.unwrap();
        texts(&found).join("")
    };
    assert_eq!(found(None, 0, 9, 9).await, "dcba");
    assert_eq!(found(Some("shop"), 0, 9, 9).await, "dba");
    assert_eq!(found(Some("shop"), 0, 3, 1).await, "b", "before `to`");
    let near = store.annotations_near(Some("shop"), (at(0), at(1), at(3)), 1).await.unwrap();
    assert_eq!((texts(&near.before), texts(&near.after), near.all), (vec!["a"], vec!["d"], 3));
    let near = store.annotations_near(None, (at(0), at(1), at(2)), 5).await.unwrap();
    assert_eq!((texts(&near.before), texts(&near.after), near.all), (vec!["a", "b"], vec!["c"], 3));

    let newest = store.annotations(None, at(3), at(4), 1).await.unwrap()[0].0;
    assert_eq!(store.unannotate(newest).await.unwrap().map(|(_, gone)| gone.text), Some("d".to_owned()));
    assert_eq!(store.unannotate(newest).await.unwrap(), None);
    let (next, _) = store.annotate(deploy(3, "e", None), at(3)).await.unwrap();
    assert!(next > newest, "a number is not given twice");
    assert_eq!(store.prune(at(2)).await.unwrap(), 2);
    assert_eq!(found(None, -9, 9, 9).await, "ec");
    store.close().await;
    drop(store);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(texts(&store.annotations(None, at(-9), at(9), 9).await.unwrap()), ["e", "c"]);
}

/// Notes to all services do not crowd out a service's own deploy, however near they are.
#[tokio::test]
async fn deploys_and_what_is_its_own_are_told_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    let note = |minute, text: &str| Annotation { kind: Kind::Note, ..deploy(minute, text, None) };
    let mut all = vec![deploy(0, "own", Some("shop")), deploy(1, "of all", None)];
    all.extend((2..7).map(|minute| note(minute, &format!("n{minute}"))));
    all.push(Annotation { kind: Kind::Note, ..deploy(1, "own note", Some("shop")) });
    all.extend((11..16).map(|minute| note(minute, &format!("n{minute}"))));
    all.push(deploy(17, "back", Some("shop")));
    for one in all {
        store.annotate(one.clone(), one.at).await.unwrap();
    }
    let near = store.annotations_near(Some("shop"), (at(0), at(10), at(30)), 5).await.unwrap();
    assert_eq!(texts(&near.before), ["own", "of all", "own note", "n5", "n6"]);
    assert_eq!((texts(&near.after), near.all), (vec!["n11", "n12", "n13", "n14", "back"], 14));
    let near = store.annotations_near(None, (at(0), at(10), at(30)), 1).await.unwrap();
    assert_eq!((texts(&near.before), texts(&near.after)), (vec!["of all"], vec!["back"]));
}

#[tokio::test]
async fn the_first_made_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    let store = Store::open(&path).await.unwrap();
    let (first, _) = store.annotate(deploy(0, "first", None), at(0)).await.unwrap();
    let mut connection = connection(&path).await;
    // Filled as many posts would.
    let fill = "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) \
                insert into annotations (at, kind, text, made_by, made_at) select i, 'note', 'n' || i, 'ci', i from n";
    sqlx::query(fill).bind(i64::from(ANNOTATIONS_MAX)).execute(&mut connection).await.unwrap();
    // Of an old time, and the newest said: it stays.
    let (newest, _) = store.annotate(deploy(-9_000, "newest", None), at(-9_000)).await.unwrap();
    let row =
        sqlx::query("select count(*), min(id), max(id) from annotations").fetch_one(&mut connection).await.unwrap();
    let (many, least, greatest): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!((many, least, greatest), (i64::from(ANNOTATIONS_MAX), first + 2, newest));
}

/// A store of the version before gets the table; one row of a kind that is not known yet is left out, the others are not.
#[tokio::test]
async fn an_older_store_and_a_newer_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    Store::open(&path).await.unwrap().close().await;
    let mut old = connection(&path).await;
    let version: i64 = sqlx::query("pragma user_version").fetch_one(&mut old).await.unwrap().get(0);
    let back = format!("drop table annotations; pragma user_version = {}", version - 1);
    sqlx::raw_sql(sqlx::AssertSqlSafe(back)).execute(&mut old).await.unwrap();
    old.close().await.unwrap();
    let store = Store::open(&path).await.unwrap();
    store.annotate(deploy(0, "a", None), at(0)).await.unwrap();
    let newer = "insert into annotations (at, kind, text, made_by, made_at) values (?, 'rollback', 'b', 'ci', 0)";
    sqlx::query(newer).bind(at(0).timestamp_millis()).execute(&mut connection(&path).await).await.unwrap();
    assert_eq!(texts(&store.annotations(None, at(0), at(1), 9).await.unwrap()), ["a"]);
}

async fn connection(path: &std::path::Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

const CONFIG: &str = "
version: 1
services:
  shop:
    slos:
      front:
        objective: 90%
        window: 1h
        every: 1s
        indicator: {probe: {url: {from_env: FRONT_URL}, timeout: 500ms, retries: 0}}
  search:
    slos:
      results:
        objective: 90%
        window: 1h
        every: 1s
        indicator: {probe: {url: {from_env: FRONT_URL}, timeout: 500ms, retries: 0}}
policies:
  down: {slo: shop/front, when: {consecutive: 2}, priority: P3, notify: [team]}
receivers:
  team: {slack: {webhook: {from_env: SLACK}}}
";

#[tokio::test]
async fn a_deploy_is_seen_at_the_incident_that_follows_and_kept() {
    let front = testbed::ports::free_port().map(|port| format!("http://127.0.0.1:{port}/")).unwrap();
    let mut daemon = Own::launch(CONFIG, &[("SLACK", format!("{front}slack")), ("FRONT_URL", front)]).await;
    let now = SystemClock.now();
    let four = (now - TimeDelta::minutes(4)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let annotate = ["annotate", "front <b>4.2.1</b>", "--kind", "deploy", "--service", "shop", "--at", &four];
    let annotate = [&annotate[..], &["--url", "https://ci.example/builds/7", "--by", "ci"]].concat();
    let cli = async |daemon: &Own, arguments: &[&str]| {
        let said = daemon.slod.cli(arguments).await.unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    for _ in 0..2 {
        let said = cli(&daemon, &annotate).await;
        assert!(
            said.contains("▼ deploy of shop at") && said.contains("front <b>4.2.1</b>, by ci is on record"),
            "{said}"
        );
    }
    // Said twice, without a time.
    for _ in 0..2 {
        cli(&daemon, &["annotate", "load test", "--by", "ann", "-o", "json"]).await;
    }
    let list = daemon.slod.api("/api/v1/annotations").await.unwrap();
    let ids = |list: &Value| {
        list["annotations"].as_array().unwrap().iter().map(|one| one["text"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&list), [json!("load test"), json!("front <b>4.2.1</b>")], "each once");
    for (body, status, why) in [
        (json!({"text": "x", "by": "ann", "service": "nothing"}), 404, "known: search, shop"),
        (json!({"text": "x", "by": "ann", "url": "javascript:alert(1)"}), 400, "neither http nor https"),
        (json!({"text": "x", "by": "ann", "url": "https://a:b@c.example/"}), 400, "a user or a password"),
        (json!({"text": "x", "by": "ann", "at": "2001-01-01T00:00:00Z"}), 400, "over 400 days ago"),
        (json!({"text": "x", "by": "ann", "at": "2099-01-01T00:00:00Z"}), 400, "over 5 minutes ahead"),
        (json!({"text": "x\u{1b}[2J", "by": "ann"}), 400, "write one line"),
    ] {
        let (got, text) = daemon.slod.post("/api/v1/annotations", &body).await.unwrap();
        assert!(got == status && text.contains(why), "{body}: {got} {text}");
    }

    daemon.slod.kill9();
    daemon.slod.relaunch().await.unwrap();
    assert_eq!(daemon.slod.api("/api/v1/annotations").await.unwrap(), list);
    let of_search = daemon.slod.api("/api/v1/annotations?service=search").await.unwrap();
    assert_eq!(ids(&of_search), [json!("load test")]);
    let table = cli(&daemon, &["annotation", "list", "--service", "shop"]).await;
    assert!(table.contains("load test") && table.contains("https://ci.example/builds/7"), "{table}");

    let mut id = String::new();
    let opened = eventually(PATIENCE, async || {
        let answer = daemon.slod.api("/api/v1/incidents?service=shop").await.unwrap_or_default();
        id = answer["incidents"][0]["id"].as_str().unwrap_or_default().to_owned();
        !id.is_empty()
    });
    assert!(opened.await, "{}", daemon.slod.log());
    let document = cli(&daemon, &["incident", "show", &id, "-o", "markdown"]).await;
    assert!(document.contains("**deploy** front &lt;b&gt;4.2.1&lt;/b&gt;, 4 min"), "{document}");
    let (_, page) = daemon.slod.get(&format!("/incident/{id}")).await.unwrap();
    assert!(page.contains("front &lt;b&gt;4.2.1&lt;/b&gt;</bdi></a>, <strong>4 min"), "{page}");
    let (_, page) = daemon.slod.get("/slo/shop/front").await.unwrap();
    assert!(
        page.contains("front &lt;b&gt;4.2.1&lt;/b&gt;, by ci</title>") && page.contains("load test, by ann"),
        "{page}"
    );
    let (_, page) = daemon.slod.get("/slo/search/results").await.unwrap();
    assert!(!page.contains("4.2.1") && page.contains("load test, by ann"), "{page}");

    let number = list["annotations"][1]["id"].to_string();
    let said = cli(&daemon, &["annotation", "remove", &number, "--by", "bob"]).await;
    assert!(said.contains("4.2.1") && said.contains("is taken away"), "{said}");
    let again = daemon.slod.cli(&["annotation", "remove", &number]).await.unwrap();
    assert_eq!(again.status.code(), Some(1), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(ids(&daemon.slod.api("/api/v1/annotations").await.unwrap()), [json!("load test")]);
    assert!(daemon.slod.log().contains("an annotation was taken away"));
}
