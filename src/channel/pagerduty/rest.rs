//! PagerDuty's REST API: what became of our pages there, and their priorities. Never on the way of a page.
//!
//! Every question ends within the limit. Once the limit of requests is spent, nothing is asked until it is reset.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Method, RequestBuilder,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::{
    super::answer::{Answer, Failure, Http, Limits, without},
    hook::{is_id, person},
};
use crate::{channel::ChannelError, clock::Stopwatch, config::secret::Secret, domain::policy::Priority};

/// More incidents than this with one key are not believed: something in between leaves out the key.
const INCIDENTS_MAX: usize = 10;
/// The shortest quiet after the limit of requests is spent, and the one when nothing is said of it.
const QUIET_LEAST: Duration = Duration::from_secs(1);
const QUIET: Duration = Duration::from_secs(30);

/// Asks the API of one account.
pub struct PagerDutyRest {
    http: Http,
    limit: Duration,
    token: Secret,
    from: Option<String>,
    base: String,
    /// Since when, and for how long, nothing is asked.
    quiet: Mutex<Option<(Stopwatch, Duration)>>,
}

/// An incident of PagerDuty's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerIncident {
    /// PagerDuty's name for it: letters and digits.
    pub id: String,
    /// Where it stands.
    pub status: PagerStatus,
    /// Since when, in PagerDuty's words.
    pub since: String,
    /// The person who put it there, if a person did.
    pub person: Option<String>,
    /// It is over only in so far as another goes on for it.
    pub merged: bool,
}

/// Where an incident of PagerDuty's stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagerStatus {
    /// People are being told.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl PagerDutyRest {
    /// Prepares to ask at `base`; contacts nobody. `from`: the user in whose name priorities are set.
    pub fn new(limits: Limits, token: Secret, from: Option<String>, base: &str) -> Result<Self, ChannelError> {
        Ok(Self::over(Http::new(limits)?, limits.total, token, from, base))
    }

    pub(super) fn over(http: Http, limit: Duration, token: Secret, from: Option<String>, base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { http, limit, token, from, base, quiet: Mutex::default() }
    }

    /// Whether priorities can be set: somebody is named in whose name.
    pub fn sets_priorities(&self) -> bool {
        self.from.is_some()
    }

    /// For how long nothing is to be asked.
    pub fn quiet_for(&self) -> Option<Duration> {
        let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        let left = quiet.and_then(|(since, wait)| wait.checked_sub(since.elapsed()));
        if left.is_none() {
            *quiet = None;
        }
        left
    }

    /// The incidents that hold an alert with this key, over or not.
    pub async fn find(&self, dedup_key: &str) -> Result<Vec<PagerIncident>, Failure> {
        let statuses = ["triggered", "acknowledged", "resolved"].map(|status| ("statuses[]", status));
        let query = [&[("incident_key", dedup_key), ("date_range", "all"), ("limit", "25")][..], &statuses].concat();
        let answer = self.ask(self.request(Method::GET, "incidents").query(&query)).await?;
        let found = listed(&answer, "incidents")?.iter().filter_map(incident).collect::<Vec<_>>();
        if found.len() > INCIDENTS_MAX {
            return Err(Failure::retry(format!("{} incidents with one key are not believed", found.len())));
        }
        Ok(found)
    }

    /// The keys of an incident's alerts. `id` is one that PagerDuty gave.
    pub async fn alert_keys(&self, id: &str) -> Result<Vec<String>, Failure> {
        if !is_id(id) {
            return Err(Failure::dead("this cannot be the name of an incident"));
        }
        let path = format!("incidents/{id}/alerts");
        let answer = self.ask(self.request(Method::GET, &path).query(&[("limit", "100")])).await?;
        let keys = listed(&answer, "alerts")?;
        Ok(keys.iter().filter_map(|alert| alert.get("alert_key")?.as_str()).map(str::to_owned).collect())
    }

    /// Sets an incident's priority, by the name it has in the account.
    pub async fn set_priority(&self, id: &str, priority: Priority) -> Result<(), Failure> {
        let Some(from) = self.from.as_ref().filter(|_| is_id(id)) else {
            return Err(Failure::dead("nobody is named in whose name priorities are set"));
        };
        let body = json!({"incident": {"type": "incident_reference", "priority": priority.as_str()}});
        let request = self.request(Method::PUT, &format!("incidents/{id}")).header("From", from).json(&body);
        self.ask(request).await.map(drop)
    }

    /// Whether the token may ask about incidents, and which priorities there are. Changes nothing.
    pub async fn verify(&self) -> Result<String, Failure> {
        let incidents = self.ask(self.request(Method::GET, "incidents").query(&[("limit", "1")])).await?;
        listed(&incidents, "incidents")?;
        if self.from.is_none() {
            return Ok("the API token is good; without `from` priorities are not set".to_owned());
        }
        let answer = match self.ask(self.request(Method::GET, "priorities")).await {
            Err(Failure::Dead { reason }) => return Err(Failure::dead(format!("priorities cannot be set: {reason}"))),
            answer => answer?,
        };
        let names: Vec<_> = listed(&answer, "priorities")?
            .into_iter()
            .filter_map(|priority| priority.get("name").and_then(Value::as_str).map(str::to_owned))
            .collect();
        let missing: Vec<_> = Priority::ALL
            .iter()
            .map(|priority| priority.as_str())
            .filter(|name| !names.iter().any(|is| is == name))
            .collect();
        Ok(match missing.as_slice() {
            [] => "the API token is good, and has the priorities P1 to P5".to_owned(),
            missing => format!("the API token is good; the account has no priorities {}", missing.join(", ")),
        })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.client().request(method, format!("{}/{path}", self.base));
        request
            .header(AUTHORIZATION, format!("Token token={}", self.token.expose()))
            .header(ACCEPT, "application/vnd.pagerduty+json;version=2")
            .header(CONTENT_TYPE, "application/json")
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Value, Failure> {
        if let Some(left) = self.quiet_for() {
            return Err(Failure::Retry { reason: "the limit of requests is spent".to_owned(), after: Some(left) });
        }
        let sent = tokio::time::timeout(self.limit, self.http.send(request)).await;
        let judged =
            sent.unwrap_or_else(|_| Err(Failure::retry("no answer in time"))).and_then(|answer| self.judge(&answer));
        judged.map_err(|failure| match failure {
            Failure::Retry { reason, after } => Failure::Retry { reason: without(&[&self.token], reason), after },
            Failure::Dead { reason } | Failure::TakenOver { what: reason } => {
                Failure::Dead { reason: without(&[&self.token], reason) }
            }
        })
    }

    fn judge(&self, answer: &Answer) -> Result<Value, Failure> {
        if answer.status == 429 {
            let wait = answer.retry_after.unwrap_or(QUIET).max(QUIET_LEAST);
            *self.quiet.lock().unwrap_or_else(PoisonError::into_inner) = Some((Stopwatch::start(), wait));
        }
        match (answer.status, answer.json()) {
            (200..=204, json) if json.is_object() => Ok(json),
            _ => Err(answer.failure()),
        }
    }
}

