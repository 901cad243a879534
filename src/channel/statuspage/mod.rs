//! Atlassian Statuspage, manage API.
//!
//! Creating is not idempotent, so an incident without a receipt is looked up by its metadata first. Before every update
//! the incident is read: if it is not as it was left, a person has changed it, and nothing is posted.

mod payload;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::{Method, header::AUTHORIZATION};
use serde_json::Value;

use super::{
    Channel, Delivery, Outcome,
    answer::{Answer, Failure, Http, attempt, inquire, not_for},
    public_page::{Left, NOTHING_THERE, Seen, Standing, compare, read_id},
};
use crate::{
    config::secret::Secret,
    domain::notification::{Message, StatusPost},
};

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
        let left = delivery.thread.as_deref().filter(|_| !post.opens).and_then(Left::read);
        let repeated = delivery.attempt > 1;
        match left {
            Some(left) => self.go_on(&left, post, component, repeated).await,
            None => self.begin(post, component, repeated).await,
        }
    }

    /// The next state of an incident, unless a person has changed it.
    async fn go_on(&self, left: &Left, post: &StatusPost, component: &str, repeated: bool) -> Result<String, Failure> {
        let Some(seen) = self.seen(&left.id).await? else {
            return Err(Failure::taken_over("somebody has removed the incident there"));
        };
        match compare(left, &seen, post.state.as_str(), &payload::body(post), repeated) {
            Standing::Says => Ok(seen.receipt()),
            Standing::Changed(what) => Err(Failure::taken_over(what)),
            Standing::AsLeft => self.update(&left.id, post, component).await,
        }
    }

    /// A public incident: found again if an earlier attempt has made it.
    async fn begin(&self, post: &StatusPost, component: &str, repeated: bool) -> Result<String, Failure> {
        let Some(incident) = self.find(post, repeated).await? else {
            if !post.may_begin() {
                return Ok(NOTHING_THERE.to_owned());
            }
            let made = self.call(Method::POST, &["incidents"], Some(payload::create(post, component))).await?;
            return self.receipt(&made).await;
        };
        let seen = payload::seen(&incident)?;
        if seen.says(post.state.as_str(), &payload::body(post)) {
            return Ok(seen.receipt());
        }
        if post.opens {
            return Err(Failure::taken_over(seen.someone()));
        }
        self.update(&seen.id, post, component).await
    }

    async fn update(&self, id: &str, post: &StatusPost, component: &str) -> Result<String, Failure> {
        let incident = self.call(Method::PATCH, &["incidents", id], Some(payload::update(post, component))).await?;
        self.receipt(&incident).await
    }

    /// What was left, by the answer to a post; asked for if the answer does not show it.
    async fn receipt(&self, incident: &Value) -> Result<String, Failure> {
        let seen = payload::seen(incident)?;
        if seen.newest.is_some() {
            return Ok(seen.receipt());
        }
        let again = self.seen(&seen.id).await;
        Ok(again.ok().flatten().unwrap_or(seen).receipt())
    }

    /// An incident as it is there; none if it is not.
    async fn seen(&self, id: &str) -> Result<Option<Seen>, Failure> {
        let answer = self.ask(Method::GET, &["incidents", read_id(id)?], &[], None).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        payload::seen(&judge(&answer)?).map(Some)
    }

    /// The incident that carries our mark: among the open ones, and, if an earlier attempt may have made it, among the
    /// newest of all, for somebody may have resolved it meanwhile.
    async fn find(&self, post: &StatusPost, repeated: bool) -> Result<Option<Value>, Failure> {
        let ours = |listed: Vec<Value>| listed.into_iter().find(|incident| payload::is_ours(incident, post));
        for page in 1..=PAGES_MAX {
            let listed = self.call_page(&["incidents", "unresolved"], page).await?;
            let count = listed.len();
            if let Some(found) = ours(listed) {
                return Ok(Some(found));
            }
            if count < PER_PAGE {
                let is_gone = repeated && post.opens;
                return if is_gone { Ok(ours(self.call_page(&["incidents"], 1).await?)) } else { Ok(None) };
            }
        }
        Err(Failure::retry(format!(
            "over {} open incidents: cannot tell whether ours is among them",
            PAGES_MAX * PER_PAGE
        )))
    }

    /// One page of a list. Lists without `page` and `per_page` may be asked for once a minute only.
    async fn call_page(&self, path: &[&str], page: usize) -> Result<Vec<Value>, Failure> {
        let paging = [("page", page), ("per_page", PER_PAGE), ("limit", PER_PAGE)];
        match judge(&self.ask(Method::GET, path, &paging, None).await?)? {
            Value::Array(items) => Ok(items),
            _ => Err(Failure::retry("a list was asked for, something else came: not Statuspage's answer")),
        }
    }

    async fn call(&self, method: Method, path: &[&str], body: Option<Value>) -> Result<Value, Failure> {
        match judge(&self.ask(method, path, &[], body).await?)? {
            Value::Object(fields) => Ok(fields.into()),
            _ => Err(Failure::retry("answered, but not with what was asked for: not Statuspage's answer")),
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        paging: &[(&str, usize)],
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
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
        self.http.send(request).await
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

fn judge(answer: &Answer) -> Result<Value, Failure> {
    if matches!(answer.status, 200 | 201) { Ok(answer.json()) } else { Err(answer.failure()) }
}

impl Channel for StatuspageChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &[&self.key], self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        async { inquire(self.limit, &[&self.key], self.look()).await }.boxed()
    }

    fn changed<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, Result<Option<String>, String>> {
        async move {
            let look = async {
                let Some(left) = Left::read(receipt) else { return Ok(String::new()) };
                Ok(left.changed(self.seen(&left.id).await?.as_ref()).unwrap_or_default())
            };
            let what = inquire(self.limit, &[&self.key], look).await?;
            Ok(Some(what).filter(|what| !what.is_empty()))
        }
        .boxed()
    }
}
