//! Addresses that are looked at: another company's status page, or anything that answers HTTP.

use reqwest::{Response, StatusCode, header::LOCATION};
use url::Url;

use super::public_status;
use crate::{
    clock::Stopwatch,
    config::model::Tls,
    domain::diagnostic::{Found, number_words},
    source::{
        SourceError,
        bounded_body::{self, BodyError},
        http_client,
    },
};

/// The most that is read of a status page's summary.
const SUMMARY_BYTES: usize = 1 << 20;

/// Asks over HTTP. Follows no redirect, keeps no connection.
pub(super) struct Web {
    http: reqwest::Client,
}

impl Web {
    /// Prepares to ask; contacts nobody.
    pub fn new() -> Result<Self, String> {
        let builder = http_client::builder(&Tls::default())?;
        Ok(Self { http: http_client::build(builder.pool_max_idle_per_host(0))? })
    }

    /// Whether an address answers with one of these statuses. The body is not read.
    pub async fn answers(&self, url: &str, fine: &[(u16, u16)]) -> Result<Found, SourceError> {
        let watch = Stopwatch::start();
        let response = self.get(&parsed(url)?).await?;
        let status = response.status();
        let ok = fine.iter().any(|(first, last)| (*first..=*last).contains(&status.as_u16()));
        let took = number_words((watch.elapsed().as_secs_f64() * 1_000.0).round());
        let leads = elsewhere(&response).map(|host| format!(", leads to {host}, which is not followed"));
        Ok(Found::said(ok, format!("{status} after {took} ms{}", leads.unwrap_or_default())))
    }

    /// What a status page says of itself.
    pub async fn public_status(&self, url: &str) -> Result<Found, SourceError> {
        let mut address = parsed(url)?;
        let path = format!("{}/api/v2/summary.json", address.path().trim_end_matches('/'));
        address.set_path(&path);
        let target = http_client::target(&address);
        let response = self.get(&address).await?;
        if let Some(host) = elsewhere(&response) {
            return Err(no_page(&target, &format!("it leads to {host}, which is not followed")));
        }
        if response.status() != StatusCode::OK {
            return Err(no_page(&target, &format!("/api/v2/summary.json answers {}", response.status())));
        }
        let body = bounded_body::read(response, SUMMARY_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge(limit) => SourceError::TooLarge(limit),
            BodyError::Broken(error) => {
                SourceError::Unreachable { target: target.clone(), why: http_client::why(&error) }
            }
        })?;
        public_status::read(&body).map_err(|why| no_page(&target, &why))
    }

    async fn get(&self, url: &Url) -> Result<Response, SourceError> {
        let sent = self.http.get(url.clone()).send().await;
        sent.map_err(|error| SourceError::Unreachable {
            target: http_client::target(url),
            why: http_client::why(&error),
        })
    }
}

fn parsed(url: &str) -> Result<Url, SourceError> {
    Url::parse(url).map_err(|error| SourceError::Refused(format!("`url` is no address: {error}")))
}

fn no_page(target: &str, why: &str) -> SourceError {
    SourceError::Refused(format!("{target} is no Statuspage page: {why}"))
}

/// The host a redirect leads to.
fn elsewhere(response: &Response) -> Option<String> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    let url = location.to_str().ok().and_then(|location| response.url().join(location).ok());
    Some(url.as_ref().map_or_else(|| "an address that is none".to_owned(), http_client::target))
}
