//! The verbs, against a served desk on a socket.

use std::{path::PathBuf, sync::Arc};

use assert_cmd::{Command, assert::Assert};
use slod::{
    config::{Mode, Overrides, diagnostics::Severity},
    http::{
        Companion,
        serve::{bind_socket, bind_tcp, serve},
    },
    views::{desk::Action, report::BudgetReport},
};

use super::{
    fake_desk::{FakeDesk, StoppedClock},
    fixed_data::report,
};

/// A desk behind both doors, until dropped.
struct Served {
    desk: Arc<FakeDesk>,
    dir: tempfile::TempDir,
    address: String,
    _stop: tokio::sync::oneshot::Sender<()>,
    _runtime: tokio::runtime::Runtime,
}

impl Served {
    fn new(desk: FakeDesk) -> Self {
        let desk = Arc::new(desk);
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let socket = bind_socket(&dir.path().join("slod.sock")).unwrap();
        let tcp = bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = format!("http://{}", tcp.local_addr().unwrap());
        let companion = Companion::new(desk.clone(), Arc::new(StoppedClock));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        runtime.spawn(serve(companion, tcp, Some(socket), async {
            let _ = stopped.await;
        }));
        Self { desk, dir, address, _stop: stop, _runtime: runtime }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("slod.sock")
    }

    fn slod(&self, arguments: &[&str]) -> Assert {
        slod(arguments).env("SLOD_SOCKET", self.socket()).assert()
    }
}

fn slod(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slod"));
    command.args(arguments).env_clear().env("USER", "ops-lead").env("PATH", "/usr/bin:/bin");
    command
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn looking() {
    let served = Served::new(FakeDesk::default());
    let status = stdout(&served.slod(&["status"]).success());
    assert!(status.contains("inventory/api-response-time") && status.contains("▲ burning"), "{status}");
    assert!(status.contains("46.2 %") && status.contains(" ago"), "{status}");
    assert!(!status.contains('\u{1b}'), "neither colour in a pipe nor what a label holds");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&served.slod(&["status", "-o", "json"]).success())).unwrap();
    assert_eq!(json["slos"][0]["id"], "inventory/api-response-time");

    let list = stdout(&served.slod(&["incidents", "--state", "acknowledged"]).success());
    assert!(list.contains("◐ acknowledged") && list.contains("P1"), "{list}");
    let none = served.slod(&["incidents", "--state", "open"]).success();
    assert_eq!((stdout(&none).as_str(), stderr(&none).as_str()), ("", "no incidents\n"));
    let one = stdout(&served.slod(&["incident", "show", "7"]).success());
    for words in
        ["incident 7", "platform-pager", "draft `investigating` waits", "oldest-queued", "manager approval", "opened"]
    {
        assert!(one.contains(words), "{words}: {one}");
    }
}

#[test]
fn watching() {
    let served = Served::new(FakeDesk::default());
    let one = slod(&["top", "--once"]).env("SLOD_SOCKET", served.socket()).env("COLUMNS", "100").assert().success();
    let one = stdout(&one);
    assert!(one.starts_with("slod top  ") && one.contains("1 ▲ burning · 1 ○ empty"), "{one}");
    assert!(
        one.contains("inventory/api-response-time") && one.contains("◐ acknowledged") && !one.contains('\u{1b}'),
        "{one}"
    );
    assert!(one.lines().all(|line| line.chars().count() <= 100), "{one}");
    assert!(stderr(&served.slod(&["top"]).code(1)).contains("stdout is no terminal"));
    served.slod(&["top", "--once", "--every", "0"]).code(2);
    assert!(stderr(&served.slod(&["top", "--once", "--service", "nope"]).code(1)).contains("no service `nope`"));
    slod(&["top", "--once"]).env("SLOD_SOCKET", served.dir.path().join("none.sock")).assert().code(4);
}

