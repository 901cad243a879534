//! What Pingdom says of the checks themselves.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::client::one_line;

const NAME_MAX: usize = 80;

/// One check. No attribute is promised to be there.
#[derive(Deserialize)]
pub(super) struct Check {
    name: Option<String>,
    /// A word in lists, a map with one key where it is one check that is asked for.
    #[serde(rename = "type")]
    kind: Option<Value>,
    /// Minutes between two tests.
    resolution: Option<u64>,
    status: Option<String>,
}

impl Check {
    /// Reads an answer.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Whole {
            check: Check,
        }
        serde_json::from_slice(body).map(|Whole { check }| check).map_err(|error| error.to_string())
    }

    /// `` `Shop front` (http, tested every 5 min, up)``.
    pub fn words(&self) -> String {
        let kind = match &self.kind {
            Some(Value::String(word)) => Some(word.clone()),
            Some(Value::Object(map)) => map.keys().next().cloned(),
            _ => None,
        };
        let tested = self.resolution.map(|minutes| format!("tested every {minutes} min"));
        let parts: Vec<String> = [kind, tested, self.status.clone()].into_iter().flatten().collect();
        let parts = one_line(&parts.join(", "), NAME_MAX);
        format!("`{}` ({parts})", one_line(self.name.as_deref().unwrap_or("without a name"), NAME_MAX))
    }
}

/// Whether this is a list of checks at all.
pub(super) fn is_list(body: &[u8]) -> Result<(), String> {
    let map: Map<String, Value> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if map.contains_key("checks") { Ok(()) } else { Err("no list of checks".to_owned()) }
}
