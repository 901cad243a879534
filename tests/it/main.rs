//! The one integration binary: one module per behaviour.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod config;
