//! Every field of the data is on its page, and nothing from outside is markup.

use serde_json::Value;

use super::{Answer, fake_desk::FakeDesk, fixed_data::HOSTILE, get_as, tcp};

/// The leaves of a JSON value with their paths. An empty list or map is a leaf.
fn leaves(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(place, item)| leaves(&below(&place.to_string()), item, found));
        }
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, item)| leaves(&below(name), item, found));
        }
        leaf => found.push((path.to_owned(), leaf.clone())),
    }
}

/// The element that shows a field: its start tag and its text.
fn element<'a>(html: &'a str, field: &str) -> Option<(&'a str, &'a str)> {
    let place = html.find(&format!("data-field=\"{field}\""))?;
    let start = html[..place].rfind('<')?;
    let end = place + html[place..].find('>')?;
    let text = &html[end + 1..];
    Some((&html[start..=end], &text[..text.find("</").unwrap_or(text.len())]))
}

/// As a page shows it: what would steer the page is a sign.
fn seen(value: &str) -> String {
    value.chars().map(|letter| if letter == '\u{1b}' { '\u{fffd}' } else { letter }).collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!(" {name}=\""))?.1;
    Some(unescaped(value.split('"').next()?))
}

fn shows(tag: &str, text: &str, leaf: &Value) -> bool {
    match leaf {
        Value::Null => text == "—",
        Value::Bool(value) => attribute(tag, "value") == Some(value.to_string()) && !text.is_empty(),
        Value::Number(number) => {
            let shown = attribute(tag, "value").and_then(|value| value.parse::<f64>().ok());
            shown == number.as_f64() && !text.is_empty()
        }
        Value::String(value) if tag.starts_with("<time") => {
            attribute(tag, "datetime").as_ref() == Some(value) && text.contains("UTC (")
        }
        Value::String(value) => unescaped(text) == seen(value),
        Value::Array(_) | Value::Object(_) => text == "none",
    }
}

async fn walk(page: &str) {
    let router = tcp(FakeDesk::default());
    let html = get_as(&router, page, "text/html").await.text;
    let data = get_as(&router, page, "application/json").await.json();
    let mut found = Vec::new();
    leaves("", &data, &mut found);
    assert!(found.len() > 20, "{page}");
    for (field, leaf) in found {
        let (tag, text) = element(&html, &field).unwrap_or_else(|| panic!("{page} does not show {field}"));
        assert!(shows(tag, text, &leaf), "{page}: {field} is {leaf}, shown as {tag}{text}");
    }
}

#[tokio::test]
async fn every_field_of_an_slo_is_on_its_page() {
    walk("/slo/inventory/api-response-time").await;
}

#[tokio::test]
async fn every_field_of_an_incident_is_on_its_page() {
    walk("/incident/7").await;
}

#[tokio::test]
async fn every_field_of_a_services_alerts_is_on_their_page() {
    walk("/inventory/alerts").await;
}

#[tokio::test]
async fn every_field_of_silences_and_planned_work_is_on_their_page() {
    walk("/silences").await;
}

#[tokio::test]
async fn every_field_of_the_budget_report_is_on_its_page() {
    walk("/inventory/budget").await;
}

#[tokio::test]
async fn every_field_of_sources_and_receivers_is_on_their_page() {
    walk("/sources").await;
}

const PAGES: [&str; 9] = [
    "/",
    "/inventory/health",
    "/inventory/alerts",
    "/inventory/optimization",
    "/inventory/budget",
    "/slo/inventory/api-response-time",
    "/incident/7",
    "/sources",
    "/silences",
];

#[tokio::test]
async fn nothing_from_outside_is_markup() {
    let router = tcp(FakeDesk { not_ready: true, config_is_bad: true, ..FakeDesk::default() });
    let mut pages = Vec::from(PAGES);
    pages.extend(["/nope/health", "/%3Cscript%3Ealert(1)%3C/script%3E", "/badge/inventory/api-response-time.svg"]);
    for path in pages {
        let page: Answer = get_as(&router, path, "text/html").await;
        // our own script, which holds nothing from outside, and no other
        let own = "<script src=\"/assets/slod.js\" defer></script>";
        assert!(page.text.matches(own).count() <= 1, "{path}");
        assert!(!page.text.replace(own, "").contains("<script"), "{path}");
        assert!(!page.text.contains(HOSTILE), "{path}");
        assert!(!page.text.contains("href=\"javascript:"), "{path}");
    }
}

