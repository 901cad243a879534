//! The body of a webhook for what is about no single incident: `bulletin` stands there in place of `incident`.

use serde_json::{Value, json};

use super::{super::text, payload::VERSION};
use crate::domain::{bulletin::Bulletin, notification::Link};

/// In code points.
const LINE_MAX: usize = 4_000;
const ADDRESS_MAX: usize = 2_000;

/// The same delivery is the same bytes, whenever it is sent.
pub fn body(bulletin: &Bulletin, delivery: &str) -> Vec<u8> {
    let link = |link: &Link| {
        let url = text::address(link, ADDRESS_MAX)?;
        Some(json!({"text": text::line(&link.text, LINE_MAX), "url": url}))
    };
    let body = json!({
        "version": VERSION,
        "delivery": delivery,
        "event": bulletin.kind.event().as_str(),
        "decided_at": bulletin.decided_at,
        "late": bulletin.late,
        "reason": text::line(&bulletin.title(), LINE_MAX),
        "headline": text::line(&bulletin.headline, LINE_MAX),
        "lines": bulletin.lines.iter().map(|line| text::line(line, LINE_MAX)).collect::<Vec<_>>(),
        "standing": null,
        "incident": null,
        "bulletin": {
            "kind": bulletin.kind.as_str(),
            "name": text::line(&bulletin.name, LINE_MAX),
            "key": text::line(&bulletin.key, LINE_MAX),
            "due_at": bulletin.due_at,
            "data": bulletin.data,
        },
        "links": bulletin.links.iter().filter_map(link).collect::<Vec<Value>>(),
        "figures": {},
    });
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    #[test]
    fn every_kind_has_its_body() {
        let shown =
            |bulletin: &Bulletin| serde_json::from_slice::<Value>(&body(bulletin, "0123456789abcdef01234567")).unwrap();
        insta::assert_json_snapshot!(samples::bulletins().iter().map(shown).collect::<Vec<_>>());
        let hostile = shown(&samples::hostile_bulletin());
        assert_eq!(hostile["links"].as_array().unwrap().len(), 1);
        assert!(!hostile.to_string().contains("\\u0000") && !hostile.to_string().contains("\\r\\n"));
    }
}
