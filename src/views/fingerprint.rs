//! What a configuration holds, as names with fingerprints: enough to say what another one would add, take out and change,
//! and nothing that is secret.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names and the fingerprint of what each of them stands for.
pub type Prints = BTreeMap<String, String>;

/// `GET /api/v1/config`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// The program's version: fingerprints of different ones cannot be compared.
    pub version: String,
    /// SHA-256 of all files' bytes.
    pub hash: String,
    /// By top-level key of the configuration. Secrets have no part in it.
    pub sections: BTreeMap<String, Prints>,
}

/// What one section of another configuration would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// `slos`, `policies`, …
    pub section: String,
    /// There, and not here yet.
    pub added: Vec<String>,
    /// Here, and not there any more.
    pub removed: Vec<String>,
    /// Here and there, but not the same.
    pub changed: Vec<String>,
}

impl Fingerprint {
    /// What `next` would change, by section; nothing for a section that stays as it is.
    pub fn differences(&self, next: &Self) -> Vec<Difference> {
        let comparable = self.version == next.version;
        let empty = Prints::new();
        let names: std::collections::BTreeSet<&String> = self.sections.keys().chain(next.sections.keys()).collect();
        let differences = names.into_iter().map(|section| {
            let (old, new) =
                (self.sections.get(section).unwrap_or(&empty), next.sections.get(section).unwrap_or(&empty));
            let added = new.keys().filter(|name| !old.contains_key(*name)).cloned().collect();
            let removed = old.keys().filter(|name| !new.contains_key(*name)).cloned().collect();
            let other = |(name, print): (&String, &String)| {
                (comparable && old.get(name).is_some_and(|old| old != print)).then(|| name.clone())
            };
            let changed = new.iter().filter_map(other).collect();
            Difference { section: section.clone(), added, removed, changed }
        });
        let nothing = |one: &Difference| one.added.is_empty() && one.removed.is_empty() && one.changed.is_empty();
        differences.filter(|one| !nothing(one)).collect()
    }

    /// Whether something of that name is in a section.
    pub fn has(&self, section: &str, name: &str) -> bool {
        self.sections.get(section).is_some_and(|prints| prints.contains_key(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(version: &str, policies: &[(&str, &str)]) -> Fingerprint {
        let prints = policies.iter().map(|(name, print)| ((*name).to_owned(), (*print).to_owned())).collect();
        Fingerprint { version: version.into(), hash: String::new(), sections: [("policies".to_owned(), prints)].into() }
    }

    #[test]
    fn names_are_added_removed_and_changed() {
        let old = fingerprint("1", &[("a", "x"), ("b", "x"), ("c", "x")]);
        let new = fingerprint("1", &[("b", "y"), ("c", "x"), ("d", "x")]);
        let difference = Difference {
            section: "policies".into(),
            added: vec!["d".into()],
            removed: vec!["a".into()],
            changed: vec!["b".into()],
        };
        assert_eq!(old.differences(&new), std::slice::from_ref(&difference));
        assert_eq!(old.differences(&old), []);
        // Another version prints otherwise: only names can be compared.
        let newer = fingerprint("2", &[("b", "y"), ("c", "x"), ("d", "x")]);
        assert_eq!(old.differences(&newer), [Difference { changed: vec![], ..difference }]);
        let none = Fingerprint { version: "1".into(), ..Fingerprint::default() };
        assert_eq!(old.differences(&none)[0].removed, ["a", "b", "c"]);
        assert!(old.has("policies", "a") && !old.has("policies", "d") && !old.has("slos", "a"));
    }
}
