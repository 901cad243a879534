//! What a template is written like: which templates it takes in, and whether it may be tried at all.
//!
//! The engine counts the steps of a rendering, but not the stack that a long expression needs, and it pays for the text of a
//! list only after that is written. So what could grow without an end is refused before: long expressions by their tokens,
//! and lists by how they are made. See [`Refusal`].

use std::ops::Range;

use minijinja::{
    machinery::{
        Span, Token,
        ast::{Expr, Stmt},
        parse, tokenize,
    },
    syntax::SyntaxConfig,
};

use super::{
    growth::{Growth, Refusal},
    syntax,
};

/// Most tokens between one pair of braces: the engine, and we, go as deep as they are chained.
const TOKENS_MAX: usize = 400;
/// Most `elif`s of a template: each is within the one before.
const ELIFS_MAX: usize = 100;

/// The names that it takes in, as far as they stand in quotes, each with the bytes where it stands, quotes included.
pub fn includes(source: &str) -> Vec<(String, Range<usize>)> {
    let mut walk = Walk::default();
    // What cannot be read includes nothing; compiling says what is wrong with it.
    if too_long(source, &syntax()).is_none()
        && let Ok(read) = parse(source, "", syntax())
    {
        walk.statement(&read);
    }
    walk.included
}

/// Why it must not be tried; none also if it cannot be read, which compiling says better.
pub fn refusal(source: &str) -> Option<Refusal> {
    if let Some(refusal) = too_long(source, &syntax()) {
        return Some(refusal);
    }
    let mut walk = Walk::default();
    walk.statement(&parse(source, "", syntax()).ok()?);
    walk.growth.refused
}

fn too_long(source: &str, syntax: &SyntaxConfig) -> Option<Refusal> {
    let (mut length, mut elifs) = (0, 0);
    for (token, span) in tokenize(source, false, syntax.clone()).map_while(Result::ok) {
        match token {
            Token::TemplateData(_) | Token::VariableStart | Token::BlockStart => length = 0,
            Token::Ident("elif") => (length, elifs) = (length + 1, elifs + 1),
            _ => length += 1,
        }
        if length > TOKENS_MAX {
            return Some(Refusal { range: bytes(span), why: "an expression is too long" });
        }
        if elifs > ELIFS_MAX {
            return Some(Refusal { range: bytes(span), why: "it has over 100 `elif`s" });
        }
    }
    None
}

/// The bytes that are meant.
pub(super) fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

#[derive(Default)]
struct Walk {
    included: Vec<(String, Range<usize>)>,
    growth: Growth,
}

