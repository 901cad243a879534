//! Templates within their bounds, and what they say of hostile values.

use serde_json::json;

use super::{
    post_incident::{Change, Line, PostIncident},
    *,
};

const HOSTILE: &str = "=<script>alert(1)</script>'&|`{{ 7 }}{% raw %}[x](javascript:y)\u{1b}\u{202e}\n# h";

fn all(sources: &[(&str, &str)]) -> (Templates, Vec<Fault>) {
    let named = sources.iter().filter(|(name, _)| !name.starts_with(SUMMARY));
    let own = sources.iter().filter_map(|(name, source)| Some((name.strip_prefix(SUMMARY)?, source)));
    Templates::new(
        &named.map(|(name, source)| (Name::from(*name), (*source).to_owned())).collect(),
        &own.map(|(name, source)| (Name::from(name), (*source).to_owned())).collect(),
    )
}

/// What a policy's template says, or why it fails.
fn say(source: &str, context: &serde_json::Value) -> String {
    let (templates, faults) = all(&[("summary:p", source)]);
    if let Some(fault) = faults.first() {
        return format!("fault: {fault}");
    }
    templates.summary("p", context).unwrap_or_else(|fault| format!("fault: {fault}"))
}

#[test]
fn values_are_shown() {
    let context = json!({
        "none": null, "yes": true, "whole": 26_900.0, "part": 0.125, "share": -0.13, "seconds": 13_200,
        "list": ["a", "b"], "map": {"k": "v"}, "text": "a b",
    });
    for (source, said) in [
        ("{{ none }} {{ yes }} {{ whole }} {{ part }}", "— yes 26900 0.125"),
        ("{{ share | percent }} {{ none | percent }} {{ seconds | duration }}", "−13 % — 3 h 40 min"),
        ("{{ list | join(', ') }} {{ map.k }} {{ text | upper | truncate(2) }}", "a, b v A…"),
        ("{{ whole * 2 }} {{ part | round(1) }}", "53800 0.1"),
        ("{% for i in range(3) %}{{ i }}{% if not loop.last %}-{% endif %}{% endfor %}", "0-1-2"),
        ("{% set x = text %}{{ x ~ '!' }}", "a b!"),
        ("a\n\n  b\t c ", "a b c"),
        ("{% if missing is defined %}x{% else %}y{% endif %}", "y"),
        ("{{ 'a' if yes else 'b' }}", "a"),
        ("{{ list | tojson }} {{ map | tojson(indent=1) }}", r#"["a", "b"] { "k": "v" }"#),
    ] {
        assert_eq!(say(source, &context), said, "{source}");
    }
}

#[test]
fn what_fails_says_why() {
    for (source, why) in [
        ("{{ missing }}", "`missing` is not defined"),
        ("{{ series.route }}", "`series.route` is not defined"),
        ("{{ series.route.more }}", "is not defined"),
        ("{% if missing %}x{% endif %}", "is not defined"),
        ("", "it says nothing"),
        ("  {# only a remark #}", "it says nothing"),
        ("{{ text | nonsense }}", "nonsense"),
        ("{{ nonsense() }}", "nonsense"),
        ("{{ text.lower() }}", "lower"),
        ("{{ text", "syntax error"),
        ("{% if %}", "syntax error"),
        ("{{ text | safe }}", "safe"),
        ("{{ debug() }}", "debug"),
        ("{% include 'nowhere' %}", "nowhere"),
        ("{{ text | percent }}", "cannot"),
    ] {
        let said = say(source, &json!({"series": {}, "text": "t"}));
        assert!(said.starts_with("fault: ") && said.contains(why), "{source}: {said}");
    }
}

/// Whatever is written, it ends, and soon, and fills no memory.
#[test]
fn nothing_runs_away() {
    let nested = |inner: &str| {
        let each = |name: &str| format!("{{% for {name} in range(1000) %}}");
        format!("{}{}{}{inner}{{% endfor %}}{{% endfor %}}{{% endfor %}}x", each("a"), each("b"), each("c"))
    };
    let doubled = "{% set s = s ~ s %}".repeat(60);
    let listed = "{% set l = [l, l] %}".repeat(60);
    let captured = "{% set s %}{{ s }}{{ s }}{% endset %}".repeat(60);
    for (source, why) in [
        (nested("{{ a }}"), ""),
        (nested(""), "steps"),
        ("{{ 'x' * 100000000 }}".to_owned(), ""),
        ("{{ range(100000) | join(text) }}".to_owned(), ""),
        ("{{ text | replace('', text) | replace('', text) }}".to_owned(), ""),
        (format!("{{% set s = text %}}{doubled}{{{{ s | length }}}}"), "steps"),
        (format!("{{% set s = text %}}{captured}{{{{ s | length }}}}"), ""),
        (format!("{{% set l = [text] %}}{listed}{{{{ l }}}}"), "makes a list"),
        (format!("{{% set l = [text] %}}{listed}{{{{ l | string | length }}}}"), ""),
        ("{% macro m(s, n) %}{{ m(s ~ s, n - 1) }}{% endmacro %}{{ m(text, 100) }}".to_owned(), ""),
        ("{% for a in [[text]] recursive %}{{ loop([[a]]) }}{% endfor %}".to_owned(), ""),
        (format!("{{% for a in range(100) %}}{}{{% endfor %}}", "x".repeat(1_000)), "says more than"),
        ("{% if true %}".repeat(200), ""),
        (format!("{{{{ {} }}}}", "(".repeat(5_000)), ""),
        ("x".repeat(SOURCE_MAX + 1), "over 16 KiB"),
        (format!("{{{{ 1{} }}}}", "+1".repeat(7_000)), "too long"),
        (format!("{{% if text %}}{}{{% endif %}}", "{% elif text %}".repeat(1_000)), "`elif`s"),
        (format!("{{% set l = [1] %}}{}{{{{ l | last }}}}", "{% set l = l + l %}".repeat(60)), "two lists"),
        (
            format!("{{% set l = [1] %}}{}{{{{ l | string }}}}", "{% set l = false or [l, l] %}".repeat(60)),
            "makes a list",
        ),
        ("{{ ([text] * 100000000) | string }}".to_owned(), ""),
        ("{{ ([1] * 100000000) | string }}".to_owned(), "multiplied"),
        ("{{ [1] | tojson(indent=1000000000) }}".to_owned(), "at most 8"),
        ("{{ [[1]] | map('tojson', 1000000000) | join }}".to_owned(), "at most 8"),
        ("{{ '%1000000000d' | format(1) }}".to_owned(), "steps"),
    ] {
        let said = say(&source, &json!({"text": "t".repeat(1_000)}));
        let short: String = source.chars().take(60).collect();
        assert!(said.starts_with("fault: ") && said.contains(why), "{short}: {said}");
    }
}

#[test]
fn templates_include_each_other_but_not_for_ever() {
    let (templates, faults) = all(&[
        ("head", "{{ service }} {{ slo }}"),
        ("summary:p", "{% include 'head' %}: down"),
        ("round", "{% include 'round' %}"),
        ("summary:q", "{% include 'round' %}"),
    ]);
    assert_eq!(faults, []);
    let context = json!({"service": "shop", "slo": "front"});
    assert_eq!(templates.summary("p", &context).unwrap(), "shop front: down");
    let fault = templates.summary("q", &context).unwrap_err();
    assert!(fault.why.contains("recursion"), "{fault}");
    let fault = templates.summary("p", &json!({"service": "shop"})).unwrap_err();
    assert_eq!((fault.template.as_str(), fault.range.clone()), ("head", Some(17..20)), "{fault}");
}

/// A value is never code, and in Markdown never markup.
#[test]
fn hostile_values_stay_values() {
    assert_eq!(
        say("{{ text }}", &json!({"text": HOSTILE})),
        "=<script>alert(1)</script>'&|`{{ 7 }}{% raw %}[x](javascript:y)\u{1b}\u{202e} # h"
    );
    let (templates, faults) =
        all(&[("part", "{{ title }}"), ("post-incident", "- {% include 'part' %}\n\n- {{ about }}\n")]);
    assert_eq!(faults, []);
    let context = PostIncident { title: HOSTILE.into(), about: HOSTILE.into(), ..PostIncident::default() };
    let (text, fault) = templates.post_incident(&context);
    assert_eq!(fault, None);
    let line = "- \\=&lt;script&gt;alert\\(1\\)&lt;/script&gt;'&amp;\\|\\`\\{\\{ 7 \\}\\}\\{% raw %\\}\\[x\\]\\(javascript:y\\)   \\# h";
    assert_eq!(text.lines().collect::<Vec<_>>(), [line, line]);
}

#[test]
fn the_built_in_document_takes_everything() {
    let templates = Templates::default();
    for (what, sample) in post_incident::samples() {
        let (text, fault) = templates.post_incident(&sample);
        assert_eq!(fault, None);
        insta::assert_snapshot!(format!("built-in-{what}"), text);
    }
    let line = Line { at: HOSTILE.into(), kind: HOSTILE.into(), text: HOSTILE.into() };
    let (at, kind, by) = (HOSTILE.to_owned(), HOSTILE.to_owned(), HOSTILE.to_owned());
    let change =
        Change { at, kind, by, text: HOSTILE.into(), url: Some("javascript:alert(1)".into()), ..Change::default() };
    let hostile = PostIncident {
        title: HOSTILE.into(),
        timeline: vec![line; 500],
        changes: vec![change; 10],
        diagnostics: vec![HOSTILE.repeat(7); 50],
        ..PostIncident::default()
    };
    let (text, _) = templates.post_incident(&hostile);
    assert!(text.contains("## Follow-ups") && !text.contains("<script>") && !text.contains("](javascript"), "{text}");
}

#[test]
fn a_document_of_ones_own_that_fails_gives_the_built_in_one() {
    let (templates, _) = all(&[("post-incident", "{{ nonsense }}")]);
    let (text, fault) = templates.post_incident(&post_incident::samples().remove(0).1);
    assert!(text.contains("## Root cause"), "{text}");
    assert_eq!(
        fault.map(|fault| (fault.template, fault.why)),
        Some(("post-incident".into(), "`nonsense` is not defined".into()))
    );
}

#[test]
fn a_first_line_is_cut() {
    let said = say("{{ text }}", &json!({"text": "x".repeat(1_000)}));
    assert_eq!((said.chars().count(), said.ends_with('…')), (LINE_MAX, true));
}
