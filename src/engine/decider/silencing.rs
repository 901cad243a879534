//! Silences that people want, and the planned work to come.

use chrono::{DateTime, Utc};

use super::Decider;
use crate::domain::{
    decide::{Decision, Input, Rejected},
    silence::{Scope, Silence},
};

impl Decider {
    /// Makes a silence, or only looks at what it would mute.
    pub(super) fn silence(
        &mut self,
        now: DateTime<Utc>,
        silence: Silence,
        preview: bool,
        decision: &mut Decision,
    ) -> Result<Scope, Rejected> {
        let scope = self.core.scope_of(&silence, now)?;
        if !preview {
            self.core.handle(now, Input::Silence(Box::new(silence)), decision)?;
        }
        Ok(scope)
    }

    /// Tells the core of the planned work of the next days, where it does not know enough of it.
    pub(super) fn look_ahead(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        if let Some(planned) = self.outlook.renew(&self.ruling.planned, now.timestamp()) {
            // Nothing refuses a plan.
            drop(self.core.handle(now, Input::Planned(planned), decision));
        }
    }
}
