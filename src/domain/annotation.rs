//! Annotations: what people and their tools say they did: a deploy, a note. They are drawn and told beside figures and
//! incidents; nothing is judged by them, and nobody is paged.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::name::Name;

/// Most characters of a text.
pub const TEXT_MAX: usize = 200;
/// Most characters of an address.
pub const URL_MAX: usize = 2_000;
/// How far ahead of slod's clock a time may lie: clocks differ.
pub const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// Without a time of its own, what was said in the same words so long ago is the same: a job that is tried again.
pub const SAME: TimeDelta = TimeDelta::minutes(10);

/// What an annotation tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something new runs.
    Deploy,
    /// Anything else worth knowing beside a chart.
    Note,
}

impl Kind {
    /// The words for all kinds.
    pub const WORDS: [&'static str; 2] = ["deploy", "note"];

    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Note => "note",
        }
    }

    /// By its word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Deploy, Self::Note].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What somebody wants to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// A deploy or a note.
    pub kind: Kind,
    /// When it was; now if unsaid.
    pub at: Option<DateTime<Utc>>,
    /// One line in the author's words: from outside, hostile.
    pub text: String,
    /// Where to read on; an http or https address.
    pub url: Option<String>,
    /// Whom it concerns; all services if unsaid.
    pub service: Option<Name>,
    /// Who says it.
    pub by: String,
}

/// One annotation. Times to the millisecond, as they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// A deploy or a note.
    pub kind: Kind,
    /// When it was.
    pub at: DateTime<Utc>,
    /// One line in the author's words: from outside, hostile.
    pub text: String,
    /// Where to read on; an http or https address.
    pub url: Option<String>,
    /// Whom it concerns; none: all services.
    pub service: Option<Name>,
    /// Who said it.
    pub by: String,
    /// When it was said.
    pub created_at: DateTime<Utc>,
}

/// Why an annotation is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It says nothing.
    #[error("an annotation needs a `text`")]
    NoText,
    /// More than fits beside a chart.
    #[error("`text` is longer than {TEXT_MAX} characters; say the rest behind a `url`")]
    LongText,
    /// Not one line.
    #[error("`text` holds a line break or another control character; write one line")]
    NotOneLine,
    /// No browser takes it.
    #[error("`url` is longer than {URL_MAX} characters")]
    LongUrl,
    /// It has not happened yet.
    #[error("`at` ({}) is over {} minutes ahead; annotate what has happened", .0.to_rfc3339(), AHEAD.num_minutes())]
    Ahead(DateTime<Utc>),
    /// It is about a time that is forgotten.
    #[error("`at` ({}) is over {days} days ago: nothing of then is kept", at.to_rfc3339())]
    Forgotten {
        /// When it was.
        at: DateTime<Utc>,
        /// How long everything is kept.
        days: i64,
    },
}

impl Annotation {
    /// What is wanted, if it makes sense at `now`; `kept` is how long slots and everything beside them are kept. Whether
    /// the service exists and the address is one are left to who knows.
    pub fn new(wanted: Wanted, now: DateTime<Utc>, kept: TimeDelta) -> Result<Self, Unfit> {
        let Wanted { kind, at, text, url, service, by } = wanted;
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Err(Unfit::NoText);
        }
        if text.chars().any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')) {
            return Err(Unfit::NotOneLine);
        }
        if text.chars().count() > TEXT_MAX {
            return Err(Unfit::LongText);
        }
        if url.as_ref().is_some_and(|url| url.chars().count() > URL_MAX) {
            return Err(Unfit::LongUrl);
        }
        let at = at.unwrap_or(now);
        if at - now > AHEAD {
            return Err(Unfit::Ahead(at));
        }
        if now.checked_sub_signed(kept).is_some_and(|first| at < first) {
            return Err(Unfit::Forgotten { at, days: kept.num_days() });
        }
        Ok(Self { kind, at: at.trunc_subsecs(3), text, url, service, by, created_at: now.trunc_subsecs(3) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap_or_default()
    }

    fn wanted(text: &str) -> Wanted {
        let text = text.to_owned();
        Wanted { kind: Kind::Deploy, at: None, text, url: None, service: None, by: "ci".to_owned() }
    }

    const KEPT: TimeDelta = TimeDelta::days(400);

    #[test]
    fn what_is_taken_and_what_is_not() {
        let (most, more) = ("ü".repeat(TEXT_MAX), "ü".repeat(TEXT_MAX + 1));
        let said = |text: &str| Annotation::new(wanted(text), now(), KEPT).map(|made| made.text);
        for (text, fine) in
            [("shop 4.2.1", "shop 4.2.1"), ("  a\u{a0}b \n", "a\u{a0}b"), ("<b>", "<b>"), (&most, &most)]
        {
            assert_eq!(said(text), Ok(fine.to_owned()), "{text}");
        }
        for (text, why) in [
            ("", Unfit::NoText),
            (" \n\t ", Unfit::NoText),
            ("a\nb", Unfit::NotOneLine),
            ("a\u{1b}[31mb", Unfit::NotOneLine),
            ("a\u{85}b", Unfit::NotOneLine),
            ("a\u{2028}b", Unfit::NotOneLine),
            ("a\0b", Unfit::NotOneLine),
            (&more, Unfit::LongText),
        ] {
            assert_eq!(said(text), Err(why), "{text:?}");
        }
        let long = |letters| Some(format!("https://ci.example/{}", "x".repeat(letters)));
        for (url, fine) in [(None, true), (long(URL_MAX - 19), true), (long(URL_MAX - 18), false)] {
            let made = Annotation::new(Wanted { url: url.clone(), ..wanted("a") }, now(), KEPT);
            assert_eq!(made.map(|made| made.url), if fine { Ok(url) } else { Err(Unfit::LongUrl) });
        }
    }

    #[test]
    fn a_time_lies_within_what_is_kept_and_hardly_ahead() {
        let at = |at| Annotation::new(Wanted { at, ..wanted("a") }, now(), KEPT).map(|made| made.at);
        let (day, milli) = (TimeDelta::days, TimeDelta::milliseconds(1));
        let short = |at: DateTime<Utc>| at.trunc_subsecs(3);
        assert_eq!(at(None), Ok(short(now())), "to the millisecond");
        for time in [now(), now() + AHEAD, now() - KEPT, now() - day(1)] {
            assert_eq!(at(Some(time)), Ok(short(time)), "{time}");
        }
        let ahead = now() + AHEAD + milli;
        assert_eq!(at(Some(ahead)), Err(Unfit::Ahead(ahead)));
        assert!(Unfit::Ahead(ahead).to_string().contains("over 5 minutes ahead"));
        for time in [now() - KEPT - milli, DateTime::<Utc>::MIN_UTC] {
            assert_eq!(at(Some(time)), Err(Unfit::Forgotten { at: time, days: 400 }));
        }
        assert!(at(Some(DateTime::<Utc>::MAX_UTC)).is_err());
        let ever = Wanted { at: Some(DateTime::<Utc>::MIN_UTC), ..wanted("a") };
        assert!(Annotation::new(ever, now(), TimeDelta::MAX).is_ok());
    }

    #[test]
    fn kinds_have_words() {
        assert_eq!(Kind::WORDS.map(|word| Kind::of(word).map(Kind::as_str)), [Some("deploy"), Some("note")]);
        assert_eq!((Kind::of("Deploy"), Kind::of("")), (None, None));
    }
}
