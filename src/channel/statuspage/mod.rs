//! Atlassian Statuspage, manage API.
//!
//! An incident is found by its metadata.

mod payload;

use std::collections::BTreeMap;

use futures_util::future::FutureExt as _;
use reqwest::{Method, header::AUTHORIZATION};
use serde_json::Value;

use super::{
    answer::Failure,
    public_page::{Api, Vendor},
};
use crate::domain::notification::{PublicState, StatusPost};

/// Open incidents looked through: pages, and incidents on each.
const PAGES_MAX: usize = 5;
const PER_PAGE: usize = 100;

/// The API is asked at `/v1/pages/PAGE/…`. Lists without `page` and `per_page` may be asked for once a minute only.
pub static STATUSPAGE: Vendor = Vendor {
    receiver: "statuspage",
    whose: "Statuspage's",
    root: &["v1", "pages"],
    authorize: |request, key| request.header(AUTHORIZATION, format!("OAuth {}", key.expose())),
    per_page: PER_PAGE,
    sizes: &["per_page", "limit"],
    update_by: (Method::PATCH, &[]),
    shows: true,
    status: PublicState::as_str,
    text: payload::body,
    create: payload::create,
    update: payload::update,
    seen: payload::seen,
    find: |api, post, repeated| find(api, post, repeated).boxed(),
    check: |api, components| check(api, components).boxed(),
};

/// The incident that carries our mark: among the open ones, and, if an earlier attempt may have made it, among the newest
/// of all, for somebody may have resolved it meanwhile.
async fn find(api: &Api, post: &StatusPost, repeated: bool) -> Result<Option<Value>, Failure> {
    let ours = |listed: Vec<Value>| listed.into_iter().find(|incident| payload::is_ours(incident, post));
    for page in 1..=PAGES_MAX {
        let listed = api.list(&["incidents", "unresolved"], page).await?;
        let count = listed.len();
        if let Some(found) = ours(listed) {
            return Ok(Some(found));
        }
        if count < PER_PAGE {
            let is_gone = repeated && post.opens;
            return if is_gone { Ok(ours(api.list(&["incidents"], 1).await?)) } else { Ok(None) };
        }
    }
    Err(Failure::retry(format!("over {} open incidents: cannot tell whether ours is among them", PAGES_MAX * PER_PAGE)))
}

async fn check(api: &Api, components: &BTreeMap<String, String>) -> Result<String, Failure> {
    let page = api.call(Method::GET, &[], None).await?;
    let listed = api.list(&["components"], 1).await?;
    let known: Vec<_> = listed.iter().filter_map(|component| component["id"].as_str()).collect();
    let missing = components.iter().find(|(_, id)| !known.contains(&id.as_str()));
    if let Some((name, id)) = missing.filter(|_| listed.len() < PER_PAGE) {
        return Err(Failure::dead(format!(
            "component `{name}` (`{id}`) is not on the page; it has {}",
            known.join(", ")
        )));
    }
    Ok(format!("page `{}` answers and has the components", page["name"].as_str().unwrap_or(api.page())))
}
