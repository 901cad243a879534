//! Calls from outside that sign themselves: what is handed on of one, and what became of it.

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// PagerDuty's webhooks, version 3.
    Pagerduty,
    /// Slack's buttons.
    Slack,
}

impl Caller {
    /// The word in metrics and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pagerduty => "pagerduty",
            Self::Slack => "slack",
        }
    }
}

/// One call, before anything of it is believed.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Who it says it is.
    pub caller: Caller,
    /// The signatures of its header, separated by commas.
    pub signatures: &'a str,
    /// The time it was signed at, where that is signed, too.
    pub timestamp: &'a str,
    /// The body as it came, or why there is none.
    pub body: Result<&'a [u8], Unread>,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is over 1 MiB.
    TooLarge,
    /// It took too long, or broke off.
    BrokenOff,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// It changed something.
    Accepted,
    /// It had come before.
    Repeated,
    /// It says nothing that matters here.
    Ignored,
    /// It is about how things were.
    Stale,
    /// It is kept until it is known what it is about.
    Kept,
    /// Whoever did it may not.
    Denied,
    /// No receiver has a secret for it.
    Unconfigured,
    /// Nobody signed it whose secret is known.
    Forged,
    /// It was signed too long ago.
    Expired,
    /// It cannot be read.
    Malformed,
    /// It is over 1 MiB.
    TooLarge,
    /// It came too slowly, or broke off.
    BrokenOff,
    /// Not now: the store cannot be written.
    Unavailable,
}

impl Reception {
    /// The word in metrics and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repeated => "repeated",
            Self::Ignored => "ignored",
            Self::Stale => "stale",
            Self::Kept => "kept",
            Self::Denied => "denied",
            Self::Unconfigured => "unconfigured",
            Self::Forged => "forged",
            Self::Expired => "expired",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::BrokenOff => "broken_off",
            Self::Unavailable => "unavailable",
        }
    }

    /// The status and the words it is turned away with; none if it was taken, and need not come again.
    pub fn refusal(self) -> Option<(u16, &'static str)> {
        Some(match self {
            Self::Accepted | Self::Repeated | Self::Ignored | Self::Stale | Self::Kept | Self::Denied => return None,
            Self::Unconfigured => (403, "no receiver has a secret for such calls"),
            Self::Forged => (403, "the signature is not one of a known secret over this body"),
            Self::Expired => (403, "the call was signed too long ago, or the clocks differ"),
            Self::Malformed => (400, "the body is not what is expected"),
            Self::TooLarge => (413, "the body is larger than 1 MiB"),
            Self::BrokenOff => (408, "the body did not arrive whole"),
            Self::Unavailable => (503, "it cannot be written now"),
        })
    }
}
