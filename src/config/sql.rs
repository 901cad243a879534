//! Looks at SQL just closely enough to know that it is one statement with at most `$1` and `$2`.
//!
//! Reading only is enforced by the transaction, not here.

/// Longest query.
const BYTES_MAX: usize = 64 << 10;

/// What is wrong with a query, if anything. `slot_bounds`: `$1` and `$2` are there to be used.
pub(crate) fn problem(sql: &str, slot_bounds: bool) -> Option<String> {
    if sql.len() > BYTES_MAX {
        return Some("it is over 64 KiB".to_owned());
    }
    let (mut words, mut ended) = (0_usize, false);
    let mut rest = sql;
    while let Some(letter) = rest.chars().next() {
        let token = match token(rest, letter) {
            Ok(token) => token,
            Err(why) => return Some(why),
        };
        match token.kind {
            Kind::Blank => {}
            Kind::End => ended = words > 0,
            _ if ended => return Some("it is more than one statement (only one is run, and only to read)".to_owned()),
            Kind::Parameter(number) if !slot_bounds => {
                return Some(format!("`${number}` has no value here: there is no slot"));
            }
            Kind::Parameter(number) if !(1..=2).contains(&number) => {
                return Some(format!("`${number}` has no value: there are `$1` and `$2`, the slot's start and end"));
            }
            Kind::Parameter(_) | Kind::Word => words += 1,
        }
        rest = &rest[token.length..];
    }
    (words == 0).then(|| "it says nothing".to_owned())
}

enum Kind {
    Blank,
    Word,
    Parameter(u32),
    End,
}

struct Token {
    kind: Kind,
    length: usize,
}

fn token(rest: &str, letter: char) -> Result<Token, String> {
    let word = |length| Ok(Token { kind: Kind::Word, length });
    match letter {
        ';' => Ok(Token { kind: Kind::End, length: 1 }),
        '\'' => quoted(rest, '\'', false).map_or_else(|| Err("a `'` is never closed".to_owned()), word),
        '"' => quoted(rest, '"', false).map_or_else(|| Err("a `\"` is never closed".to_owned()), word),
        '-' if rest.starts_with("--") => Ok(Token { kind: Kind::Blank, length: rest.find('\n').unwrap_or(rest.len()) }),
        '/' if rest.starts_with("/*") => comment(rest).map(|length| Token { kind: Kind::Blank, length }),
        '$' => dollar(rest),
        _ if letter.is_whitespace() => Ok(Token { kind: Kind::Blank, length: letter.len_utf8() }),
        _ if letter.is_alphabetic() || letter == '_' => {
            let length = rest
                .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'))
                .unwrap_or(rest.len());
            if rest[..length].eq_ignore_ascii_case("e") && rest[length..].starts_with('\'') {
                let text = quoted(&rest[length..], '\'', true);
                return text.map_or_else(|| Err("a `'` is never closed".to_owned()), |more| word(length + more));
            }
            word(length)
        }
        _ => word(letter.len_utf8()),
    }
}

/// The length of a quoted text. A doubled quote stands for itself; in `E'…'` a backslash takes the next letter along.
fn quoted(rest: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + 1);
        }
    }
    None
}

/// The length of a comment; they nest.
fn comment(rest: &str) -> Result<usize, String> {
    let (mut depth, mut at) = (0_u32, 0);
    let bytes = rest.as_bytes();
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Ok(at);
                }
            }
            _ => at += 1,
        }
    }
    Err("a `/*` is never closed".to_owned())
}

/// `$1`, or a text between `$tag$` and `$tag$`.
fn dollar(rest: &str) -> Result<Token, String> {
    let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let number = rest[1..=digits].parse().unwrap_or(u32::MAX);
        return Ok(Token { kind: Kind::Parameter(number), length: digits + 1 });
    }
    let tag =
        rest[1..].find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).map_or(rest.len(), |at| at + 1);
    if rest[tag..].starts_with('$') {
        let tag = &rest[..=tag];
        return match rest[tag.len()..].find(tag) {
            Some(at) => Ok(Token { kind: Kind::Word, length: 2 * tag.len() + at }),
            None => Err(format!("a `{tag}` is never closed")),
        };
    }
    Ok(Token { kind: Kind::Word, length: 1 })
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn table() {
        let fine = [
            "select 1",
            "select 1;",
            "select 1; -- ; and more\n",
            "select ';' as a, \";\" from t where b = $1 and c < $2::timestamptz",
            "select $tag$ ; $9 $$ $tag$",
            "select $$;$$",
            "select 'it''s; fine'",
            r"select E'it\'s; fine'",
            "select /* ; /* nested; */ */ 1",
            "with d as (select 1) select * from d",
            "select a$1b from t",
        ];
        for sql in fine {
            assert_eq!(problem(sql, true), None, "{sql}");
        }
        let bad = [
            ("", "says nothing"),
            (" -- only a comment", "says nothing"),
            (";", "says nothing"),
            ("select 1; select 2", "more than one"),
            ("select 1; drop table t;", "more than one"),
            ("select $3", "`$3` has no value"),
            ("select $0", "`$0` has no value"),
            ("select $99999999999", "has no value"),
            ("select 'open", "never closed"),
            ("select \"open", "never closed"),
            ("select $x$ open", "never closed"),
            ("select /* open", "never closed"),
            ("select '\\'; select 2", "more than one"),
        ];
        for (sql, expected) in bad {
            assert!(problem(sql, true).is_some_and(|why| why.contains(expected)), "{sql}: {:?}", problem(sql, true));
        }
        assert!(problem("select $1", false).is_some());
    }
}
