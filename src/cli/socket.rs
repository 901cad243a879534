//! Where the daemon's socket is. The daemon makes it at [`socket_path`]; the command line looks for it there, and
//! where a daemon under systemd has it.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where systemd's unit has it.
const SYSTEM: &str = "/run/slod/slod.sock";
const NAME: &str = "slod.sock";
/// A configuration larger than this is not looked into.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Where the daemon makes its socket: as told by flag or configuration, else in `$RUNTIME_DIRECTORY`, else beside
/// the store's file, else in the working folder.
pub fn socket_path(told: Option<&Path>, store: Option<&Path>) -> PathBuf {
    if let Some(told) = told {
        return told.to_owned();
    }
    // systemd separates several folders by colons.
    let runtime = std::env::var("RUNTIME_DIRECTORY").ok().filter(|folders| !folders.is_empty());
    if let Some(folder) = runtime.as_deref().and_then(|folders| folders.split(':').next()) {
        return Path::new(folder).join(NAME);
    }
    store.and_then(Path::parent).map_or_else(|| PathBuf::from(NAME), |folder| folder.join(NAME))
}

/// Where the command line looks, in this order. Never empty.
pub fn candidates(flag: Option<&Path>, config: &Path) -> Vec<PathBuf> {
    if let Some(flag) = flag {
        return vec![flag.to_owned()];
    }
    let hints = Hints::read(config);
    let mut places = vec![socket_path(hints.socket.as_deref(), hints.store.as_deref()), PathBuf::from(SYSTEM)];
    places.dedup();
    places
}

/// What the configuration says of the socket. Read without its checks: incidents must be acknowledged even while
/// somebody has a half-written configuration open.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hints {
    socket: Option<PathBuf>,
    store: Option<PathBuf>,
}

impl Hints {
    fn read(config: &Path) -> Self {
        let file = if config.is_dir() { config.join("slo.yaml") } else { config.to_owned() };
        let small = std::fs::metadata(&file).is_ok_and(|meta| meta.is_file() && meta.len() <= FILE_MAX);
        let text = if small { std::fs::read_to_string(&file).unwrap_or_default() } else { String::new() };
        let root: Value = serde_yaml::from_str(&text).unwrap_or_default();
        let store = std::env::var("SLOD_STORE").ok().or_else(|| scalar(&root["daemon"]["store"]));
        Self {
            socket: scalar(&root["daemon"]["socket"]).map(PathBuf::from),
            store: store.as_deref().map_or_else(|| Some(in_state_folder("slod.db")), store_file),
        }
    }
}

/// A text, or the variable it is read from.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) => {
            let given = value["from_env"].as_str().and_then(|name| std::env::var(name).ok());
            given.or_else(|| value["default"].as_str().map(str::to_owned))
        }
        _ => None,
    }
}

/// The file of a store that is one.
fn store_file(store: &str) -> Option<PathBuf> {
    let path = store.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    match path {
        Some(path) => Some(in_state_folder(path)),
        None if store.contains("://") => None,
        None => Some(in_state_folder(store)),
    }
}

fn in_state_folder(path: &str) -> PathBuf {
    let folder = std::env::var_os("STATE_DIRECTORY").map(PathBuf::from).unwrap_or_default();
    folder.join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_file_or_a_server() {
        let cases = [
            ("sqlite:slod.db", Some("slod.db")),
            ("sqlite:/var/lib/slod/slod.db", Some("/var/lib/slod/slod.db")),
            ("sqlite:///var/lib/slod/slod.db", Some("/var/lib/slod/slod.db")),
            ("postgres://host/slod", None),
        ];
        for (store, file) in cases {
            assert_eq!(store_file(store), file.map(PathBuf::from), "{store}");
        }
    }

    #[test]
    fn the_socket_lies_beside_the_store() {
        assert_eq!(socket_path(None, Some(Path::new("/data/slod.db"))), Path::new("/data/slod.sock"));
        assert_eq!(socket_path(Some(Path::new("/x")), Some(Path::new("/data/slod.db"))), Path::new("/x"));
    }
}