#[tokio::test]
async fn pages_are_plain_and_readable() {
    let router = tcp(FakeDesk::default());
    for path in PAGES {
        let html = get_as(&router, path, "text/html").await.text;
        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{path}");
        let tables = html.matches("<table>").count();
        assert!(tables > 0 && html.matches("<caption>").count() == tables, "{path}");
        let heads = html.matches("<th ").count() + html.matches("<th>").count();
        assert_eq!(html.matches(" scope=\"").count(), heads, "{path}");
        assert!(!html.contains("style=") && !html.contains("onclick"), "{path}");
        assert_eq!(html.matches("<h1>").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_state_is_glyph_word_and_colour() {
    let router = tcp(FakeDesk::default());
    let html = get_as(&router, "/", "text/html").await.text;
    assert!(html.contains("<span class=\"state warn\"><span aria-hidden=\"true\">▲ </span>"), "{html}");
    assert!(html.contains(">burning</span>"));
    let css = get_as(&router, "/assets/slod.css", "text/css").await;
    assert!(css.text.contains("prefers-color-scheme: dark") && css.header("content-type").starts_with("text/css"));
}

#[tokio::test]
async fn services_stand_worst_first_and_bad_news_on_top() {
    let router = tcp(FakeDesk { not_ready: true, config_is_bad: true, ..FakeDesk::default() });
    let html = get_as(&router, "/", "text/html").await.text;
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(place("/inventory/health") < place("/quiet/health"));
    assert!(place("unknown key `windw`") < place("<main"));
    assert!(place("Not ready") < place("<main"));
}

/// A probe's slot is settled before its time has passed: what is known now is not of the future.
#[tokio::test]
async fn no_slot_is_of_the_future() {
    let router = tcp(FakeDesk { ahead: true, ..FakeDesk::default() });
    for path in ["/", "/inventory/health", "/slo/inventory/api-response-time", "/inventory/alerts"] {
        let page = get_as(&router, path, "text/html").await;
        assert_eq!(page.status.as_u16(), 200, "{path}");
        assert!(!page.text.contains("in 3 s"), "{path}: {}", page.text);
    }
    let page = get_as(&router, "/slo/inventory/api-response-time", "text/html").await.text;
    let newest = "<time datetime=\"2026-10-25T12:00:15Z\" class=\"known\" data-field=\"watermark\">2026-10-25 12:00:15 UTC (now)</time>";
    assert!(page.contains(newest), "the moment stays what it is: {page}");
}

/// Whatever comes in, nothing on a page steers it.
#[tokio::test]
async fn what_steers_text_is_seen() {
    let router = tcp(FakeDesk::default());
    let asked = "/?q=%00%1B%5B31m%E2%80%AEgnp%C2%85.exe%E2%81%A6";
    for path in
        [asked, "/slo/inventory/api-response-time", "/incident/7", "/inventory/alerts", "/nope%E2%80%AE", "/api"]
    {
        let page = get_as(&router, path, "text/html").await.text;
        let steering = page.chars().find(|letter| {
            letter.is_control() && !matches!(letter, '\n' | '\r')
                || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        assert_eq!(steering, None, "{path}");
    }
    let page = get_as(&router, asked, "text/html").await.text;
    assert!(page.contains("value=\"\u{fffd}\u{fffd}[31m\u{fffd}gnp\u{fffd}.exe\u{fffd}\""), "{page}");
}

/// On the first day there is a sentence where rows would be of nothing.
#[tokio::test]
async fn where_there_is_nothing_a_sentence_says_so() {
    let router = tcp(FakeDesk { bare: true, ..FakeDesk::default() });
    let page = get_as(&router, "/sources", "text/html").await.text;
    assert!(page.contains("The configuration names nothing to ask under <code>sources</code>"), "{page}");
    assert!(page.contains("names nobody to tell under <code>receivers</code>"), "{page}");
    assert!(!page.contains("Newest accepted") && !page.contains("Newest answer"), "no heads without rows: {page}");
    let page = get_as(&router, "/inventory/optimization", "text/html").await.text;
    assert!(page.contains("incidents nothing can be counted: from the first one on"), "{page}");
    assert!(!page.contains("Incidents by alert") && page.contains(">Promised<"), "{page}");
}

/// What is typed is set apart, and one can go on from everywhere.
#[tokio::test]
async fn typed_words_are_code_and_the_api_has_the_navigation() {
    let router = tcp(FakeDesk::default());
    let api = get_as(&router, "/api", "text/html").await.text;
    for said in [
        "<nav aria-label=\"Pages\">",
        "href=\"/silences\"",
        "<a href=\"/api\" aria-current=\"page\">",
        "<code>operate</code>",
    ] {
        assert!(api.contains(said), "{said}");
    }
    for part in api.split("<pre>").map(|part| part.split_once("</pre>").map_or(part, |(_, rest)| rest)) {
        assert!(!part.contains('`'), "{part}");
    }
    let missing = get_as(&router, "/nowhere", "text/html").await.text;
    assert!(missing.contains("there is no <code>/nowhere</code>"), "{missing}");
}
