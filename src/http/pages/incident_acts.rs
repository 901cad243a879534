//! What a person may do to an incident, as forms.

use maud::{Markup, html};

use super::{
    incident::Draft,
    pen::{self, Pen},
    silence_form,
};
use crate::{
    http::{Companion, here},
    views::incident::IncidentView,
};

/// Whatever makes sense for it now.
pub fn controls(companion: &Companion, incident: &IncidentView, draft: &Draft) -> Markup {
    let page = format!("/incident/{}", here::segment(&incident.id));
    let is_open = incident.state != "resolved";
    html! { section.controls aria-label="Act" {
        @match Pen::current() {
            Some(pen) => {
                @if is_open { (main_buttons(&page, incident, &pen)) }
                (note(&page, &pen, draft))
                @if is_open && incident.slo.is_some() {
                    details open[draft.silence.is_faulty()] {
                        summary { "Silence this SLO for a while" }
                        (silence_form::form(&format!("{page}/silence"), &pen, &draft.silence, &html! {}))
                    }
                }
            }
            None => (pen::without(companion))
        }
        @if is_open {
            p.meta { "On the host: " code { "slod ack " (incident.id) } " · " code { "slod resolve " (incident.id) } " · "
                code { "slod note " (incident.id) " 'what was found'" } }
        }
    } }
}

fn main_buttons(page: &str, incident: &IncidentView, pen: &Pen) -> Markup {
    html! { div.acts {
        @if incident.state == "open" { (pen.button(&format!("{page}/acknowledge"), "Acknowledge", &[])) }
        a.button href={ (page) "/resolve" } { "Resolve…" }
    } }
}

fn note(page: &str, pen: &Pen, draft: &Draft) -> Markup {
    html! {
        form.fields method="post" action={ (page) "/note" } {
            (pen.hidden())
            div.field {
                label for="text" { "Note for the timeline" }
                textarea #text name="text" rows="2" maxlength="10000" required
                    aria-invalid=[draft.note_fault.as_ref().map(|_| "true")] aria-describedby=[draft.note_fault.as_ref().map(|_| "text-fault")] { (draft.note) }
                (pen::fault("text-fault", draft.note_fault.as_deref()))
            }
            button type="submit" { "Add note" }
        }
    }
}

/// What may be done about the public page's draft.
pub fn draft_buttons(incident: &IncidentView) -> Markup {
    let page = format!("/incident/{}/status-page", here::segment(&incident.id));
    html! {
        @if incident.status_page.as_ref().is_some_and(|page| page.draft.is_some()) {
            @if Pen::current().is_some() {
                div.acts {
                    a.button href={ (page) "/approve" } { "Approve and post…" }
                    a.button href={ (page) "/discard" } { "Drop the draft…" }
                }
            }
            p.meta { "On the host: " code { "slod status-page approve " (incident.id) } " · " code { "slod status-page discard " (incident.id) } }
        }
    }
}
