//! How we speak HTTP: no redirects, our own name, TLS files, and errors in few words.

use std::{error::Error, path::Path, time::Duration};

use reqwest::{Certificate, ClientBuilder, Identity, redirect::Policy};
use url::Url;

use crate::config::{self, model::Tls};

/// Largest file of certificates: a bundle of all that are known has some 300 KiB.
const PEM_BYTES_MAX: u64 = 4 << 20;

const USER_AGENT: &str = concat!("slod/", env!("CARGO_PKG_VERSION"));

/// A client that follows nothing and says who it is.
pub(super) fn builder(tls: &Tls) -> Result<ClientBuilder, String> {
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .user_agent(USER_AGENT)
        .referer(false)
        .pool_idle_timeout(Duration::from_secs(90));
    if let Some(path) = &tls.ca {
        let bundle = Certificate::from_pem_bundle(&file(path)?).map_err(|error| unreadable(path, &error))?;
        builder = builder.tls_certs_merge(bundle);
    }
    match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            let mut pem = file(key)?;
            pem.push(b'\n');
            pem.extend(file(cert)?);
            builder = builder.identity(Identity::from_pem(&pem).map_err(|error| unreadable(cert, &error))?);
        }
        (None, None) => {}
        (Some(_), None) => return Err("`tls` has a `cert` but no `key`".to_owned()),
        (None, Some(_)) => return Err("`tls` has a `key` but no `cert`".to_owned()),
    }
    Ok(builder)
}

/// Says why a client could not be built. Without any system certificates this happens even for plain http.
pub(super) fn build(builder: ClientBuilder) -> Result<reqwest::Client, String> {
    builder.build().map_err(|error| {
        format!("no HTTP client: {}; are the system's certificates there (ca-certificates)?", why(&error))
    })
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    config::open::read(path, PEM_BYTES_MAX).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn unreadable(path: &Path, error: &reqwest::Error) -> String {
    format!("no PEM in {}: {}", path.display(), why(error))
}

/// The innermost cause, which is what helps: `connection refused`, not `error sending request for url (…)`.
/// Never shows an address, which may hold a password.
pub(super) fn why(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    if let Some(io) = innermost.downcast_ref::<std::io::Error>() {
        return io_why(io);
    }
    let text = innermost.to_string();
    text.split(" for url (").next().unwrap_or_default().to_owned()
}

/// An operating system's error without its number.
pub(super) fn io_why(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    letters.next().map_or_else(|| text.clone(), |first| first.to_lowercase().chain(letters).collect())
}

/// Host and port of an address: what may be shown.
pub(super) fn target(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_hold_no_secret() {
        for (url, shown) in [
            ("http://user:secret@127.0.0.1:9090/prometheus", "127.0.0.1:9090"),
            ("https://metrics.example.com/?token=secret", "metrics.example.com:443"),
            ("http://[::1]:9090", "[::1]:9090"),
        ] {
            assert_eq!(target(&Url::parse(url).unwrap()), shown);
        }
    }
}
