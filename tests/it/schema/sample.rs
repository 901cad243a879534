//! Values that a schema allows, made from the schema.

use serde_json::{Map, Value, json};

/// Makes values; knows the definitions.
pub struct Sampler<'a> {
    root: &'a Value,
}

impl<'a> Sampler<'a> {
    pub fn new(root: &'a Value) -> Self {
        Self { root }
    }

    /// What a `$ref` points to.
    pub fn target(&self, pointer: &str) -> &'a Value {
        self.root.pointer(pointer.trim_start_matches('#')).unwrap()
    }

    /// One value.
    pub fn one(&self, node: &Value) -> Value {
        self.all(node).swap_remove(0)
    }

    /// A value of every shape that is allowed.
    pub fn all(&self, node: &Value) -> Vec<Value> {
        let mut found: Vec<Value> = list(node, "examples").to_vec();
        if let Some(value) = node.get("const") {
            found.push(value.clone());
        }
        found.extend_from_slice(list(node, "enum"));
        if let Some(pointer) = node.get("$ref") {
            found.extend(self.all(self.target(pointer.as_str().unwrap())));
        }
        for part in list(node, "anyOf").iter().chain(list(node, "allOf")) {
            found.extend(self.all(part));
        }
        for word in types(node) {
            match word {
                "null" => found.push(Value::Null),
                "boolean" => found.push(json!(true)),
                "integer" | "number" => {
                    found.extend(["minimum", "maximum"].iter().filter_map(|bound| node.get(bound).cloned()));
                    found.push(json!(100));
                }
                "string" if node.get("examples").is_none() => found.push(json!("a")),
                "array" => found.extend(self.all(&node["items"]).into_iter().map(|item| json!([item]))),
                "object" => {
                    found.push(self.object(node, None));
                    if let Some(value) = node.get("additionalProperties").filter(|value| value.is_object()) {
                        found.extend(self.all(value).into_iter().map(|value| json!({"a": value})));
                    }
                }
                _ => {}
            }
        }
        let bounded =
            |value: &Value| value.as_f64().is_none_or(|value| value <= node["maximum"].as_f64().unwrap_or(value));
        found.retain(bounded);
        found
    }

    /// The smallest map that is allowed and has this key, or has any.
    pub fn object(&self, node: &Value, with: Option<(&str, Value)>) -> Value {
        let mut map = Map::new();
        let key = with.as_ref().map(|(key, _)| (*key).to_owned());
        map.extend(with.map(|(key, value)| (key.to_owned(), value)));
        self.add_required(node, node, &mut map);
        let kinds = list(node, "oneOf");
        let names =
            |kind: &Value| key.as_ref().is_some_and(|key| list(kind, "required").iter().any(|name| name == key));
        if let Some(kind) = kinds.iter().find(|kind| names(kind)).or(kinds.first()) {
            self.add_required(node, kind, &mut map);
        }
        for (needs, more) in node.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            if map.contains_key(needs) {
                self.add_required(node, more, &mut map);
            }
        }
        if let Some(condition) = node.get("if") {
            let branch = if jsonschema::is_valid(condition, &Value::Object(map.clone())) { "then" } else { "else" };
            self.add_required(node, &node[branch], &mut map);
        }
        Value::Object(map)
    }

    /// Adds the keys that `rule`, a part of `node` or a list of names, requires.
    fn add_required(&self, node: &Value, rule: &Value, map: &mut Map<String, Value>) {
        for name in rule.as_array().map_or_else(|| list(rule, "required"), Vec::as_slice) {
            let name = name.as_str().unwrap();
            let value = rule.pointer(&format!("/properties/{name}")).unwrap_or(&node["properties"][name]);
            if !map.contains_key(name) {
                map.insert(name.to_owned(), self.one(value));
            }
        }
    }
}

/// The items of a list under `key`, if there is one.
pub fn list<'v>(node: &'v Value, key: &str) -> &'v [Value] {
    node.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn types(node: &Value) -> Vec<&str> {
    match node.get("type") {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
