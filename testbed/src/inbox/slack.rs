//! Slack: the Web API's messages, and incoming webhooks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    request::{Reply, Request, check_length},
    slack_text::{Block, check_blocks, check_escaping, deeds},
    world::now,
};

#[derive(Debug, Default)]
pub(super) struct Slack {
    /// By `ts`.
    messages: BTreeMap<String, Shown>,
    /// What single users were told: id and text.
    pub whispers: Vec<(String, String)>,
}

#[derive(Debug)]
struct Shown {
    channel: String,
    text: String,
    /// The root it stands under.
    under: Option<String>,
    /// `action_id` and `value` of its buttons that do something.
    buttons: Vec<(String, String)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whisper {
    channel: String,
    user: String,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "of some fields only the type is checked")]
struct Post {
    channel: String,
    text: String,
    #[serde(default)]
    blocks: Vec<Block>,
    thread_ts: Option<String>,
    unfurl_links: Option<bool>,
    unfurl_media: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    channel: String,
    ts: String,
    text: String,
    #[serde(default)]
    blocks: Vec<Block>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "of some fields only the type is checked")]
struct Hook {
    text: String,
    #[serde(default)]
    blocks: Vec<Block>,
    unfurl_links: Option<bool>,
    unfurl_media: Option<bool>,
}

impl Slack {
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.messages.iter().map(|(ts, shown)| (ts.clone(), shown.text.clone())).collect()
    }

    pub fn buttons(&self) -> BTreeMap<String, Vec<(String, String)>> {
        self.messages.iter().map(|(ts, shown)| (ts.clone(), shown.buttons.clone())).collect()
    }

    pub fn take(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        if request.method != "POST" {
            problems.push("only POST is taken".to_owned());
        }
        if request.path.starts_with("/slack/services/") {
            return hook(request, problems);
        }
        let Some(method) = request.path.strip_prefix("/slack/api/") else {
            problems.push("no such path".to_owned());
            return Reply::text(404, "not found");
        };
        if !request.header("authorization").starts_with("Bearer xoxb-") {
            problems.push("no bot token".to_owned());
            return refuse("not_authed", problems);
        }
        match method {
            "auth.test" => Reply::json(
                200,
                &json!({"ok": true, "team": "testbed", "user": "slod", "user_id": "U0", "team_id": "T0"}),
            ),
            "chat.postMessage" => self.post(request, problems),
            "chat.update" => self.update(request, problems),
            "chat.postEphemeral" => self.whisper(request, problems),
            _ => {
                problems.push(format!("method {method} is not played"));
                refuse("unknown_method", problems)
            }
        }
    }

    fn post(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        let post = match request.parse::<Post>() {
            Ok(post) => post,
            Err(error) => {
                problems.push(error);
                return refuse("invalid_arguments", problems);
            }
        };
        check(&post.channel, &post.text, 40_000, &post.blocks, problems);
        let root = post.thread_ts.as_ref().map(|ts| self.messages.get(ts));
        match root {
            Some(Some(root)) if root.under.is_some() => problems.push("thread_ts names a reply, not a root".to_owned()),
            Some(Some(root)) if root.channel != post.channel => {
                problems.push("thread_ts of another channel".to_owned());
            }
            Some(None) => {
                problems.push("thread_ts of no message".to_owned());
                return refuse("thread_not_found", problems);
            }
            _ => {}
        }
        if !problems.is_empty() {
            return refuse("invalid_blocks", problems);
        }
        let ts = format!("{}.{:06}", now().timestamp(), self.messages.len() + 1);
        let about =
            format!("{} {}", if post.thread_ts.is_some() { "reply" } else { "message" }, first_line(&post.text));
        let answer = json!({"ok": true, "channel": post.channel, "ts": ts, "message": {"text": post.text}});
        let buttons = deeds(&post.blocks);
        self.messages.insert(ts, Shown { channel: post.channel, text: post.text, under: post.thread_ts, buttons });
        Reply::json(200, &answer).about(about)
    }

    fn update(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        let update = match request.parse::<Update>() {
            Ok(update) => update,
            Err(error) => {
                problems.push(error);
                return refuse("invalid_arguments", problems);
            }
        };
        check(&update.channel, &update.text, 4_000, &update.blocks, problems);
        let Some(shown) = self.messages.get_mut(&update.ts).filter(|shown| shown.channel == update.channel) else {
            problems.push("update of a message that is not there".to_owned());
            return refuse("message_not_found", problems);
        };
        if !problems.is_empty() {
            return refuse("invalid_blocks", problems);
        }
        let about = format!("edit {}", first_line(&update.text));
        shown.text.clone_from(&update.text);
        shown.buttons = deeds(&update.blocks);
        Reply::json(200, &json!({"ok": true, "channel": update.channel, "ts": update.ts, "text": update.text}))
            .about(about)
    }

    fn whisper(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        match request.parse::<Whisper>() {
            Ok(whisper) => {
                check(&whisper.channel, &whisper.text, 40_000, &[], problems);
                if !whisper.user.starts_with(['U', 'W']) {
                    problems.push(format!("`{}` is not a user's id", whisper.user));
                }
                let about = format!("to {}: {}", whisper.user, first_line(&whisper.text));
                self.whispers.push((whisper.user, whisper.text));
                Reply::json(200, &json!({"ok": true, "message_ts": "1.2"})).about(about)
            }
            Err(error) => {
                problems.push(error);
                refuse("invalid_arguments", problems)
            }
        }
    }
}