#[test]
fn what_is_wrong_with_slod_itself_is_said() {
    let served = Served::new(FakeDesk { not_ready: true, ..FakeDesk::default() });
    let status = stdout(&served.slod(&["status"]).success());
    assert!(
        status.starts_with("■ the store cannot be written; nothing new is sent until it can: disk full"),
        "{status}"
    );
    let refused = "receiver ops-pager: 1 not yet accepted, the newest failure: 400 invalid key";
    assert!(status.lines().any(|line| line.starts_with(refused)), "{status}");
    assert!(!status.contains('\u{1b}'), "{status}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&served.slod(&["status", "-o", "json"]).success())).unwrap();
    assert!(json["daemon"]["store_trouble"].as_str().unwrap().starts_with("disk full"), "{json}");
    let well = stdout(&Served::new(FakeDesk::default()).slod(&["status"]).success());
    assert!(!well.contains("the store") && !well.contains("receiver ops-pager"), "{well}");
}

#[test]
fn explaining() {
    let served = Served::new(FakeDesk::default());
    let text = stdout(&served.slod(&["explain", "inventory/api-response-time"]).success());
    insta::assert_snapshot!(text);
    assert!(!text.contains('\u{1b}'), "neither colour in a pipe nor what a label holds");
    let json = served.slod(&["explain", "inventory/api-response-time", "--at", "2026-10-25T11:59:30Z", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&json.success())).unwrap();
    assert_eq!(json["figures"][0]["name"], "sli");
    served.slod(&["explain", "inventory"]).code(2);
    let unknown = stderr(&served.slod(&["explain", "inventory/nothing"]).code(1));
    assert!(unknown.contains("inventory/nothing"), "{unknown}");
    let when = stderr(&served.slod(&["explain", "inventory/api-response-time", "--at", "noon"]).code(1));
    assert!(when.contains("noon"), "{when}");
}

#[test]
fn proving() {
    let served = Served::new(FakeDesk::default());
    let text = stdout(&served.slod(&["why", "7"]).success());
    insta::assert_snapshot!("why", text);
    let page = ["why", "--not-paged", "inventory/api-response-time", "--at", "2026-10-25T11:50:00Z"];
    let unpaged = stdout(&served.slod(&page).success());
    insta::assert_snapshot!("not_paged", unpaged);
    assert!(!text.contains('\u{1b}') && !unpaged.contains('\u{1b}'), "nothing steers a terminal");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&served.slod(&["why", "7", "-o", "json"]).success())).unwrap();
    assert_eq!(json["deliveries"][0]["tries"][0]["outcome"], "retry");
    served.slod(&["why", "8"]).code(1);
    served.slod(&["why"]).code(2);
    served.slod(&["why", "7", "--not-paged", "inventory/api-response-time"]).code(2);
    served.slod(&["why", "7", "--at", "2026-10-25T11:50:00Z"]).code(2);
    let gone = slod(&["why", "7"]).env("SLOD_SOCKET", served.dir.path().join("none.sock")).assert().code(4);
    assert!(stderr(&gone).contains("no daemon answers"), "{}", stderr(&gone));
}

