//! Where the daemon's socket is. The daemon makes it at [`socket_path`]; the command line looks for it there, and
//! where a daemon under systemd has it.

use std::path::{Path, PathBuf};

use crate::config::{
    self, Mode, Overrides,
    model::{Config, Daemon, StoreUrl},
};

/// Where systemd's unit has it.
const SYSTEM: &str = "/run/slod/slod.sock";
const NAME: &str = "slod.sock";

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
    let (told, store) = hints(config);
    let mut places = vec![socket_path(told.as_deref(), store.as_deref()), PathBuf::from(SYSTEM)];
    places.dedup();
    places
}

/// What the configuration says of the socket. Nothing, where it has errors: then the system's place, or a flag,
/// still leads to the daemon.
fn hints(config: &Path) -> (Option<PathBuf>, Option<PathBuf>) {
    let env = |name: &str| std::env::var(name).ok();
    let overrides = Overrides { store: env("SLOD_STORE"), ..Overrides::default() };
    match config::load(config, Mode::Check, &env, &overrides).config {
        Some(Config { daemon: Daemon { socket, store: StoreUrl::Sqlite(file), .. }, .. }) => (socket, Some(file)),
        Some(config) => (config.daemon.socket, None),
        None => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_lies_beside_the_store() {
        assert_eq!(socket_path(None, Some(Path::new("/data/slod.db"))), Path::new("/data/slod.sock"));
        assert_eq!(socket_path(Some(Path::new("/x")), Some(Path::new("/data/slod.db"))), Path::new("/x"));
    }
}
