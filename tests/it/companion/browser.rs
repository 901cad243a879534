//! A browser: keeps its cookie, follows what forms say.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use slod::http::{Companion, Surface, router};

use super::{
    Answer,
    fake_desk::{FakeDesk, StoppedClock},
    send,
};

pub struct Browser {
    pub router: Router,
    pub desk: Arc<FakeDesk>,
    pub cookie: Option<String>,
    pub csrf: String,
    sent: AtomicU32,
}

/// `a=b&c=d`.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The value of a hidden field, wherever it stands first.
pub fn hidden(html: &str, name: &str) -> String {
    let rest = html.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {html}")).1;
    rest.split('"').next().unwrap().to_owned()
}

impl Browser {
    pub fn new(desk: FakeDesk) -> Self {
        let desk = Arc::new(desk);
        let router = router(Companion::new(desk.clone(), Arc::new(StoppedClock)), Surface::Tcp);
        Self { router, desk, cookie: None, csrf: String::new(), sent: AtomicU32::default() }
    }

    /// Another one that asks the same daemon.
    pub fn beside(&self) -> Self {
        Self {
            router: self.router.clone(),
            desk: self.desk.clone(),
            cookie: None,
            csrf: String::new(),
            sent: AtomicU32::default(),
        }
    }

    pub async fn logged_in(desk: FakeDesk, token: &str) -> Self {
        let mut browser = Self::new(desk);
        browser.log_in(token).await;
        browser
    }

    pub async fn log_in(&mut self, token: &str) {
        let answer = self.raw("/login", &[], encoded(&[("name", "ann <b>"), ("token", token)])).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        self.keep(&answer);
        self.csrf = hidden(&self.get("/").await.text, "csrf");
    }

    /// Keeps the cookie of an answer.
    pub fn keep(&mut self, answer: &Answer) {
        let pair = answer.header("set-cookie").split(';').next().unwrap_or_default();
        self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("accept", "text/html,*/*;q=0.8");
        let request = self.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie));
        send(&self.router, request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form of this session that was not sent before.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let once = self.sent.fetch_add(1, Ordering::SeqCst).to_string();
        let own = [("csrf", self.csrf.as_str()), ("once", once.as_str())];
        self.raw(path, &[("sec-fetch-site", "same-origin")], encoded(&[&own, fields].concat())).await
    }

    /// Sends anything.
    pub async fn raw(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path).header("accept", "text/html");
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = self.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie));
        send(&self.router, request.body(body.into()).unwrap()).await
    }
}
