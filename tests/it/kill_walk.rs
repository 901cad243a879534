//! Killed at every point there is, as `kill -9` would: whatever was decided arrives, once, in order, and nothing is left.
//!
//! Each point is walked twice. Once the daemon is killed when it gets there for the first time. And once it is killed
//! there in one life after the other, each time later in the story, before it is left alone.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod hearers;
mod proof;
mod story;

use std::{fs, sync::Arc};

use slod::failpoint::POINTS;
use tokio::{
    sync::Semaphore,
    task::{JoinSet, LocalSet},
};

/// Daemons at a time: they wait for their slots, mostly.
const SIDE_BY_SIDE: usize = 14;
/// At which hit each life ends.
const AGAIN_AND_AGAIN: [u32; 6] = [1, 2, 3, 5, 8, 13];
/// Reached once in a life, so another kill must come before: there must be something to find at the start.
const OF_THE_START: &str = "start.";
const BEFORE_THE_START: &str = "lease.answered";

/// What ends each life.
fn lives(point: &str) -> [Vec<String>; 2] {
    if point.starts_with(OF_THE_START) {
        let at_its_start = || vec![BEFORE_THE_START.to_owned(), point.to_owned()];
        return [at_its_start(), [at_its_start(), vec![format!("{BEFORE_THE_START}:3"), point.to_owned()]].concat()];
    }
    [vec![point.to_owned()], AGAIN_AND_AGAIN.iter().map(|hit| format!("{point}:{hit}")).collect()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_every_point_once_and_again_and_again() {
    LocalSet::new().run_until(walk_all()).await;
}

async fn walk_all() {
    let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut walks = JoinSet::new();
    // The longest first.
    for (_, point) in POINTS {
        let [once, again] = lives(point);
        for (lives, first) in [(again, false), (once, true)] {
            let (places, point) = (places.clone(), *point);
            walks.spawn_local(async move {
                let _place = places.acquire_owned().await.unwrap();
                let kills = story::tell(point, lives.clone()).await;
                assert!(kills > 0, "{point} was never reached");
                assert!(!first || kills == lives.len(), "{point}: {kills} kills of {lives:?}");
            });
        }
    }
    let mut failed = Vec::new();
    while let Some(walk) = walks.join_next().await {
        failed.extend(walk.err().map(|error| error.to_string()));
    }
    assert!(failed.is_empty(), "{} walks failed: see above", failed.len());
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn when_a_page_is_missed() {
    story::miss_a_page().await;
}

#[cfg(debug_assertions)]
#[test]
fn the_page_lists_every_point() {
    let page = fs::read_to_string("docs/kill-points.md").unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let listed: Vec<_> = rows.map(|(name, _)| name).collect();
    let known: Vec<_> = POINTS.iter().map(|(_, name)| *name).collect();
    assert_eq!(listed, known);
}
