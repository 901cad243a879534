//! Instatus.
//!
//! There is no metadata to find an incident by: [`payload::is_ours`] says by what it is found. What an update answers is
//! not documented, and a list may not show the updates, so the incident is read after both.

mod payload;

use futures_util::future::FutureExt as _;
use reqwest::Method;
use serde_json::Value;

use super::{
    answer::Failure,
    public_page::{Api, Vendor},
};
use crate::domain::notification::StatusPost;

/// Recent incidents looked through: pages, and incidents on each.
const PAGES_MAX: usize = 3;
const PER_PAGE: usize = 50;

/// The API is asked at `/v1/PAGE/…`.
pub static INSTATUS: Vendor = Vendor {
    receiver: "instatus",
    whose: "Instatus'",
    root: &["v1"],
    authorize: |request, key| request.bearer_auth(key.expose()),
    per_page: PER_PAGE,
    sizes: &["per_page"],
    update_by: (Method::POST, &["incident-updates"]),
    shows: false,
    status: payload::status,
    text: payload::message,
    create: payload::create,
    update: payload::update,
    seen: payload::seen,
    find: |api, post, repeated| find(api, post, repeated).boxed(),
    check: |api, _| check(api).boxed(),
};

/// The incident that this post has made, among the newest.
async fn find(api: &Api, post: &StatusPost, repeated: bool) -> Result<Option<Value>, Failure> {
    let mut first = None;
    for page in 1..=PAGES_MAX {
        let listed = api.list(&["incidents"], page).await?;
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

async fn check(api: &Api) -> Result<String, Failure> {
    api.list(&["incidents"], 1).await?;
    Ok("the page answers, and the key may read it; whether it has the components cannot be asked".to_owned())
}