#[test]
fn silencing() {
    let served = Served::new(FakeDesk::default());
    let add = ["silence", "add", "--service", "inventory", "--for", "1h", "--reason", "move"];
    let made = stdout(&served.slod(&add).success());
    assert!(made.starts_with("silence 3f9c01ab22d4: inventory/* is silent until "), "{made}");
    assert!(made.contains("2 of 5 SLOs: inventory/api-response-time") && made.contains("open incidents: 7"), "{made}");
    let wanted = ["--slo", "api-response-time", "--policy", "fast-burn", "--label", "region=eu", "--dry-run"];
    let preview = stdout(&served.slod(&[&add[..], &wanted[..]].concat()).success());
    let what = "nothing was done: inventory/api-response-time, policy fast-burn, {region=eu} would be silent";
    assert!(preview.starts_with(what), "{preview}");
    let list = stdout(&served.slod(&["silence", "list"]).success());
    assert!(list.contains("3f9c01ab22d4") && list.contains("ops-lead") && !list.contains('\u{1b}'), "{list}");
    let status = stdout(&served.slod(&["status"]).success());
    assert!(status.contains("silenced until 2026-10-25 13:00:00 UTC by ops-lead: inventory/*"), "{status}");
    assert!(stdout(&served.slod(&["incidents"]).success()).contains("acknowledged, muted"));
    let ended = stdout(&served.slod(&["silence", "expire", "3f9c01ab22d4", "--by", "bob"]).success());
    assert!(ended.contains("silence 3f9c01ab22d4 has ended"), "{ended}");
    assert!(stderr(&served.slod(&["silence", "expire", "8"]).code(1)).contains("no active silence `8`"));
    for (wrong, said) in [
        (&["silence", "add", "--service", "inventory", "--reason", "x"][..], "--for"),
        (&["silence", "add", "--service", "inventory", "--for", "1h"], "--reason"),
        (&["silence", "add", "--for", "1h", "--reason", "x"], "--service"),
        (&["silence", "add", "--service", "inventory", "--reason", "x", "--for", "1 hour"], "duration"),
        (
            &["silence", "add", "--service", "inventory", "--reason", "x", "--for", "1h", "--until", "x"],
            "cannot be used with",
        ),
    ] {
        let answer = stderr(&served.slod(wrong).code(2));
        assert!(answer.contains(said), "{wrong:?}: {answer}");
    }
}

#[test]
fn annotating() {
    let served = Served::new(FakeDesk::default());
    let more =
        ["--kind", "deploy", "--service", "inventory", "--at", "2026-10-25T11:46:00Z", "--url", "https://ci.example/7"];
    let made = stdout(&served.slod(&[&["annotate", "api 4.2.1"][..], &more[..]].concat()).success());
    let line = "7 ▼ deploy of inventory at 2026-10-25 11:46:00 UTC: api 4.2.1, by ops-lead is on record\n";
    assert_eq!(made, line);
    let note = stdout(&served.slod(&["annotate", "load test", "--by", "ann", "-o", "json"]).success());
    let note: serde_json::Value = serde_json::from_str(&note).unwrap();
    assert_eq!(
        (&note["kind"], &note["by"], &note["service"]),
        (&"note".into(), &"ann".into(), &serde_json::Value::Null)
    );
    let wanted = served.desk.said.wanted.lock().unwrap().clone();
    assert_eq!((wanted[0].url.as_deref(), wanted[0].by.as_str()), (Some("https://ci.example/7"), "ops-lead"));
    let list = stdout(&served.slod(&["annotation", "list", "--service", "inventory", "--limit", "9"]).success());
    assert!(list.contains("inventory-api 4.2.1") && list.contains("all") && !list.contains('\u{1b}'), "{list}");
    let later = ["annotation", "list", "--from", "2026-10-25T11:50:00Z"];
    assert!(stderr(&served.slod(&later).success()).contains("no annotations"));
    let gone = stdout(&served.slod(&["annotation", "remove", "6", "--by", "bob"]).success());
    assert!(gone.contains("load test") && gone.contains("is taken away") && !gone.contains('\u{1b}'), "{gone}");
    for (refused, code, said) in [
        (&["annotation", "remove", "8"][..], 1, "no annotation 8"),
        (&["annotation", "remove", "x"], 2, "invalid value"),
        (&["annotation", "list", "--service", "nope"], 1, "known: inventory, quiet"),
        (&["annotation", "list", "--limit", "0"], 1, "use a number from 1 to 1000"),
        (&["annotate"], 2, "TEXT"),
        (&["annotate", "a", "--kind", "release"], 2, "deploy, note"),
        (&["annotate", "a", "--service", "nope"], 1, "known: inventory, quiet"),
        (&["annotate", "a\nb"], 1, "write one line"),
        (&["annotate", "a", "--at", "noon"], 1, "`at` is not a time"),
    ] {
        let answer = stderr(&served.slod(refused).code(code));
        assert!(answer.contains(said), "{refused:?}: {answer}");
    }
}

