//! Annotations: what makes sense of one, and the store. They decide nothing, so the decider does not hear of them.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;

use super::{LiveDesk, unavailable};
use crate::{
    config::model::Config,
    domain::{
        annotation::{Annotation, SAME, URL_MAX, Unfit, Wanted},
        name::Name,
    },
    store::{StoreError, annotations::Numbered},
    views::{
        annotation::{Affair, AnnotationFilter, AnnotationView, Annotations, BEFORE, Changes, NEAREST},
        desk::DeskError,
    },
};

/// Most services that a refusal names.
const NAMED_MAX: usize = 50;

impl Annotations for LiveDesk {
    fn annotate(&self, wanted: Wanted) -> BoxFuture<'_, Result<AnnotationView, DeskError>> {
        Box::pin(async move {
            let (config, now) = (self.config.load_full(), self.clock.now());
            known(&config, wanted.service.as_deref())?;
            let is_timed = wanted.at.is_some();
            let url = wanted.url.as_deref().map(address).transpose()?;
            let kept = TimeDelta::from_std(config.daemon.retention).unwrap_or(TimeDelta::MAX);
            let made = Annotation::new(Wanted { url, ..wanted }, now, kept);
            let made = made.map_err(|why| DeskError::Invalid(why.to_string()))?;
            let since = if is_timed { made.at } else { made.at - SAME };
            let (id, stands) = self.store.annotate(made, since).await.map_err(unavailable)?;
            Ok(AnnotationView::new(id, &stands))
        })
    }

    fn annotations(&self, filter: AnnotationFilter) -> BoxFuture<'_, Result<Vec<AnnotationView>, DeskError>> {
        Box::pin(async move {
            known(&self.config.load(), filter.service.as_deref())?;
            let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
            let (from, to) = (filter.from.unwrap_or(first), filter.to.unwrap_or(last));
            let found = self.store.annotations(filter.service.as_deref(), from, to, filter.limit).await;
            Ok(views(&found.map_err(unavailable)?))
        })
    }

    fn changes<'a>(&'a self, affair: Affair<'a>) -> BoxFuture<'a, Result<Changes, DeskError>> {
        Box::pin(async move { self.changes_around(affair).await.map_err(unavailable) })
    }

    fn unannotate<'a>(&'a self, id: i64, by: &'a str) -> BoxFuture<'a, Result<AnnotationView, DeskError>> {
        Box::pin(async move {
            let Some((id, gone)) = self.store.unannotate(id).await.map_err(unavailable)? else {
                let help = "`slod annotation list` lists them".to_owned();
                return Err(DeskError::NotFound(format!("no annotation {id}"), help));
            };
            tracing::info!(id, by, text = %gone.text, "an annotation was taken away");
            Ok(AnnotationView::new(id, &gone))
        })
    }
}

impl LiveDesk {
    /// What had changed around an incident, also of a service that is no longer configured.
    pub(super) async fn changes_around(&self, affair: Affair<'_>) -> Result<Changes, StoreError> {
        let Affair { service, opened_at, resolved_at } = affair;
        let from = opened_at.checked_sub_signed(BEFORE).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let to = resolved_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let near = self.store.annotations_near(service, (from, opened_at, to), NEAREST).await?;
        let more = near.all.saturating_sub(near.before.len() + near.after.len());
        Ok(Changes { before: views(&near.before), after: views(&near.after), more })
    }
}

fn views(found: &[Numbered]) -> Vec<AnnotationView> {
    found.iter().map(|(id, annotation)| AnnotationView::new(*id, annotation)).collect()
}

fn known(config: &Config, service: Option<&str>) -> Result<(), DeskError> {
    let Some(service) = service.filter(|service| !config.services.contains_key(*service)) else { return Ok(()) };
    let service: String = service.chars().take(100).collect();
    let known: Vec<_> = config.services.keys().take(NAMED_MAX).map(Name::as_str).collect();
    Err(DeskError::NotFound(format!("no service `{service}`"), format!("known: {}", known.join(", "))))
}

/// An http or https address as browsers write it. Anything else is refused: it becomes a link on pages.
fn address(text: &str) -> Result<String, DeskError> {
    let text = text.trim();
    let wrong =
        |why: &str| Err(DeskError::Invalid(format!("`url` {why}; write an address like https://ci.example/builds/7")));
    if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return wrong("holds blanks or control characters");
    }
    if text.len() > URL_MAX {
        return Err(DeskError::Invalid(Unfit::LongUrl.to_string()));
    }
    let Ok(url) = url::Url::parse(text) else { return wrong("is no address") };
    if !["http", "https"].contains(&url.scheme()) {
        return wrong("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("holds a user or a password, which everybody could read");
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, written) in [
            ("https://ci.example/builds/7", "https://ci.example/builds/7"),
            (" HTTP://CI.example ", "http://ci.example/"),
            ("https://ci.example/\"><script>", "https://ci.example/%22%3E%3Cscript%3E"),
        ] {
            assert_eq!(address(text), Ok(written.to_owned()), "{text}");
        }
        let long = format!("https://ci.example/{}", "x".repeat(URL_MAX));
        for (text, why) in [
            ("", "no address"),
            ("ci.example/7", "no address"),
            ("javascript:alert(1)", "neither http nor https"),
            ("JavaScript:alert(1)", "neither http nor https"),
            ("java\nscript:alert(1)", "control characters"),
            ("data:text/html,<script>", "neither"),
            ("file:///etc/passwd", "neither"),
            ("https://ci.example/a b", "blanks"),
            ("https://", "no address"),
            ("https://ann:secret@ci.example/", "a user or a password"),
            (&long, "longer than 2000"),
        ] {
            let refused = address(text).unwrap_err().to_string();
            assert!(refused.contains(why) && !refused.contains("secret"), "{text}: {refused}");
        }
    }
}
