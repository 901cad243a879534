//! What the decider needs of a configuration.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use crate::{
    config::model::Config,
    engine::{decider::Ruling, planned::PlannedWork, rulebook},
};

pub(super) fn ruling(config: &Config) -> Ruling {
    let wait = |after: Duration| TimeDelta::from_std(after).unwrap_or(TimeDelta::minutes(2));
    Ruling {
        rules: Arc::new(rulebook::rulebook(config)),
        shown: rulebook::shown(config),
        definitions: config.slos.iter().map(|(id, slo)| (id.clone(), slo.definition)).collect(),
        fallbacks: config
            .receivers
            .iter()
            .map(|(name, receiver)| (name.clone(), (receiver.fallback.clone(), wait(receiver.fallback_after))))
            .collect(),
        planned: Arc::new(PlannedWork::new(config)),
    }
}
