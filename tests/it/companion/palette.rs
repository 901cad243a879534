//! The colours of the pages: every pair that stands together can be told apart, in every theme.

use std::collections::BTreeMap;

use super::{fake_desk::FakeDesk, get, tcp};

/// Text on what it stands on: at least 4.5.
const TEXT: &[(&[&str], &[&str])] = &[
    (&["ink", "soft", "link"], &["page", "card", "band"]),
    (&["good", "warn", "bad", "mute"], &["page", "card", "band"]),
    (&["ink", "link"], &["bad-tint", "warn-tint"]),
    (&["good"], &["good-tint"]),
    (&["warn"], &["warn-tint"]),
    (&["bad"], &["bad-tint"]),
    (&["mute"], &["mute-tint"]),
];
/// What is drawn on what it is drawn on: at least 3.
const GRAPHICS: &[(&[&str], &[&str])] = &[
    (&["good-fill", "warn-fill", "bad-fill", "mute-fill", "series", "edge"], &["page", "card"]),
    (&["good-fill", "warn-fill", "bad-fill"], &["rail"]),
    (&["link", "series"], &["page", "card"]),
];

type Theme = BTreeMap<String, String>;

fn themes(css: &str) -> Vec<Theme> {
    let mut themes = Vec::new();
    for block in css.split(":root").skip(1) {
        let inside = block.split_once('{').unwrap().1.split_once('}').unwrap().0;
        let colours = inside.split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(": "));
        themes.push(colours.map(|(name, colour)| (name.to_owned(), colour.trim().to_owned())).collect());
    }
    themes
}

/// Relative luminance after WCAG 2.2.
fn luminance(colour: &str) -> f64 {
    assert_eq!(colour.len(), 7, "{colour}");
    let part = |from: usize| {
        let value = f64::from(u8::from_str_radix(&colour[from..from + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[tokio::test]
async fn every_pair_can_be_told_apart() {
    let css = get(&tcp(FakeDesk::default()), "/assets/slod.css").await.text;
    let themes = themes(&css);
    assert_eq!(themes.len(), 3, "light, dark, print");
    let mut weak = Vec::new();
    for (number, theme) in themes.iter().enumerate() {
        for (pairs, least) in [(TEXT, 4.5), (GRAPHICS, 3.0)] {
            for (one, other) in pairs
                .iter()
                .flat_map(|(ones, others)| ones.iter().flat_map(|one| others.iter().map(move |other| (one, other))))
            {
                let found = contrast(&theme[*one], &theme[*other]);
                if found < least {
                    weak.push(format!("theme {number}: {one} on {other} is {found:.2}, not {least}"));
                }
            }
        }
        assert_eq!(theme.keys().collect::<Vec<_>>(), themes[0].keys().collect::<Vec<_>>(), "a theme lacks a colour");
    }
    assert!(weak.is_empty(), "{}", weak.join("\n"));
    assert!(
        (contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9 && (contrast("#777777", "#777777") - 1.0).abs() < 1e-9
    );
}

/// A page comes in pieces: columns that take the room of those still to come would jump when they arrive.
#[tokio::test]
async fn columns_keep_their_width_while_a_page_arrives() {
    let css = get(&tcp(FakeDesk::default()), "/assets/slod.css").await.text;
    assert!(css.contains("auto-fill") && !css.contains("auto-fit"), "{css}");
}

#[tokio::test]
async fn colours_are_written_in_one_place() {
    let css = get(&tcp(FakeDesk::default()), "/assets/slod.css").await.text;
    let rest = css
        .split(":root")
        .fold(String::new(), |rest, block| rest + block.split_once('}').map_or(block, |(_, after)| after));
    let written: Vec<&str> = rest
        .split('#')
        .skip(1)
        .filter(|after| after.starts_with(|letter: char| letter.is_ascii_hexdigit()))
        .map(|after| &after[..6.min(after.len())])
        .collect();
    assert!(written.is_empty(), "{written:?}");
    for wanted in [
        "prefers-color-scheme: dark",
        "prefers-reduced-motion",
        "forced-colors: active",
        "@media print",
        ":focus-visible",
        "tabular-nums",
    ] {
        assert!(css.contains(wanted), "{wanted}");
    }
    assert!(!css.contains("http") && !css.contains("@import") && !css.contains("@font-face"));
}
