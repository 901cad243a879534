//! Bodies are read in chunks up to a limit: a source that sends without end costs memory only up to there.

use reqwest::Response;

/// Why a body could not be read.
#[derive(Debug)]
pub(super) enum BodyError {
    /// More than this many bytes, after decompression.
    TooLarge(usize),
    /// The connection broke.
    Broken(reqwest::Error),
}

/// Reads all of a body, at most `limit` bytes. How long it takes is the caller's to limit.
pub(super) async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(BodyError::TooLarge(limit));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The beginning of a body as one short line, for messages.
pub(super) fn snippet(body: &[u8]) -> String {
    const CHARACTERS: usize = 120;
    let text = String::from_utf8_lossy(&body[..body.len().min(CHARACTERS * 8)]);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = line.chars().filter(|character| !character.is_control()).take(CHARACTERS).collect();
    if shown.is_empty() { "an empty body".to_owned() } else { format!("`{shown}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_are_one_short_line() {
        assert_eq!(snippet(b""), "an empty body");
        assert_eq!(snippet(b"<html>\n  <b>no\x07</b>"), "`<html> <b>no</b>`");
        assert_eq!(snippet(&[b'x'; 10_000]).len(), 122);
        assert_eq!(snippet(&[0xff, 0xfe]), "`\u{fffd}\u{fffd}`");
    }
}