fn listed(answer: &Value, key: &str) -> Result<Vec<Value>, Failure> {
    let list = answer.get(key).and_then(Value::as_array);
    list.cloned().ok_or_else(|| Failure::retry(format!("an answer without `{key}`: not PagerDuty's")))
}

fn incident(value: &Value) -> Option<PagerIncident> {
    let word = |key: &str| value.get(key).and_then(Value::as_str);
    let status = match word("status")? {
        "triggered" => PagerStatus::Triggered,
        "acknowledged" => PagerStatus::Acknowledged,
        "resolved" => PagerStatus::Resolved,
        _ => return None,
    };
    Some(PagerIncident {
        id: word("id").filter(|id| is_id(id))?.to_owned(),
        status,
        since: word("last_status_change_at").unwrap_or_default().chars().take(40).collect(),
        person: value.get("last_status_change_by").and_then(person),
        merged: value.pointer("/resolve_reason/type").and_then(Value::as_str) == Some("merge_resolve_reason"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incidents_are_read() {
        let whole = json!({"id": "Q1", "status": "acknowledged", "last_status_change_at": "2026-10-25T14:03:00Z",
            "last_status_change_by": {"type": "user_reference", "summary": "Ann Example"}, "incident_key": null});
        let expected = PagerIncident {
            id: "Q1".into(),
            status: PagerStatus::Acknowledged,
            since: "2026-10-25T14:03:00Z".into(),
            person: Some("Ann Example".into()),
            merged: false,
        };
        assert_eq!(incident(&whole), Some(expected));
        for bad in [
            json!({"id": "Q1"}),
            json!({"id": "../x", "status": "resolved"}),
            json!({"id": "Q1", "status": "?"}),
            json!(7),
        ] {
            assert_eq!(incident(&bad), None, "{bad}");
        }
        let service = json!({"id": "Q1", "status": "resolved", "last_status_change_by": {"type": "service_reference"}});
        assert_eq!(incident(&service).and_then(|incident| incident.person), None);
        let merged = json!({"id": "Q1", "status": "resolved", "resolve_reason": {"type": "merge_resolve_reason"}});
        assert!(incident(&merged).is_some_and(|incident| incident.merged));
    }
}
