//! A store that cannot be written, a configuration that is wrong, an end that is asked for, texts that mean harm.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod evil;
mod reload;
mod stop;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use testbed::{inbox::PagerdutyStatus, process::run, world::OPS_KEY};

use crate::live::{Live, PROGRAM, outages_only};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// Breaks the store with `begin`, lets an outage begin meanwhile, mends it with `end`: the trouble is said, nothing is
/// sent that is not written, and afterwards everything is.
async fn through_trouble<T>(mut live: Live, begin: impl AsyncFnOnce(&Live) -> T, end: impl AsyncFnOnce(T)) {
    live.slo_is(AVAILABILITY, "ok").await;
    let stored = slots(&live).await;
    let broken = begin(&live).await;
    live.world.service.answer_with(503).unwrap();
    live.until("it is not ready", async || {
        let (status, body) = live.slod.get("/-/ready").await.unwrap();
        status == 503 && body.contains("the store cannot be written")
    })
    .await;
    live.until("it says so", async || live.slod.log().contains("decisions cannot be written")).await;
    let banner = "store cannot be written; nothing new is sent until it can";
    // Its socket may lie where only it can see it.
    let address = live.slod.url();
    let text = live.cli(&["status", "--address", &address]).await;
    assert!(text.starts_with("■") && text.contains(banner), "{text}");
    let json: Value = serde_json::from_str(&live.cli(&["status", "-o", "json", "--address", &address]).await).unwrap();
    assert!(json["daemon"]["store_trouble"].as_str().is_some_and(|why| why.contains("store")), "{json}");
    let (_, page) = live.slod.get("/").await.unwrap();
    assert!(page.contains(banner), "{page}");
    // The probes go on: what they bring waits.
    let asked = live.world.service.asked();
    live.until("it goes on asking", async || live.world.service.asked() > asked + 6).await;
    assert_eq!(live.slod.get("/-/healthy").await.unwrap().0, 200);
    assert_eq!(live.world.inbox.received().len(), 0, "nothing is sent that is not written");
    end(broken).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.slod.wait_for("/-/ready", crate::live::PATIENCE).await.unwrap();
    assert!(live.slod.log().contains("the store can be written again"));
    assert!(!live.cli(&["status", "--address", &address]).await.contains(banner));
    let id = live.opened(AVAILABILITY).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    // Nothing of before is lost, and the time between is there in full.
    let after = slots(&live).await;
    assert_eq!(after[..stored.len()], stored, "{after:?}");
    let starts: Vec<i64> = after.iter().map(|slot| slot.0).collect();
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 2), "{after:?}");
    assert!(live.slod.terminate().await.unwrap().success());
}

/// Start, good, total of the stored slots.
async fn slots(live: &Live) -> Vec<(i64, f64, f64)> {
    let answer = live.slod.api(&format!("/api/v1/slos/{AVAILABILITY}/slots")).await.unwrap();
    let time = |value: &Value| value.as_str().unwrap().parse::<DateTime<Utc>>().unwrap().timestamp();
    let rows = answer["slots"].as_array().unwrap();
    rows.iter()
        .map(|row| (time(&row["start"]), row["good"].as_f64().unwrap(), row["total"].as_f64().unwrap()))
        .collect()
}

/// Another program that writes to the store, and does not end.
async fn locked(live: &Live) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(live.slod.store());
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    other
}

#[tokio::test]
async fn a_locked_store_is_said_and_waited_for() {
    let live = Live::of(outages_only().await).await;
    let lock = async |live: &Live| locked(live).await;
    through_trouble(live, lock, async |other| other.close().await.unwrap()).await;
}

/// The store lies on a disk of its own, in a mount namespace of its own, which ends with the daemon.
#[tokio::test]
async fn a_full_disk_is_said_and_waited_for() {
    if run(std::process::Command::new("unshare").args(["-Urm", "true"])).is_err() {
        eprintln!("skipped: no namespaces of our own here");
        return;
    }
    let world = outages_only().await;
    let disk = world.folder().join("disk");
    fs::create_dir(&disk).unwrap();
    let program = world.folder().join("slod-on-a-small-disk");
    let script = format!(
        "#!/bin/sh\nexec unshare -Urm sh -c 'mount -t tmpfs -o size=2m none {} && exec {PROGRAM} \"$@\"' slod \"$@\"\n",
        disk.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    world.write_config().unwrap();
    let mut env = world.env();
    env.insert("SLOD_STORE".to_owned(), format!("sqlite:{}/slod.db", disk.display()));
    let slod = testbed::daemon::Slod::start(&program, world.folder(), &env).await.unwrap();
    let live = Live { world, slod };
    let fill = async |live: &Live| {
        let inside = format!("/proc/{}/root{}/filler", live.slod.id().unwrap(), disk.display());
        let filler = PathBuf::from(inside);
        // Larger than the disk: what fits is written.
        fs::write(&filler, vec![0; 4 << 20]).unwrap_err();
        filler
    };
    through_trouble(live, fill, async |filler| fs::remove_file(filler).unwrap()).await;
}

/// As a full disk, without a disk: no file of the daemon's may grow.
#[tokio::test]
async fn a_limit_on_the_size_of_files_is_said_and_waited_for() {
    let world = outages_only().await;
    let program = world.folder().join("slod-that-is-not-killed-for-it");
    fs::write(&program, format!("#!/bin/sh\ntrap '' XFSZ\nexec {PROGRAM} \"$@\"\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let live = Live { slod: world.slod(program.to_str().unwrap()).await.unwrap(), world };
    let limit = |process: u32, size: &str| {
        let arguments = ["--pid", &process.to_string(), &format!("--fsize={size}:")];
        run(std::process::Command::new("prlimit").args(arguments)).unwrap();
    };
    let begin = async |live: &Live| {
        let process = live.slod.id().unwrap();
        let log = fs::metadata(live.slod.store().with_file_name("slod.db-wal")).unwrap().len();
        limit(process, &log.to_string());
        process
    };
    through_trouble(live, begin, async |process| limit(process, "unlimited")).await;
}
