//! People act by the pages: log in, take an incident, write, silence, end, approve; with and without scripts.

use serde_json::Value;
use testbed::clock::eventually;

use crate::{
    assert_none,
    chromium::Chromium,
    hand::Hand,
    hostile,
    look::Looker,
    seed::{PATIENCE, Seeded, TOKEN},
};

async fn act(scripts: bool) {
    let (seeded, browser) = tokio::join!(Seeded::shop(), Chromium::start());
    let looker = Looker::new(&browser, seeded.slod.url()).await;
    let id = seeded.incident("inventory/response-time").await;
    let incident = async || seeded.slod.api(&format!("/api/v1/incidents/{id}")).await.unwrap();
    let page = format!("/incident/{id}");
    browser.allow_scripts(scripts).await;
    let mut hand = Hand { browser: &browser, looker: &looker, scripts, found: Vec::new() };

    // Nobody is logged in: there is nothing to press.
    hand.goto(&page).await;
    assert!(!hand.text().await.contains("Add note"), "{}", hand.text().await);

    // A wrong token is refused, and not shown again.
    hand.goto(&format!("/login?next={page}")).await;
    hand.write("name", "ann").await;
    hand.write("token", "wrong-token-0123456789").await;
    hand.press("Log in", "You are not logged in").await;
    hand.look_around("/login, refused").await;
    assert!(!hand.text().await.contains("wrong-token"), "{}", hand.text().await);
    hand.write("token", TOKEN).await;
    hand.press("Log in", "Add note").await;
    hand.look_around("/incident, logged in").await;

    hand.press("Acknowledge", "acknowledged").await;
    let taken = incident().await;
    assert_eq!(taken["state"], "acknowledged", "{taken}");
    assert!(taken["acknowledged_by"].as_str().is_some_and(|by| by.starts_with("ann")), "{taken}");

    let note = format!("The disk is full. {}", hostile::SCRIPT);
    hand.write("text", &note).await;
    hand.press("Add note", "The disk is full.").await;
    hand.look_around("/incident, with a note").await;
    let lines = incident().await["timeline"].clone();
    let noted = |line: &Value| line["text"].as_str().is_some_and(|text| text.contains(&note));
    assert!(lines.as_array().unwrap().iter().any(noted), "{lines}");

    // What is grave is asked first.
    hand.press("Approve and post…", "").await;
    hand.look_around("/incident/…/status-page/approve").await;
    assert!(incident().await["status_page"]["posted_at"].is_null());
    hand.press("Post it", "").await;
    let posted = eventually(PATIENCE, async || !incident().await["status_page"]["posted_at"].is_null());
    assert!(posted.await, "{}", incident().await);
    assert_eq!(seeded.inbox.statuspage_state().len(), 1);

    hand.goto(&page).await;
    hand.write("reason", "The disk is being replaced.").await;
    hand.press("See what it mutes", "Nothing is silent yet").await;
    hand.look_around("/incident/…/silence").await;
    hand.press("Silence it", "The disk is being replaced.").await;
    let silences = seeded.slod.api("/api/v1/silences?state=active").await.unwrap();
    let made =
        silences["silences"].as_array().unwrap().iter().find(|one| one["reason"] == "The disk is being replaced.");
    assert_eq!(made.map(|one| one["match"]["slo"].clone()), Some("response-time".into()), "{silences}");

    hand.goto("/silences").await;
    hand.goto(&page).await;
    hand.press("Resolve…", "").await;
    hand.look_around("/incident/…/resolve").await;
    hand.press("Resolve it", "").await;
    assert_eq!(incident().await["state"], "resolved", "{}", incident().await);

    let called = browser.evaluate("window.slodSeen ? slodSeen.called.length : 0").await;
    assert_eq!(called, 0);
    assert_none(&hand.found);
    browser.close().await;
}

#[tokio::test]
async fn people_act_with_scripts() {
    act(true).await;
}

#[tokio::test]
async fn people_act_without_scripts() {
    act(false).await;
}
