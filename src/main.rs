//! slod.
fn main() {}
