//! Configurations that load, that do not, and what is said of them.

mod files;
mod hostile;
mod secrets;

use std::path::{Path, PathBuf};

use slod::config::{self, Code, Loaded, Mode, Overrides, diagnostics::Severity, model::StoreUrl, render};

/// Loads with no variable set.
fn load(path: &Path) -> Loaded {
    config::load(path, Mode::Check, &|_| None, &Overrides::default())
}

/// The files and folders of a group.
fn cases(group: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(Path::new("tests/config").join(group))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// Compares with the file of that name in `tests/config/snapshots`.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../config/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn bad_ones_say_why() {
    let all = cases("bad");
    assert!(all.len() >= 45);
    for path in all {
        let loaded = load(&path);
        let text = render::text(&loaded.diagnostics, false);
        assert!(loaded.config.is_none(), "{} loads", path.display());
        assert!(!text.contains("show-me") && !text.contains("nor-me"), "a secret is shown:\n{text}");
        snapshot(&name(&path), &text);
    }
}

#[test]
fn good_ones_load_without_warnings_but_for_variables() {
    let shipped = [PathBuf::from("slo.yaml"), PathBuf::from(".")];
    for path in cases("good").into_iter().chain(shipped) {
        let loaded = load(&path);
        let text = render::text(&loaded.diagnostics, false);
        assert!(loaded.config.is_some(), "{}:\n{text}", path.display());
        let odd = loaded
            .diagnostics
            .iter()
            .find(|found| found.severity == Severity::Warning && found.code != Code::UnsetVariable);
        assert_eq!(odd, None, "{}:\n{text}", path.display());
    }
}

#[test]
fn what_is_kept_of_good_ones() {
    for path in cases("good").into_iter().chain([PathBuf::from("slo.yaml")]) {
        let mut config = load(&path).config.unwrap();
        config.hash.clear();
        snapshot(&format!("good-{}", name(&path)), &format!("{config:#?}"));
    }
}

#[test]
fn what_is_shipped_is_complete_once_its_variables_are_set() {
    let env = |name: &str| {
        let value = match name {
            "INVENTORY_DATABASE_URL" => "postgres://slod:secret@127.0.0.1/inventory",
            "INVENTORY_HEALTH_URL" => "http://127.0.0.1:8080/inventory/health",
            "PROMETHEUS_URL" | "SHOPIFY_STATUS_URL" | "SMTP_URL" | "CREDENTIALS_DIRECTORY" | "PAGERDUTY_FROM" => {
                return None;
            }
            "PAGERDUTY_WEBHOOK_SECRET" | "PAGERDUTY_API_TOKEN" => return None,
            "STATE_DIRECTORY" => "/var/lib/slod:/other",
            name if name.ends_with("URL") || name.ends_with("WEBHOOK") => "https://example.com/x",
            _ => "value",
        };
        Some(value.to_owned())
    };
    let loaded = config::load(Path::new("slo.yaml"), Mode::Run, &env, &Overrides::default());
    assert_eq!(loaded.count(Severity::Error) + loaded.count(Severity::Warning), 0, "{:#?}", loaded.diagnostics);
    assert!(loaded.count(Severity::Note) <= 6);
    let config = loaded.config.unwrap();
    assert!(matches!(config.daemon.store, StoreUrl::Sqlite(path) if path == Path::new("/var/lib/slod/slod.db")));
    assert_eq!(config.policies["fast-burn"].slos.len(), 4);
}

#[test]
fn unset_variables_are_errors_where_they_are_needed() {
    let loaded = config::load(Path::new("slo.yaml"), Mode::Run, &|_| None, &Overrides::default());
    assert!(loaded.config.is_none());
    assert!(
        loaded.diagnostics.iter().all(|found| found.severity == Severity::Note || found.code == Code::UnsetVariable)
    );
}

#[test]
fn flags_win_over_the_file() {
    let overrides = Overrides {
        listen: Some("0.0.0.0:80".into()),
        store: Some("sqlite:/tmp/other.db".into()),
        retention: Some("50d".into()),
        log_format: Some("json".into()),
        ..Overrides::default()
    };
    let loaded = config::load(Path::new("slo.yaml"), Mode::Check, &|_| None, &overrides);
    let daemon = loaded.config.unwrap().daemon;
    assert_eq!(daemon.listen.port(), 80);
    assert_eq!(daemon.retention.as_secs(), 50 * 86_400);
    assert!(matches!(daemon.store, StoreUrl::Sqlite(path) if path == Path::new("/tmp/other.db")));

    let overrides = Overrides { listen: Some("nowhere".into()), timezone: Some(String::new()), ..Overrides::default() };
    let loaded = config::load(Path::new("slo.yaml"), Mode::Check, &|_| None, &overrides);
    assert!(loaded.config.is_none());
    assert!(render::text(&loaded.diagnostics, false).contains("`--listen` must be an address"));
}

#[test]
fn other_outputs() {
    let loaded = load(Path::new("tests/config/bad/unknown-key.yaml"));
    snapshot("output-json", &render::json(&loaded.diagnostics));
    snapshot("output-github", &render::github(&loaded.diagnostics));
    assert!(render::text(&loaded.diagnostics, true).contains('\u{1b}'));
}

#[test]
fn a_definition_changes_with_what_decides_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slo.yaml");
    let text = std::fs::read_to_string("tests/config/good/smallest.yaml").unwrap();
    let definition = |text: &str| {
        std::fs::write(&path, text).unwrap();
        load(&path).config.unwrap().slos.values().next().unwrap().definition
    };
    let first = definition(&text);
    assert_eq!(first, definition(&text.replace("        every: 1m\n", "        title: Other\n        every: 60s\n")));
    assert_ne!(first, definition(&text.replace("99%", "98%")));
    assert_ne!(first, definition(&text.replace("shop.example.com", "shop.example.org")));
}

#[test]
fn check_has_its_exit_codes() {
    use slod::cli::check::{Args, Output, run};
    let check = |path: &str, deny_warnings| {
        let args = Args {
            online: false,
            only: None,
            against_running: false,
            address: None,
            deny_warnings,
            output: Output::Text,
            overrides: Overrides::default(),
        };
        let mut out = Vec::new();
        let checked = run(Path::new(path), &args, &|_| None, false, &mut out).unwrap();
        (checked.verdict.code(), String::from_utf8(out).unwrap().lines().last().unwrap().to_owned())
    };
    assert_eq!(
        check("tests/config/good/smallest.yaml", true),
        (0, "ok: 1 service, 1 SLO, 0 policies, 0 receivers".into())
    );
    assert_eq!(check("slo.yaml", false).0, 0);
    assert_eq!(check("slo.yaml", true).0, 3);
    assert!(check("slo.yaml", true).1.starts_with("ok: 1 service, 4 SLOs, 5 policies, 7 receivers; "));
    assert_eq!(check("tests/config/bad/unknown-key.yaml", false), (1, "failed: 1 error".into()));
}
