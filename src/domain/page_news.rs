//! What comes back from the public status page: posts that it took or refused, and what people changed there.
//!
//! Whatever a person does there wins: slod notices, says so once, and posts nothing more of that incident.

use chrono::{DateTime, Utc};

use super::{
    incident::{Around, Incident, Say},
    message::{cut, on_one_line, span_words},
    name::Name,
    notification::PublicState,
    status_page::{StatusClock, say_to},
};

/// The receipt of a post that was not made: a look-up found no public incident to follow, and it was to begin none.
pub const NOTHING_THERE: &str = "nothing-to-resolve";

/// Of what a vendor or a person said.
const WORDS_MAX: usize = 300;

/// News of one incident from its public page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageNews {
    /// It shows a post.
    Shows {
        /// What it says.
        state: PublicState,
        /// Since when.
        at: DateTime<Utc>,
    },
    /// It will not take a post as it is.
    Refused {
        /// What it would have said.
        state: PublicState,
        /// Why.
        why: String,
    },
    /// A post was not made, because all was over before: it was never tried, or there was nothing on the page to follow.
    Dropped {
        /// What it would have said.
        state: PublicState,
        /// It would have begun a public incident.
        opens: bool,
    },
    /// A person changed there what slod had left.
    TakenOver {
        /// In words.
        what: String,
    },
}

impl StatusClock {
    /// Takes news in; says to `owners` what they must know.
    pub(super) fn hear(
        &mut self,
        news: PageNews,
        incident: &Incident,
        owners: &[Name],
        around: &Around<'_>,
        out: &mut Vec<Say>,
    ) {
        // Somebody's edit is no answer to a post, and after it none is waited for.
        if !matches!(news, PageNews::TakenOver { .. }) {
            self.awaited = self.awaited.saturating_sub(1);
        }
        match news {
            PageNews::Shows { state, at } => self.shown(state, at, out),
            PageNews::Dropped { state, opens } => self.not_made(state, opens, incident, out),
            PageNews::Refused { state, why } => {
                let why = cut(&on_one_line(&why), WORDS_MAX);
                let text = format!("status page: \"{}\" was refused ({why}); post it by hand", state.as_str());
                say_to(owners, incident, &text, around.hearers, out);
            }
            PageNews::TakenOver { what } => self.taken_over(&what, incident, owners, around, out),
        }
    }

    /// What the public never read needs no end. If the outage is back meanwhile, it is to be posted after all.
    fn not_made(&mut self, state: PublicState, opens: bool, incident: &Incident, out: &mut Vec<Say>) {
        let why = if opens { "it was over before the page took it" } else { "the page has nothing left to say" };
        out.push(Say::Line { kind: "status-page", text: format!("\"{}\" was not posted: {why}", state.as_str()) });
        if self.posted_at.is_some() || self.discarded || !(opens || self.awaited == 0) {
            return;
        }
        match &incident.resolved {
            Some(end) => self.forget(end.at),
            None if self.awaited == 0 => {
                self.begun = self.begun.saturating_sub(u32::from(self.posted.is_some()));
                self.posted = None;
            }
            None => {}
        }
    }

    fn shown(&mut self, state: PublicState, at: DateTime<Utc>, out: &mut Vec<Say>) {
        out.push(Say::Line { kind: "status-page", text: format!("posted \"{}\"", state.as_str()) });
        if self.posted_at.is_some() {
            return;
        }
        self.posted_at = Some(at);
        if let Some(due) = self.due_at.filter(|due| *due < at) {
            let late = span_words(at - due);
            let text = format!("\"{}\" is public {late} after the deadline", state.as_str());
            out.push(Say::Line { kind: "status-page", text });
        }
    }

    fn taken_over(
        &mut self,
        what: &str,
        incident: &Incident,
        owners: &[Name],
        around: &Around<'_>,
        out: &mut Vec<Say>,
    ) {
        if self.discarded {
            return;
        }
        // Whatever it says, the public is told.
        self.posted_at = self.posted_at.or(Some(around.now));
        self.abandon(around.now);
        let what = cut(&on_one_line(what), WORDS_MAX);
        out.push(Say::Line { kind: "status-page", text: format!("{what}: the page is left to people") });
        let text = format!("status page: {what}; slod posts nothing more of this incident there");
        say_to(owners, incident, &text, around.hearers, out);
    }
}
