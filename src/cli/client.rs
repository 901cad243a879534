//! Asks the daemon: over its Unix socket, or over HTTP with a token.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{flags::Reach, socket};

/// Longest wait for one answer: a little longer than the daemon gives itself.
const ANSWER_LIMIT: Duration = Duration::from_secs(35);

/// Nobody answers.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// There is no socket, or nobody behind it.
    #[error(
        "no daemon answers on {}; start it with `slod run`, name its socket with --socket (SLOD_SOCKET), \
         or ask over HTTP with --address http://host:port", shown(.0)
    )]
    Socket(Vec<PathBuf>),
    /// The socket is not ours to use.
    #[error("the socket {} belongs to another user; use sudo, or ask over HTTP with --address", .0.display())]
    Forbidden(PathBuf),
    /// Nobody answers over HTTP.
    #[error("no daemon answers on {0}; check the address, or use the socket on the host itself")]
    Address(String),
    /// It answers that it cannot tell.
    #[error("the daemon cannot tell: {0}")]
    Unavailable(String),
}

fn shown(places: &[PathBuf]) -> String {
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(" or ")
}

/// What the daemon refused.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct Refused {
    message: String,
    help: Option<String>,
}

/// A way to the daemon.
pub struct Client {
    http: reqwest::Client,
    base: String,
    place: Place,
    token: Option<String>,
    runtime: tokio::runtime::Runtime,
}

enum Place {
    Socket(PathBuf),
    Address(String),
}

impl Client {
    /// Finds the daemon; asks nothing yet.
    pub fn new(config: &Path, reach: &Reach) -> anyhow::Result<Self> {
        let builder = reqwest::Client::builder()
            .timeout(ANSWER_LIMIT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("slod/", env!("CARGO_PKG_VERSION")));
        let (builder, base, place) = if let Some(address) = &reach.address {
            let base = address.trim_end_matches('/').to_owned();
            (builder, base.clone(), Place::Address(base))
        } else {
            let path = find_socket(config, reach)?;
            (builder.unix_socket(path.as_path()), "http://localhost".to_owned(), Place::Socket(path))
        };
        Ok(Self {
            http: builder.build().context("cannot make an HTTP client")?,
            base,
            place,
            token: std::env::var("SLOD_TOKEN").ok().filter(|token| !token.is_empty()),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .context("cannot start the runtime")?,
        })
    }

    /// Asks.
    pub fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<T> {
        let answer = self.ask(Method::GET, path, query, None)?;
        serde_json::from_str(&answer).context("the daemon's answer is not what was expected (is it another version?)")
    }

    /// Asks for a document.
    pub fn text(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<String> {
        self.ask(Method::GET, path, query, None)
    }

    /// Acts.
    pub fn post<T: DeserializeOwned>(&self, path: &[&str], body: &Value) -> anyhow::Result<T> {
        let answer = self.ask(Method::POST, path, &[], Some(body))?;
        serde_json::from_str(&answer).context("the daemon's answer is not what was expected (is it another version?)")
    }

    /// Ends something.
    pub fn delete<T: DeserializeOwned>(&self, path: &[&str], body: &Value) -> anyhow::Result<T> {
        let answer = self.ask(Method::DELETE, path, &[], Some(body))?;
        serde_json::from_str(&answer).context("the daemon's answer is not what was expected (is it another version?)")
    }

    fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> anyhow::Result<String> {
        let mut url = url::Url::parse(&self.base).context("the address is not a URL")?;
        // Segments are escaped one by one: an id cannot lead elsewhere.
        url.path_segments_mut().map_err(|()| anyhow::anyhow!("the address is not a URL"))?.pop_if_empty().extend(path);
        let mut request = self.http.request(method, url).query(query);
        if let (Some(token), Place::Address(_)) = (&self.token, &self.place) {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let (status, text) = self.answer(request)?;
        if status.is_success() { Ok(text) } else { Err(refusal(status, &text)) }
    }

    /// What the daemon says of itself, ready or not; nothing if that cannot be understood.
    pub fn health(&self) -> anyhow::Result<Value> {
        let url = format!("{}/-/ready", self.base);
        let (_, text) = self.answer(self.http.get(url))?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<(StatusCode, String)> {
        self.runtime
            .block_on(async {
                let response = request.send().await?;
                Ok((response.status(), response.text().await?))
            })
            .map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let place = match &self.place {
            Place::Socket(path) => Unreachable::Socket(vec![path.clone()]),
            Place::Address(address) => Unreachable::Address(address.clone()),
        };
        anyhow::Error::new(error.without_url()).context(place)
    }

    /// Waits between two questions.
    pub fn pause(&self, time: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }
}

/// The first place where somebody listens.
fn find_socket(config: &Path, reach: &Reach) -> anyhow::Result<PathBuf> {
    let places = socket::candidates(reach.socket.as_deref(), config);
    for place in &places {
        match std::os::unix::net::UnixStream::connect(place) {
            Ok(_) => return Ok(place.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(Unreachable::Forbidden(place.clone()).into());
            }
            Err(_) => {}
        }
    }
    Err(Unreachable::Socket(places).into())
}

fn refusal(status: StatusCode, text: &str) -> anyhow::Error {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let word = |key: &str| body["error"][key].as_str().map(str::to_owned);
    let message = word("message").unwrap_or_else(|| format!("the daemon answered {status}"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return Unreachable::Unavailable(message).into();
    }
    Refused { message, help: word("help") }.into()
}
