//! What people do to incidents at the desk: by the command line, and by the API with a token.

use tokio::sync::oneshot;

use super::LiveDesk;
use crate::{
    domain::{
        decide::Rejected,
        incident::{Actor, Incident, IncidentEvent, Refused, Via},
    },
    engine::mailbox::Order,
    views::{
        desk::{Action, Desk as _, DeskError, Way},
        incident::IncidentView,
        render_words::instant,
    },
};

impl LiveDesk {
    pub(super) async fn acted(
        &self,
        incident: &str,
        action: Action,
        by: &str,
        way: Way,
    ) -> Result<IncidentView, DeskError> {
        let found = self.find(incident).await?;
        let (reply, answer) = oneshot::channel();
        let order = Order::Act { incident: found.id.clone(), event: event(action, by, way), reply };
        let gone = || DeskError::Unavailable("the daemon is stopping".to_owned());
        self.orders.send(order).await.map_err(|_| gone())?;
        match answer.await.map_err(|_| gone())? {
            Ok(()) => self.incident(&found.id).await,
            Err(Rejected::NoIncident(id)) => Err(DeskError::Conflict(format!("incident {id} is over and closed"))),
            Err(Rejected::Refused(Refused::Resolved(_))) => {
                Err(DeskError::Conflict(ended(&self.find(&found.id).await?)))
            }
            Err(refused) => Err(DeskError::Conflict(refused.to_string())),
        }
    }
}

/// Who ended an incident, and when, for whoever would have done so.
fn ended(incident: &Incident) -> String {
    let already = format!("incident {} is resolved already", incident.id);
    let Some(end) = &incident.resolved else { return already };
    let at = instant(end.at);
    match &end.by {
        Some(by) => format!("{already}, by {by} at {at}"),
        None => format!("{already}: it ended by itself at {at}"),
    }
}

fn event(action: Action, by: &str, way: Way) -> IncidentEvent {
    let via = match way {
        Way::Cli => Via::Cli,
        Way::Api => Via::Api,
    };
    let by = Actor { via, ..Actor::new(by) };
    match action {
        Action::Acknowledge => IncidentEvent::Acknowledge { by },
        Action::Resolve => IncidentEvent::Resolve { by },
        Action::Note(text) => IncidentEvent::Note { by, text },
        Action::ApproveStatus => IncidentEvent::StatusDraft { by: by.to_string(), approve: true },
        Action::DiscardStatus => IncidentEvent::StatusDraft { by: by.to_string(), approve: false },
    }
}
