//! Atlassian Statuspage, manage API.
//!
//! Creating is not idempotent, so an incident without a receipt is looked up by its metadata first; so is, on a repeated
//! attempt, whether the vendor already says what we are about to say.

mod payload;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::{Method, header::AUTHORIZATION};
use serde_json::Value;

use super::{
    Channel, Delivery, Outcome,
    answer::{Failure, Http, attempt, inquire, not_for},
};
use crate::{
    config::secret::Secret,
    domain::notification::{Message, PublicState, StatusPost},
};

/// The receipt of a "resolved" for which there was no open incident.
const NOTHING_TO_RESOLVE: &str = "nothing-to-resolve";
/// Open incidents looked through: pages, and incidents on each.
const PAGES_MAX: usize = 5;
const PER_PAGE: usize = 100;

/// One page.
pub struct StatuspageChannel {
    http: Http,
    limit: Duration,
    page: String,
    key: Secret,
    components: BTreeMap<String, String>,
    url: String,
}

impl StatuspageChannel {
    /// The API is asked at `url` and `/v1/pages/…`.
    pub fn new(
        http: Http,
        limit: Duration,
        page: &str,
        key: Secret,
        components: &BTreeMap<String, String>,
        url: &str,
    ) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        Self { http, limit, page: page.to_owned(), key, components: components.clone(), url }
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        let Message::StatusPost(post) = &delivery.message else {
            return Err(not_for("statuspage", "notifications: the public reads it"));
        };
        self.usable()?;
        let component = self.components.get(&post.component).filter(|id| !id.is_empty());
        let component = component
            .ok_or_else(|| Failure::dead(format!("no id for component `{}` under `components`", post.component)))?;
        if let Some(id) = delivery.thread.as_deref().filter(|&id| id != NOTHING_TO_RESOLVE) {
            let said = delivery.attempt > 1
                && payload::says_so(&self.call(Method::GET, &["incidents", id], None).await?, post);
            return if said { Ok(id.to_owned()) } else { self.update(id, post, component).await };
        }
        match self.find(post).await? {
            Some(incident) if payload::says_so(&incident, post) => incident_id(&incident),
            Some(incident) => self.update(&incident_id(&incident)?, post, component).await,
            None if post.state == PublicState::Resolved => Ok(NOTHING_TO_RESOLVE.to_owned()),
            None => {
                incident_id(&self.call(Method::POST, &["incidents"], Some(payload::create(post, component))).await?)
            }
        }
    }

    async fn update(&self, id: &str, post: &StatusPost, component: &str) -> Result<String, Failure> {
        self.call(Method::PATCH, &["incidents", id], Some(payload::update(post, component))).await?;
        Ok(id.to_owned())
    }

    /// The open incident that carries our mark.
    async fn find(&self, post: &StatusPost) -> Result<Option<Value>, Failure> {
        for page in 1..=PAGES_MAX {
            let listed = self.call_page(&["incidents", "unresolved"], page).await?;
            let count = listed.len();
            if let Some(found) = listed.into_iter().find(|incident| payload::is_ours(incident, post)) {
                return Ok(Some(found));
            }
            if count < PER_PAGE {
                return Ok(None);
            }
        }
        Err(Failure::retry(format!(
            "over {} open incidents: cannot tell whether ours is among them",
            PAGES_MAX * PER_PAGE
        )))
    }

    /// One page of a list. Lists without `page` and `per_page` may be asked for once a minute only.
    async fn call_page(&self, path: &[&str], page: usize) -> Result<Vec<Value>, Failure> {
        let paging = [("page", page), ("per_page", PER_PAGE)];
        match self.request(Method::GET, path, &paging, None).await? {
            Value::Array(items) => Ok(items),
            _ => Err(Failure::retry("a list was asked for, something else came: not Statuspage's answer")),
        }
    }

    async fn call(&self, method: Method, path: &[&str], body: Option<Value>) -> Result<Value, Failure> {
        match self.request(method, path, &[], body).await? {
            Value::Object(fields) => Ok(fields.into()),
            _ => Err(Failure::retry("answered, but not with what was asked for: not Statuspage's answer")),
        }
    }

    async fn request(
        &self,
        method: Method,
        path: &[&str],
        paging: &[(&str, usize)],
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        let mut url =
            url::Url::parse(&self.url).map_err(|_| Failure::dead("the receiver's `url` is not an address"))?;
        url.path_segments_mut()
            .map_err(|()| Failure::dead("the receiver's `url` is not a web address"))?
            .pop_if_empty()
            .extend(["v1", "pages", self.page.as_str()].iter().chain(path));
        for (name, number) in paging {
            url.query_pairs_mut().append_pair(name, &number.to_string());
        }
        let request = self.http.client().request(method, url);
        let request = request.header(AUTHORIZATION, format!("OAuth {}", self.key.expose()));
        let request = if let Some(body) = &body { request.json(body) } else { request };
        let answer = self.http.send(request).await?;
        if matches!(answer.status, 200 | 201) { Ok(answer.json()) } else { Err(answer.failure()) }
    }

    fn usable(&self) -> Result<(), Failure> {
        if self.key.is_empty() || self.page.is_empty() {
            return Err(Failure::dead("the page's id or its API key is empty"));
        }
        Ok(())
    }

    async fn look(&self) -> Result<String, Failure> {
        self.usable()?;
        let page = self.call(Method::GET, &[], None).await?;
        let listed = self.call_page(&["components"], 1).await?;
        let known: Vec<_> = listed.iter().filter_map(|component| component["id"].as_str()).collect();
        let missing = self.components.iter().find(|(_, id)| !known.contains(&id.as_str()));
        if let Some((name, id)) = missing.filter(|_| listed.len() < PER_PAGE) {
            return Err(Failure::dead(format!(
                "component `{name}` (`{id}`) is not on the page; it has {}",
                known.join(", ")
            )));
        }
        Ok(format!("page `{}` answers and has the components", page["name"].as_str().unwrap_or(&self.page)))
    }
}

/// The vendor's id of an incident; it goes into later addresses.
fn incident_id(incident: &Value) -> Result<String, Failure> {
    match incident["id"].as_str() {
        Some(id) if !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => {
            Ok(id.to_owned())
        }
        _ => Err(Failure::retry("an incident without an id: not Statuspage's answer")),
    }
}

impl Channel for StatuspageChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &[&self.key], self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        async { inquire(self.limit, &[&self.key], self.look()).await }.boxed()
    }
}
