//! The pages as people have them: in a real browser, light and dark, narrow and wide, with and without scripts, by the
//! keyboard, and with texts that mean harm.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod acts;
mod chromium;
mod config;
mod hand;
mod hostile;
mod keyboard;
mod look;
mod plant;
mod screenshots;
mod seed;
mod sizes;

use chromium::Chromium;
use look::{Looker, Page, Sight};
use seed::Seeded;

/// As wide as a phone and as a desk.
const WIDTHS: [u32; 2] = [360, 1280];

/// Every page there is, of a shop with trouble.
async fn pages(seeded: &Seeded) -> Vec<Page> {
    let fixed = ["/", "/?embed=1", "/sources", "/silences", "/login", "/api", "/inventory/health?embed=1"];
    let mut paths: Vec<String> = fixed.map(str::to_owned).into();
    paths.push("/slo/inventory/response-time?embed=1".to_owned());
    for service in ["inventory", "edge"] {
        paths.extend(["health", "alerts", "optimization", "budget"].map(|page| format!("/{service}/{page}")));
    }
    for slo in ["inventory/response-time", "checkout/payments", "checkout/refunds", "edge/paths", "edge/broken"] {
        paths.push(format!("/slo/{slo}"));
    }
    for subject in ["inventory/response-time", "checkout/orders", "payments-db", "edge/paths"] {
        paths.push(format!("/incident/{}", seeded.incident(subject).await));
    }
    let mut pages: Vec<Page> = paths.into_iter().map(|path| Page { path, status: 200 }).collect();
    pages.push(Page { path: "/nothing/%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(), status: 404 });
    pages
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{} findings\n{}", found.len(), found.join("\n"));
}

#[tokio::test]
async fn pages_hold_with_scripts() {
    let (seeded, browser) = tokio::join!(Seeded::hostile(), Chromium::start());
    let looker = Looker::new(&browser, seeded.slod.url()).await;
    let mut found = Vec::new();
    for page in pages(&seeded).await {
        for width in WIDTHS {
            looker.load(&page, Sight { width, scripts: true }, &mut found).await;
            looker.axe(&page, &format!("light, {width} px"), &mut found).await;
            browser.prefer(&[("prefers-color-scheme", "dark")]).await;
            looker.axe(&page, &format!("dark, {width} px"), &mut found).await;
        }
        looker.preferring(&page, &mut found).await;
    }
    assert_none(&found);
    browser.close().await;
}

/// What stands on a page as text, letter for letter.
const READ: [(&str, &str); 7] = [
    ("/edge/health", hostile::SCRIPT),
    ("/slo/edge/paths", hostile::SCRIPT),
    ("/slo/edge/broken", "<script>alert(1)</script> \"><img src=x onerror=alert(1)>"),
    ("/slo/edge/broken", hostile::RIGHT_TO_LEFT),
    ("/slo/edge/quiet", hostile::IMAGE),
    ("/incident/edge/paths", hostile::CLOSERS),
    ("/sources", "channel_is_archived <script>alert('slod')</script>"),
];

#[tokio::test]
async fn hostile_texts_are_read_as_they_are() {
    let (seeded, browser) = tokio::join!(Seeded::hostile(), Chromium::start());
    let looker = Looker::new(&browser, seeded.slod.url()).await;
    for (path, text) in READ {
        let path = match path.strip_prefix("/incident/") {
            Some(subject) => format!("/incident/{}", seeded.incident(subject).await),
            None => path.to_owned(),
        };
        looker.open(&Page { path: path.clone(), status: 200 }, 1280).await;
        let shown = browser.evaluate("document.body.textContent").await;
        assert!(shown.as_str().unwrap().contains(text), "{path} does not show {text}: {shown}");
        assert_eq!(browser.evaluate("slodSeen.called").await, serde_json::json!([]), "{path}");
    }
    browser.close().await;
}

#[tokio::test]
async fn pages_hold_without_scripts() {
    let (seeded, browser) = tokio::join!(Seeded::hostile(), Chromium::start());
    let looker = Looker::new(&browser, seeded.slod.url()).await;
    browser.allow_scripts(false).await;
    let mut found = Vec::new();
    for page in pages(&seeded).await {
        for width in WIDTHS {
            looker.load(&page, Sight { width, scripts: false }, &mut found).await;
        }
        // What was loaded without scripts stays as it is; axe-core itself is one.
        browser.allow_scripts(true).await;
        looker.axe(&page, "light, no scripts", &mut found).await;
        browser.prefer(&[("prefers-color-scheme", "dark")]).await;
        looker.axe(&page, "dark, no scripts", &mut found).await;
        browser.allow_scripts(false).await;
    }
    assert_none(&found);
    browser.close().await;
}

#[tokio::test]
async fn pages_are_walked_by_the_keyboard() {
    let (seeded, browser) = tokio::join!(Seeded::hostile(), Chromium::start());
    let looker = Looker::new(&browser, seeded.slod.url()).await;
    let mut found = Vec::new();
    for page in pages(&seeded).await {
        looker.open(&page, 1280).await;
        keyboard::skips(&browser, &page, &mut found).await;
        looker.open(&page, 360).await;
        keyboard::walk(&browser, &page, &mut found).await;
    }
    assert_none(&found);
    browser.close().await;
}
