//! What a Prometheus-compatible server answers, read tolerantly: unknown keys are ignored, numbers may be strings,
//! errors may be plain text.

use std::{collections::BTreeMap, fmt, time::Duration};

use reqwest::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, Visitor},
};

use super::native::Native;
use crate::source::{SourceError, bounded_body::snippet};

/// A series' labels, its name under `__name__`.
pub(super) type Labels = BTreeMap<String, String>;

/// One series and its samples, each with its Unix time in milliseconds, in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Series {
    /// Labels.
    pub labels: Labels,
    /// Numbers; NaN and infinities are possible.
    pub numbers: Vec<(i64, f64)>,
    /// Native histograms.
    pub natives: Vec<(i64, Native)>,
}

/// A whole answer. A scalar is one series without labels; an instant query's series have one sample each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answered {
    /// In no particular order.
    pub series: Vec<Series>,
    /// The server's warnings: the answer may be incomplete.
    pub degraded: Option<String>,
}

/// What kind of answer the question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One value a series.
    Values,
    /// Many samples a series.
    Ranges,
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
    Vector(Vec<Sent>),
    Scalar((Time, Number)),
    String(IgnoredAny),
    Matrix(Vec<Sent>),
}

/// A series as it is sent: with one sample, or with many.
#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    metric: Labels,
    value: Option<(Time, Number)>,
    histogram: Option<(Time, Native)>,
    #[serde(default)]
    values: Vec<(Time, Number)>,
    #[serde(default)]
    histograms: Vec<(Time, Native)>,
}

/// Unix seconds with a fraction.
#[derive(Clone, Copy, Deserialize)]
struct Time(Number);

impl Time {
    fn milliseconds(self) -> i64 {
        (self.0.0 * 1_000.0).round() as i64
    }
}

/// A number, or the text of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub f64);

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
pub(super) fn decode(
    status: StatusCode,
    body: &[u8],
    wanted: Wanted,
    target: &str,
    limit: Duration,
) -> Result<Answered, SourceError> {
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
    let data = envelope.data.ok_or_else(|| SourceError::Unreadable("success without data".to_owned()))?;
    let series = series(data, wanted)?;
    let mut warnings = envelope.warnings.unwrap_or_default();
    if envelope.is_partial == Some(true) {
        warnings.push("the answer is partial".to_owned());
    }
    let degraded = (!warnings.is_empty()).then(|| snippet(warnings.join("; ").as_bytes()).replace('`', ""));
    Ok(Answered { series, degraded })
}

fn series(data: Data, wanted: Wanted) -> Result<Vec<Series>, SourceError> {
    let refused = |why: &str| Err(SourceError::Refused(why.to_owned()));
    match (data, wanted) {
        (Data::Vector(sent), Wanted::Values) | (Data::Matrix(sent), Wanted::Ranges) => {
            sent.into_iter().map(|sent| one(sent, wanted)).collect()
        }
        (Data::Scalar((time, number)), Wanted::Values) => {
            Ok(vec![Series { numbers: vec![(time.milliseconds(), number.0)], ..Series::default() }])
        }
        (Data::String(_), _) => refused("the query answers a text, not numbers"),
        (Data::Matrix(_), Wanted::Values) => {
            refused("the query answers ranges of samples: put a function like increase() around it")
        }
        (Data::Vector(_) | Data::Scalar(_), Wanted::Ranges) => {
            Err(SourceError::Unreadable("single values where ranges of samples were asked for".to_owned()))
        }
    }
}

fn one(sent: Sent, wanted: Wanted) -> Result<Series, SourceError> {
    let (numbers, natives) = match wanted {
        Wanted::Values => (Vec::from_iter(sent.value), Vec::from_iter(sent.histogram)),
        Wanted::Ranges => (sent.values, sent.histograms),
    };
    let numbers: Vec<_> = numbers.into_iter().map(|(time, number)| (time.milliseconds(), number.0)).collect();
    let natives: Vec<_> = natives.into_iter().map(|(time, native)| (time.milliseconds(), native)).collect();
    let ordered = numbers.is_sorted_by(|one, next| one.0 < next.0) && natives.is_sorted_by(|one, next| one.0 < next.0);
    if !ordered {
        return Err(SourceError::Unreadable("the samples of a series are not in the order of time".to_owned()));
    }
    Ok(Series { labels: sent.metric, numbers, natives })
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

    fn read(body: &str, wanted: Wanted) -> Result<Answered, SourceError> {
        decode(StatusCode::OK, body.as_bytes(), wanted, "t", LIMIT)
    }

    fn values(body: &str) -> Result<Vec<f64>, SourceError> {
        let numbers = |series: Series| series.numbers.into_iter().map(|(_, number)| number);
        read(body, Wanted::Values).map(|answer| answer.series.into_iter().flat_map(numbers).collect())
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
    fn reads_ranges() {
        let matrix = |samples: &str| {
            format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},{samples}}}]}}}}"#)
        };
        let answer = read(&matrix(r#""values":[[1.5,"2"],[16.501,"NaN"]]"#), Wanted::Ranges).unwrap();
        assert_eq!(answer.series[0].numbers[0], (1_500, 2.0));
        assert!(answer.series[0].numbers[1].0 == 16_501 && answer.series[0].numbers[1].1.is_nan());
        let native = r#""histograms":[[2,{"count":"3","sum":"1","buckets":[[0,"1","2","3"]]}]]"#;
        let answer = read(&matrix(native), Wanted::Ranges).unwrap();
        assert_eq!((answer.series[0].natives[0].0, answer.series[0].natives[0].1.count), (2_000, 3.0));
        for (body, said) in [
            (
                matrix(r#""values":[[2,"1"],[1,"2"]]"#),
                "unreadable answer: the samples of a series are not in the order of time",
            ),
            (
                matrix(r#""values":[[2,"1"],[2,"1"]]"#),
                "unreadable answer: the samples of a series are not in the order of time",
            ),
            (
                vector(r#"{"metric":{},"value":[1,"7"]}"#),
                "unreadable answer: single values where ranges of samples were asked for",
            ),
        ] {
            assert_eq!(read(&body, Wanted::Ranges).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn warnings_degrade() {
        let body = r#"{"status":"success","warnings":["one\nline","two"],"isPartial":true,
            "data":{"resultType":"vector","result":[]}}"#;
        let answer = read(body, Wanted::Values).unwrap();
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
            let error =
                decode(StatusCode::from_u16(status).unwrap(), body.as_bytes(), Wanted::Values, "t", LIMIT).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.is_blinding()), (said, blinding));
        }
    }
}
