//! A world that is killed and starts again.

use slod::domain::{chunk::chunk_of, decide::Core, ledger::Ledger, silence::Silence};

use super::world::{START, World};

impl World {
    /// The core as it would be read back from the store.
    pub fn restart(&mut self) {
        let old = std::mem::take(&mut self.core);
        let mut core = Core::default();
        for (id, incident) in &old.incidents {
            let text = serde_json::to_string(incident).unwrap();
            core.incidents.insert(id.clone(), serde_json::from_str(&text).unwrap());
        }
        core.heard.clone_from(&old.heard);
        core.adopt(old.rules.clone());
        for (key, state) in &old.series {
            let mut ledger = Ledger::new(state.ledger.every());
            let newest = state.ledger.newest().map_or(i64::MIN, chunk_of);
            for number in chunk_of(START / i64::from(ledger.every())) - 1_000..=newest {
                if let Some(bytes) = state.ledger.chunk_bytes(number) {
                    ledger.load(ledger.every(), number, bytes).unwrap();
                }
            }
            let fresh = core.series.get_mut(key).unwrap();
            fresh.ledger = ledger;
            for (watch, alert) in &state.alerts {
                let text = serde_json::to_string(alert).unwrap();
                fresh.alerts.insert(watch.clone(), serde_json::from_str(&text).unwrap());
            }
        }
        let through = |silence: &Silence| {
            let text = serde_json::to_string(silence).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        core.resume_mutes(self.now, old.silences.values().map(through).collect(), old.planned.clone());
        core.resume_blind(self.now);
        self.core = core;
    }
}
