//! Who may ask, what, and for how long; and what every answer carries.

use std::time::Duration;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Companion, Surface,
    ask::{BODY_MAX, pairs, prefers, too_large},
    forms::gate,
    pages,
    problem::Problem,
    routes,
    session::{Visit, operates, origin},
};

/// Longest time for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The companion and the surface a router serves.
#[derive(Clone)]
pub struct Front {
    /// The companion.
    pub companion: Companion,
    /// The surface.
    pub surface: Surface,
}

const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::VARY, "accept"),
];

/// Gives every answer its headers, and a browser its own form of an error.
pub async fn dress(State(front): State<Front>, request: Request, next: Next) -> Response {
    let browser =
        !request.uri().path().starts_with("/api/") && prefers(request.headers(), "text/html", "application/json");
    let mut response = next.run(request).await;
    if browser && let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let mut page = (problem.status, pages::error(&front.companion, &problem)).into_response();
        for name in [header::ALLOW, header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
            if let Some(value) = response.headers_mut().remove(&name) {
                page.headers_mut().insert(name, value);
            }
        }
        response = page;
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Waits for a turn and for the answer, but not for ever.
pub async fn limit(State(front): State<Front>, request: Request, next: Next) -> Response {
    let answer = async {
        match front.companion.turns.of(front.surface, request.method()).acquire().await {
            Ok(_turn) => next.run(request).await,
            Err(_) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "slod is stopping").into_response(),
        }
    };
    tokio::time::timeout(ANSWER_LIMIT, answer).await.unwrap_or_else(|_| {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "the answer took longer than 30 s");
        let mut response = problem.help("ask for less, or later").into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        response
    })
}

/// Lets a request through to its handler, or says why not.
pub async fn admit(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(front.surface);
    match refusal(&front, &request) {
        Some(problem) => problem.into_response(),
        None => match form_of(&request) {
            Some(route) => gate::admit(&front, route, request, next).await,
            None => next.run(request).await,
        },
    }
}

/// The route of a form, if one is sent.
fn form_of(request: &Request) -> Option<&'static str> {
    let path = request.extensions().get::<MatchedPath>()?;
    routes::find(request.method().as_str(), path.as_str()).filter(|route| route.is_form()).map(|route| route.path)
}

fn refusal(front: &Front, request: &Request) -> Option<Problem> {
    let signed = routes::is_signed(request.uri().path());
    // Whoever stands before us may have believed the other one.
    if request.headers().get_all(header::HOST).iter().nth(1).is_some() {
        return Some(Problem::invalid("the request names its host twice").help("send one `Host` header"));
    }
    if front.surface == Surface::Tcp && !signed && !host_is_ours(&front.companion, request) {
        return Some(
            Problem::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", "this address is not served here")
                .help("set `daemon.external_url` to the address people use"),
        );
    }
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    // Calls that are too large are counted where they are taken.
    if !signed && length.is_some_and(|length: u64| length > BODY_MAX as u64) {
        return Some(too_large());
    }
    let path = request.extensions().get::<MatchedPath>()?;
    let route = routes::find(request.method().as_str(), path.as_str())?;
    query_refusal(route, request).or_else(|| {
        let writes = !signed && !matches!(*request.method(), Method::GET | Method::HEAD);
        // What is sent by a form is checked with its body.
        let by_token = writes && front.surface == Surface::Tcp && !route.is_form();
        by_token.then(|| write_refusal(&front.companion, request.headers())).flatten()
    })
}

fn query_refusal(route: &routes::Route, request: &Request) -> Option<Problem> {
    let mut seen: Vec<String> = Vec::new();
    for (key, _) in pairs(request.uri()) {
        if !route.keys.contains(&key.as_str()) && !route.keys.contains(&routes::LABELS) {
            let known = match route.keys {
                [] => "it takes none".to_owned(),
                keys => format!("known: {}", keys.join(", ")),
            };
            return Some(Problem::invalid(format!("unknown query key `{key}`")).help(known));
        }
        if seen.contains(&key) {
            return Some(Problem::invalid(format!("the query key `{key}` is given twice")));
        }
        seen.push(key);
    }
    None
}

/// There is nobody who could be let in.
pub fn read_only() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "read_only", "TCP is for reading only: no token is configured")
        .help("use the command line on the host itself, or add `daemon.tokens` with `can: [operate]`")
}

/// Why a request over TCP may not write; `None` if it may.
fn write_refusal(companion: &Companion, headers: &HeaderMap) -> Option<Problem> {
    if !companion.desk.has_tokens() {
        return Some(read_only());
    }
    let unauthorized = |message: &str| {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
            .help("send `Authorization: Bearer …` with a token that may `operate`")
    };
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return if by_session(companion, headers) { None } else { Some(unauthorized("writing needs a token")) };
    };
    let bearer = given.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let Some(rights) = bearer.and_then(|token| companion.desk.rights(token)) else {
        return Some(unauthorized("the token is not known"));
    };
    if operates(&rights) {
        return None;
    }
    Some(
        Problem::new(StatusCode::FORBIDDEN, "forbidden", "this token may not operate")
            .help("give it `can: [operate]` under `daemon.tokens`"),
    )
}

/// A script of ours may act for whoever has logged in: it knows what the forms carry.
fn by_session(companion: &Companion, headers: &HeaderMap) -> bool {
    let given = headers.get("x-csrf-token").and_then(|given| given.to_str().ok());
    let ours = origin::is_ours(headers, &companion.desk.external_url());
    let person = Visit::current().person.filter(|person| ours && person.may_operate);
    person.zip(given).is_some_and(|(person, given)| person.key.is_proven_by(given))
}

/// A daemon known by a loopback address answers to loopback names and addresses only: a page of somebody else's
/// that has its name resolve to 127.0.0.1 reads nothing here.
fn host_is_ours(companion: &Companion, request: &Request) -> bool {
    let external = companion.desk.external_url();
    if !url::Url::parse(&external).is_ok_and(|url| url.host_str().is_some_and(is_loopback_name)) {
        return true;
    }
    let Some(host) = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    let name = if let Some(rest) = host.strip_prefix('[') {
        rest.split(']').next().unwrap_or_default()
    } else {
        host.split(':').next().unwrap_or_default()
    };
    is_loopback_name(name) || name.parse::<std::net::IpAddr>().is_ok()
}

fn is_loopback_name(name: &str) -> bool {
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
