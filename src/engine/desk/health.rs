//! How the daemon itself is.

use super::LiveDesk;

impl LiveDesk {
    /// What a person should look at although everything runs.
    pub(super) fn notices(&self) -> Vec<String> {
        let damaged = self.store.damaged().into_iter();
        let words = |file| {
            format!(
                "the store was damaged, and slod goes on with what could be read of it (the log says what): look at {file}, and remove it"
            )
        };
        let unheard = self.board.unheard().into_iter().map(|(receiver, messages)| {
            let what = if messages == 1 { "a message".to_owned() } else { format!("{messages} messages") };
            format!(
                "{what} to {receiver} could not be delivered since the start, and there was nobody to be told instead: \
                 /sources says why; give it a `fallback` that reads"
            )
        });
        damaged.map(words).chain(unheard).collect()
    }

    /// Why it is not ready.
    pub(super) fn unready(&self) -> Vec<String> {
        let waiting: Vec<String> =
            self.board.slos().iter().filter(|slo| slo.watermark.is_none()).map(|slo| slo.id.to_string()).collect();
        let mut reasons = Vec::new();
        if let Some((first, rest)) = waiting.split_first() {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            reasons.push(format!("no settled slot yet: {first}{more}"));
        }
        let trouble = self.board.trouble().or_else(|| self.store.trouble());
        reasons.extend(trouble.map(|why| format!("the store cannot be written: {why}")));
        reasons.extend(self.store.displaced());
        reasons
    }
}
