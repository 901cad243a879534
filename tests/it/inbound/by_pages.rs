//! The pages, with a browser's forms.

use std::time::Duration;

use reqwest::{Response, header, redirect::Policy};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{tokens::TOKENS, world::World};
use crate::live::timeline;

/// A person who has logged in.
struct Person<'w> {
    world: &'w World,
    http: reqwest::Client,
    cookie: String,
    csrf: String,
}

fn hidden(html: &str, name: &str) -> String {
    let rest = html.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {html}")).1;
    rest.split('"').next().unwrap().to_owned()
}

fn place(response: &Response) -> &str {
    response.headers().get(header::LOCATION).map_or("", |place| place.to_str().unwrap())
}

impl<'w> Person<'w> {
    async fn log_in(world: &'w World, token: &str) -> Self {
        let builder = reqwest::Client::builder().no_proxy().redirect(Policy::none());
        let http = builder.timeout(Duration::from_secs(40)).build().unwrap();
        let mut person = Self { world, http, cookie: String::new(), csrf: String::new() };
        let answer = person.send("/login", &[("name", "ann"), ("token", token)]).await;
        assert_eq!((answer.status().as_u16(), place(&answer)), (303, "/"));
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        person.cookie = cookie.split(';').next().unwrap().to_owned();
        person.csrf = hidden(&person.page("/").await.1, "csrf");
        person
    }

