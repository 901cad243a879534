//! The integration tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod companion;
