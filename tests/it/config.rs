//! Configurations that load, that do not, and what is said of them.

use std::path::{Path, PathBuf};

use slod::config::{self, Loaded, Mode, Overrides, render};

fn folder(name: &str) -> PathBuf {
    Path::new("tests/config").join(name)
}

/// Loads with no variable set.
fn load(path: &Path) -> Loaded {
    config::load(path, Mode::Check, &|_| None, &Overrides::default())
}

fn cases(name: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    found.sort();
    found
}

#[test]
fn good_ones_load() {
    for path in cases("good") {
        let loaded = load(&path);
        let text = render::text(&loaded.diagnostics, false);
        assert!(loaded.config.is_some(), "{}:\n{text}", path.display());
        eprintln!("{text}");
    }
}
