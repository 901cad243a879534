//! Silences by forms: first what one would mute, then the silence.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    outcome::Outcome,
    posted::{Posted, Refusal, Sent, WRITE_LIMIT, back, within},
};
use crate::{
    config::units,
    domain::{
        name::{Name, Series},
        silence::{LONGEST, Matcher, REASON_MAX},
    },
    http::{
        Companion,
        pages::{
            silence_form::{SilenceDraft, preview},
            silences::page_with,
        },
        problem::Problem,
    },
    views::{desk::DeskError, silence::Silencing},
};

type Answer = Result<Response, Problem>;

/// What a form asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is to be muted.
    pub matcher: Matcher,
    /// Where the form goes.
    pub action: String,
    /// The page that then tells.
    pub back_to: String,
}

/// What became of it.
pub enum Decided {
    /// An answer.
    Answer(Response),
    /// It is not yet right: the page shows it again.
    Faulty(SilenceDraft),
}

/// `POST /silences`
pub async fn add(State(companion): State<Companion>, posted: Posted) -> Answer {
    let mut draft = SilenceDraft::of(&posted.form);
    let Some(matcher) = matcher(&mut draft) else {
        // All that is wrong is said at once.
        time_and_reason(&companion, &posted, &mut draft)?;
        return shown_again(&companion, &draft).await;
    };
    let asked = Asked { matcher, action: "/silences".to_owned(), back_to: "/silences".to_owned() };
    match decide(&companion, &posted, &asked).await? {
        Decided::Answer(response) => Ok(response),
        Decided::Faulty(draft) => shown_again(&companion, &draft).await,
    }
}

/// `POST /silences/{id}/expire`
pub async fn expire(State(companion): State<Companion>, Path(id): Path<String>, posted: Posted) -> Answer {
    let by = &posted.person.name;
    match posted.once(&companion, companion.desk.expire(&id, by)).await {
        Ok(Sent::Done(_)) => Ok(back("/silences", Outcome::Expired)),
        Ok(Sent::Again) => Ok(back("/silences", Outcome::Again)),
        Err(Refusal::Desk(DeskError::NotFound(..))) => Ok(back("/silences", Outcome::NotActive)),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Says what a silence would mute; or makes it, if that was said before.
pub async fn decide(companion: &Companion, posted: &Posted, asked: &Asked) -> Result<Decided, Problem> {
    let mut draft = SilenceDraft::of(&posted.form);
    let is_sure = is_sure(posted);
    let ends_at = time_and_reason(companion, posted, &mut draft)?;
    let Some(ends_at) = ends_at.filter(|_| !draft.is_faulty()) else { return Ok(Decided::Faulty(draft)) };
    let silencing = Silencing {
        matcher: asked.matcher.clone(),
        ends_at,
        by: posted.person.name.clone(),
        reason: draft.reason.clone(),
        preview: !is_sure,
    };
    let work = companion.desk.silence(silencing);
    let made =
        if is_sure { posted.once(companion, work).await } else { within(WRITE_LIMIT, work).await.map(Sent::Done) };
    match made {
        Ok(Sent::Done(view)) if !is_sure => {
            Ok(Decided::Answer(preview(companion, asked, &draft, &view).into_response()))
        }
        Ok(Sent::Done(_)) => Ok(Decided::Answer(back(&asked.back_to, Outcome::Silenced))),
        Ok(Sent::Again) => Ok(Decided::Answer(back(&asked.back_to, Outcome::Again))),
        Err(Refusal::Desk(error @ (DeskError::Invalid(_) | DeskError::NotFound(..) | DeskError::Conflict(_)))) => {
            draft.fault = Some(error.to_string());
            Ok(Decided::Faulty(draft))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// It was shown what it would mute, and is to be made.
fn is_sure(posted: &Posted) -> bool {
    posted.form.get("step") == "do"
}

/// When it is to end, with what is wrong with that and with its reason.
fn time_and_reason(
    companion: &Companion,
    posted: &Posted,
    draft: &mut SilenceDraft,
) -> Result<Option<DateTime<Utc>>, Problem> {
    draft.reason_fault = reason_fault(&draft.reason);
    if is_sure(posted) { read_time(posted.form.get("ends_at")) } else { Ok(end(draft, companion.now())) }
}

async fn shown_again(companion: &Companion, draft: &SilenceDraft) -> Answer {
    let page = page_with(companion, None, draft).await?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

/// When the silence is to end, counted from now.
fn end(draft: &mut SilenceDraft, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let lasts = if draft.lasts == "custom" { draft.custom.as_str() } else { draft.lasts.as_str() };
    let found = units::duration(lasts).ok().and_then(|found| TimeDelta::from_std(found).ok());
    let found = found.filter(|found| *found > TimeDelta::zero() && *found <= LONGEST);
    if found.is_none() {
        draft.lasts_fault = Some("Write how long, such as 30m, 2h or 1d; at most 7 days.".to_owned());
    }
    found.map(|found| now + found)
}

fn read_time(text: &str) -> Result<Option<DateTime<Utc>>, Problem> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| Some(at.to_utc()))
        .map_err(|_| Problem::invalid("the form is not whole").help("load its page again, then send it again"))
}

fn reason_fault(reason: &str) -> Option<String> {
    match reason.chars().count() {
        0 => Some("Say why: it stands beside the silence.".to_owned()),
        count if count > REASON_MAX => Some(format!("That are {count} characters; a reason has at most {REASON_MAX}.")),
        _ => None,
    }
}

/// What the form of the silences' page is about.
fn matcher(draft: &mut SilenceDraft) -> Option<Matcher> {
    let (service, slo) = match draft.target.split_once('/') {
        Some((service, slo)) => (service, Some(slo)),
        None => (draft.target.as_str(), None),
    };
    if service.is_empty() {
        draft.target_fault = Some("Choose a service or an SLO.".to_owned());
        return None;
    }
    let mut labels = Series::new();
    for line in draft.labels.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some((label, value)) = line.split_once('=') else {
            draft.labels_fault = Some("Write one label a line, like route=/checkout.".to_owned());
            return None;
        };
        labels.insert(label.trim().to_owned(), value.trim().to_owned());
    }
    let policy = (!draft.policy.is_empty()).then(|| Name::from(draft.policy.as_str()));
    Some(Matcher { service: Name::from(service), slo: slo.map(Name::from), policy, labels })
}
