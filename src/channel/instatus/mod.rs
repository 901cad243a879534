//! Instatus.
//!
//! Creating is not idempotent, and there is no metadata to find an incident by: [`payload::is_ours`] says by what it is
//! found. Before every update the incident is read: if it is not as it was left, a person has changed it, and nothing is
//! posted. What an update answers is not documented, so the incident is read after it, too.

mod payload;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::Method;
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

/// Recent incidents looked through: pages, and incidents on each.
const PAGES_MAX: usize = 3;
const PER_PAGE: usize = 50;

/// One page.
pub struct InstatusChannel {
    http: Http,
    limit: Duration,
    page: String,
    key: Secret,
    components: BTreeMap<String, String>,
    url: String,
}

impl InstatusChannel {
    /// The API is asked at `url` and `/v1/PAGE/…`.
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
            return Err(not_for("instatus", "notifications: the public reads it"));
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
        match compare(left, &seen, payload::status(post.state), &payload::message(post), repeated) {
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
            let made = self.ask(Method::POST, &["incidents"], &[], Some(payload::create(post, component))).await?;
            let made = payload::seen(&judge(&made)?)?;
            return Ok(self.left(made).await);
        };
        // A list may not show the updates.
        let seen = payload::seen(&incident)?;
        let seen = self.seen(&seen.id).await?.unwrap_or(seen);
        if seen.says(payload::status(post.state), &payload::message(post)) {
            return Ok(seen.receipt());
        }
        if post.opens {
            return Err(Failure::taken_over(seen.someone()));
        }
        self.update(&seen.id, post, component).await
    }

    async fn update(&self, id: &str, post: &StatusPost, component: &str) -> Result<String, Failure> {
        let path = ["incidents", read_id(id)?, "incident-updates"];
        let answer = self.ask(Method::POST, &path, &[], Some(payload::update(post, component))).await?;
        judge(&answer)?;
        Ok(self.left(Seen { id: id.to_owned(), status: String::new(), newest: None }).await)
    }

    /// What was left by a post that was taken: read again, or, if that fails, without its details.
    async fn left(&self, posted: Seen) -> String {
        let seen = self.seen(&posted.id).await.ok().flatten();
        seen.unwrap_or(Seen { newest: None, ..posted }).receipt()
    }

    /// An incident as it is there; none if it is not.
    async fn seen(&self, id: &str) -> Result<Option<Seen>, Failure> {
        let answer = self.ask(Method::GET, &["incidents", read_id(id)?], &[], None).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        payload::seen(&judge(&answer)?).map(Some)
    }

    /// The incident that this post has made, among the newest.
    async fn find(&self, post: &StatusPost, repeated: bool) -> Result<Option<Value>, Failure> {
        let mut first = None;
        for page in 1..=PAGES_MAX {
            let listed = self.list(page).await?;
            let count = listed.len();
            // A server that does not know of pages answers the same again.
            let begins = listed.first().map(|incident| incident["id"].clone());
            if page > 1 && begins == first {
                break;
            }
            first = begins;
            if let Some(found) = listed.into_iter().find(|incident| payload::is_ours(incident, post, repeated)) {
                return Ok(Some(found));
            }
            if count < PER_PAGE {
                break;
            }
        }
        Ok(None)
    }

    async fn list(&self, page: usize) -> Result<Vec<Value>, Failure> {
        let answer = self.ask(Method::GET, &["incidents"], &[("page", page), ("per_page", PER_PAGE)], None).await?;
        match judge_any(&answer)? {
            Value::Array(items) => Ok(items),
            _ => Err(Failure::retry("a list was asked for, something else came: not Instatus' answer")),
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
            .extend(["v1", self.page.as_str()].iter().chain(path));
        for (name, number) in paging {
            url.query_pairs_mut().append_pair(name, &number.to_string());
        }
        let request = self.http.client().request(method, url).bearer_auth(self.key.expose());
        let request = if let Some(body) = &body { request.json(body) } else { request };
        self.http.send(request).await
    }

    fn usable(&self) -> Result<(), Failure> {
        if self.key.is_empty() || self.page.is_empty() {
            return Err(Failure::dead("the page's id or its API key is empty"));
        }
        Ok(())
    }
}

fn judge_any(answer: &Answer) -> Result<Value, Failure> {
    if matches!(answer.status, 200 | 201) { Ok(answer.json()) } else { Err(answer.failure()) }
}

fn judge(answer: &Answer) -> Result<Value, Failure> {
    match judge_any(answer)? {
        Value::Object(fields) => Ok(fields.into()),
        _ => Err(Failure::retry("answered, but not with what was asked for: not Instatus' answer")),
    }
}

impl Channel for InstatusChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &[&self.key], self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        let look = async {
            self.usable()?;
            self.list(1).await?;
            Ok("the page answers, and the key may read it; whether it has the components cannot be asked".to_owned())
        };
        async { inquire(self.limit, &[&self.key], look).await }.boxed()
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