#[test]
fn acting() {
    let served = Served::new(FakeDesk::default());
    assert!(stdout(&served.slod(&["ack", "7"]).success()).contains("acknowledged by ops-lead"));
    served.slod(&["resolve", "7", "--by", "duty"]).success();
    served.slod(&["note", "7", "restarted"]).success();
    served.slod(&["status-page", "approve", "7"]).success();
    served.slod(&["status-page", "discard", "7", "-o", "json"]).success();
    let acts = served.desk.acts.lock().unwrap();
    let done: Vec<(&Action, &str)> = acts.iter().map(|(_, action, by)| (action, by.as_str())).collect();
    let note = Action::Note("restarted".into());
    let expected = [
        (&Action::Acknowledge, "ops-lead"),
        (&Action::Resolve, "duty"),
        (&note, "ops-lead"),
        (&Action::ApproveStatus, "ops-lead"),
        (&Action::DiscardStatus, "ops-lead"),
    ];
    assert_eq!(done, expected);
}

#[test]
fn whoever_comes_second_hears_of_the_first() {
    let served = Served::new(FakeDesk { held: true, ..FakeDesk::default() });
    let said = stdout(&served.slod(&["ack", "7"]).success());
    let wanted = "acknowledged by ops-lead; it was acknowledged already by bob <i> (api), 2026-10-25 11:52:00 UTC (";
    assert!(said.contains(wanted), "{said}");
    let shown = stdout(&served.slod(&["incident", "show", "7"]).success());
    assert!(shown.contains("before that 2026-10-25 11:52:00 UTC (") && shown.contains("by bob <i> (api)"), "{shown}");
    assert!(!stdout(&served.slod(&["resolve", "7"]).success()).contains("already"));
}

#[test]
fn what_is_refused_ends_with_1() {
    let served = Served::new(FakeDesk::default());
    let refused = served.slod(&["ack", "8"]).code(1);
    assert_eq!(stderr(&refused), "slod: there is no incident `8` (/api/v1/incidents lists them)\n");
    // An id is one segment of the path, whatever it holds.
    served.slod(&["ack", "../../-/reload?x"]).code(1);
    assert!(stderr(&served.slod(&["notify", "test", "nobody"]).code(1)).contains("receivers: ops-pager"));
    served.slod(&["report", "--month", "october"]).code(2);
    served.slod(&["incidents", "--state", "closed"]).code(2);
}

#[test]
fn reports() {
    let served = Served::new(FakeDesk::default());
    let text = stdout(&served.slod(&["report", "--month", "2026-09"]).success());
    assert!(text.starts_with("Budget report 2026-09 (Europe/Paris)"), "{text}");
    let json: BudgetReport = serde_json::from_str(&stdout(&served.slod(&["report", "-o", "json"]).success())).unwrap();
    assert_eq!(json, report("2026-10"));
    let csv = stdout(&served.slod(&["report", "-o", "csv"]).success());
    assert_eq!(csv, slod::views::render_csv::csv(&report("2026-10")));
    assert!(stdout(&served.slod(&["report", "-o", "markdown"]).success()).starts_with("# Budget report 2026-10"));
    let page = stdout(&served.slod(&["report", "-o", "html"]).success());
    assert_eq!(page, slod::views::render_html::html(&report("2026-10")));
    served.slod(&["report", "--service", "nope"]).code(1);
}

#[test]
fn a_test_message_is_followed_to_its_end() {
    let sent = Served::new(FakeDesk::default()).slod(&["notify", "test", "ops-pager"]).success();
    assert!(stdout(&sent).starts_with("● sent to ops-pager: receipt key/2"), "{}", stdout(&sent));
    assert!(stderr(&sent).contains("message 9 to ops-pager: queued"), "{}", stderr(&sent));
    let dead = FakeDesk { test_ends: Some("dead"), ..FakeDesk::default() };
    let dead = Served::new(dead).slod(&["notify", "test", "ops-pager"]).code(1);
    assert!(stdout(&dead).contains("did not accept message 9: HTTP 503"), "{}", stdout(&dead));
    let late = FakeDesk { test_ends: Some("retry"), ..FakeDesk::default() };
    Served::new(late).slod(&["notify", "test", "ops-pager", "--wait", "1"]).code(4);
}

