//! What a Prometheus-compatible server answers to an instant query, read tolerantly: unknown keys are ignored,
//! numbers may be strings, errors may be plain text.

use std::{collections::BTreeMap, fmt, time::Duration};

use reqwest::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, Visitor},
};

use crate::source::{SourceError, bounded_body::snippet};

/// One series' newest value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The value; NaN and infinities are possible.
    pub value: f64,
}

/// An instant query's answer. A scalar is one sample without labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Samples {
    /// In no particular order.
    pub samples: Vec<Sample>,
    /// The server's warnings: the answer may be incomplete.
    pub degraded: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    status: String,
    data: Option<Data>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    #[serde(default)]
    is_partial: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    error: String,
    #[serde(default)]
    error_type: String,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Scalar((IgnoredAny, Number)),
    String(IgnoredAny),
    Matrix(IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: Option<(IgnoredAny, Number)>,
}

/// A number, or the text of one.
#[derive(Clone, Copy)]
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, or the text of one")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom("a sample that is no number"))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Reads a whole answer. `target` and `limit` are for the messages.
pub(super) fn decode(status: StatusCode, body: &[u8], target: &str, limit: Duration) -> Result<Samples, SourceError> {
    if !status.is_success() {
        return Err(failure(status, body, target, limit));
    }
    let envelope: Envelope = serde_json::from_slice(body).map_err(|error| {
        if serde_json::from_slice::<Failure>(body).is_ok() {
            return failure(status, body, target, limit);
        }
        let why = error.to_string();
        let why = if why.contains("expected value") { "not JSON" } else { &why };
        SourceError::Unreadable(format!("{why}: {}", snippet(body)))
    })?;
    if envelope.status != "success" {
        return Err(failure(status, body, target, limit));
    }
    let samples = match envelope.data {
        Some(Data::Vector(series)) => series.into_iter().map(sample).collect::<Result<_, _>>()?,
        Some(Data::Scalar((_, number))) => vec![Sample { labels: BTreeMap::new(), value: number.0 }],
        Some(Data::String(_)) => return Err(SourceError::Refused("the query answers a text, not numbers".to_owned())),
        Some(Data::Matrix(_)) => {
            return Err(SourceError::Refused(
                "the query answers ranges of samples: put a function like increase() around it".to_owned(),
            ));
        }
        None => return Err(SourceError::Unreadable("success without data".to_owned())),
    };
    let mut warnings = envelope.warnings.unwrap_or_default();
    if envelope.is_partial == Some(true) {
        warnings.push("the answer is partial".to_owned());
    }
    let degraded = (!warnings.is_empty()).then(|| snippet(warnings.join("; ").as_bytes()).replace('`', ""));
    Ok(Samples { samples, degraded })
}

fn sample(series: Series) -> Result<Sample, SourceError> {
    let Some((_, number)) = series.value else {
        return Err(SourceError::Refused(
            "the query answers a native histogram, which is not supported yet: take histogram_count(), \
             histogram_fraction() or a classic histogram"
                .to_owned(),
        ));
    };
    Ok(Sample { labels: series.metric, value: number.0 })
}

