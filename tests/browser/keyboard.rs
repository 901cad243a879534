//! A page by the keyboard alone.

use crate::{chromium::Chromium, look::Page};

/// Stops that are walked on one page; more of the same kind teach nothing.
const STOPS_MAX: u64 = 40;

/// The first stop is the skip link, and it leads to what the page is about.
pub async fn skips(browser: &Chromium, page: &Page, found: &mut Vec<String>) {
    browser.evaluate(include_str!("stops.js")).await;
    browser.press("Tab", 9, "").await;
    let first = browser.evaluate(include_str!("stop.js")).await;
    let Some(target) = first["href"].as_str().and_then(|href| href.strip_prefix('#')) else {
        found.push(format!("{}: the first stop is no skip link: {first}", page.path));
        return;
    };
    if first["inside"] != true || first["ringed"] != true {
        found.push(format!("{}: the skip link cannot be seen: {first}", page.path));
    }
    browser.press("Enter", 13, "\r").await;
    browser.press("Tab", 9, "").await;
    // Where nothing follows the target, the walk begins anew.
    let within = format!(
        "(() => {{ const target = document.getElementById('{target}'); const node = document.activeElement; \
         return !!target && location.hash === '#{target}' && (node === document.body || target.contains(node) || \
         !!(target.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING) || \
         !slodStops.some((stop) => target.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING)); }})()"
    );
    if browser.evaluate(&within).await != true {
        let now = browser.evaluate(include_str!("stop.js")).await;
        found.push(format!("{}: the skip link leads to {now}", page.path));
    }
}

/// Each stop follows the one before it on the page, none is left out, and each can be seen.
pub async fn walk(browser: &Chromium, page: &Page, found: &mut Vec<String>) {
    let all = browser.evaluate(include_str!("stops.js")).await.as_u64().unwrap();
    let mut next = 0;
    while next < all.min(STOPS_MAX) {
        browser.press("Tab", 9, "").await;
        let stop = browser.evaluate(include_str!("stop.js")).await;
        if stop.is_null() {
            found.push(format!("{}: the focus is lost after {next} of {all} stops", page.path));
            return;
        }
        if stop["ringed"] != true || stop["inside"] != true {
            found.push(format!("{}: the focus cannot be seen: {stop}", page.path));
        }
        match stop["place"].as_u64() {
            Some(place) if place == next => next += 1,
            // A box that scrolls is a stop of the browser's own.
            None if stop["scrolls"] == true => {}
            _ => {
                found.push(format!("{}: stop {next} of {all} is {stop}", page.path));
                return;
            }
        }
    }
}
