//! Buttons that were pressed: who signed the call, and what it says.

use serde_json::Value;

use super::super::{signature, text};
use crate::config::secret::Secret;

/// A call is believed for so long, in seconds either way.
const FRESH_SECONDS: u64 = 300;
/// Most characters of a name, and of a word of ours or Slack's.
const NAME_MAX: usize = 80;
const WORD_MAX: usize = 100;
const ID_MAX: usize = 40;

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// I have it.
    Acknowledge,
    /// It is over.
    Resolve,
    /// Be quiet about it for an hour.
    Silence,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Acknowledge, Self::Resolve, Self::Silence];

    /// Its button's `action_id`.
    pub fn action_id(self) -> &'static str {
        match self {
            Self::Acknowledge => "slod-acknowledge",
            Self::Resolve => "slod-resolve",
            Self::Silence => "slod-silence-1h",
        }
    }
}

/// A button that was pressed. Says nothing of whether its user may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    /// Slack's id of the user.
    pub user: String,
    /// The user's name, for people.
    pub name: String,
    /// Slack's id of the channel.
    pub channel: String,
    /// Which button.
    pub deed: Deed,
    /// The incident's key at its opening, as the button carried it.
    pub key: String,
    /// Names this very press.
    pub event: String,
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// A button of ours that does something.
    Press(Press),
    /// A link, or what we did not make.
    Other,
}

/// Whether a call's time is believed now (Unix seconds).
pub fn is_fresh(timestamp: &str, now: i64) -> bool {
    timestamp.parse::<i64>().is_ok_and(|at| at.abs_diff(now) <= FRESH_SECONDS)
}

/// Whether the headers `X-Slack-Signature` and `X-Slack-Request-Timestamp` sign this body with this secret.
pub fn is_signed(header: &str, timestamp: &str, secret: &Secret, body: &[u8]) -> bool {
    signature::is_signed(header, "v0", secret, &[b"v0:", timestamp.as_bytes(), b":", body])
}

/// Reads a call that was signed. The error says what is wrong with it, and repeats nothing of it.
pub fn read(body: &[u8]) -> Result<Interaction, String> {
    std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    let payload =
        url::form_urlencoded::parse(body).find(|(key, _)| key == "payload").ok_or("the body has no payload")?;
    let payload: Value = serde_json::from_str(&payload.1).map_err(|_| "the payload is not JSON".to_owned())?;
    let word = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str);
    if word("/type").ok_or("the payload has no type")? != "block_actions" {
        return Ok(Interaction::Other);
    }
    let action = word("/actions/0/action_id").ok_or("the payload has no action")?;
    let Some(deed) = Deed::ALL.into_iter().find(|deed| deed.action_id() == action) else {
        return Ok(Interaction::Other);
    };
    let bounded = |pointer: &str| word(pointer).filter(|text| is_word(text)).map(str::to_owned);
    let id = |pointer: &str| bounded(pointer).filter(|id| id.len() <= ID_MAX);
    let user = id("/user/id").ok_or("the payload names no user")?;
    let channel = id("/channel/id").or_else(|| id("/container/channel_id")).ok_or("the payload names no channel")?;
    let key = bounded("/actions/0/value").ok_or("the button carries nothing")?;
    let at = bounded("/actions/0/action_ts").ok_or("the action has no time")?;
    let name = word("/user/username").or_else(|| word("/user/name")).map(|name| text::line(name, NAME_MAX));
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| user.clone());
    let event = format!("{user}/{action}/{at}");
    Ok(Interaction::Press(Press { user, name, channel, deed, key, event }))
}

/// Whether this can be an id, a time or a key: short, and nothing but visible ASCII.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= WORD_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload() -> Value {
        json!({
            "type": "block_actions", "team": {"id": "T1"}, "api_app_id": "A1", "trigger_id": "1.2.3",
            "user": {"id": "U1ANN", "username": "ann", "name": "ann", "team_id": "T1"},
            "container": {"type": "message", "message_ts": "1.000200", "channel_id": "C0ALERTS", "is_ephemeral": false},
            "channel": {"id": "C0ALERTS", "name": "alerts"}, "response_url": "https://hooks.slack.com/actions/T1/2/x",
            "actions": [{"action_id": "slod-acknowledge", "block_id": "b", "type": "button", "value": "abc/2",
                "action_ts": "1792937000.000100", "text": {"type": "plain_text", "text": "Acknowledge"}}],
        })
    }

    fn form(payload: &Value) -> Vec<u8> {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish()
            .into_bytes()
    }

    fn with(pointer: &str, value: Value) -> Vec<u8> {
        let mut payload = payload();
        *payload.pointer_mut(pointer).unwrap() = value;
        form(&payload)
    }

    #[test]
    fn a_press_is_read() {
        let expected = Press {
            user: "U1ANN".into(),
            name: "ann".into(),
            channel: "C0ALERTS".into(),
            deed: Deed::Acknowledge,
            key: "abc/2".into(),
            event: "U1ANN/slod-acknowledge/1792937000.000100".into(),
        };
        assert_eq!(read(&form(&payload())), Ok(Interaction::Press(expected)));
        for deed in Deed::ALL {
            let Ok(Interaction::Press(press)) = read(&with("/actions/0/action_id", json!(deed.action_id()))) else {
                panic!("{deed:?}")
            };
            assert_eq!(press.deed, deed);
        }
        for other in [with("/actions/0/action_id", json!("link-0")), with("/type", json!("view_submission"))] {
            assert_eq!(read(&other), Ok(Interaction::Other));
        }
    }

    #[test]
    fn what_is_no_press() {
        for body in [
            b"".to_vec(),
            b"payload".to_vec(),
            b"payload=%7B".to_vec(),
            b"payload={\xff}".to_vec(),
            b"other=%7B%7D".to_vec(),
            form(&json!({})),
            form(&json!({"type": "block_actions"})),
            form(&json!({"type": "block_actions", "actions": []})),
            with("/user/id", json!("")),
            with("/user/id", json!("U1 U2")),
            with("/user/id", json!(7)),
            with("/user/id", json!("U".repeat(41))),
            with("/actions/0/value", json!("x".repeat(101))),
            with("/actions/0/action_ts", json!(null)),
        ] {
            assert!(read(&body).is_err(), "{}", String::from_utf8_lossy(&body));
        }
    }

    #[test]
    fn a_time_is_believed_for_five_minutes() {
        for (timestamp, expected) in [
            ("1000", true),
            ("700", true),
            ("699", false),
            ("1300", true),
            ("1301", false),
            ("", false),
            ("now", false),
            ("1000.5", false),
            ("-9223372036854775808", false),
            ("99999999999999999999", false),
        ] {
            assert_eq!(is_fresh(timestamp, 1_000), expected, "{timestamp}");
        }
    }

    /// A slash command and its signature, as the vendor publishes them.
    #[test]
    fn the_published_signature() {
        let secret = Secret::new("8f742231b10e8888abcd99yyyzzz85a5");
        let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
            &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
            &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
            &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let right = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        assert!(is_signed(right, "1531420618", &secret, body));
        assert!(!is_signed(right, "1531420619", &secret, body), "another time");
        assert!(!is_signed(right, "1531420618", &secret, &body[1..]), "another body");
        assert!(!is_signed(&right.replace("v0", "v1"), "1531420618", &secret, body), "another version");
        assert!(!is_signed(right, "1531420618", &Secret::new(""), body), "no secret");
    }
}
