//! Addresses: URLs of the right scheme, secrets that would travel unencrypted, e-mail addresses.

use url::{Host, Url};

use super::{
    codes::Code,
    fields::{Fields, clipped},
    finding::Finding,
    outside::Text,
    tree::Span,
};

impl Fields<'_> {
    /// An HTTP address under `key`, without the slash at its end.
    pub fn http_url(&self, key: &'static str) -> Option<Text> {
        let text = self.text(key)?;
        self.check_url(key, text, &["http", "https"])
    }

    /// An HTTP address that must be there.
    pub fn required_http_url(&self, key: &'static str) -> Option<Text> {
        let text = self.required_text(key)?;
        self.check_url(key, text, &["http", "https"])
    }

    /// Checks an address that was read already.
    pub fn check_url(&self, key: &str, mut text: Text, schemes: &[&str]) -> Option<Text> {
        if !text.known {
            return Some(text);
        }
        if let Err(why) = url_problem(&text.value, schemes) {
            let message = format!("`{key}` of {} is no address: {why}", self.owner);
            let help = format!("write `{}://host…`", schemes[schemes.len() - 1]);
            self.cx.push(Finding::error(Code::BadAddress, text.at, message).help(help));
            return None;
        }
        if Url::parse(&text.value).is_ok_and(|url| url.password().is_some()) {
            self.warn_of_password(key, &text);
        }
        text.value.truncate(text.value.trim_end_matches('/').len());
        Some(text)
    }

    fn warn_of_password(&self, key: &str, text: &Text) {
        if text.literal {
            self.cx.hide(text.at);
            let message = format!("`{key}` of {} holds a password, written into the file", self.owner);
            self.cx.push(Finding::warning(Code::LiteralSecret, text.at, message).help("use `{from_env: NAME}`"));
        }
        self.warn_plain_http(&text.value, text.at);
    }

    /// Warns if a secret would go over plain HTTP to another host.
    pub fn warn_plain_http(&self, url: &str, at: Span) {
        if is_exposed(url) {
            let message = format!("{} sends a secret over plain http", self.owner);
            self.cx.push(Finding::warning(Code::PlainHttp, at, message).help("use `https://`"));
        }
    }

    /// E-mail addresses under `key`.
    pub fn mail_addresses(&self, key: &'static str) -> Vec<String> {
        let mut addresses = Vec::new();
        for node in self.list(key) {
            let what = format!("`{key}` of {}", self.owner);
            let Some(text) = super::outside::resolve(self.cx, node, &what) else { continue };
            if text.known && !is_mail_address(&text.value) {
                let message = format!("`{}` in {what} is no e-mail address", clipped(&text.value));
                self.cx.push(Finding::error(Code::BadAddress, text.at, message));
            }
            addresses.push(text.value);
        }
        addresses
    }
}

/// Whether this is an address with a host and one of the schemes. The reason never repeats the address.
fn url_problem(text: &str, schemes: &[&str]) -> Result<(), String> {
    if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err("it contains blanks".to_owned());
    }
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !schemes.contains(&url.scheme()) {
        return Err(format!("it must begin with `{}://`", schemes.join("://` or `")));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it has no host".to_owned());
    }
    Ok(())
}

/// Whether the address is plain HTTP to a host that is not this one.
pub(crate) fn is_exposed(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url))
}

/// Whether the host is this one.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.to_ascii_lowercase();
            name == "localhost"
                || name.ends_with(".localhost")
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
                || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

/// `name@host`, or `Somebody <name@host>`.
pub(crate) fn is_mail_address(text: &str) -> bool {
    let bare = match text.split_once('<') {
        Some((_, rest)) => match rest.strip_suffix('>') {
            Some(bare) => bare,
            None => return false,
        },
        None => text,
    };
    let Some((user, host)) = bare.rsplit_once('@') else { return false };
    !text.chars().any(char::is_control)
        && !user.is_empty()
        && !user.contains([' ', '@', '<', '>', ','])
        && !host.is_empty()
        && host
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exposure() {
        let cases = [
            ("http://prometheus:9090", true),
            ("https://prometheus:9090", false),
            ("http://127.0.0.1:9090", false),
            ("http://[::1]:9090", false),
            ("http://localhost/", false),
            ("http://10.0.0.1/", true),
        ];
        for (url, expected) in cases {
            assert_eq!(is_exposed(url), expected, "{url}");
        }
    }

    #[test]
    fn mail_addresses() {
        let cases = [
            ("a@example.com", true),
            ("Ops <a@example.com>", true),
            ("a@localhost", true),
            ("a", false),
            ("@example.com", false),
            ("a@", false),
            ("a b@example.com", false),
            ("a@example.com\r\nBcc: x@y", false),
            ("a@example..com", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_mail_address(text), expected, "{text}");
        }
    }
}
