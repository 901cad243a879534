//! A public page: the same machine for every vendor. A vendor gives its facts and its words as a [`Vendor`].
//!
//! Creating an incident is not idempotent, so one without a receipt is looked for first. Before every update the
//! incident is read: if it is not as it was left, a person has changed it, and nothing is posted.

mod api;
mod left;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use self::left::{Left, NOTHING_THERE, Standing, compare, read_id};
pub use self::{
    api::Api,
    left::{Seen, word},
};
use super::{
    Channel, Delivery, Outcome,
    answer::{Failure, Http, attempt, inquire, not_for},
};
use crate::{
    config::secret::Secret,
    domain::notification::{Message, PublicState, StatusPost},
};

/// What asking comes to.
pub type Asked<'a, T> = BoxFuture<'a, Result<T, Failure>>;

/// What one vendor's pages differ in.
pub struct Vendor {
    /// The kind of receiver.
    pub receiver: &'static str,
    /// The vendor's name, as in "its answer".
    pub whose: &'static str,
    /// Where pages are, under the receiver's address; the page's id follows.
    pub root: &'static [&'static str],
    /// Adds the key to a request.
    pub authorize: fn(RequestBuilder, &Secret) -> RequestBuilder,
    /// How many incidents to ask for on each page of a list.
    pub per_page: usize,
    /// The parameters that say so.
    pub sizes: &'static [&'static str],
    /// How an update is sent, and where, under the incident.
    pub update_by: (Method, &'static [&'static str]),
    /// Whether lists and the answers to posts show the incident as it is then. If not, it is read again.
    pub shows: bool,
    /// The vendor's word for a state.
    pub status: fn(PublicState) -> &'static str,
    /// The update's text as it is sent.
    pub text: fn(&StatusPost) -> String,
    /// The body that creates an incident which concerns a component.
    pub create: fn(&StatusPost, &str) -> Value,
    /// The body of a later state.
    pub update: fn(&StatusPost, &str) -> Value,
    /// Reads an incident as the vendor shows it.
    pub seen: fn(&Value) -> Result<Seen, Failure>,
    /// Looks for the incident that a post has made; the flag: an earlier attempt may have made it.
    pub find: for<'a> fn(&'a Api, &'a StatusPost, bool) -> Asked<'a, Option<Value>>,
    /// Asks whether the page answers to the key and has these components, without posting.
    pub check: for<'a> fn(&'a Api, &'a BTreeMap<String, String>) -> Asked<'a, String>,
}

/// One page.
pub struct PublicPage {
    api: Api,
    vendor: &'static Vendor,
    limit: Duration,
    components: BTreeMap<String, String>,
}

impl PublicPage {
    /// The page with this id at `vendor`'s, whose API is asked at `url`; `components` are its ids by our names. A whole
    /// attempt ends within `limit`.
    pub fn new(
        http: Http,
        limit: Duration,
        vendor: &'static Vendor,
        page: &str,
        key: Secret,
        components: &BTreeMap<String, String>,
        url: &str,
    ) -> Self {
        Self { api: Api::new(http, vendor, page, key, url), vendor, limit, components: components.clone() }
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        let Message::StatusPost(post) = &delivery.message else {
            return Err(not_for(self.vendor.receiver, "notifications: the public reads it"));
        };
        self.api.usable()?;
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
        match compare(left, &seen, (self.vendor.status)(post.state), &(self.vendor.text)(post), repeated) {
            Standing::Says => Ok(seen.receipt()),
            Standing::Changed(what) => Err(Failure::taken_over(what)),
            Standing::AsLeft => self.update(&left.id, post, component).await,
        }
    }

    /// A public incident: found again if an earlier attempt has made it.
    async fn begin(&self, post: &StatusPost, component: &str, repeated: bool) -> Result<String, Failure> {
        let Some(incident) = (self.vendor.find)(&self.api, post, repeated).await? else {
            if !post.may_begin() {
                return Ok(NOTHING_THERE.to_owned());
            }
            let made = self.api.call(Method::POST, &["incidents"], Some((self.vendor.create)(post, component))).await?;
            return Ok(self.left((self.vendor.seen)(&made)?).await);
        };
        let listed = (self.vendor.seen)(&incident)?;
        let seen = if self.vendor.shows { listed } else { self.seen(&listed.id).await?.unwrap_or(listed) };
        if seen.says((self.vendor.status)(post.state), &(self.vendor.text)(post)) {
            return Ok(seen.receipt());
        }
        if post.opens {
            return Err(Failure::taken_over(seen.someone()));
        }
        self.update(&seen.id, post, component).await
    }

    async fn update(&self, id: &str, post: &StatusPost, component: &str) -> Result<String, Failure> {
        let (method, under) = &self.vendor.update_by;
        let path = [&["incidents", read_id(id)?], *under].concat();
        let answer = self.api.call(method.clone(), &path, Some((self.vendor.update)(post, component))).await?;
        let posted = if self.vendor.shows { (self.vendor.seen)(&answer)? } else { Seen::unread(id) };
        Ok(self.left(posted).await)
    }

    /// The receipt of a post that was taken: by its answer, or read again if that does not show what was left, or, if
    /// that fails, without its details.
    async fn left(&self, posted: Seen) -> String {
        if self.vendor.shows && posted.newest.is_some() {
            return posted.receipt();
        }
        let seen = self.seen(&posted.id).await.ok().flatten();
        seen.unwrap_or(Seen { newest: None, ..posted }).receipt()
    }

    /// An incident as it is there; none if it is not.
    async fn seen(&self, id: &str) -> Result<Option<Seen>, Failure> {
        let incident = self.api.read(&["incidents", read_id(id)?]).await?;
        incident.as_ref().map(self.vendor.seen).transpose()
    }
}

impl Channel for PublicPage {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &[self.api.key()], self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        let look = async {
            self.api.usable()?;
            (self.vendor.check)(&self.api, &self.components).await
        };
        async { inquire(self.limit, &[self.api.key()], look).await }.boxed()
    }

    fn changed<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, Result<Option<String>, String>> {
        async move {
            let look = async {
                let Some(left) = Left::read(receipt) else { return Ok(String::new()) };
                Ok(left.changed(self.seen(&left.id).await?.as_ref()).unwrap_or_default())
            };
            let what = inquire(self.limit, &[self.api.key()], look).await?;
            Ok(Some(what).filter(|what| !what.is_empty()))
        }
        .boxed()
    }
}
