//! One attempt of a probe: a fresh connection, one answer, redirects on the same host only.

use chrono::{DateTime, Utc};
use reqwest::{Method, Response, StatusCode, header::LOCATION, tls::TlsInfo};
use url::Url;

use crate::{
    config::model::Probe,
    source::{
        bounded_body::{self, BodyError},
        certificate::not_after,
        http_client::why,
    },
};

/// The most that is searched for the text.
const BODY_LIMIT: usize = 1024 * 1024;
const REDIRECTS: usize = 5;

/// Asks once. `Ok` says what was good, `Err` what was bad; neither shows an address or a header.
pub(super) async fn attempt(http: &reqwest::Client, probe: &Probe, now: DateTime<Utc>) -> Result<String, String> {
    let response = answer(http, probe).await?;
    let status = response.status();
    if !is_good(probe, status) {
        return Err(format!("status {status}"));
    }
    if let Some(least) = probe.tls_expires_after {
        lasts(&response, now, least)?;
    }
    if let Some(text) = &probe.contains {
        let body = bounded_body::read(response, BODY_LIMIT).await.map_err(|error| match error {
            BodyError::TooLarge(limit) => format!("the body is over {limit} bytes"),
            BodyError::Broken(error) => format!("the body broke off: {}", why(&error)),
        })?;
        if !String::from_utf8_lossy(&body).contains(text.as_str()) {
            return Err(format!("status {status}, but the body does not contain `{text}`"));
        }
    }
    Ok(format!("status {status}"))
}

/// The answer that counts: the first that is good as it is, or is no redirect.
async fn answer(http: &reqwest::Client, probe: &Probe) -> Result<Response, String> {
    let mut url = Url::parse(&probe.url).map_err(|error| format!("the probe's `url` is no address: {error}"))?;
    let mut method =
        Method::from_bytes(probe.method.as_bytes()).map_err(|_| format!("`{}` is no HTTP method", probe.method))?;
    let mut body = probe.body.clone();
    for _ in 0..=REDIRECTS {
        let mut request = http.request(method.clone(), url.clone());
        for (name, value) in &probe.headers {
            request = request.header(name, value.expose());
        }
        if let Some(body) = &body {
            request = request.body(body.clone());
        }
        let response = request.send().await.map_err(|error| why(&error))?;
        let status = response.status();
        let location = response.headers().get(LOCATION).filter(|_| status.is_redirection());
        let Some(location) = location.filter(|_| !is_good(probe, status)) else { return Ok(response) };
        let next = location.to_str().ok().and_then(|location| url.join(location).ok());
        let next = next.ok_or_else(|| format!("status {status} to an address that is none"))?;
        if next.host_str() != url.host_str() || (url.scheme() == "https" && next.scheme() != "https") {
            let host = next.host_str().unwrap_or("?");
            return Err(format!("status {status} to {}://{host}, which is not followed", next.scheme()));
        }
        if status == StatusCode::SEE_OTHER || (method == Method::POST && matches!(status.as_u16(), 301 | 302)) {
            method = if method == Method::HEAD { Method::HEAD } else { Method::GET };
            body = None;
        }
        url = next;
    }
    Err(format!("more than {REDIRECTS} redirects"))
}

fn is_good(probe: &Probe, status: StatusCode) -> bool {
    probe.status.iter().any(|(first, last)| (*first..=*last).contains(&status.as_u16()))
}

fn lasts(response: &Response, now: DateTime<Utc>, least: std::time::Duration) -> Result<(), String> {
    let certificate = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    let end = certificate.and_then(not_after).ok_or("no certificate, though `tls_expires_after` is written")?;
    let left = end - now;
    if left.to_std().is_ok_and(|left| left >= least) {
        return Ok(());
    }
    let hours = least.as_secs() / 3_600;
    let least = if hours < 48 { format!("{hours} hours") } else { format!("{} days", hours / 24) };
    Err(format!("the certificate ends at {}, in less than {least}", end.format("%Y-%m-%d %H:%M UTC")))
}
