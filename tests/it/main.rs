//! One binary for all tests that need a world around them.

mod sources;
