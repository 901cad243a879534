//! Probes over TLS: whom they trust, and certificates that end too soon.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{fs, path::Path, process::Command};

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use testbed::{daemon::Slod, inbox::PagerdutyStatus, world::OPS_KEY};

use crate::{
    live::{Live, PROGRAM, outages_only},
    sources::tls::Authority,
};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// What `check --online` says of probes of these addresses, by their order. The system's certificates are `trusted`.
fn looked_at(trusted: &Path, probes: &[(String, &str)]) -> Vec<(bool, String)> {
    let slos: serde_json::Map<String, Value> = probes
        .iter()
        .enumerate()
        .map(|(at, (url, least))| {
            let mut probe = json!({"url": url, "timeout": "5s", "retries": 0});
            if !least.is_empty() {
                probe["tls_expires_after"] = json!(least);
            }
            (format!("slo-{at}"), json!({"objective": "99%", "window": "30d", "indicator": {"probe": probe}}))
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let document = json!({"version": 1, "services": {"shop": {"slos": slos}}});
    fs::write(folder.path().join("slo.yaml"), document.to_string()).unwrap();
    let output = Command::new(PROGRAM)
        .args(["check", "--online", "-o", "json", "--config"])
        .arg(folder.path())
        .env_clear()
        .env("SSL_CERT_FILE", trusted)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let answers = lines.find_map(|line| line["online"].as_array().cloned()).unwrap_or_default();
    assert_eq!(answers.len(), probes.len(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let answer = |answer: &Value| (answer["ok"] == true, answer["text"].as_str().unwrap().to_owned());
    answers.iter().map(answer).collect()
}

#[test]
fn a_certificate_must_last() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let today = testbed::clock::now();
    let long = ours.server(today + TimeDelta::days(60));
    let short = ours.server(today + TimeDelta::days(4));
    let over = ours.server(today - TimeDelta::days(4));
    let unknown = theirs.server(today + TimeDelta::days(60));
    let ends = |days| (today + TimeDelta::days(days)).format("%Y-%m-%d 00:00 UTC").to_string();
    let fine = "status 200 OK".to_owned();
    let cases = [
        (long.url(), "", (true, fine.clone())),
        (long.url(), "14d", (true, fine.clone())),
        (long.url(), "90d", (false, format!("the certificate ends at {}, in less than 90 days", ends(60)))),
        (short.url(), "", (true, fine.clone())),
        (short.url(), "36h", (true, fine)),
        (short.url(), "14d", (false, format!("the certificate ends at {}, in less than 14 days", ends(4)))),
        (over.url(), "", (false, "invalid peer certificate: ".to_owned())),
        (over.url(), "14d", (false, "invalid peer certificate: ".to_owned())),
        (unknown.url(), "14d", (false, "invalid peer certificate: UnknownIssuer".to_owned())),
    ];
    let probes: Vec<_> = cases.iter().map(|(url, least, _)| (url.clone(), *least)).collect();
    for ((url, least, (ok, text)), (found_ok, found)) in cases.iter().zip(looked_at(&ours.file(), &probes)) {
        assert!(found_ok == *ok && found.starts_with(text), "{url} {least}: {found_ok} {found}, not {ok} {text}");
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_pages_and_says_when() {
    let authority = Authority::new("ours");
    let end = testbed::clock::now() + TimeDelta::days(5);
    let (short, long) = (authority.server(end), authority.server(end + TimeDelta::days(60)));
    let mut world = outages_only().await;
    let probe = format!("/services/{}/indicator/probe", AVAILABILITY.replace('/', "/slos/"));
    for key in ["contains", "status", "witnesses"] {
        world.config.remove(&format!("{probe}/{key}"));
    }
    world.config.set(&format!("{probe}/url"), json!(short.url()));
    world.config.set(&format!("{probe}/tls_expires_after"), json!("14d"));
    world.write_config().unwrap();
    let mut env = world.env();
    env.insert("SSL_CERT_FILE".to_owned(), authority.file().to_str().unwrap().to_owned());
    let slod = Slod::start(Path::new(PROGRAM), world.folder(), &env).await.unwrap();
    let live = Live { world, slod };
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    let seen = live.slod.api(&format!("/api/v1/slos/{AVAILABILITY}")).await.unwrap();
    let said = format!(
        "the certificate ends at {}, in less than 14 days",
        end.with_timezone(&Utc).format("%Y-%m-%d 00:00 UTC")
    );
    assert_eq!(seen["fault"], said);
    let told = live.world.inbox.received().iter().any(|entry| entry.body.to_string().contains(&said));
    assert!(told, "{}", live.story().await);

    // A new certificate, by the next reload at the latest.
    let Live { mut world, slod } = live;
    world.config.set(&format!("{probe}/url"), json!(long.url()));
    world.write_config().unwrap();
    slod.signal("HUP").unwrap();
    let live = Live { world, slod };
    live.reaches(&id, "resolved").await;
    live.settle().await;
}
