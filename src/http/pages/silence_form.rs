//! The form of a silence, and what one would mute.

use chrono::SecondsFormat;
use maud::{Markup, html};

use super::{
    cell, page,
    pen::{self, Pen},
};
use crate::{
    http::{
        Companion,
        forms::{form::Form, silences::Asked},
    },
    views::{
        render_words::instant_and_age,
        silence::{CoverView, SilenceView},
    },
};

/// What was written so far, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct SilenceDraft {
    /// `service` or `service/slo`.
    pub target: String,
    /// A policy, or nothing.
    pub policy: String,
    /// `label=value`, one a line.
    pub labels: String,
    /// `1h`, `4h`, or `custom`.
    pub lasts: String,
    /// How long then.
    pub custom: String,
    /// Why.
    pub reason: String,
    /// What is wrong with the whole.
    pub fault: Option<String>,
    /// What is wrong with the target.
    pub target_fault: Option<String>,
    /// What is wrong with the labels.
    pub labels_fault: Option<String>,
    /// What is wrong with the time.
    pub lasts_fault: Option<String>,
    /// What is wrong with the reason.
    pub reason_fault: Option<String>,
}

impl SilenceDraft {
    /// What a form says.
    pub fn of(form: &Form) -> Self {
        let text = |name: &str| form.get(name).to_owned();
        Self {
            target: text("target"),
            policy: text("policy"),
            labels: text("labels"),
            lasts: text("lasts"),
            custom: text("custom"),
            reason: text("reason"),
            ..Self::default()
        }
    }

    /// Something is wrong.
    pub fn is_faulty(&self) -> bool {
        let faults = [&self.fault, &self.target_fault, &self.labels_fault, &self.lasts_fault, &self.reason_fault];
        faults.iter().any(|fault| fault.is_some())
    }
}

/// The form. `target` stands before the other fields.
pub fn form(action: &str, pen: &Pen, draft: &SilenceDraft, target: &Markup) -> Markup {
    let lasts = match draft.lasts.as_str() {
        "" => "1h",
        known @ ("1h" | "4h") => known,
        _ => "custom",
    };
    let error = |id: &'static str, fault: &Option<String>| fault.as_ref().map(|_| id);
    html! {
        form #silence.fields method="post" action=(action) {
            (pen.hidden())
            (pen::fault("silence-fault", draft.fault.as_deref()))
            (target)
            fieldset aria-describedby=[error("lasts-fault", &draft.lasts_fault)] {
                legend { "How long" }
                @for (value, words) in [("1h", "1 hour"), ("4h", "4 hours"), ("custom", "other:")] {
                    label.choice { input type="radio" name="lasts" value=(value) checked[lasts == value]; " " (words) }
                }
                " "
                input type="text" name="custom" value=(draft.custom) size="6" maxlength="20" placeholder="2h30m" aria-label="Other length, such as 30m, 2h or 1d"
                    aria-invalid=[draft.lasts_fault.as_ref().map(|_| "true")] aria-describedby=[error("lasts-fault", &draft.lasts_fault)];
                (pen::fault("lasts-fault", draft.lasts_fault.as_deref()))
            }
            div.field {
                label for="reason" { "Reason" }
                input #reason type="text" name="reason" required maxlength="1000" value=(draft.reason)
                    aria-invalid=[draft.reason_fault.as_ref().map(|_| "true")] aria-describedby=[error("reason-fault", &draft.reason_fault)];
                (pen::fault("reason-fault", draft.reason_fault.as_deref()))
            }
            button type="submit" { "See what it mutes" }
        }
    }
}

/// What it would mute, and the button that makes it.
pub fn preview(companion: &Companion, asked: &Asked, draft: &SilenceDraft, view: &SilenceView) -> Markup {
    let until = view.ends_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let hidden = [
        ("step", "do"),
        ("ends_at", until.as_str()),
        ("reason", &draft.reason),
        ("target", &draft.target),
        ("policy", &draft.policy),
        ("labels", &draft.labels),
    ];
    let main = html! {
        p.lead data-still { "Nothing is silent yet." }
        dl.facts {
            div { dt { "What" } dd { (matched(view)) } }
            div { dt { "Until" } dd { (instant_and_age(companion.now(), view.ends_at)) } }
            div { dt { "By" } dd { bdi { (view.by) } } }
            div { dt { "Reason" } dd { bdi { (view.reason) } } }
        }
        @if let Some(covers) = &view.covers { (covered(covers)) }
        p { "New messages about these are not sent until then. They are judged and written all the same; what still fires at the end is told then." }
        @if let Some(pen) = Pen::current() {
            div.acts {
                form.act method="post" action=(asked.action) {
                    (pen.hidden())
                    @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
                    button.grave type="submit" { "Silence it" }
                }
                a.button href=(asked.back_to) { "No, go back" }
            }
        }
    };
    page(companion, "What this silence would mute", Some(view.matcher.service.as_str()), &main)
}

/// `shop/checkout {route=/a}, policy fast-burn`.
fn matched(view: &SilenceView) -> Markup {
    let matcher = &view.matcher;
    html! {
        bdi { (matcher.service) @if let Some(slo) = &matcher.slo { "/" (slo) } }
        @if matcher.slo.is_none() { " (all its SLOs)" }
        @if let Some(policy) = &matcher.policy { ", policy " bdi { (policy) } }
        @if !matcher.labels.is_empty() { ", " (cell::labels("match.labels", &matcher.labels)) }
    }
}

fn covered(covers: &CoverView) -> Markup {
    let list = |title: &str, names: &[String], link: Option<&str>| {
        html! {
            h2 { (title) " (" (names.len()) ")" }
            @if names.is_empty() { p.absent { "None." } } @else {
                ul.columns { @for name in names { li {
                    @if let Some(link) = link { a href={ (link) (name) } { bdi { (name) } } } @else { bdi { (name) } }
                } } }
            }
        }
    };
    html! {
        p { strong { (covers.slos) " of " (covers.of) " SLOs" } " will say nothing new." }
        (list("Open incidents that fall silent", &covers.incidents, Some("/incident/")))
        (list("SLOs", &covers.names, Some("/slo/")))
        (list("Policies on them", &covers.policies, None))
    }
}