impl Walk {
    fn statement(&mut self, statement: &Stmt<'_>) {
        let growth = &mut self.growth;
        match statement {
            Stmt::Template(read) => self.all(&read.children),
            Stmt::EmitExpr(shown) => growth.passing(&shown.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(each) => {
                growth.passing(&each.iter);
                each.filter_expr.iter().for_each(|filter| growth.passing(filter));
                self.all(&each.body);
                self.all(&each.else_body);
            }
            Stmt::IfCond(condition) => {
                growth.passing(&condition.expr);
                self.all(&condition.true_body);
                self.all(&condition.false_body);
            }
            Stmt::WithBlock(with) => {
                with.assignments.iter().for_each(|(_, value)| growth.kept(value));
                self.all(&with.body);
            }
            Stmt::Set(set) => growth.kept(&set.expr),
            Stmt::SetBlock(set) => {
                set.filter.iter().for_each(|filter| growth.kept(filter));
                self.all(&set.body);
            }
            Stmt::AutoEscape(escape) => {
                growth.passing(&escape.enabled);
                self.all(&escape.body);
            }
            Stmt::FilterBlock(block) => {
                growth.passing(&block.filter);
                self.all(&block.body);
            }
            Stmt::Block(block) => self.all(&block.body),
            Stmt::Import(import) => self.include(&import.expr),
            Stmt::FromImport(import) => self.include(&import.expr),
            Stmt::Extends(extends) => self.include(&extends.name),
            Stmt::Include(include) => self.include(&include.name),
            Stmt::Macro(made) => {
                made.defaults.iter().for_each(|value| growth.kept(value));
                self.all(&made.body);
            }
            Stmt::CallBlock(block) => {
                growth.call(&block.call);
                block.macro_decl.defaults.iter().for_each(|value| growth.kept(value));
                self.all(&block.macro_decl.body);
            }
            Stmt::Do(done) => growth.call(&done.call),
        }
    }

    fn all(&mut self, statements: &[Stmt<'_>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn include(&mut self, name: &Expr<'_>) {
        self.growth.passing(name);
        if let Expr::Const(constant) = name
            && let Some(text) = constant.value.as_str()
        {
            self.included.push((text.to_owned(), bytes(constant.span())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_grow_is_refused() {
        for fine in [
            "{{ a }} [b] (c, d) {x}",
            "{{ a[0] }} {{ a['b'] }} {{ f(a, b) }} {{ (a) }} {{ 'a, [b' }} {{ a | f(b, c) }}",
            "{% for a, b in c %}{% endfor %}{% set a, b = c %}{% macro m(a, b) %}{% endmacro %}",
            "{% for a in ['1h', '6h', 3] %}{% include ['a', 'b'] %}{% endfor %}",
            "{# {{ [a] }} #}{% raw %}{{ [a] }}{% endraw %}",
            "{{ a",
            "{{ (a",
            "{% for (a, b) in c %}{% endfor %}{% set (a, b) = c %}{{ a in ['x', -1] and b not in ['y'] }}",
            "{{ a * 100 }} {{ -1 * a }} {{ 2 * 3 }} {{ a / b * 60 }} {{ (a | float) * (b | float) }} {{ 'x' * 3 }}",
            "{{ a + b + c }} {% set n = a + 1 %}{% set n = (a + b) | round %}{% set n = a - b %}{% set n = a ~ b %}",
            "{% set a = b %}{% set a = b | sort %}{% set a = b or c %}{% set a = range(3) %}{% set a = b[1:] %}",
            "{{ a | map(attribute='b') | join }} {{ a | map('truncate', 3) }} {{ a | groupby('b.c', default='') }}",
            "{#} {{ [a] }} #}",
        ] {
            assert_eq!(refusal(fine), None, "{fine}");
        }
        let made = [
            "{{ [a] }}",
            "{{ [1, [a]] }}",
            "{{ (a, b) }}",
            "{{ a, b }}",
            "{% set l = l, l %}",
            "{% set l = [l, l] %}",
            "{{ {'a': a} }}",
            "{{ f([a]) }}",
            "{% for a in [[text]] recursive %}{% endfor %}",
            "{{ f((a, b)) }}",
            "ä{{ 'ö' ~ [a] }}",
            // After a word it is no index.
            "{% set l = false or [l, l] %}",
            "{% set l = l if a else [l, l] %}",
            "{{ a in [b, c] }}",
            "{{ not (a, b) }}",
            "{% for a in (b, c) %}{% endfor %}",
            "{% for a in [b] %}{% endfor %}",
            // A bracket in a list does not hide it.
            "{% set l = [(l), (l)] %}",
            "{{ [1[a]] }}",
            // `{#}` begins a comment and ends none.
            "{#} {{ \"  #}{% set l = [l, l] %}{# \" }} #}",
            // Lists are added and repeated without any step.
            "{% set l = l + l %}",
            "{% set l = (l + l) | list %}",
            "{% set l = (l + l)[1:] %}",
            "{% set l = a and l + l %}",
            "{% set l = l if a else l + l %}",
            "{% set l = l * 2 %}",
            "{% with l = l + l %}{% endwith %}",
            "{% macro m(l=l + l) %}{% endmacro %}",
            "{{ m(l + l) }}",
            "{{ m(a=l + l) }}",
            "{% call m(l + l) %}{% endcall %}",
            "{% for a in b recursive %}{{ loop(l + l) }}{% endfor %}",
            "{{ l * 100000000 }}",
            "{{ [1] * 100000000 }}",
            "{{ l * (a | int) }}",
            "{{ l * 100 * 100 }}",
            "{{ m(*l) }}",
            // Filters that would hold a list many times over.
            "{% set l = range(2) | map(attribute='x', default=l) %}",
            "{% set l = [0, 0] | map('default', l, true) %}",
            "{% set l = l | groupby('list') %}",
            "{% set l = l | groupby('a.1') %}",
            "{% set l = l | groupby(attribute=a) %}",
            "{% set l = l | groupby('a', default=l) %}",
            "{% filter map('default', l) %}{% endfilter %}",
        ];
        let slipped: Vec<_> = made.into_iter().filter(|made| refusal(made).is_none()).collect();
        assert_eq!(slipped, ["{{ a, b }}"]);
        assert!(slipped.iter().all(|made| parse(made, "", syntax()).is_err()), "the engine refuses it itself");
    }

    /// Each operator is a frame of the stack, in the engine and here.
    #[test]
    fn what_is_too_deep_is_refused() {
        for (begin, again, end) in [
            ("{{ 1", "+1", " }}"),
            ("{{ 1", "|abs", " }}"),
            ("{{ a", ".a", " }}"),
            ("{{ a", "()", " }}"),
            ("{% if a", " and a", " %}{% endif %}"),
            ("{% if a %}", "{% elif a %}", "{% endif %}"),
        ] {
            let with = |count: usize| format!("{begin}{}{end}", again.repeat(count));
            assert_eq!(refusal(&with(90)), None, "{again}");
            for count in [500, 1_000, 4_000] {
                assert!(refusal(&with(count)).is_some() && includes(&with(count)).is_empty(), "{again} {count}");
            }
        }
        assert_eq!(refusal(&"{{ a }}{% if b %}c{% endif %}".repeat(500)), None);
    }

    #[test]
    fn names_in_quotes_are_found() {
        for (source, names) in [
            ("", ""),
            ("{{ 'a' }} {% if a %}{% endif %} include 'b' { %", ""),
            ("{% include 'a' %}{%- include \"b-c\" -%}{%+include'd'%}", "a b-c d"),
            ("{% from 'a' import b %}{% import 'c' as d %}{% extends 'e' %}", "a c e"),
            ("{# {% include 'a' %} #}{% include 'b' ignore missing %}", "b"),
            ("{% raw %}{% include 'a' %}{% endraw %}{% include 'b' %}", "b"),
            ("{% include name %}{% include ['a', 'b'] %}", ""),
            ("{% include 'a", ""),
            ("{% include", ""),
            ("{#", ""),
            ("{% raw %}", ""),
            ("ä{% include 'ö' %}", "ö"),
        ] {
            let found = includes(source);
            let found_names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(found_names.join(" "), names, "{source}");
            assert!(
                found.iter().all(|(name, range)| source[range.clone()][1..].starts_with(name.as_str())),
                "{source}"
            );
        }
    }
}
