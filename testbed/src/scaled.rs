//! A configuration in which months are minutes: the shipped one, with every time scaled down by the name of its key.
//!
//! What is left is one document, so that a test can change it in place before it is written.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};
use serde_json::{Map, Value, json};

/// A whole configuration as one document.
#[derive(Clone, Debug)]
pub struct Scaled {
    document: Value,
}

impl Scaled {
    /// Reads `slo.yaml` in `folder` and the files it includes, and scales all their times.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut document = parse(&folder.join("slo.yaml"))?;
        let root = document.as_object_mut().context("slo.yaml is no map")?;
        let includes = root.remove("include").unwrap_or_default();
        for pattern in includes.as_array().into_iter().flatten().filter_map(Value::as_str) {
            for file in included(folder, pattern)? {
                merge(root, parse(&file)?).with_context(|| file.display().to_string())?;
            }
        }
        scale(&mut document, "");
        // An hour is a few seconds: whoever breaks a service twice in a test does not want it to flap.
        for (_, policy) in document.pointer_mut("/policies").and_then(Value::as_object_mut).into_iter().flatten() {
            if let Some(policy) = policy.as_object_mut() {
                policy.entry("flapping").or_insert_with(|| json!({"changes": 1000, "within": "1s"}));
            }
        }
        Ok(Self { document })
    }

    /// Everything, to be changed as a test likes.
    pub fn document(&mut self) -> &mut Value {
        &mut self.document
    }

    /// Sets one value; `pointer` is a JSON pointer whose last part may be new.
    ///
    /// # Panics
    /// If the map that is to hold it does not exist.
    pub fn set(&mut self, pointer: &str, value: Value) {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
        let parent = self.document.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.unwrap_or_else(|| panic!("nothing at {pointer}")).insert(key.to_owned(), value);
    }

    /// Removes one value, if it is there.
    pub fn remove(&mut self, pointer: &str) {
        let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(parent)) = self.document.pointer_mut(parent) {
            parent.remove(key);
        }
    }

    /// Leaves only these SLOs of `service`, and the policies that match one of them.
    pub fn keep_slos(&mut self, service: &str, names: &[&str]) {
        if let Some(Value::Object(slos)) = self.document.pointer_mut(&format!("/services/{service}/slos")) {
            slos.retain(|name, _| names.contains(&name.as_str()));
        }
        let kept = |pattern: &Value| {
            let pattern = pattern.as_str().unwrap_or_default();
            pattern.contains('*') || names.iter().any(|name| pattern == format!("{service}/{name}"))
        };
        if let Some(Value::Object(policies)) = self.document.pointer_mut("/policies") {
            policies.retain(|_, policy| policy.get("slo").is_some_and(kept));
        }
    }

    /// Every variable that the document reads, and whether it has a default.
    pub fn variables(&self) -> BTreeMap<String, bool> {
        let mut found = BTreeMap::new();
        variables(&self.document, &mut found);
        found
    }

    /// Writes it to `folder/slo.yaml`, and answers that path.
    pub fn write(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = folder.join("slo.yaml");
        let text = serde_yaml::to_string(&self.document)?;
        // A reader never sees half of it.
        let draft = folder.join("slo.yaml.new");
        fs::write(&draft, text)?;
        fs::rename(draft, &path)?;
        Ok(path)
    }

    /// Points every source and receiver that knows a vendor's address to one of ours.
    pub fn replace_addresses(&mut self, pagerduty: &str, slack: &str, statuspage: &str) {
        let Some(Value::Object(receivers)) = self.document.get_mut("receivers") else { return };
        for receiver in receivers.values_mut().filter_map(Value::as_object_mut) {
            for (kind, url) in [("pagerduty", pagerduty), ("slack", slack), ("statuspage", statuspage)] {
                if let Some(Value::Object(kind)) = receiver.get_mut(kind)
                    && !kind.contains_key("webhook")
                {
                    kind.insert("url".to_owned(), json!(url));
                }
            }
        }
    }
}

