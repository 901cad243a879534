//! What is included, and what is no file to read from.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use slod::{
    clock::Stopwatch,
    config::{Code, Loaded, Mode, Overrides, diagnostics::Severity, render},
};
use tempfile::TempDir;

use super::load;

const GOOD: &str = "services: {}\n";

/// A folder with a root file that includes `include`.
fn folder(include: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("slo.yaml"), format!("version: 1\ninclude: [\"{include}\"]\n")).unwrap();
    fs::create_dir(folder.path().join("alerts")).unwrap();
    fs::write(folder.path().join("alerts/a.yaml"), GOOD).unwrap();
    folder
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Whether loading is refused because `named` cannot be read, and `why`.
fn is_refused(loaded: &Loaded, named: &str, why: &str) {
    let text = render::text(&loaded.diagnostics, false);
    assert!(loaded.config.is_none());
    let found = loaded.diagnostics.iter().any(|found| {
        found.severity == Severity::Error
            && found.code == Code::Unreadable
            && found.message.contains(named)
            && format!("{} {:?}", found.message, found.help).contains(why)
    });
    assert!(found, "{named}, {why}:\n{text}");
}

#[test]
fn what_cannot_be_included_is_refused() {
    let watch = Stopwatch::start();
    let with = |make: fn(&Path)| {
        let folder = folder("alerts/*.yaml");
        make(&folder.path().join("alerts/b.yaml"));
        load(folder.path())
    };
    is_refused(&with(|path| symlink("nowhere", path).unwrap()), "b.yaml", "No such file");
    is_refused(&with(|path| symlink("b.yaml", path).unwrap()), "b.yaml", "symbolic links");
    is_refused(&with(fifo), "b.yaml", "is not a regular file");
    is_refused(&with(|path| symlink("/dev/zero", path).unwrap()), "b.yaml", "is not a regular file");
    is_refused(&load(folder("alerts").path()), "`alerts` is a folder", "`alerts/*.yaml`");
    is_refused(&load(folder("alerts/").path()), "`alerts/` is a folder", "`alerts/*.yaml`");
    is_refused(&load(folder("alerts/a.yaml/x").path()), "alerts/a.yaml/x", "not exist");
    assert!(watch.elapsed().as_secs() < 10);
}

#[test]
fn a_folder_without_permission_is_refused() {
    for include in ["alerts/*.yaml", "*/*.yaml", "alerts/a.yaml"] {
        let folder = folder(include);
        let alerts = folder.path().join("alerts");
        fs::set_permissions(&alerts, fs::Permissions::from_mode(0o000)).unwrap();
        // who may read everything cannot be refused anything
        let privileged = fs::read_dir(&alerts).is_ok();
        let loaded = load(folder.path());
        fs::set_permissions(&alerts, fs::Permissions::from_mode(0o755)).unwrap();
        if !privileged {
            is_refused(&loaded, "alerts", "denied");
        }
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_a_warning() {
    for include in ["alerts/*.yml", "nowhere/*.yaml", "*/nowhere.yaml", "alerts/a*.yaml/*"] {
        let loaded = load(folder(include).path());
        let found = loaded.diagnostics.iter().find(|found| found.code == Code::IncludesNothing);
        assert!(found.is_some_and(|found| found.severity == Severity::Warning), "{include}: {:?}", loaded.diagnostics);
        assert_eq!(loaded.count(Severity::Error), 0, "{include}");
    }
}

#[test]
fn a_root_file_that_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fifo(&folder.path().join("slo.yaml"));
    is_refused(&load(folder.path()), "slo.yaml", "is not a regular file");
    is_refused(&load(&folder.path().join("slo.yaml")), "slo.yaml", "is not a regular file");
    is_refused(&load(Path::new("/dev/zero")), "/dev/zero", "is not a regular file");
}

#[test]
fn a_value_from_what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fifo(&folder.path().join("pipe"));
    fs::create_dir(folder.path().join("secrets")).unwrap();
    let credentials = folder.path().to_str().unwrap().to_owned();
    let env = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| credentials.clone());
    for from in ["from_file: ./pipe", "from_file: ./secrets", "from_file: /dev/zero", "from_credential: pipe"] {
        let text = format!("version: 1\nreceivers: {{a: {{slack: {{webhook: {{{from}}}}}}}}}\n");
        fs::write(folder.path().join("slo.yaml"), text).unwrap();
        let loaded = slod::config::load(folder.path(), Mode::Run, &env, &Overrides::default());
        let text = render::text(&loaded.diagnostics, false);
        let name = from.rsplit(['/', ' ']).next().unwrap();
        assert!(loaded.count(Severity::Error) > 0);
        assert!(text.contains("is not a regular file") && text.contains(name), "{from}: {text}");
    }
}

#[test]
fn a_quoted_version_is_refused() {
    for version in ["\"1\"", "'1'", "!!str 1", "01", "1.0", "[1]"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("slo.yaml"), format!("version: {version}\n")).unwrap();
        let loaded = load(folder.path());
        assert!(loaded.diagnostics.iter().any(|found| found.code == Code::Version), "{version}");
    }
}
