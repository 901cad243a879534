//! A person at the browser: reads, types, presses. Works where pages run no scripts.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::clock::eventually;

use crate::{
    chromium::Chromium,
    look::{Looker, Page},
};

/// How long a page may take to come on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A person, and what they saw that was wrong.
pub struct Hand<'a> {
    pub browser: &'a Chromium,
    pub looker: &'a Looker<'a>,
    /// Whether pages run scripts: axe-core is one, too.
    pub scripts: bool,
    pub found: Vec<String>,
}

impl Hand<'_> {
    /// Goes to a path of ours, and looks around.
    pub async fn goto(&mut self, path: &str) {
        self.looker.open(&Page { path: path.to_owned(), status: 200 }, 1280).await;
        self.look_around(path).await;
    }

    /// Holds the page as it stands to axe-core's rules.
    pub async fn look_around(&mut self, what: &str) {
        let page = Page { path: what.to_owned(), status: 200 };
        self.browser.allow_scripts(true).await;
        self.looker.axe(&page, "acting", &mut self.found).await;
        self.browser.allow_scripts(self.scripts).await;
    }

    /// Types into the field of this name.
    pub async fn write(&self, field: &str, text: &str) {
        let focus = format!(
            "(() => {{ const field = [...document.getElementsByName({0})].find((one) => one.type !== 'hidden'); \
             if (!field) return false; for (let up = field; up; up = up.parentElement) if (up.localName === 'details') up.open = true; \
             field.focus(); return document.activeElement === field; }})()",
            json!(field)
        );
        assert_eq!(self.browser.evaluate(&focus).await, true, "no field {field}: {}", self.text().await);
        self.browser.devtools("Input.insertText", json!({"text": text})).await;
    }

    /// Presses a button, or follows a link, that says `words`, and waits for a page that says `then`.
    pub async fn press(&self, words: &str, then: &str) {
        let focus = format!(
            "(() => {{ const one = [...document.querySelectorAll('main button, main a')].find((one) => one.textContent.trim() === {0}); \
             if (!one) return false; for (let up = one; up; up = up.parentElement) if (up.localName === 'details') up.open = true; \
             window.slodOld = true; one.focus(); return document.activeElement === one; }})()",
            json!(words)
        );
        assert_eq!(self.browser.evaluate(&focus).await, true, "no button {words}: {}", self.text().await);
        self.browser.press("Enter", 13, "\r").await;
        let came = eventually(PATIENCE, async || {
            let loaded = "window.slodOld !== true && document.readyState === 'complete' && document.body.textContent";
            let shown = self.browser.glance(loaded).await;
            shown.is_some_and(|shown| shown.as_str().is_some_and(|text| text.contains(then)))
        });
        assert!(came.await, "after {words} no page says {then}: {}", self.text().await);
    }

    /// All that the page says.
    pub async fn text(&self) -> String {
        let text: Value = self.browser.evaluate("document.body ? document.body.textContent : ''").await;
        text.as_str().unwrap_or_default().to_owned()
    }
}