fn hook(request: &Request, problems: &mut Vec<String>) -> Reply {
    match request.parse::<Hook>() {
        Ok(hook) => {
            check_words(&hook.text, 40_000, &hook.blocks, problems);
            let reply = if problems.is_empty() { Reply::text(200, "ok") } else { Reply::text(400, "invalid_blocks") };
            reply.about(format!("hook {}", first_line(&hook.text)))
        }
        Err(error) => {
            problems.push(error);
            Reply::text(400, "invalid_payload")
        }
    }
}

fn check(channel: &str, text: &str, text_max: usize, blocks: &[Block], problems: &mut Vec<String>) {
    let id = channel.len() > 1
        && channel.starts_with(['C', 'G', 'D'])
        && channel.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if !id {
        problems.push(format!("`{channel}` is not a channel's id"));
    }
    check_words(text, text_max, blocks, problems);
}

fn check_words(text: &str, text_max: usize, blocks: &[Block], problems: &mut Vec<String>) {
    if text.is_empty() {
        problems.push("no text: nothing to show in a notification".to_owned());
    }
    check_length(problems, "text", text, text_max);
    check_escaping("text", text, problems);
    check_blocks(blocks, problems);
}

fn refuse(word: &str, problems: &[String]) -> Reply {
    Reply::json(200, &json!({"ok": false, "error": word, "response_metadata": {"messages": problems}}) as &Value)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(slack: &mut Slack, method: &str, body: &Value) -> (Value, usize) {
        let mut problems = Vec::new();
        let request = Request::test("POST", &format!("/slack/api/{method}"), "Bearer xoxb-1", body);
        let reply = slack.take(&request, &mut problems);
        (serde_json::from_str(&reply.body).unwrap(), problems.len())
    }

    #[test]
    fn threads_hang_under_roots_that_are_there() {
        let mut slack = Slack::default();
        let (root, problems) = send(&mut slack, "chat.postMessage", &json!({"channel": "C1", "text": "root"}));
        assert_eq!((root["ok"].as_bool(), problems), (Some(true), 0));
        let under = |ts: &Value| json!({"channel": "C1", "text": "reply", "thread_ts": ts});
        let (reply, problems) = send(&mut slack, "chat.postMessage", &under(&root["ts"]));
        assert_eq!(problems, 0);
        assert_eq!(send(&mut slack, "chat.postMessage", &under(&reply["ts"])).1, 1);
        assert_eq!(send(&mut slack, "chat.postMessage", &under(&json!("1.2"))).0["error"], "thread_not_found");
        let edit = |channel: &str, ts: &Value| json!({"channel": channel, "text": "edited", "ts": ts});
        assert_eq!(send(&mut slack, "chat.update", &edit("C1", &root["ts"])).1, 0);
        assert_eq!(send(&mut slack, "chat.update", &edit("C2", &root["ts"])).0["error"], "message_not_found");
        assert_eq!(slack.texts()[root["ts"].as_str().unwrap()], "edited");
    }

    #[test]
    fn each_broken_rule_is_a_problem() {
        let section =
            |text: &str| json!([{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}}]);
        let broken = [
            json!({"channel": "#alerts", "text": "x"}),
            json!({"channel": "C1", "text": ""}),
            json!({"channel": "C1", "text": "<!here>"}),
            json!({"channel": "C1", "text": "x", "username": "somebody"}),
            json!({"channel": "C1", "text": "x", "blocks": section("")}),
            json!({"channel": "C1", "text": "x", "blocks": section(&"x".repeat(3_001))}),
            json!({"channel": "C1", "text": "x", "blocks": section("a & b")}),
            json!({"channel": "C1", "text": "x", "blocks": vec![json!({"type": "divider"}); 51]}),
            json!({"channel": "C1", "text": "x", "blocks": [{"type": "actions", "elements": []}]}),
            json!({"channel": "C1", "text": "x", "blocks": [{"type": "image"}]}),
        ];
        for body in broken {
            let (answer, problems) = send(&mut Slack::default(), "chat.postMessage", &body);
            assert!(answer["ok"] == false && problems > 0, "{body}");
        }
        let long = json!({"channel": "C1", "text": "x".repeat(4_001), "ts": "1.2"});
        assert_eq!(send(&mut Slack::default(), "chat.update", &long).1, 2);
    }
}