#[test]
fn a_daemon_that_is_not_there_ends_with_4() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("none.sock");
    let gone = slod(&["status"]).env("SLOD_SOCKET", &socket).assert().code(4);
    let said = stderr(&gone);
    assert!(said.contains(socket.to_str().unwrap()) && said.contains("slod run"), "{said}");
    let gone = slod(&["status", "--address", "http://127.0.0.1:1"]).assert().code(4);
    assert!(stderr(&gone).contains("no daemon answers on http://127.0.0.1:1"), "{}", stderr(&gone));
    let sick = Served::new(FakeDesk { store_is_gone: true, ..FakeDesk::default() });
    assert!(stderr(&sick.slod(&["report"]).code(4)).contains("the store is gone"));
}

#[test]
fn the_socket_is_found_beside_the_store() {
    let served = Served::new(FakeDesk::default());
    let config = served.dir.path().join("slo.yaml");
    let store = served.dir.path().join("slod.db");
    std::fs::write(&config, format!("version: 1\ndaemon: {{store: \"sqlite:{}\"}}\n", store.display())).unwrap();
    slod(&["status", "--config", config.to_str().unwrap()]).assert().success();
    slod(&["--config", served.dir.path().to_str().unwrap(), "status"]).assert().success();
    slod(&["status"]).env("RUNTIME_DIRECTORY", served.dir.path()).assert().success();
}

#[test]
fn over_http_with_a_token() {
    let served = Served::new(FakeDesk::default());
    let address = served.address.as_str();
    slod(&["status", "--address", address]).assert().success();
    assert!(stderr(&slod(&["ack", "7", "--address", address]).assert().code(1)).contains("writing needs a token"));
    slod(&["ack", "7", "--address", address]).env("SLOD_TOKEN", "acts").assert().success();
}

#[test]
fn a_starter_is_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("new");
    let written = slod(&["init", target.to_str().unwrap()]).assert().success();
    assert!(stdout(&written).contains("slod check --config"));
    let set = |name: &str| (name != "SMTP_URL").then(|| "https://hooks.example.com/x".to_owned());
    let loaded = slod::config::load(&target, Mode::Run, &set, &Overrides::default());
    assert!(loaded.config.is_some(), "{:?}", loaded.diagnostics);
    let unset = slod::config::load(&target, Mode::Check, &|_| None, &Overrides::default());
    assert!(unset.config.is_some() && unset.count(Severity::Error) == 0, "{:?}", unset.diagnostics);
    std::fs::write(target.join("slo.yaml"), "mine").unwrap();
    let again = slod(&["init", target.to_str().unwrap()]).assert().code(1);
    assert!(stderr(&again).contains("exists: nothing was written"));
    assert_eq!(std::fs::read_to_string(target.join("slo.yaml")).unwrap(), "mine");
}

#[test]
fn help_has_examples() {
    let verbs: [&[&str]; 22] = [
        &["annotate"],
        &["annotation", "list"],
        &["annotation", "remove"],
        &["top"],
        &["why"],
        &["route"],
        &["incident"],
        &["status-page"],
        &["notify"],
        &["run"],
        &["status"],
        &["incidents"],
        &["incident", "show"],
        &["ack"],
        &["resolve"],
        &["note"],
        &["status-page", "approve"],
        &["report"],
        &["noise"],
        &["notify", "test"],
        &["init"],
        &["completions"],
    ];
    for verb in verbs {
        let help = stdout(&slod(&[verb, &["--help"]].concat()).assert().success());
        assert!(help.contains("Example:\n  slod "), "{verb:?}: {help}");
    }
    assert!(stdout(&slod(&["man"]).assert().success()).contains(".TH slod"));
    assert!(stdout(&slod(&["completions", "bash"]).assert().success()).contains("status-page"));
    slod(&["dance"]).assert().code(2);
    slod(&[]).assert().code(2);
}