    async fn page(&self, path: &str) -> (u16, String) {
        let request = self.http.get(format!("{}{path}", self.world.own.slod.url())).header("accept", "text/html");
        let answer = request.header(header::COOKIE, &self.cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let url = self.world.own.slod.url();
        let request = self.http.post(format!("{url}{path}")).header("accept", "text/html").header("origin", &url);
        request.header(header::COOKIE, &self.cookie).form(fields).send().await.unwrap()
    }

    /// Sends a form of the page once.
    async fn act(&self, path: &str, once: &str, text: &str) -> Response {
        self.send(path, &[("csrf", &self.csrf), ("once", once), ("text", text)]).await
    }
}

#[tokio::test]
async fn a_person_acts_by_the_pages() {
    let world = World::with("", "", "", TOKENS).await;
    let (id, _) = world.opened().await;
    let ann = Person::log_in(&world, "operate-SECRET").await;
    let page = format!("/incident/{id}");
    let (_, html) = ann.page(&page).await;
    assert!(html.contains("Acknowledge</button>") && !html.contains("operate-SECRET"));
    let done = ann.act(&format!("{page}/acknowledge"), "1", "").await;
    assert_eq!(place(&done), format!("{page}?done=acknowledged#result"));
    assert_eq!(world.reaches("acknowledged").await["acknowledged_by"], "ann (api)");
    for _ in 0..2 {
        assert_eq!(ann.act(&format!("{page}/note"), "2", "restarted").await.status(), 303);
    }
    assert_eq!(
        place(&ann.act(&format!("{page}/status-page/approve"), "3", "").await),
        format!("{page}?done=no-draft#result")
    );
    assert_eq!(place(&ann.act(&format!("{page}/resolve"), "4", "").await), format!("{page}?done=resolved#result"));
    let said = timeline(&world.reaches("resolved").await);
    assert_eq!(said.iter().filter(|line| *line == "note: ann (api): restarted").count(), 1, "{said:#?}");
    assert_eq!(place(&ann.act(&format!("{page}/acknowledge"), "5", "").await), format!("{page}?done=over#result"));
    let (_, html) = ann.page("/shop/alerts").await;
    assert!(html.contains("resolved by ann (api)"), "{html}");
    let bob = Person::log_in(&world, "read-SECRET").await;
    assert_eq!(bob.act(&format!("{page}/note"), "1", "x").await.status(), 403);
    assert!(!world.own.slod.log().contains("SECRET"));
    world.settle();
}

/// The second to act is told who was first: by the page, and by the API.
#[tokio::test]
async fn two_people_act_at_once() {
    let world = World::with("", "", "", TOKENS).await;
    let (id, _) = world.opened().await;
    let ann = Person::log_in(&world, "operate-SECRET").await;
    let (page, api) = (format!("/incident/{id}"), format!("/api/v1/incidents/{id}"));
    assert_eq!(
        place(&ann.act(&format!("{page}/acknowledge"), "1", "").await),
        format!("{page}?done=acknowledged#result")
    );
    let by_program = async |what: &str| {
        let request = ann.http.post(format!("{}{api}/{what}", world.own.slod.url())).bearer_auth("operate-SECRET");
        let answer = request.json(&serde_json::json!({"by": "bob"})).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    let (status, second) = by_program("acknowledge").await;
    assert_eq!((status, &second["acknowledged_by"]), (200, &"bob (api)".into()));
    assert_eq!(second["acknowledged_before"]["by"], "ann (api)");
    let third = ann.act(&format!("{page}/acknowledge"), "2", "").await;
    assert_eq!(place(&third), format!("{page}?done=also-acknowledged#result"));
    let (_, html) = ann.page(&format!("{page}?done=also-acknowledged")).await;
    assert!(html.contains("Before you: <bdi>bob (api)</bdi>"), "{html}");

    assert_eq!(by_program("resolve").await.0, 200);
    let (status, refused) = by_program("resolve").await;
    let said = refused["error"]["message"].as_str().unwrap();
    assert!(status == 409 && said.contains("is resolved already, by bob (api) at 20"), "{status} {said}");
    assert_eq!(place(&ann.act(&format!("{page}/resolve"), "3", "").await), format!("{page}?done=over#result"));
    let (_, html) = ann.page(&format!("{page}?done=over")).await;
    assert!(html.contains(", resolved by <bdi>bob (api)</bdi>."), "{html}");
    world.settle();
}

#[tokio::test]
async fn a_locked_store_is_said_on_the_pages() {
    let world = World::with("", "", "", TOKENS).await;
    let (id, _) = world.opened().await;
    let ann = Person::log_in(&world, "operate-SECRET").await;
    let options = SqliteConnectOptions::new().filename(world.own.slod.store());
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("begin exclusive").execute(&mut other).await.unwrap();
    let note = format!("/incident/{id}/note");
    let refused = ann.act(&note, "1", "while it is locked").await;
    assert_eq!(refused.status(), 503);
    let html = refused.text().await.unwrap();
    assert!(html.contains("Newest data: <time") && html.contains("the store"), "{html}");
    // A program is told sooner; neither is told that nothing will come of it.
    let url = format!("{}/api/v1/incidents/{id}/note", world.own.slod.url());
    let program = ann.http.post(url).bearer_auth("operate-SECRET");
    let program = program.json(&serde_json::json!({"by": "ci", "text": "while it is locked"})).send().await.unwrap();
    assert_eq!((program.status().as_u16(), program.headers()[header::RETRY_AFTER].to_str().unwrap()), (503, "5"));
    assert!(program.text().await.unwrap().contains("it may still do so"));
    // Reading goes on.
    for path in ["/", "/sources", "/silences", "/shop/alerts", &format!("/incident/{id}")] {
        assert_eq!(ann.page(path).await.0, 200, "{path}");
    }
    world.until("it says so", async || ann.page("/").await.1.contains("The store cannot be written")).await;
    let refused = ann.act(&note, "2", "while it is locked").await;
    assert_eq!(refused.status(), 503);
    assert!(refused.text().await.unwrap().contains("nothing was done"));
    other.close().await.unwrap();
    world.until("a note is taken", async || ann.act(&note, "3", "afterwards").await.status() == 303).await;
    let said = timeline(&world.incident().await);
    assert_eq!(said.iter().filter(|line| line.ends_with("afterwards")).count(), 1, "{said:#?}");
    world.settle();
}
