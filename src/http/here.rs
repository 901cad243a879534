//! Places on this site: where a form belongs, and where to go on after logging in.

use url::Url;

use super::routes;

/// Most characters of a place.
const PLACE_MAX: usize = 1_000;

/// The page that holds the form that is sent to `path`.
pub fn page_of(path: &str) -> &str {
    let is = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    if is("/incident") {
        let end = path["/incident/".len()..].find('/').map_or(path.len(), |found| found + "/incident/".len());
        &path[..end]
    } else if path == "/silences" || is("/silences") {
        "/silences"
    } else if is("/delivery") {
        "/sources"
    } else {
        "/"
    }
}

/// A place on this site as a browser reads it; none for any other place.
pub fn local(text: &str) -> Option<String> {
    let base = Url::parse("http://here.invalid/").ok()?;
    let steers = |letter: char| letter.is_control() || letter == '\\';
    if !text.starts_with('/') || text.len() > PLACE_MAX || text.contains(steers) {
        return None;
    }
    let found = base.join(text).ok()?;
    if found.origin() != base.origin() || !found.username().is_empty() || found.password().is_some() {
        return None;
    }
    let place = &found[url::Position::BeforePath..url::Position::AfterQuery];
    // `/.//elsewhere` is read as `//elsewhere`, which is another host.
    (!place.starts_with("//")).then(|| place.to_owned())
}

/// A place on this site that can be looked at. Of one that only takes a form it is the page that holds the form.
pub fn readable(text: &str) -> Option<String> {
    let place = local(text)?;
    let path = place.split('?').next().unwrap_or_default();
    let path_of_page = if path == "/login" { "/" } else { page_of(path) };
    Some(if path != "/login" && is_looked_at(path) { place } else { path_of_page.to_owned() })
}

/// Whether there is something to look at: of what takes no form, or is not there, the answer says so itself.
fn is_looked_at(path: &str) -> bool {
    routes::is_asked("GET", path) || !routes::is_asked("POST", path)
}

/// One segment of a path.
pub fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_on_this_site_are_gone_to() {
        let cases = [
            ("/", Some("/")),
            ("/incident/7?done=noted#x", Some("/incident/7?done=noted")),
            ("/a/../b", Some("/b")),
            ("//evil.example", None),
            ("///evil.example", None),
            ("/.//evil.example", None),
            ("/%2e//evil.example", None),
            ("/\\evil.example", None),
            ("/\t/evil.example", None),
            ("/a\r\nset-cookie: x", None),
            ("https://evil.example", None),
            ("javascript:alert(1)", None),
            ("evil", None),
            ("", None),
            ("/é", Some("/%C3%A9")),
        ];
        for (text, found) in cases {
            assert_eq!(local(text).as_deref(), found, "{text:?}");
        }
        assert_eq!(local(&format!("/{}", "a".repeat(1_000))), None);
    }

    #[test]
    fn after_logging_in_there_is_something_to_look_at() {
        let cases = [
            ("/", Some("/")),
            ("/logout", Some("/")),
            ("/login?next=/logout", Some("/")),
            ("/a/../logout", Some("/")),
            ("/incident/7/acknowledge?x=y", Some("/incident/7")),
            ("/incident/7/resolve", Some("/incident/7/resolve")),
            ("/delivery/4/retry", Some("/sources")),
            ("/silences", Some("/silences")),
            ("/shop/alerts?page=2", Some("/shop/alerts?page=2")),
            ("/-/reload", Some("/")),
            ("//evil.example", None),
        ];
        for (text, found) in cases {
            assert_eq!(readable(text).as_deref(), found, "{text}");
        }
    }

    #[test]
    fn a_form_belongs_to_a_page() {
        let cases = [
            ("/incident/7/status-page/approve", "/incident/7"),
            ("/incident/7", "/incident/7"),
            ("/incident", "/"),
            ("/silences/3f/expire", "/silences"),
            ("/delivery/4/retry", "/sources"),
            ("/logout", "/"),
        ];
        for (path, page) in cases {
            assert_eq!(page_of(path), page, "{path}");
        }
    }
}
