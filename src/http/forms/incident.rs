//! What people do to an incident by its page.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::{
    outcome::Outcome,
    posted::{Posted, Refusal, Sent, back},
    silences::{self, Asked, Decided},
};
use crate::{
    domain::silence::Matcher,
    http::{
        Companion,
        ask::TEXT_MAX,
        here,
        pages::incident::{Draft, answer},
        problem::Problem,
    },
    views::{
        desk::{Action, DeskError, Way},
        incident::IncidentView,
    },
};

type Answer = Result<Response, Problem>;

/// `POST /incident/{id}/acknowledge`
pub async fn acknowledge(State(companion): State<Companion>, Path(id): Path<String>, posted: Posted) -> Answer {
    act(&companion, &id, &posted, Action::Acknowledge, Outcome::Acknowledged).await
}

/// `POST /incident/{id}/resolve`
pub async fn resolve(State(companion): State<Companion>, Path(id): Path<String>, posted: Posted) -> Answer {
    act(&companion, &id, &posted, Action::Resolve, Outcome::Resolved).await
}

/// `POST /incident/{id}/status-page/approve`
pub async fn approve(State(companion): State<Companion>, Path(id): Path<String>, posted: Posted) -> Answer {
    act(&companion, &id, &posted, Action::ApproveStatus, Outcome::Approved).await
}

/// `POST /incident/{id}/status-page/discard`
pub async fn discard(State(companion): State<Companion>, Path(id): Path<String>, posted: Posted) -> Answer {
    act(&companion, &id, &posted, Action::DiscardStatus, Outcome::Discarded).await
}

/// `POST /incident/{id}/note`
pub async fn note(State(companion): State<Companion>, Path(id): Path<String>, posted: Posted) -> Answer {
    let text = posted.form.get("text");
    let fault = match text.chars().count() {
        0 => Some("Write what you have seen or done.".to_owned()),
        count if count > TEXT_MAX => Some(format!("That are {count} characters; a note has at most {TEXT_MAX}.")),
        _ => None,
    };
    if fault.is_some() {
        let draft = Draft { note: text.to_owned(), note_fault: fault, ..Draft::default() };
        return shown_again(&companion, &id, &draft).await;
    }
    act(&companion, &id, &posted, Action::Note(text.to_owned()), Outcome::Noted).await
}

/// `POST /incident/{id}/silence`
pub async fn silence(State(companion): State<Companion>, Path(id): Path<String>, posted: Posted) -> Answer {
    let incident = companion.desk.incident(&id).await?;
    let (Some(service), Some(slo)) = (&incident.service, &incident.slo) else {
        return Err(Problem::invalid("an incident of a source has no SLO that could be silenced")
            .help("silence what it makes blind: /silences"));
    };
    let matcher = Matcher {
        service: service.as_str().into(),
        slo: Some(slo.as_str().into()),
        policy: None,
        labels: incident.series.clone(),
    };
    let page = page_of(&incident);
    let asked = Asked { matcher, action: format!("{page}/silence"), back_to: page };
    match silences::decide(&companion, &posted, &asked).await? {
        Decided::Answer(response) => Ok(response),
        Decided::Faulty(draft) => shown_again(&companion, &id, &Draft { silence: draft, ..Draft::default() }).await,
    }
}

async fn act(companion: &Companion, id: &str, posted: &Posted, action: Action, done: Outcome) -> Answer {
    let by = &posted.person.name;
    match posted.once(companion, companion.desk.act(id, action, by, Way::Api)).await {
        Ok(Sent::Done(incident)) => {
            let had = done == Outcome::Acknowledged && incident.acknowledged_before.is_some();
            Ok(back(&page_of(&incident), if had { Outcome::TakenOver } else { done }))
        }
        Ok(Sent::Again) => Ok(back(&format!("/incident/{}", here::segment(id)), Outcome::Again)),
        Err(Refusal::Desk(DeskError::Conflict(why))) => conflict(companion, id, done, why).await,
        Err(refusal) => Err(refusal.into()),
    }
}

/// Why it made no sense, told on the page.
async fn conflict(companion: &Companion, id: &str, wanted: Outcome, why: String) -> Answer {
    let incident = companion.desk.incident(id).await?;
    let of_draft = matches!(wanted, Outcome::Approved | Outcome::Discarded);
    let has_draft = incident.status_page.as_ref().is_some_and(|page| page.draft.is_some());
    if of_draft && !has_draft {
        return Ok(back(&page_of(&incident), Outcome::NoDraft));
    }
    if incident.resolved_at.is_some() {
        return Ok(back(&page_of(&incident), Outcome::Over));
    }
    Err(DeskError::Conflict(why).into())
}

fn page_of(incident: &IncidentView) -> String {
    format!("/incident/{}", here::segment(&incident.id))
}

/// The page again, with what was written and what is wrong with it.
async fn shown_again(companion: &Companion, id: &str, draft: &Draft) -> Answer {
    let page = answer(companion, id, None, draft).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}
