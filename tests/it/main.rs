//! The one integration binary: one module per behaviour.

mod config;
