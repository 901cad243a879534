//! The house as a test: which module may import which, and the words that stand nowhere.
//!
//! The rules are the tables below. [`scan`] holds a tree of files to them; it is itself shown trees that break each rule.

mod scan;

use std::{fs, path::Path};

use scan::{Tree, broken_rules};

/// Every top-level module, from the roof down. A module imports from the floors below its own, and from nothing else.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["app", "scenario"],
    &["engine", "http"],
    &["source", "channel", "store", "views"],
    &["config", "clock", "failpoint"],
    &["schedule", "template"],
    &["domain"],
];

/// What the ground floor may use from outside: time as a value, words for stored documents, hashes, errors, and for its
/// own tests proptest. No I/O.
const GROUND: &str = "domain";
const GROUND_CRATES: &[&str] =
    &["std", "core", "chrono", "serde", "serde_json", "sha2", "hex", "thiserror", "proptest"];
/// Parts of the standard library that reach outside.
const GROUND_WITHOUT: &[&str] =
    &["std::fs", "std::net", "std::process", "std::thread", "std::env", "std::io", "async fn"];
/// Nobody's product is known on the ground floor.
const GROUND_WORDS: &[&str] = &[
    "pagerduty",
    "slack",
    "statuspage",
    "instatus",
    "pingdom",
    "prometheus",
    "postgres",
    "supabase",
    "shopify",
    "grafana",
    "alertmanager",
    "opsgenie",
];

/// Words that stand nowhere in `src/`: it is made for every service, not for the first one.
const NOWHERE: &[&str] = &["inventory"];
/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "manager", "misc"];
/// Lines of a file.
const LINES_MAX: usize = 400;

/// All files below `folder` whose text can be read, with paths that begin with `folder`.
fn read(folder: &Path, into: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else if let Ok(text) = fs::read_to_string(&path) {
            into.insert(path.to_str().unwrap().to_owned(), text);
        }
    }
}

fn tree(folders: &[&str]) -> Tree {
    let mut tree = Tree::new();
    for folder in folders {
        read(Path::new(folder), &mut tree);
    }
    tree
}

#[test]
fn the_house_stands() {
    let broken = broken_rules(&tree(&["src"]));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_other_houses_have_short_files_with_telling_names() {
    let broken: Vec<_> =
        tree(&["tests", "testbed/src"]).iter().flat_map(|(path, text)| scan::shape(path, text)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// One file that breaks a rule, and a part of what must be said about it.
fn check(path: &str, text: &str, said: &str) {
    let tree = Tree::from([(path.to_owned(), text.to_owned())]);
    let broken = broken_rules(&tree);
    if said.is_empty() {
        assert!(broken.is_empty(), "{path}: {broken:?}");
    } else {
        assert!(broken.len() == 1 && broken[0].contains(said), "{path}: wanted `{said}`, got {broken:?}");
    }
}

#[test]
fn imports_that_point_up_or_sideways_are_found() {
    check("src/domain/slot.rs", "use crate::config::model::Config;", "src/domain/slot.rs:1: `domain` imports `config`");
    check("src/source/probe.rs", "fn f() {\n    crate::store::open();\n}", ":2: `source` imports `store`");
    check(
        "src/store/mod.rs",
        "use crate::{\n    domain::name::Name,\n    engine::{board, desk::Desk},\n};",
        "`engine`",
    );
    check("src/store/mod.rs", "use crate::{domain::{self, crate_like::engine}, views};", "`store` imports `views`");
    check("src/clock.rs", "use super::engine::board;", "`clock` imports `engine`");
    check("src/http/api/slos.rs", "pub use super::super::super::engine::desk;", "`http` imports `engine`");
    check("src/cli/run.rs", "use slod::main;", "`cli` imports `main`");
}

#[test]
fn imports_that_point_down_or_stay_inside_are_fine() {
    check("src/main.rs", "use slod::cli;", "");
    check("src/cli/run.rs", "use crate::{app::App, http, views::desk::Desk};", "");
    check("src/engine/desk.rs", "use super::board::Board;\nuse crate::{engine::gauges, store::Store};", "");
    check("src/http/api/slos.rs", "use super::super::views; // http's own", "");
    check(
        "src/source/mod.rs",
        "// crate::engine\n/* crate::app /* crate::cli */ */ const A: &str = \"crate::http\";",
        "",
    );
    check("src/source/mod.rs", "const A: &str = r#\"a \" crate::http\"#; const C: char = '\"';", "");
    check("src/source/mod.rs", "fn f<'a>(a: &'a str) -> char { '\\'' }\nuse crate::domain;", "");
    check("src/source/mod.rs", "const A: char = '\"'; use crate::engine;", "`source` imports `engine`");
}

#[test]
fn a_module_without_a_floor_is_found() {
    check("src/exchange/mod.rs", "", "`exchange` has no floor");
    check("src/domain/mod.rs", "use crate::exchange;", "`exchange` has no floor");
}

#[test]
fn a_ground_floor_that_reaches_outside_is_found() {
    check("src/domain/slot.rs", "use tokio::sync::Mutex;", "`domain` uses `tokio`");
    check("src/domain/slot.rs", "use std::{fmt, time::Duration};\nuse std::fs::File;", ":2: `domain` uses `std::fs`");
    check("src/domain/slot.rs", "async fn ask() {}", "`async fn`");
    check("src/domain/slot.rs", "const KIND: &str = \"PagerDuty\";", "`pagerduty`");
    check("src/domain/slot.rs", "/// As PagerDuty says.\nstruct Severity;", "");
    check("src/channel/slack.rs", "struct Slack;\nuse tokio::sync::Mutex;", "");
}

#[test]
fn empty_names_long_files_and_the_first_service_are_found() {
    check("src/http/utils.rs", "", "`utils` says nothing");
    check("src/http/mod.rs", "mod helpers {}", "`helpers` says nothing");
    check("src/http/mod.rs", &"\n".repeat(401), "401 lines");
    check("src/http/mod.rs", &"\n".repeat(400), "");
    check("src/http/pages.rs", "// for the Inventory team", "`inventory`");
    check("src/cli/starter/slo.yaml", "title: inventory", "`inventory`");
}
