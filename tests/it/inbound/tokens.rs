//! The command line, and the API with tokens.

use super::world::World;
use crate::live::timeline;

pub const TOKENS: &str = "daemon:
  tokens:
    dashboard: {secret: {from_env: TOKEN_READ}, can: [read]}
    chatops: {secret: {from_env: TOKEN_OPERATE}, can: [operate]}";

#[tokio::test]
async fn who_acts_is_on_record() {
    let world = World::with("", "", "", TOKENS).await;
    let (id, _) = world.opened().await;
    let post = async |action: &str, token: &str, body: &str| {
        let token = format!("Bearer {token}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        world.post(&format!("/api/v1/incidents/{id}/{action}"), &headers, body.to_owned()).await
    };
    let by = r#"{"by":"ann"}"#;
    assert_eq!(post("acknowledge", "guessed", by).await, 401);
    assert_eq!(post("acknowledge", "read-SECRET", by).await, 403);
    assert_eq!(post("acknowledge", "operate-SECRET", "{}").await, 400, "nobody signs it");
    assert_eq!(world.incident().await["state"], "open");
    assert_eq!(post("acknowledge", "operate-SECRET", by).await, 200);
    assert_eq!(world.reaches("acknowledged").await["acknowledged_by"], "ann (api)");
    for arguments in [&["note", &id, "looking", "--by", "bob"][..], &["resolve", &id, "--by", "bob"]] {
        let said = world.own.slod.cli(arguments).await.unwrap();
        assert!(said.status.success(), "{said:?}");
    }
    let incident = world.reaches("resolved").await;
    let said = timeline(&incident);
    for line in ["acknowledged: acknowledged by ann (api)", "note: bob: looking", "resolved: resolved by bob"] {
        assert!(said.iter().any(|said| said == line), "{said:#?}");
    }
    assert_eq!(post("acknowledge", "operate-SECRET", by).await, 409, "it is over");
    world.settle();
}