/// What an error means: only a question that can never be answered as written is refused; all else counts against
/// the source.
fn failure(status: StatusCode, body: &[u8], target: &str, limit: Duration) -> SourceError {
    let failed = |why: String| SourceError::Failed { target: target.to_owned(), why };
    let (kind, message) = match serde_json::from_slice::<Failure>(body) {
        Ok(failure) => (failure.error_type, snippet(failure.error.as_bytes())),
        Err(_) => (String::new(), snippet(body)),
    };
    match (status.as_u16(), kind.as_str()) {
        (400 | 413 | 422, _) | (200, "bad_data" | "execution" | "400" | "422") => SourceError::Refused(message),
        (499 | 503 | 504, "timeout" | "canceled") => SourceError::Timeout(limit),
        (300..400, _) => failed(format!("it redirects ({status}), which is not followed; write the final address")),
        (401 | 403, _) => failed(format!("it refuses us ({status}): {message}")),
        (404, _) => failed(format!("no Prometheus API at this address ({status})")),
        _ => failed(format!("{status}: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(3);

    fn values(body: &str) -> Result<Vec<f64>, SourceError> {
        decode(StatusCode::OK, body.as_bytes(), "prom:9090", LIMIT)
            .map(|answer| answer.samples.iter().map(|sample| sample.value).collect())
    }

    fn vector(samples: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{samples}]}}}}"#)
    }

    #[test]
    fn reads_vectors_and_scalars() {
        assert_eq!(values(&vector("")), Ok(vec![]));
        assert_eq!(values(&vector(r#"{"metric":{"a":"b"},"value":[1.5,"2.5e1"]}"#)), Ok(vec![25.0]));
        assert_eq!(
            values(&vector(r#"{"metric":{},"value":[1,7]},{"value":[1,"-Inf"]}"#)),
            Ok(vec![7.0, f64::NEG_INFINITY])
        );
        assert_eq!(values(&vector(r#"{"metric":{},"value":[1,"+Inf"]}"#)), Ok(vec![f64::INFINITY]));
        assert!(values(&vector(r#"{"metric":{},"value":[1,"NaN"]}"#)).unwrap()[0].is_nan());
        let scalar = r#"{"infos":["x"],"status":"success","data":{"result":[1,"3"],"resultType":"scalar","stats":{}}}"#;
        assert_eq!(values(scalar), Ok(vec![3.0]));
    }

    #[test]
    fn warnings_degrade() {
        let body = r#"{"status":"success","warnings":["one\nline","two"],"isPartial":true,
            "data":{"resultType":"vector","result":[]}}"#;
        let answer = decode(StatusCode::OK, body.as_bytes(), "t", LIMIT).unwrap();
        assert_eq!(answer.degraded.as_deref(), Some("one line; two; the answer is partial"));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (body, start) in [
            ("<!DOCTYPE html>", "unreadable answer: not JSON: `<!DOCTYPE html>`"),
            ("", "unreadable answer: EOF"),
            ("[1", "unreadable answer: "),
            (r#"{"status":"success"}"#, "unreadable answer: success without data"),
            (&vector(r#"{"metric":{},"value":[1,"wide"]}"#), "unreadable answer: a sample that is no number"),
            (&vector(r#"{"metric":{},"histogram":[1,{"count":"1"}]}"#), "the query answers a native histogram"),
            (r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#, "the query answers ranges"),
            (r#"{"status":"success","data":{"resultType":"string","result":[1,"x"]}}"#, "the query answers a text"),
            (r#"{"status":"error","errorType":"bad_data","error":"no"}"#, "`no`"),
        ] {
            let said = values(body).unwrap_err().to_string();
            assert!(said.starts_with(start), "{body} → {said}");
        }
    }

    #[test]
    fn errors_are_classed() {
        for (status, body, said, blinding) in [
            (400, r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#, "`parse error`", false),
            (422, r#"{"status":"error","errorType":"422","error":"too many"}"#, "`too many`", false),
            (422, r#"{"status":"error","errorType":"execution","error":"many-to-many"}"#, "`many-to-many`", false),
            (503, r#"{"status":"error","errorType":"timeout","error":"timed out"}"#, "no answer within 3s", true),
            (503, "Service Unavailable", "t cannot answer: 503 Service Unavailable: `Service Unavailable`", true),
            (429, "", "t cannot answer: 429 Too Many Requests: an empty body", true),
            (
                500,
                r#"{"status":"error","errorType":"internal","error":"disk"}"#,
                "t cannot answer: 500 Internal Server Error: `disk`",
                true,
            ),
            (401, "no org id", "t cannot answer: it refuses us (401 Unauthorized): `no org id`", true),
            (
                302,
                "",
                "t cannot answer: it redirects (302 Found), which is not followed; write the final address",
                true,
            ),
        ] {
            let error = decode(StatusCode::from_u16(status).unwrap(), body.as_bytes(), "t", LIMIT).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.is_blinding()), (said, blinding));
        }
    }
}
