//! The last look at a page: nothing in it steers what people see.

use maud::{Markup, PreEscaped};

use crate::views::render_words::steers;

/// The page with a visible sign for each control character and each mark that turns the direction of writing, wherever
/// they came from. Markup itself has none of them.
pub fn visible(page: Markup) -> Markup {
    if !page.0.contains(hides) {
        return page;
    }
    PreEscaped(page.0.chars().map(|letter| if hides(letter) { '\u{fffd}' } else { letter }).collect())
}

fn hides(letter: char) -> bool {
    steers(letter) && !matches!(letter, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_seen() {
        let shown = |text: &str| visible(PreEscaped(text.to_owned())).0;
        assert_eq!(
            shown("<p>a\u{202e}b\0c\u{1b}[0m\u{7f}\u{85}\u{2066}\u{61c}</p>"),
            format!("<p>a{0}b{0}c{0}[0m{0}{0}{0}{0}</p>", '\u{fffd}')
        );
        for kept in ["<pre>a\n\tb\r\n</pre>", "שלום · é 👩\u{200d}🚒"] {
            assert_eq!(shown(kept), kept);
        }
    }
}
