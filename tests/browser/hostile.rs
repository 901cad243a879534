//! Texts that want to be more than text, from everywhere that texts come from.

/// Would call the function that a page of ours never calls.
pub const SCRIPT: &str = "<script>alert('slod')</script>";
/// Leaves an attribute, if it is let.
pub const IMAGE: &str = "\"><img src=x onerror=alert(1)>";
/// Leaves a text area and a style, if it is let.
pub const CLOSERS: &str = "</textarea></style></title><svg onload=alert(2)>'`${alert(3)}`";
/// Turns what follows around, and is read from the right itself.
pub const RIGHT_TO_LEFT: &str = "مرحبا \u{202e}gpj.exe\u{202c} שלום";
/// More than one code point to the sign.
pub const EMOJI: &str = "👩‍👩‍👧‍👦🔥🏳️‍🌈";

/// A word that no line holds.
pub fn endless(length: usize) -> String {
    "long".chars().cycle().take(length).collect()
}

/// All of them.
pub fn everything() -> String {
    format!("{SCRIPT} {IMAGE} {CLOSERS} {RIGHT_TO_LEFT} {EMOJI}")
}
