//! Whatever is in the files: an answer, in time, without a panic.

use std::{fs, path::Path, time::Duration};

use proptest::prelude::*;
use slod::{
    clock::Stopwatch,
    config::{Loaded, diagnostics::Severity},
};

use super::load;

/// Loads these bytes as a root file.
fn load_bytes(bytes: &[u8]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("slo.yaml"), bytes).unwrap();
    load(folder.path())
}

#[test]
fn large_and_deep_inputs_are_answered_soon() {
    let bomb = (0..40).fold(String::from("x-0: &a0 [lol, lol]\n"), |text, n| {
        text + &format!("x-{}: &a{} [{}]\n", n + 1, n + 1, vec![format!("*a{n}"); 9].join(", "))
    });
    let fill = |piece: &str| piece.repeat((1 << 20) / piece.len());
    let numbered = |head: &str, line: fn(usize) -> String, count| {
        (0..count).fold(format!("version: 1\n{head}"), |text, n| text + &line(n))
    };
    let inputs: Vec<(&str, String)> = vec![
        ("brackets", "[".repeat(100_000)),
        ("braces", "{".repeat(100_000)),
        ("maps", "{a: ".repeat(100_000)),
        ("dashes", "- ".repeat(100_000)),
        ("questions", "? ".repeat(100_000)),
        ("bomb", bomb),
        ("long bomb", format!("x: &a \"{}\"\ny: [{}]\n", "x".repeat(100_000), "*a, ".repeat(9_000))),
        ("merges", format!("x: &a {{b: c}}\ny: {{<<: [{}]}}\n", "*a, ".repeat(9_000))),
        ("over 1 MiB", "#".repeat((1 << 20) + 1)),
        ("one line", format!("version: 1\nx-a: [{}]", fill("a,"))),
        ("keys", numbered("", |n| format!("k{n}: 1\n"), 90_000)),
        ("same keys", fill("a: 1\n")),
        ("unknown keys of daemon", numbered("daemon:\n", |n| format!("  lisden{n}: 1\n"), 60_000)),
        ("names", numbered("receivers:\n", |n| format!("  r{n}: {{fallback: r{}}}\n", n + 1), 30_000)),
        (
            "policies",
            numbered("services: {a: {slos: {b: {}}}}\npolicies:\n", |n| format!("  p{n}: {{slo: '*/c*'}}\n"), 30_000),
        ),
        (
            "references",
            numbered("escalations:\n", |n| format!("  e{n}: {{steps: [{{after: 0m, notify: [n{n}]}}]}}\n"), 15_000),
        ),
        ("notify", format!("version: 1\npolicies: {{p: {{notify: [{}]}}}}\n", "aaa, ".repeat(150_000))),
        ("quote", format!("version: 1\nx: \"{}", fill("a\n"))),
        ("anchors", numbered("", |n| format!("x-{n}: &a{n} {{b: c}}\n"), 30_000)),
        ("tabs", fill("\t\n")),
        ("zeros", "\0".repeat(1000)),
    ];
    for (name, text) in inputs {
        let watch = Stopwatch::start();
        let loaded = load_bytes(text.as_bytes());
        assert_eq!(loaded.config.is_none(), name != "anchors", "{name}");
        assert!(loaded.diagnostics.len() <= 3_000, "{name}");
        assert!(watch.elapsed() < Duration::from_secs(20), "{name} took {:?}", watch.elapsed());
    }
}

#[test]
fn what_is_no_text_is_refused() {
    for bytes in [&b"\xff\xfe"[..], b"version: 1\nx: \xc3\x28\n", b"\x00\x01\x02"] {
        assert!(load_bytes(bytes).count(Severity::Error) > 0);
    }
    assert!(load(Path::new("tests/config/no-such-file.yaml")).count(Severity::Error) > 0);
}

/// Every line of the shipped files with a value, its value replaced by something of another type.
#[test]
fn wrong_types_everywhere_are_noticed() {
    let files = ["slo.yaml", "alerts/receivers.yaml", "alerts/escalations.yaml", "alerts/inventory.yaml"];
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("alerts")).unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    files.iter().zip(&texts).for_each(|(file, text)| write(file, text));
    assert!(load(folder.path()).config.is_some());
    let mut tried = 0;
    for (file, text) in files.iter().zip(&texts) {
        for (at, _) in text.match_indices(": ").chain(text.match_indices(":\n")) {
            let line = text[..at].lines().last().unwrap_or_default();
            if line.contains('#') {
                continue;
            }
            for wrong in ["[[], {}]", "{a: {b: c}}", "{}", "[]", "!!str", "\"\\0\"", "-1e999", "~"] {
                let rest = &text[at + 1..];
                let end = rest.find(['\n', ',', '}']).unwrap_or(rest.len());
                write(file, &format!("{}: {wrong}{}", &text[..at], &rest[end..]));
                let loaded = load(folder.path());
                let deep = matches!(wrong, "[[], {}]" | "{a: {b: c}}");
                assert!(!deep || loaded.count(Severity::Error) > 0, "{file}: {line}: {wrong}");
                tried += 1;
            }
        }
        write(file, text);
    }
    assert!(tried > 800, "{tried}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = load_bytes(&bytes);
    }

    #[test]
    fn arbitrary_yaml_never_panics(text in r#"(version: 1\n)?([ ]{0,6}(- |\? )?[a-z<&*!|>'"{}\[\]%@é-]{1,8}:? ?[a-z0-9$%{}\[\]"'#&*,|>-]{0,12}\n){0,12}"#) {
        let _ = load_bytes(text.as_bytes());
    }

    #[test]
    fn damaged_files_never_panic(at in 0usize..6000, length in 0usize..40, piece in r"[\PC\n\t]{0,12}") {
        let text = fs::read_to_string("slo.yaml").unwrap();
        let floor = |mut at: usize| { while !text.is_char_boundary(at.min(text.len())) { at -= 1; } at.min(text.len()) };
        let (from, to) = (floor(at), floor(at + length));
        let _ = load_bytes(format!("{}{piece}{}", &text[..from], &text[to..]).as_bytes());
    }
}
