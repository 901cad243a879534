//! Looks at PromQL before any server does: whether it parses, and whether it has the shape its key needs.

use promql_parser::parser::{self, Expr, LabelModifier};

/// Longest query.
const BYTES_MAX: usize = 16 << 10;
/// Most operators, words and brackets: bounds the depth of the parsed tree.
const TOKENS_MAX: usize = 1_000;

/// What a query must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// Anything that answers numbers.
    Any,
    /// A plain selector, or an expression with `$window`; aggregations must keep the labels.
    Counter(&'a [String]),
    /// A plain selector of a histogram, without `_bucket`.
    Histogram,
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It does not parse.
    Syntax(String),
    /// It parses, but has another shape; with what to do.
    Shape(String, String),
}

/// Checks a query.
pub(crate) fn check(query: &str, shape: Shape<'_>) -> Result<(), Problem> {
    let has_window = query.contains("$window");
    if has_window && !matches!(shape, Shape::Counter(_)) {
        let help = "`$window` stands for the slot in `good`, `bad` and `total` only".to_owned();
        return Err(Problem::Shape("`$window` has no meaning here".to_owned(), help));
    }
    let expr = parse(&query.replace("$window", "5m")).map_err(Problem::Syntax)?;
    match shape {
        Shape::Any => Ok(()),
        Shape::Counter(labels) => counter(&expr, has_window, labels),
        Shape::Histogram => histogram(&expr),
    }
}

fn parse(query: &str) -> Result<Expr, String> {
    if query.len() > BYTES_MAX {
        return Err("it is over 16 KiB".to_owned());
    }
    if tokens(query) > TOKENS_MAX {
        return Err(format!("it has over {TOKENS_MAX} parts"));
    }
    let expr = parser::parse(query).map_err(|why| why.lines().next().unwrap_or_default().trim().to_owned())?;
    Ok(expr)
}

/// About how many tokens there are outside of quotes.
fn tokens(query: &str) -> usize {
    let (mut count, mut in_word, mut quote, mut escaped) = (0, false, None, false);
    for letter in query.chars() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if letter == '\\' && open != '`' {
                escaped = true;
            } else if letter == open {
                quote = None;
            }
            continue;
        }
        let word = letter.is_alphanumeric() || matches!(letter, '_' | ':' | '.');
        if matches!(letter, '"' | '\'' | '`') {
            quote = Some(letter);
            count += 1;
        } else if !(letter.is_whitespace() || word && in_word) {
            count += 1;
        }
        in_word = word;
    }
    count
}

/// The metric's name, if this is a plain selector.
fn selector(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::VectorSelector(found) if found.offset.is_none() && found.at.is_none() => {
            Some(found.name.as_deref().unwrap_or_default())
        }
        Expr::Paren(inner) => selector(&inner.expr),
        _ => None,
    }
}

fn counter(expr: &Expr, has_window: bool, labels: &[String]) -> Result<(), Problem> {
    if selector(expr).is_some() && !matches!(expr, Expr::Paren(_)) {
        return Ok(());
    }
    if !has_window {
        let message = match expr {
            Expr::MatrixSelector(_) => "a range is written behind the selector",
            Expr::VectorSelector(_) => "a selector with `offset` or `@` is no plain selector",
            _ => "it is neither a plain selector nor does it contain `$window`",
        };
        let help = "write the counter's selector alone (counted exactly), or use `[$window]`";
        return Err(Problem::Shape(message.to_owned(), help.to_owned()));
    }
    match labels.iter().find(|label| drops(expr, label)) {
        Some(label) => Err(Problem::Shape(
            format!("it aggregates away `{label}`, which `per` needs"),
            format!("write `by ({label}, …)`"),
        )),
        None => Ok(()),
    }
}

/// Whether an aggregation takes the label away.
fn drops(expr: &Expr, label: &String) -> bool {
    match expr {
        Expr::Aggregate(aggregate) => {
            let kept = match &aggregate.modifier {
                None => false,
                Some(LabelModifier::Include(names)) => names.labels.contains(label),
                Some(LabelModifier::Exclude(names)) => !names.labels.contains(label),
            };
            !kept || drops(&aggregate.expr, label)
        }
        Expr::Unary(unary) => drops(&unary.expr, label),
        Expr::Paren(paren) => drops(&paren.expr, label),
        Expr::Subquery(subquery) => drops(&subquery.expr, label),
        Expr::Binary(binary) => drops(&binary.lhs, label) || drops(&binary.rhs, label),
        Expr::Call(call) => call.args.args.iter().any(|argument| drops(argument, label)),
        _ => false,
    }
}

fn histogram(expr: &Expr) -> Result<(), Problem> {
    let Some(name) = selector(expr) else {
        let help = "write the histogram's name and matchers only".to_owned();
        return Err(Problem::Shape("a histogram is named by a plain selector".to_owned(), help));
    };
    for suffix in ["_bucket", "_count", "_sum"] {
        if let Some(bare) = name.strip_suffix(suffix) {
            let message = format!("`{name}` is one series of a histogram");
            return Err(Problem::Shape(message, format!("write `{bare}` without `{suffix}`")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(query: &str, shape: Shape<'_>) -> &'static str {
        match check(query, shape) {
            Ok(()) => "fine",
            Err(Problem::Syntax(_)) => "syntax",
            Err(Problem::Shape(..)) => "shape",
        }
    }

    #[test]
    fn table() {
        let labels = ["path".to_owned()];
        let counter = Shape::Counter(&[]);
        let cases = [
            ("up", Shape::Any, "fine"),
            ("time() - up", Shape::Any, "fine"),
            ("time( - up", Shape::Any, "syntax"),
            ("", Shape::Any, "syntax"),
            ("rate(x[$window])", Shape::Any, "shape"),
            (r#"x_total{code=~"5.."}"#, counter, "fine"),
            ("x_total[5m]", counter, "shape"),
            ("x_total offset 5m", counter, "shape"),
            ("sum(rate(x_total[5m]))", counter, "shape"),
            ("sum(increase(x_total[$window]))", counter, "fine"),
            ("sum(increase(x_total[$window]))", Shape::Counter(&labels), "shape"),
            ("sum by (path) (increase(x_total[$window]))", Shape::Counter(&labels), "fine"),
            ("sum without (path) (increase(x_total[$window]))", Shape::Counter(&labels), "shape"),
            ("sum without (pod) (increase(x_total[$window]))", Shape::Counter(&labels), "fine"),
            (r#"h_seconds{handler="/"}"#, Shape::Histogram, "fine"),
            ("h_seconds_bucket", Shape::Histogram, "shape"),
            ("rate(h_seconds[5m])", Shape::Histogram, "shape"),
        ];
        for (query, shape, expected) in cases {
            assert_eq!(outcome(query, shape), expected, "{query}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for piece in ["(", "-", "sum(", "1+", "a or ", "- "] {
            assert_eq!(outcome(&piece.repeat(3_000), Shape::Any), "syntax", "{piece}");
            let _ = check(&format!("{}1", piece.repeat(900)), Shape::Any);
            let _ = check(&format!("{}1{}", piece.repeat(400), ")".repeat(400)), Shape::Any);
        }
    }
}
