//! What a reload changed, in words.

use crate::config::model::Config;

/// What a reload changed, in words.
pub(super) fn changes(old: &Config, new: &Config) -> String {
    let mut parts = Vec::new();
    if old.hash == new.hash {
        parts.push("the files have not changed".to_owned());
    }
    let added = new.slos.keys().filter(|id| !old.slos.contains_key(*id)).count();
    let gone = old.slos.keys().filter(|id| !new.slos.contains_key(*id)).count();
    let changed = new
        .slos
        .iter()
        .filter(|(id, slo)| old.slos.get(*id).is_some_and(|was| was.definition != slo.definition))
        .count();
    for (count, word) in [(added, "new"), (gone, "gone"), (changed, "changed")] {
        if count > 0 {
            parts.push(format!("{count} {} {word}", if count == 1 { "SLO" } else { "SLOs" }));
        }
    }
    if old.daemon.listen != new.daemon.listen || old.daemon.socket != new.daemon.socket {
        parts.push("`listen` and `socket` take effect at the next start".to_owned());
    }
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("configuration reloaded{parts}")
}
