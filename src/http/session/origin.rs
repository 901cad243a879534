//! Whether a form was sent from one of our own pages.

use axum::http::{HeaderMap, HeaderName, header};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// By what the browser says of where a request comes from. One that says nothing is none: it carries no cookie that it
/// was not given by hand, and its form still needs the session's proof.
pub fn is_ours(headers: &HeaderMap, external_url: &str) -> bool {
    let site = match headers.get(SITE).map(|site| site.to_str().unwrap_or_default()) {
        None => None,
        // `none`: the person has sent it again from the browser's own controls.
        Some("same-origin" | "none") => Some(()),
        Some(_) => return false,
    };
    match headers.get(header::ORIGIN) {
        None => true,
        // A browser that is told to keep its origin to itself says so; it may then only be trusted by the other header.
        Some(origin) if origin == "null" => site.is_some(),
        Some(origin) => origin.to_str().is_ok_and(|origin| is_same(origin, headers, external_url)),
    }
}

/// The address people use; or whatever the browser says it has asked, where that is another one.
fn is_same(origin: &str, headers: &HeaderMap, external_url: &str) -> bool {
    let Ok(given) = url::Url::parse(origin) else { return false };
    if url::Url::parse(external_url).is_ok_and(|ours| ours.origin() == given.origin()) {
        return true;
    }
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let asked = url::Url::parse(&format!("{}://{host}/", given.scheme()));
    matches!(given.scheme(), "http" | "https") && asked.is_ok_and(|asked| asked.origin() == given.origin())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_our_own_pages_send_forms() {
        let ours = "https://slod.example.com";
        let cases = [
            (None, None, true),
            (Some("same-origin"), None, true),
            (Some("same-origin"), Some("https://slod.example.com"), true),
            (Some("same-origin"), Some("null"), true),
            (None, Some("https://slod.example.com"), true),
            (None, Some("http://inside:9720"), true),
            (None, Some("null"), false),
            (None, Some("https://slod.example.com.evil.example"), false),
            (None, Some("https://evil.example"), false),
            (None, Some("http://slod.example.com"), false),
            (None, Some("https://slod.example.com:444"), false),
            (None, Some("http://inside:9721"), false),
            (None, Some("inside:9720"), false),
            (None, Some(""), false),
            (Some("cross-site"), None, false),
            (Some("same-site"), Some("https://slod.example.com"), false),
            (Some("none"), Some("https://evil.example"), false),
            (Some("\u{fffd}"), None, false),
        ];
        for (site, origin, fine) in cases {
            let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("inside:9720"))]);
            for (name, value) in [(SITE, site), (header::ORIGIN, origin)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
                }
            }
            assert_eq!(is_ours(&headers, ours), fine, "{site:?} {origin:?}");
        }
    }
}
