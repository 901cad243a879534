//! `slod test`: scenarios that pass, that fail, and that cannot be played; through the library and the binary.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use slod::{config::render, scenario};

/// The scenario files of a folder, sorted.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new("tests/scenarios").join(folder)).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    found.sort();
    found
}

fn played(path: &Path) -> Vec<scenario::Outcome> {
    let book = match scenario::read(path, &|_| None) {
        Ok(book) => book,
        Err(problems) => panic!("{}", render::text(&problems, false)),
    };
    book.scenarios.iter().map(|one| scenario::play(one, &book.rules)).collect()
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../scenarios/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Exit code, stdout and stderr of `slod test …`.
fn slod_test(arguments: &[&str], paths: &[PathBuf]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("slod").unwrap();
    let output = command.arg("test").args(arguments).args(paths).env_clear().output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_shipped_policies_do_what_is_written() {
    let all = files("");
    assert!(all.len() >= 2);
    for path in &all {
        let outcomes = played(path);
        let failed = outcomes.iter().any(|outcome| !outcome.failures.is_empty());
        assert!(!failed, "{}", scenario::text(&outcomes));
    }
    let (code, out, errors) = slod_test(&[], &all);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(out.ends_with(" passed, 0 failed\n"), "{out}");
}

#[test]
fn failures_stand_side_by_side() {
    let all = files("failing");
    let (code, out, errors) = slod_test(&[], &all);
    assert_eq!((code, errors.as_str()), (1, ""));
    snapshot("failing-text", &out);
    let (code, out, _) = slod_test(&["-o", "junit"], &all);
    assert_eq!(code, 1);
    snapshot("failing-junit", &out);
    assert_eq!(scenario::junit(&played(&all[0])), out, "the library says the same");
}

#[test]
fn bad_files_say_where_and_how_to_mend_them() {
    for path in files("bad") {
        let Err(problems) = scenario::read(&path, &|_| None) else { panic!("{} is read", path.display()) };
        let text = render::text(&problems, false);
        let (code, out, errors) = slod_test(&[], std::slice::from_ref(&path));
        assert_eq!((code, out.as_str(), errors.trim_end()), (2, "", text.trim_end()), "{}", path.display());
        snapshot(&format!("bad-{}", path.file_stem().unwrap().to_str().unwrap()), &text);
    }
}

#[test]
fn one_bad_file_stops_them_all_and_so_does_none() {
    let paths = [PathBuf::from("tests/scenarios/failing/side-by-side.yaml"), PathBuf::from("tests/nowhere.yaml")];
    let (code, out, errors) = slod_test(&["-o", "junit"], &paths);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(errors.contains("cannot read `tests/nowhere.yaml`"), "{errors}");
    assert_eq!(slod_test(&[], &[]).0, 2);
}

#[test]
fn the_documented_example_passes() {
    let page = std::fs::read_to_string("docs/scenarios.md").unwrap();
    let example = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = std::env::current_dir().unwrap().join("slo.yaml");
    let path = folder.path().join("scenario.yaml");
    std::fs::write(&path, example.replace("../slo.yaml", root.to_str().unwrap())).unwrap();
    let outcomes = played(&path);
    assert!(outcomes.iter().all(|outcome| outcome.failures.is_empty()), "{}", scenario::text(&outcomes));
}

#[test]
fn what_breaks_in_words_is_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.yaml");
    let root = std::env::current_dir().unwrap().join("slo.yaml");
    let text = format!(
        "config: {}\nscenarios:\n  \"\\e[31m]]>\\0\": {{start: 2026-01-05T00:00:00Z, feed: {{inventory/rop-freshness: \
         \"! 60\"}}, expect: [{{at: 10m, firing: [outage]}}]}}\n",
        root.display()
    );
    std::fs::write(&path, text).unwrap();
    let outcomes = played(&path);
    for shown in [scenario::text(&outcomes), scenario::junit(&outcomes)] {
        assert!(!shown.contains(['\u{1b}', '\0']) && shown.contains('\u{fffd}'), "{shown}");
    }
    assert!(scenario::junit(&outcomes).contains("name=\"\u{fffd}[31m]]&gt;\u{fffd}\""));
}
