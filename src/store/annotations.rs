//! Annotations: a bounded list, in which the same is not said twice.

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{Store, StoreError, commit::readable};
use crate::domain::{
    annotation::{Annotation, Kind},
    name::Name,
};

/// Most annotations that are kept: the first made go first.
pub const ANNOTATIONS_MAX: u32 = 10_000;
const COLUMNS: &str = "id, at, kind, text, url, service, made_by, made_at";

const WITHIN: &str = "at >= ?1 and at < ?2 and (?3 is null or service is null or service = ?3)";

/// What tells most first: notes to all services must not crowd out a service's own deploy.
const TELLING: &str = "kind = 'deploy' desc, case when service = ?3 then 0 else 1 end";

/// An annotation under its number.
pub type Numbered = (i64, Annotation);

/// Annotations around a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Near {
    /// Up to it.
    pub before: Vec<Numbered>,
    /// After it.
    pub after: Vec<Numbered>,
    /// How many there are in all, with those that are not told.
    pub all: usize,
}

impl Store {
    /// Writes an annotation, unless the same (kind, text, address, service) is said of a time from `since` to its own
    /// already. Answers the one that stands, once it is on the disk.
    pub async fn annotate(&self, made: Annotation, since: DateTime<Utc>) -> Result<Numbered, StoreError> {
        self.writer
            .write(move |connection| {
                let made = made.clone();
                Box::pin(async move { write(connection, &made, since).await })
            })
            .await
    }

    /// Annotations of times within `[from, to)`, the newest first: of one service together with those of all services, or
    /// everything.
    pub async fn annotations(
        &self,
        service: Option<&str>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Numbered>, StoreError> {
        self.within(service, (from.timestamp_millis(), to.timestamp_millis()), "at desc, id desc", limit).await
    }

    /// Annotations around `time.1`, of a service as above: from `time.0` up to it, and after it up to `time.2`, all three
    /// among them. At most `most` of either side, the oldest first: deploys before notes, what is of the service itself
    /// before what is of all, and of those the nearest.
    pub async fn annotations_near(
        &self,
        service: Option<&str>,
        time: (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>),
        most: usize,
    ) -> Result<Near, StoreError> {
        let (from, middle, to) = (time.0.timestamp_millis(), time.1.timestamp_millis(), time.2.timestamp_millis());
        let mut before =
            self.within(service, (from, middle + 1), &format!("{TELLING}, at desc, id desc"), most).await?;
        let mut after = self.within(service, (middle + 1, to + 1), &format!("{TELLING}, at, id"), most).await?;
        for side in [&mut before, &mut after] {
            side.sort_by_key(|(id, annotation)| (annotation.at, *id));
        }
        let count = format!("select count(*) as many from annotations where {WITHIN}");
        let count = sqlx::query(sqlx::AssertSqlSafe(count)).bind(from).bind(to + 1).bind(service);
        let all: i64 = count.fetch_one(&self.readers).await?.get("many");
        Ok(Near { before, after, all: usize::try_from(all).unwrap_or_default() })
    }

    /// Those of `[span.0, span.1)`.
    async fn within(
        &self,
        service: Option<&str>,
        span: (i64, i64),
        order: &str,
        limit: usize,
    ) -> Result<Vec<Numbered>, StoreError> {
        let query = format!("select {COLUMNS} from annotations where {WITHIN} order by {order} limit ?4");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(span.0).bind(span.1).bind(service);
        let rows = query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(&self.readers).await?;
        Ok(rows.iter().map(annotation).filter_map(readable).collect())
    }

    /// Takes an annotation away. None if there is no such one; else what it said.
    pub async fn unannotate(&self, id: i64) -> Result<Option<Numbered>, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let query = format!("delete from annotations where id = ? returning {COLUMNS}");
                    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(id);
                    query.fetch_optional(&mut *connection).await?.as_ref().map(annotation).transpose()
                })
            })
            .await
    }
}

async fn write(
    connection: &mut SqliteConnection,
    made: &Annotation,
    since: DateTime<Utc>,
) -> Result<Numbered, StoreError> {
    let known = format!(
        "select {COLUMNS} from annotations where at between ? and ? and kind = ? and text = ? and url is ? and service is ? \
         order by at desc, id limit 1"
    );
    let known = sqlx::query(sqlx::AssertSqlSafe(known))
        .bind(since.timestamp_millis())
        .bind(made.at.timestamp_millis())
        .bind(made.kind.as_str())
        .bind(&made.text)
        .bind(made.url.as_deref())
        .bind(made.service.as_deref());
    if let Some(row) = known.fetch_optional(&mut *connection).await? {
        return annotation(&row);
    }
    let query = "insert into annotations (at, kind, text, url, service, made_by, made_at) values (?, ?, ?, ?, ?, ?, ?)";
    let added = sqlx::query(query)
        .bind(made.at.timestamp_millis())
        .bind(made.kind.as_str())
        .bind(&made.text)
        .bind(made.url.as_deref())
        .bind(made.service.as_deref())
        .bind(&made.by)
        .bind(made.created_at.timestamp_millis())
        .execute(&mut *connection)
        .await?;
    let many = "delete from annotations where id <= (select id from annotations order by id desc limit 1 offset ?)";
    sqlx::query(many).bind(ANNOTATIONS_MAX).execute(&mut *connection).await?;
    Ok((added.last_insert_rowid(), made.clone()))
}

fn annotation(row: &SqliteRow) -> Result<Numbered, StoreError> {
    let time = |column| DateTime::from_timestamp_millis(row.get(column)).unwrap_or_default();
    let kind: &str = row.get("kind");
    let kind = Kind::of(kind).ok_or_else(|| StoreError::Unreadable {
        what: "an annotation".to_owned(),
        why: format!("nothing is called `{kind}`"),
    })?;
    let annotation = Annotation {
        kind,
        at: time("at"),
        text: row.get("text"),
        url: row.get("url"),
        service: row.get::<Option<&str>, _>("service").map(Name::from),
        by: row.get("made_by"),
        created_at: time("made_at"),
    };
    Ok((row.get("id"), annotation))
}