fn parse(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_yaml::from_str(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// The files of `alerts/*.yaml`, sorted.
fn included(folder: &Path, pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
    let (inner, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let Some((begin, end)) = name.split_once('*') else { return Ok(vec![folder.join(pattern)]) };
    let fits = |name: &str| name.starts_with(begin) && name.ends_with(end);
    let mut files: Vec<_> = fs::read_dir(folder.join(inner))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| fits(&name.to_string_lossy())))
        .collect();
    files.sort();
    Ok(files)
}

fn merge(root: &mut Map<String, Value>, other: Value) -> anyhow::Result<()> {
    let Value::Object(other) = other else { bail!("no map") };
    for (key, value) in other {
        match (root.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
            (_, value) => drop(root.insert(key, value)),
        }
    }
    Ok(())
}

/// Walks the document and scales what stands under the name of a time.
fn scale(value: &mut Value, key: &str) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                scale(value, key);
            }
            if map.contains_key("objective") {
                map.entry("good_for").or_insert(json!("4s"));
            }
            if map.contains_key("fallback") {
                map.entry("fallback_after").or_insert(json!("2s"));
            }
            if let Some(rate) = map.get_mut("burn_rate").filter(|rate| **rate == "sre-workbook") {
                // The workbook's windows are too long for a window of minutes.
                *rate = json!({"long": "60s", "short": "10s", "factor": 14.4});
            }
            if key == "status_page" {
                map.entry("hold").or_insert(json!("4s"));
            }
            if key == "sources" {
                for source in map.values_mut().filter_map(Value::as_object_mut) {
                    source.entry("blind_after").or_insert(json!("4s"));
                    if let Some(Value::Object(prometheus)) = source.get_mut("prometheus") {
                        prometheus.entry("settle").or_insert(json!("500ms"));
                    }
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| scale(item, key)),
        Value::String(text) => {
            if let Some(scaled) = scaled(key, text) {
                *text = scaled;
            }
        }
        _ => {}
    }
}

/// `None` where nothing is to be changed.
fn scaled(key: &str, text: &str) -> Option<String> {
    if key == "sql" {
        return Some(text.replace("interval '3 minutes'", "interval '1 second'"));
    }
    if key == "good" {
        let (sign, bound) = text.split_once(' ')?;
        return Some(format!("{sign} {}", written(milliseconds(bound)? / 150)));
    }
    let long = milliseconds(text)?;
    let short = match key {
        // 5m → 2s, but an hour is still longer than five minutes
        "every" if long >= 3_600_000 => 4_000,
        "every" => (long / 150).max(1_000) / 1_000 * 1_000,
        "window" => (long / 864).max(60_000),
        "after" | "acknowledge_timeout" => long / 450,
        "for" | "deadline" | "hold" | "good_for" | "active" | "reopen_within" => long / 150,
        "settle" => (long / 300).min(1_000),
        "fallback_after" | "blind_after" => long / 60,
        "timeout" | "statement_timeout" => long.min(1_500),
        "threshold" if long > 60_000 => long / 180,
        _ => return None,
    };
    Some(written(short))
}

fn written(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1_000) { format!("{}s", milliseconds / 1_000) } else { format!("{milliseconds}ms") }
}

/// `1h30m` → 5,400,000. `None` for what is no time.
fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        sum += number
            * match &rest[..unit] {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!text.trim().is_empty()).then_some(sum)
}

fn variables(value: &Value, found: &mut BTreeMap<String, bool>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(name)) = map.get("from_env") {
                found.insert(name.clone(), map.contains_key("default"));
            }
            map.values().for_each(|value| variables(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| variables(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_scaled_by_their_keys() {
        let cases = [
            ("every", "5m", Some("2s")),
            ("every", "1m", Some("1s")),
            ("every", "1h", Some("4s")),
            ("window", "30d", Some("3000s")),
            ("after", "0m", Some("0s")),
            ("after", "30m", Some("4s")),
            ("after", "2h", Some("16s")),
            ("acknowledge_timeout", "1h", Some("8s")),
            ("good", "<= 15m", Some("<= 6s")),
            ("threshold", "3m", Some("1s")),
            ("threshold", "800ms", None),
            ("cron", "0 9 1 * *", None),
            ("summary", "5m", None),
        ];
        for (key, text, expected) in cases {
            assert_eq!(scaled(key, text).as_deref(), expected, "{key}: {text}");
        }
    }
}
