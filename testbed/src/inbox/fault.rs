//! Faults: how a receiver can misbehave.

use std::time::Duration;

use serde::Deserialize;

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, without looking (mail: 400 is `550`, anything else `451`).
    Status(u16),
    /// This status (429 or 420), asking to wait so many seconds.
    Busy(u16, u64),
    /// This status and body, without looking: a vendor's word.
    Says(u16, String),
    /// The connection is closed before anything is looked at.
    Drop,
    /// Answers as usual, but only after so long; with none, not before the end.
    Hang(Option<Duration>),
    /// Accepted, but the answer is lost.
    Lost,
    /// 200 with a page that is none of the vendor's.
    Garbage,
}

impl Fault {
    pub(super) fn word(&self) -> String {
        match self {
            Self::Status(status) | Self::Busy(status, _) | Self::Says(status, _) => status.to_string(),
            Self::Drop => "drop".to_owned(),
            Self::Hang(_) => "hang".to_owned(),
            Self::Lost => "lost".to_owned(),
            Self::Garbage => "garbage".to_owned(),
        }
    }
}

/// The faults that are switched on, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(String, Fault, u32)>);

impl Faults {
    pub fn add(&mut self, path: &str, fault: Fault, times: u32) {
        self.0.push((path.to_owned(), fault, times));
    }

    /// The fault a request to `path` meets; counts it.
    pub fn meet(&mut self, path: &str) -> Option<Fault> {
        let (_, fault, times) =
            self.0.iter_mut().find(|(prefix, _, times)| *times > 0 && path.starts_with(prefix.as_str()))?;
        *times -= 1;
        Some(fault.clone())
    }
}

/// The body of `POST /faults`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    pub path: String,
    mode: String,
    #[serde(default = "one")]
    pub times: u32,
    #[serde(default)]
    after: Option<u64>,
}

fn one() -> u32 {
    1
}

impl Switch {
    pub fn fault(&self) -> Result<Fault, String> {
        match (self.mode.as_str(), self.after) {
            ("drop", _) => Ok(Fault::Drop),
            ("lost", _) => Ok(Fault::Lost),
            ("garbage", _) => Ok(Fault::Garbage),
            ("hang" | "slow", seconds) => Ok(Fault::Hang(seconds.map(Duration::from_secs))),
            ("429" | "420", seconds) => Ok(Fault::Busy(self.mode.parse().unwrap_or(429), seconds.unwrap_or(1))),
            (status, _) => match status.parse() {
                Ok(status @ 200..=599) => Ok(Fault::Status(status)),
                _ => Err(format!("no such mode `{status}`: drop, lost, garbage, hang, slow or a status")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_met_as_often_as_it_was_set() {
        let mut faults = Faults::default();
        faults.add("/slack", Fault::Drop, 2);
        faults.add("/slack/api", Fault::Lost, 1);
        let met: Vec<_> = (0..4).map(|_| faults.meet("/slack/api/x")).collect();
        assert_eq!(met, [Some(Fault::Drop), Some(Fault::Drop), Some(Fault::Lost), None]);
        assert_eq!(faults.meet("/pagerduty"), None);
    }

    #[test]
    fn switches_are_read() {
        let read = |text: &str| serde_json::from_str::<Switch>(text).unwrap().fault();
        assert_eq!(read(r#"{"path":"/","mode":"429","after":3}"#), Ok(Fault::Busy(429, 3)));
        assert_eq!(read(r#"{"path":"/","mode":"500","times":2}"#), Ok(Fault::Status(500)));
        assert_eq!(read(r#"{"path":"/","mode":"hang"}"#), Ok(Fault::Hang(None)));
        assert!(read(r#"{"path":"/","mode":"what"}"#).is_err());
    }
}
