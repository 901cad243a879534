//! Who asks: a person who has logged in, or anybody.

mod book;
mod cookie;
mod key;
mod limit;
pub mod origin;
mod remote;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};

pub use self::{
    book::{Holder, Sessions},
    cookie::{is_secure, set as set_cookie, unset as unset_cookie},
    key::{Hash, Key, once},
    limit::Attempts,
    remote::Remote,
};
use super::{Companion, guard::Front, here};
use crate::config::model::Right;

tokio::task_local! {
    static VISIT: Visit;
}

/// Who asks, and for what.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// Who has logged in.
    pub person: Option<Person>,
    /// The page that is asked for, with its query: where to go on after logging in.
    pub place: String,
}

/// A person who has logged in.
#[derive(Clone, Debug)]
pub struct Person {
    /// As the person has named itself: from outside, hostile.
    pub name: String,
    /// The token allows more than looking.
    pub may_operate: bool,
    /// The session.
    pub key: Key,
}

impl Visit {
    /// Who asks for what is being answered.
    pub fn current() -> Self {
        VISIT.try_with(Clone::clone).unwrap_or_default()
    }

    fn of(companion: &Companion, request: &Request) -> Self {
        let place = if matches!(*request.method(), Method::GET | Method::HEAD) {
            request.uri().path_and_query().map_or("/", |place| place.as_str())
        } else {
            here::page_of(request.uri().path())
        };
        Self { person: person(companion, request.headers()), place: place.to_owned() }
    }
}

/// The person whose session a request names, if its token is still known.
fn person(companion: &Companion, headers: &HeaderMap) -> Option<Person> {
    let secure = is_secure(&companion.desk.external_url());
    let key = cookie::read(headers, secure)?;
    let holder = companion.sessions.holder(&key, companion.now())?;
    let Some(rights) = companion.desk.rights_of(&holder.token) else {
        companion.sessions.close(&key);
        return None;
    };
    Some(Person { name: holder.name, may_operate: operates(&rights), key })
}

/// Whether rights allow more than looking.
pub fn operates(rights: &[Right]) -> bool {
    rights.contains(&Right::Operate) || rights.contains(&Right::Admin)
}

/// Finds out who asks before anything is answered.
pub async fn know(State(front): State<Front>, request: Request, next: Next) -> Response {
    let visit = Visit::of(&front.companion, &request);
    let has_forms = visit.person.is_some() || request.uri().path() == "/login";
    let mut response = VISIT.scope(visit, next.run(request)).await;
    if has_forms {
        // Or the browser would not say where the forms come from.
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("cookie"));
    response
}
