//! What stands around every page: head, navigation, news of slod itself, footer.

use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

use super::{pen, visible::visible};
use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        desk::Health,
        render_words::{instant, instant_and_age},
    },
};

/// How often a wallboard loads itself anew, in seconds.
const EMBED_REFRESH: u32 = 30;
/// The pages of a service.
const SERVICE_PAGES: [(&str, &str); 4] =
    [("health", "Health"), ("alerts", "Alerts"), ("optimization", "Optimization"), ("budget", "Budget")];

/// A page without its content.
pub struct Shell<'a> {
    companion: &'a Companion,
    title: &'a str,
    service: Option<&'a str>,
    here: &'static str,
    description: Option<String>,
    embed: bool,
}

/// Whether a page is asked for as part of a wallboard: `?embed=1`.
pub fn embeds(ask: &Ask) -> Result<bool, Problem> {
    Ok(ask.word("embed", &["0", "1"])? == Some("1"))
}

impl<'a> Shell<'a> {
    /// A page of that title.
    pub fn new(companion: &'a Companion, title: &'a str) -> Self {
        Self { companion, title, service: None, here: "", description: None, embed: false }
    }

    /// It is about this service: its pages stand in the navigation.
    pub fn of(self, service: Option<&'a str>) -> Self {
        Self { service, ..self }
    }

    /// Which entry of the navigation it is: `health`, `sources`, …
    pub fn here(self, here: &'static str) -> Self {
        Self { here, ..self }
    }

    /// One sentence for whoever links to it.
    pub fn says(self, description: String) -> Self {
        Self { description: Some(description), ..self }
    }

    /// Without navigation and footer, in larger type, loading itself anew.
    pub fn embedded(self, embed: bool) -> Self {
        Self { embed, ..self }
    }

    /// The whole page.
    pub fn around(self, main: &Markup) -> Markup {
        let health = self.companion.desk.health();
        visible(html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body.embed[self.embed] data-now=(self.companion.now().to_rfc3339()) {
                    a.skip href="#main" { "Skip to the content" }
                    @if !self.embed { (self.navigation()) }
                    div #notices { (notices(&health)) }
                    main #main tabindex="-1" { h1 { (self.title) } (main) }
                    @if !self.embed { (self.footer(&health)) }
                    span #end {}
                }
            }
        })
    }

    fn head(&self) -> Markup {
        html! { head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            @if self.embed { meta http-equiv="refresh" content=(EMBED_REFRESH); }
            title { (self.title) " · slod" }
            meta property="og:site_name" content="slod";
            meta property="og:type" content="website";
            meta property="og:title" content=(self.title);
            @if let Some(description) = &self.description {
                meta property="og:description" content=(description);
                meta name="description" content=(description);
            }
            link rel="stylesheet" href="/assets/slod.css";
            link rel="icon" href="/favicon.svg" type="image/svg+xml";
            // Drawn when it is there: tables and charts that find their widths while rows arrive would jump.
            link rel="expect" href="#end" blocking="render";
            @if !self.embed { (script()) }
        } }
    }

    /// Where one can go from here, and who is logged in.
    pub fn navigation(&self) -> Markup {
        let current = |name: &str| (self.here == name).then_some("page");
        html! { header {
            nav aria-label="Pages" {
                a.home href="/" aria-current=[current("overview")] { (mark()) "slod" }
                @if let Some(name) = self.service {
                    span.crumb { bdi { (name) } }
                    @for (page, title) in SERVICE_PAGES { a href={ "/" (name) "/" (page) } aria-current=[current(page)] { (title) } }
                }
                span.rest {
                    a href="/" aria-current=[current("overview")] { "Services" }
                    a href="/silences" aria-current=[current("silences")] { "Silences" }
                    a href="/sources" aria-current=[current("sources")] { "Sources" }
                    a href="/api" aria-current=[current("api")] { "API" }
                }
                (pen::who(self.companion))
            }
        } }
    }

    fn footer(&self, health: &Health) -> Markup {
        let now = self.companion.now();
        html! { footer {
            p {
                "As of " time datetime=(now.to_rfc3339()) { (instant(now)) }
                " · configuration " code { (health.config_hash.chars().take(12).collect::<String>()) }
                " loaded " (instant_and_age(now, health.loaded_at))
                " · running since " (instant(health.started_at))
            }
        } }
    }
}

/// The script that keeps a page fresh. Everything works without it.
fn script() -> impl Render {
    PreEscaped("<script src=\"/assets/slod.js\" defer></script>")
}

/// The mark beside the name.
fn mark() -> Markup {
    html! { svg.mark viewBox="0 0 16 16" aria-hidden="true" {
        rect width="16" height="16" rx="3.5" {}
        path d="M3 5.5L7 8.5L9.5 7L13 11.5" {}
    } }
}

/// Links to the pages of a service.
pub fn service_links(name: &str) -> Markup {
    html! { @for (page, title) in SERVICE_PAGES { a href={ "/" (name) "/" (page) } { (title) } " " } }
}

/// What is wrong with slod itself.
fn notices(health: &Health) -> Markup {
    html! {
        @if let Some(problems) = &health.rejected_reload {
            section.banner role="alert" {
                strong { "■ The newest configuration was refused; the one before it is running." }
                pre { (problems) }
            }
        }
        @if let Some(why) = &health.store_trouble {
            section.banner role="alert" {
                strong { "■ The store cannot be written; nothing new is sent until it can. " } (why)
            }
        }
        @if !health.ready {
            section.banner.minor role="status" { strong { "◌ Not ready: " } (health.reasons.join("; ")) }
        }
        @for notice in &health.notices { section.banner role="status" { strong { "■ " } (notice) } }
    }
}
