//! What the decider needs of a configuration.

use std::sync::Arc;

use crate::{
    config::model::Config,
    engine::{decider::Ruling, planned::PlannedWork, rulebook},
};

pub(super) fn ruling(config: &Config) -> Ruling {
    Ruling {
        rules: Arc::new(rulebook::rulebook(config)),
        shown: rulebook::shown(config),
        definitions: config.slos.iter().map(|(id, slo)| (id.clone(), slo.definition)).collect(),
        fallbacks: rulebook::fallbacks(config),
        readers: rulebook::readers(config),
        templates: config.templates.clone(),
        planned: Arc::new(PlannedWork::new(config)),
    }
}
