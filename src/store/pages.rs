//! What became of posts to public status pages, for the decider; and what the pages show as we left it.

use sqlx::{Row, SqliteConnection};

use super::{Store, StoreError, commit::from_json};
use crate::domain::{
    name::Name,
    notification::{Message, PublicState},
    page_news::{NOTHING_THERE, PageNews},
};

/// The outcome of one post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostOutcome {
    /// Its row.
    pub id: i64,
    /// Its incident.
    pub incident: String,
    /// What became of it.
    pub news: PageNews,
}

/// A public incident as it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftPage {
    /// Of which incident.
    pub incident: String,
    /// On which page.
    pub receiver: Name,
    /// The receipt of the newest post.
    pub receipt: String,
}

impl Store {
    /// Posts that have come to an end of which the decider has not heard, in order.
    pub async fn post_outcomes(&self, limit: i64) -> Result<Vec<PostOutcome>, StoreError> {
        let rows = sqlx::query(
            "select id, incident, state, message, last_error, receipt, coalesce(sent_at, next_at) as at from deliveries \
             where page_told = 0 and state in ('sent', 'dead', 'dropped') and incident is not null order by id limit ?",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(outcome).collect()
    }

    /// Public incidents of which nothing is on its way: what their pages show should be what was left there.
    pub async fn left_pages(&self) -> Result<Vec<LeftPage>, StoreError> {
        let rows = sqlx::query(
            "select d.incident, d.receiver, d.receipt, d.message from deliveries d \
             join incidents i on i.id = d.incident and i.live = 1 \
             where d.page_told is not null and d.state = 'sent' and d.receipt is not null and d.id = ( \
               select max(e.id) from deliveries e where e.incident = d.incident and e.receiver = d.receiver) \
             order by d.id limit 1000",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut left = Vec::new();
        for row in rows {
            let message: Message = from_json(row.get("message"), "a message")?;
            if matches!(message, Message::StatusPost(post) if post.state != PublicState::Resolved) {
                left.push(LeftPage {
                    incident: row.get("incident"),
                    receiver: Name::from(row.get::<&str, _>("receiver")),
                    receipt: row.get("receipt"),
                });
            }
        }
        Ok(left)
    }
}

fn outcome(row: &sqlx::sqlite::SqliteRow) -> Result<PostOutcome, StoreError> {
    let message: Message = from_json(row.get("message"), "a message")?;
    let (state, opens) = match message {
        Message::StatusPost(post) => (post.state, post.opens),
        Message::Notification(_) | Message::Bulletin(_) | Message::Record(_) => (PublicState::Investigating, false),
    };
    let why: Option<String> = row.get("last_error");
    let news = match (row.get::<&str, _>("state"), why) {
        ("sent", _) if row.get::<Option<&str>, _>("receipt") == Some(NOTHING_THERE) => {
            PageNews::Dropped { state, opens }
        }
        ("sent", _) => {
            let at = chrono::DateTime::from_timestamp_millis(row.get("at")).unwrap_or_default();
            PageNews::Shows { state, at }
        }
        ("dead", why) => PageNews::Refused { state, why: why.unwrap_or_default() },
        // What was never tried has no error.
        (_, Some(what)) => PageNews::TakenOver { what },
        (_, None) => PageNews::Dropped { state, opens },
    };
    Ok(PostOutcome { id: row.get("id"), incident: row.get("incident"), news })
}

pub(super) async fn mark_told(connection: &mut SqliteConnection, posts: &[i64]) -> Result<(), StoreError> {
    for post in posts {
        sqlx::query("update deliveries set page_told = 1 where id = ?").bind(post).execute(&mut *connection).await?;
    }
    Ok(())
}
