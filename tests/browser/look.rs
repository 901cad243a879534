//! One page under one set of circumstances, and all that is wrong with it.

use std::path::Path;

use serde_json::{Value, json};

use crate::chromium::Chromium;

/// The largest sum of layout shifts that nobody notices.
const SHIFT_MAX: f64 = 0.02;

/// axe-core, as `scripts/setup` brings it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/axe-core/axe.min.js");

/// One page.
#[derive(Clone, Debug)]
pub struct Page {
    pub path: String,
    /// What it is answered with: an error's page is a page too.
    pub status: u64,
}

/// Holds pages of one host to the rules.
pub struct Looker<'a> {
    pub browser: &'a Chromium,
    /// `http://127.0.0.1:PORT`.
    pub host: String,
    axe: String,
}

/// Under which circumstances a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    pub width: u32,
    pub scripts: bool,
}

impl<'a> Looker<'a> {
    /// Prepares a browser.
    pub async fn new(browser: &'a Chromium, host: String) -> Self {
        let axe = std::fs::read_to_string(Path::new(AXE));
        let axe = axe.unwrap_or_else(|error| panic!("{AXE}: {error}; run scripts/setup"));
        let source = json!({"source": include_str!("watch.js")});
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", source).await;
        // As over a weak line: what a page does while it comes in pieces is seen each time, not now and then.
        let weak = json!({"offline": false, "latency": 5, "downloadThroughput": 20_000, "uploadThroughput": 20_000});
        browser.devtools("Network.enable", json!({})).await;
        browser.devtools("Network.emulateNetworkConditions", weak).await;
        Self { browser, host, axe }
    }

    /// Loads a page; what is wrong with it goes to `found`.
    pub async fn load(&self, page: &Page, sight: Sight, found: &mut Vec<String>) {
        let before = found.len();
        // What went before is not this page's.
        self.browser.log("browser").await;
        self.browser.log("performance").await;
        self.open(page, sight.width).await;
        if sight.scripts {
            // Two frames and a moment: what shifts after the load has done so.
            self.browser
                .evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))")
                .await;
        }
        let facts = self.browser.evaluate(include_str!("probe.js")).await;
        found.extend(wrong(&facts));
        found.extend(self.logged(page).await);
        for line in &mut found[before..] {
            *line = format!(
                "{} at {} px{}: {line}",
                page.path,
                sight.width,
                if sight.scripts { "" } else { ", no scripts" }
            );
        }
    }

    /// Loads a page without looking at it.
    pub async fn open(&self, page: &Page, width: u32) {
        self.browser.resize(width, 800).await;
        self.browser.prefer(&[("prefers-color-scheme", "light")]).await;
        self.browser.goto(&format!("{}{}", self.host, page.path)).await;
    }

    /// What axe-core has to say of the page as it stands.
    pub async fn axe(&self, page: &Page, what: &str, found: &mut Vec<String>) {
        if self.browser.evaluate("typeof axe").await == "undefined" {
            self.browser.evaluate(&format!("{};null", self.axe)).await;
        }
        let violations = self.browser.evaluate(include_str!("axe.js")).await;
        // A screen on a wall that nobody touches: to load again by itself is what it is for.
        let meant = |line: &&str| page.path.ends_with("?embed=1") && line.starts_with("meta-refresh ");
        let lines = violations.as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        found.extend(lines.filter(|line| !meant(line)).map(|line| format!("{} {what}: axe: {line}", page.path)));
    }

    /// The page as it stands, for someone who wants no motion, and colours of their own.
    pub async fn preferring(&self, page: &Page, found: &mut Vec<String>) {
        self.browser.prefer(&[("forced-colors", "active"), ("prefers-reduced-motion", "reduce")]).await;
        self.browser.press("Tab", 9, "").await;
        let facts = self.browser.evaluate(include_str!("preferring.js")).await;
        assert_eq!(facts["forced"], true, "the browser does not take preferences");
        let still = facts["moves"] == json!([]) && facts["running"] == 0;
        if !still || facts["wide"] == true || facts["focus"] == false {
            found.push(format!("{} in forced colours, without motion: {facts}", page.path));
        }
    }

    /// What the browser said to people, and what it asked the network for.
    async fn logged(&self, page: &Page) -> Vec<String> {
        let mut found = Vec::new();
        for entry in self.browser.log("browser").await {
            let text = entry["message"].as_str().unwrap_or_default().to_owned();
            let expected = page.status >= 400 && text.contains(&format!("status of {}", page.status));
            if matches!(entry["level"].as_str(), Some("WARNING" | "SEVERE")) && !expected {
                found.push(format!("console: {text}"));
            }
        }
        for (method, event) in network(&self.browser.log("performance").await) {
            match method.as_str() {
                "Network.requestWillBeSent" => {
                    let url = event["request"]["url"].as_str().unwrap_or_default();
                    if !url.starts_with(&format!("{}/", self.host)) {
                        found.push(format!("asks for {url}"));
                    }
                }
                "Network.loadingFailed" => found.push(format!("did not load: {event}")),
                "Network.responseReceived" => {
                    let status = event["response"]["status"].as_u64().unwrap_or_default();
                    let wanted = if event["type"] == "Document" { page.status } else { 200 };
                    if status != wanted {
                        found.push(format!("{} for {}", status, event["response"]["url"]));
                    }
                }
                _ => {}
            }
        }
        found
    }
}

/// The events of the network, with their names, out of the log for performance.
pub fn network(log: &[Value]) -> Vec<(String, Value)> {
    let events = log.iter().map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap());
    let events = events
        .map(|event| (event["message"]["method"].as_str().unwrap().to_owned(), event["message"]["params"].clone()));
    events.filter(|(method, _)| method.starts_with("Network.")).collect()
}

/// What the facts of a page say against it.
fn wrong(facts: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let number = |key: &str| facts[key].as_u64().unwrap();
    if number("scrollWidth") > number("clientWidth") {
        found
            .push(format!("scrolls sideways, {} in {}: {}", facts["scrollWidth"], facts["clientWidth"], facts["wide"]));
    }
    for key in ["handlers", "styled", "foreign", "unsafe", "ids"] {
        if facts[key].as_array().is_none_or(|list| !list.is_empty()) {
            found.push(format!("{key}: {}", facts[key]));
        }
    }
    if number("scripts") > 0 {
        found.push(format!("{} scripts that are not files of ours", facts["scripts"]));
    }
    if facts["title"].as_str().is_none_or(str::is_empty) || number("headings") != 1 || facts["lang"] != "en" {
        found.push(format!("title {}, {} headings, language {}", facts["title"], facts["headings"], facts["lang"]));
    }
    if number("length") < 20 {
        found.push("is empty".to_owned());
    }
    let seen = &facts["seen"];
    for key in ["called", "refused", "failed"] {
        if seen[key].as_array().is_some_and(|list| !list.is_empty()) {
            found.push(format!("{key}: {}", seen[key]));
        }
    }
    if seen["shift"].as_f64().is_some_and(|shift| shift > SHIFT_MAX) {
        found.push(format!("shifts by {}: {}", seen["shift"], seen["shifted"]));
    }
    found
}
