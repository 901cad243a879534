//! The cookie that holds a session's key.

use axum::http::{HeaderMap, HeaderValue, header};

use super::{book::LIFE, key::Key};

/// Its name. Over HTTPS browsers then hold it to this host, to `/` and to encrypted ways.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-slod" } else { "slod" }
}

/// Whether people reach us over HTTPS.
pub fn is_secure(external_url: &str) -> bool {
    external_url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

/// The key that a request brings.
pub fn read(headers: &HeaderMap, secure: bool) -> Option<Key> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name(secure)).and_then(|(_, value)| Key::parse(value))
}

/// Sets it: no script reads it, no other site's request carries it.
pub fn set(key: &Key, secure: bool) -> HeaderValue {
    line(&key.text(), LIFE.num_seconds(), secure)
}

/// Takes it away.
pub fn unset(secure: bool) -> HeaderValue {
    line("", 0, secure)
}

fn line(value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let flag = if secure { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{flag}", name(secure));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_under_its_own_name_only() {
        let key = Key::random().unwrap();
        let text = key.text();
        let lines = [
            (format!("slod={text}"), false, true),
            (format!("a=b; slod={text}; c"), false, true),
            (format!("__Host-slod={text}"), true, true),
            (format!("slod={text}"), true, false),
            (format!("__Host-slod={text}"), false, false),
            ("slod=".to_owned(), false, false),
            (format!("slod={}", &text[1..]), false, false),
        ];
        for (line, secure, found) in lines {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(&line).unwrap())]);
            assert_eq!(read(&headers, secure), found.then(|| key.clone()), "{line}");
        }
        let plain = set(&key, false);
        assert_eq!(plain, format!("slod={text}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"));
        assert_eq!(unset(true), "__Host-slod=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
        assert!(is_secure("HTTPS://slod.example.com") && !is_secure("http://https://") && !is_secure("https"));
    }
}
