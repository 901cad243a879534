//! The JSON Schema says what the decoder says: both are asked about every key, in every place it can stand.

mod sample;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jsonschema::Validator;
use serde_json::{Value, json};
use slod::config::{self, Code, Mode, Overrides, SCHEMA, diagnostics::Diagnostic, diagnostics::Severity};

use sample::{Sampler, list};

/// A key that is like no other.
const STRANGE: &str = "qqqqqqqqqqqqqqqqqqqq";

/// What is wrong with a shape. The rest (references, addresses, queries, bounds) is beyond a schema.
const SHAPE: [Code; 6] =
    [Code::UnknownKey, Code::MissingKey, Code::WrongType, Code::UnknownChoice, Code::NoUnit, Code::Exclusive];

/// Bad cases whose shape is right in every file, but wrong for what another key or file says.
const BEYOND: [&str; 1] = ["mail-missing"];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft7::new(&schema()).unwrap()
}

/// All YAML files of a folder and the folders in it, or the one file.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "yaml"))
        .flat_map(|path| files(&path))
        .collect();
    found.sort();
    found
}

fn parse(path: &Path) -> Option<Value> {
    serde_yaml::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

#[test]
fn it_is_a_schema() {
    jsonschema::draft7::meta::validate(&schema()).unwrap();
}

#[test]
fn what_loads_is_valid() {
    let validator = validator();
    for group in ["tests/config/good", "slo.yaml", "alerts", "src/cli/starter"] {
        for path in files(Path::new(group)) {
            let value = parse(&path).unwrap();
            let problems: Vec<String> =
                validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
        }
    }
}

#[test]
fn what_has_the_wrong_shape_is_not_valid() {
    let validator = validator();
    let (mut refused, mut passed) = (0, Vec::new());
    for entry in std::fs::read_dir("tests/config/bad").unwrap() {
        let path = entry.unwrap().path();
        let loaded = config::load(&path, Mode::Check, &|_| None, &Overrides::default());
        if !loaded.diagnostics.iter().any(|found| SHAPE.contains(&found.code)) {
            continue;
        }
        let is_valid = files(&path).iter().filter_map(|file| parse(file)).all(|value| validator.is_valid(&value));
        if is_valid {
            passed.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
        refused += usize::from(!is_valid);
    }
    passed.sort();
    assert_eq!(passed, BEYOND);
    assert!(refused >= 20, "{refused}");
}

/// A map in the language, and how a configuration looks that has it.
struct Place<'s, 'w> {
    at: String,
    node: &'s Value,
    wrap: &'w dyn Fn(Value) -> Value,
}

/// Visits every map that has keys of its own, in every place it can stand; what holds itself, once.
fn walk<'s>(
    sampler: &Sampler<'s>,
    place: &Place<'s, '_>,
    open: &mut Vec<&'s str>,
    visit: &mut dyn FnMut(&Place<'_, '_>),
) {
    let Place { at, node, wrap } = place;
    if let Some(pointer) = node.get("$ref").and_then(Value::as_str) {
        if !open.contains(&pointer) {
            open.push(pointer);
            walk(sampler, &Place { at: at.clone(), node: sampler.target(pointer), wrap: *wrap }, open, visit);
            open.pop();
        }
        return;
    }
    for part in list(node, "anyOf").iter().chain(list(node, "allOf")) {
        walk(sampler, &Place { at: at.clone(), node: part, wrap: *wrap }, open, visit);
    }
    if let Some(items) = node.get("items") {
        walk(sampler, &Place { at: format!("{at}[]"), node: items, wrap: &|value| wrap(json!([value])) }, open, visit);
    }
    if let Some(value) = node.get("additionalProperties").filter(|value| value.is_object()) {
        let wrap = |value| wrap(json!({"a": value}));
        walk(sampler, &Place { at: format!("{at}.*"), node: value, wrap: &wrap }, open, visit);
    }
    if let Some(properties) = node.get("properties").and_then(Value::as_object) {
        visit(place);
        for (key, value) in properties {
            let wrap = |value| wrap(sampler.object(node, Some((key, value))));
            walk(sampler, &Place { at: format!("{at}.{key}"), node: value, wrap: &wrap }, open, visit);
        }
    }
}

fn walk_all(schema: &Value, visit: &mut dyn FnMut(&Place<'_, '_>)) {
    let place = Place { at: String::new(), node: schema, wrap: &|value| value };
    walk(&Sampler::new(schema), &place, &mut Vec::new(), visit);
}

/// Loads configurations from memory.
struct Loader {
    folder: tempfile::TempDir,
}

impl Loader {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The errors of a configuration; what it needs besides is added.
    fn errors(&self, document: &Value) -> Vec<Diagnostic> {
        let path = self.folder.path().join("slo.yaml");
        std::fs::write(&path, complete(document.clone()).to_string()).unwrap();
        let mut found = config::load(&path, Mode::Check, &|_| None, &Overrides::default()).diagnostics;
        found.retain(|found| found.severity == Severity::Error);
        found
    }
}

/// Whether this is a map, or a list of one.
fn has_map(value: &Value) -> bool {
    value.get(0).unwrap_or(value).is_object()
}

/// Adds what every configuration has.
fn complete(mut document: Value) -> Value {
    let map = document.as_object_mut().unwrap();
    map.entry("version").or_insert(json!(1));
    map.entry("mail").or_insert(json!({"smtp": "smtp://127.0.0.1", "from": "slod@example.com"}));
    document
}

#[test]
fn every_key_is_described() {
    let schema = schema();
    let mut keys = 0;
    walk_all(&schema, &mut |place| {
        for (key, value) in place.node["properties"].as_object().unwrap() {
            let text = value.get("description").and_then(Value::as_str).unwrap_or_default();
            assert!(text.ends_with('.') && text.len() > 5, "{}.{key} is not described", place.at);
            // what stands beside a `$ref` is not validated
            if value.get("$ref").is_some() {
                let idle = |word: &String| ["description", "examples", "$ref"].contains(&word.as_str());
                assert!(value.as_object().unwrap().keys().all(idle), "{}.{key}", place.at);
            }
            keys += 1;
        }
        assert_eq!(place.node["additionalProperties"], json!(false), "{}", place.at);
        assert_eq!(place.node["patternProperties"], json!({"^x-": {}}), "{}", place.at);
    });
    assert!(keys > 250, "{keys}");
}

#[test]
fn schema_and_decoder_know_the_same_keys() {
    let schema = schema();
    let (sampler, loader, validator) = (Sampler::new(&schema), Loader::new(), validator());
    let mut wrong = Vec::new();
    walk_all(&schema, &mut |place| {
        let properties = place.node["properties"].as_object().unwrap();
        let mut known = BTreeSet::new();
        for (key, value) in properties {
            let shapes = sampler.all(value);
            // a map that the decoder reads key by key is one in the schema too, bare or in a list
            for probe in [json!({STRANGE: 1}), json!([{STRANGE: 1}])] {
                let map = sampler.object(place.node, Some((key, probe.clone())));
                let errors = loader.errors(&(place.wrap)(map));
                let is_read = errors.iter().any(|error| error.code == Code::UnknownKey);
                let like = |sample: &Value| sample.is_object() == probe.is_object() && has_map(sample);
                if is_read && !shapes.iter().any(like) {
                    wrong.push(format!("{}.{key}: the decoder reads a map here", place.at));
                }
            }
            for value in shapes {
                let mut map = sampler.object(place.node, Some((key, value)));
                let valid = (place.wrap)(map.clone());
                if let Err(error) = validator.validate(&valid) {
                    wrong.push(format!("{}.{key}: a sample is not valid: {valid}: {error}", place.at));
                }
                map[STRANGE] = json!(1);
                let document = (place.wrap)(map);
                let errors = loader.errors(&document);
                let (strange, others): (Vec<_>, Vec<_>) = errors
                    .iter()
                    .filter(|found| SHAPE.contains(&found.code))
                    .partition(|found| found.message.contains(STRANGE));
                // a `default` is as good as what it stands for, which is another key's affair
                let others = others.iter().filter(|_| key != "default");
                wrong.extend(others.map(|found| format!("{}.{key}: {} ({document})", place.at, found.message)));
                match strange.first().and_then(|found| found.help.as_deref()?.strip_prefix("known keys: ")) {
                    Some(keys) => known.extend(keys.split(", ").map(str::to_owned)),
                    None => wrong.push(format!("{}.{key}: not read ({document})", place.at)),
                }
            }
        }
        let described: BTreeSet<String> = properties.keys().cloned().collect();
        if known != described {
            wrong.push(format!("{}: the decoder knows {known:?}, the schema {described:?}", place.at));
        }
    });
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// What may be written where something else belongs.
fn candidates() -> Vec<Value> {
    let mut all: Vec<Value> = ["", "a", "0", "15m", "99%", "< 1%"].iter().map(|text| json!(text)).collect();
    all.extend([json!(null), json!(true), json!(0), json!(7), json!(-1)]);
    all.extend([json!([]), json!(["a"]), json!([[1]]), json!({}), json!({"a": "b"}), json!({"from_env": "A"})]);
    all
}

#[test]
fn schema_and_decoder_judge_alike() {
    let schema = schema();
    let (sampler, loader, validator) = (Sampler::new(&schema), Loader::new(), validator());
    let outside = &schema["definitions"]["outside"];
    let (mut wrong, mut seen_outside) = (Vec::new(), false);
    walk_all(&schema, &mut |place| {
        if place.node == outside && std::mem::replace(&mut seen_outside, true) {
            return;
        }
        for key in place.node["properties"].as_object().unwrap().keys().filter(|key| *key != "default") {
            for value in candidates() {
                // the decoder takes `"7"` for a number and `7` for a text; an editor may be stricter
                let is_loose = value.is_number() || value.is_boolean() || value == json!("0");
                let document = (place.wrap)(sampler.object(place.node, Some((key, value.clone()))));
                let errors = loader.errors(&document);
                let shape = errors.iter().find(|found| SHAPE.contains(&found.code));
                match (validator.is_valid(&document), shape) {
                    (true, Some(found)) => wrong.push(format!("{}.{key}: {value}: {}", place.at, found.message)),
                    (false, None) if errors.is_empty() && !is_loose => {
                        wrong.push(format!("{}.{key}: {value} is refused, but loads", place.at));
                    }
                    _ => {}
                }
            }
        }
        // what must be there, must be there for both
        let smallest = sampler.object(place.node, None);
        for key in smallest.as_object().unwrap().keys() {
            let mut less = smallest.clone();
            less.as_object_mut().unwrap().remove(key);
            let document = (place.wrap)(less);
            if !validator.is_valid(&document) && loader.errors(&document).is_empty() {
                wrong.push(format!("{}: loads without {key}, but is refused", place.at));
            }
        }
    });
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
