//! Which lists a template may make: none that could hold the same values many times over, and so on, without a step being
//! counted. `+` and `*` do that to lists without copying anything, as do lists of values, and a few filters.
//!
//! What a name stands for is not known here. So `+` of two things that both could be lists is fine where its result goes by, for
//! a source has only so many of them; but it gets no name, and is handed to nothing that would give it one. `*` is fine with
//! a small number.

use std::ops::Range;

use minijinja::machinery::{
    Span,
    ast::{BinOp, BinOpKind, Call, CallArg, Expr, Filter, Spanned, UnaryOpKind},
};

use super::scan::bytes;

/// The largest number that anything may be multiplied with: a share to percents.
const TIMES_MAX: f64 = 100.0;
/// Filters that answer one text or number, whatever they are given.
const PLAIN: [&str; 20] = [
    "abs",
    "bool",
    "capitalize",
    "count",
    "duration",
    "float",
    "format",
    "int",
    "join",
    "length",
    "lower",
    "percent",
    "replace",
    "round",
    "string",
    "title",
    "tojson",
    "trim",
    "truncate",
    "upper",
];
/// What the members of a group are called beside their numbers.
const MEMBERS: [&str; 2] = ["grouper", "list"];

const VALUES: &str = "it makes a list, a tuple or a map of values; only lists of plain constants can be written";
const ADDED: &str = "what is added could be two lists, and is kept; if it is a number, write `(a + b) | float`";
const TIMES: &str = "what is multiplied could be a list; if it is a number, write `(a | float) * (b | float)`";
const MANY: &str = "a list could be held many times over; only plain constants can be given here";

/// Why a template must not be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The bytes that are meant.
    pub range: Range<usize>,
    /// In words.
    pub why: &'static str,
}

/// What an expression comes to, as far as its writing tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A text, a number, a truth.
    Plain,
    /// Whatever was given.
    Given,
    /// It may be a list that is longer than what was given.
    Grown,
}

/// Looks through a template's expressions; keeps the first refusal.
#[derive(Debug, Default)]
pub struct Growth {
    /// Why the template is refused.
    pub refused: Option<Refusal>,
}

impl Growth {
    /// An expression whose value goes by.
    pub fn passing(&mut self, expr: &Expr<'_>) {
        self.kind(expr);
    }

    /// An expression whose value gets a name.
    pub fn kept(&mut self, expr: &Expr<'_>) {
        if self.kind(expr) == Kind::Grown {
            self.refuse(expr.span(), ADDED);
        }
    }

    /// A call: what it is given gets names.
    pub fn call(&mut self, call: &Call<'_>) {
        self.passing(&call.expr);
        for arg in &call.args {
            match arg {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.kept(value),
                CallArg::PosSplat(values) | CallArg::KwargSplat(values) => self.refuse(values.span(), MANY),
            }
        }
    }

    fn refuse(&mut self, span: Span, why: &'static str) {
        self.refused.get_or_insert(Refusal { range: bytes(span), why });
    }

    fn kind(&mut self, expr: &Expr<'_>) -> Kind {
        match expr {
            Expr::Const(_) => Kind::Plain,
            Expr::Var(_) => Kind::Given,
            Expr::GetAttr(get) => {
                self.passing(&get.expr);
                Kind::Given
            }
            Expr::GetItem(get) => {
                self.passing(&get.expr);
                self.passing(&get.subscript_expr);
                Kind::Given
            }
            Expr::Slice(slice) => {
                [&slice.start, &slice.stop, &slice.step].into_iter().flatten().for_each(|at| self.passing(at));
                self.kind(&slice.expr)
            }
            Expr::UnaryOp(unary) => {
                self.passing(&unary.expr);
                Kind::Plain
            }
            Expr::BinOp(binary) => self.binary(binary),
            Expr::Compare(compare) => {
                self.passing(&compare.expr);
                compare.ops.iter().for_each(|with| self.passing(&with.expr));
                Kind::Plain
            }
            Expr::IfExpr(choice) => {
                self.passing(&choice.test_expr);
                let other = choice.false_expr.as_ref().map_or(Kind::Plain, |other| self.kind(other));
                self.kind(&choice.true_expr).max(other)
            }
            Expr::Filter(filter) => self.filter(filter),
            Expr::Test(test) => {
                self.passing(&test.expr);
                self.args(&test.args);
                Kind::Plain
            }
            Expr::Call(call) => {
                self.call(call);
                Kind::Given
            }
            Expr::List(list) => {
                if let Some(value) = list.items.iter().find(|item| !is_constant(item)) {
                    self.refuse(value.span(), VALUES);
                }
                Kind::Given
            }
            Expr::Tuple(_) | Expr::Map(_) => {
                self.refuse(expr.span(), VALUES);
                Kind::Given
            }
        }
    }

    fn binary(&mut self, binary: &Spanned<BinOp<'_>>) -> Kind {
        let (left, right) = (self.kind(&binary.left), self.kind(&binary.right));
        match binary.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => left.max(right),
            // A list and something plain cannot be added.
            BinOpKind::Add if left.min(right) > Kind::Plain => Kind::Grown,
            BinOpKind::Mul if left.max(right) > Kind::Plain => {
                let by_few = is_small(&binary.left) || is_small(&binary.right);
                if !by_few || left.max(right) > Kind::Given {
                    self.refuse(binary.span(), TIMES);
                }
                Kind::Grown
            }
            _ => Kind::Plain,
        }
    }

    fn filter(&mut self, filter: &Filter<'_>) -> Kind {
        let input = filter.expr.as_ref().map_or(Kind::Plain, |input| self.kind(input));
        let args = self.args(&filter.args);
        for arg in filter.args.iter().filter(|_| matches!(filter.name, "map" | "groupby")) {
            let is_path = filter.name == "groupby" && !matches!(arg, CallArg::Kwarg("default", _));
            if let Some(value) = given(arg).filter(|value| !is_constant(value) || is_path && names_a_member(value)) {
                self.refuse(value.span(), MANY);
            }
        }
        if PLAIN.contains(&filter.name) { Kind::Plain } else { input.max(args).max(Kind::Given) }
    }

    fn args(&mut self, args: &[CallArg<'_>]) -> Kind {
        for arg in args {
            if let CallArg::PosSplat(values) | CallArg::KwargSplat(values) = arg {
                self.refuse(values.span(), MANY);
            }
        }
        args.iter().filter_map(given).map(|value| self.kind(value)).max().unwrap_or(Kind::Plain)
    }
}

fn given<'e>(arg: &'e CallArg<'e>) -> Option<&'e Expr<'e>> {
    match arg {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) => Some(value),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => None,
    }
}

fn is_constant(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(_) => true,
        Expr::UnaryOp(unary) => matches!(unary.op, UnaryOpKind::Neg) && is_constant(&unary.expr),
        Expr::List(list) => list.items.iter().all(is_constant),
        _ => false,
    }
}

fn is_small(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(constant) => f64::try_from(constant.value.clone()).is_ok_and(|number| number <= TIMES_MAX),
        // A list cannot be had a negative number of times.
        Expr::UnaryOp(unary) => matches!(unary.op, UnaryOpKind::Neg) && is_constant(&unary.expr),
        _ => false,
    }
}

/// A group holds its members, and they what they were grouped by: groups by groups would hold all of it twice.
fn names_a_member(value: &Expr<'_>) -> bool {
    let Expr::Const(constant) = value else { return true };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    constant.value.as_str().is_none_or(|path| path.split('.').any(|part| MEMBERS.contains(&part) || is_number(part)))
}
