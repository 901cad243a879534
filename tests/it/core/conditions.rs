//! Conditions, as tables: slots in, whether the policy's alert is up out.

use slod::domain::{
    condition::{Memory, Truth, judge},
    policy::{Condition, OnGap, Policy, Priority},
    slo::{Comparison, IndicatorKind, Operator, SloSpec},
};

use super::world::{DAY, World, pair, policy, slo, under};

fn value_over(bound: f64) -> Condition {
    Condition::Value(Comparison { operator: Operator::Greater, bound })
}

/// The condition at the last of these slots, judged once, without a past.
fn truth(condition: &Condition, kind: IndicatorKind, slots: &str, change: impl Fn(&mut Policy)) -> Truth {
    let mut policy = policy("it", Priority::P2, condition.clone());
    change(&mut policy);
    let mut world = World::new(slo(kind, 99.0, 60), Vec::new());
    world.feed(slots);
    let spec: &SloSpec = &world.core.rules.slos[&world.key.id].spec;
    let ledger = &world.core.series[&world.key].ledger;
    let Some(at) = ledger.newest() else { return Truth::Unknown };
    judge(condition, &policy, spec, ledger, at, &mut Memory::default()).map_or(Truth::Unknown, |seen| seen.truth)
}

#[test]
fn runs_and_gaps() {
    use OnGap::{Count, Hold, Reset};
    #[rustfmt::skip]
    let cases = [
        ("bbb", Hold, true), ("bb", Hold, false), ("gbbb", Hold, true), ("bbbg", Hold, false), ("bgbb", Hold, false),
        ("b_bb", Hold, true), ("b!e_bb", Hold, true), ("bx bb", Hold, true), ("b.bb", Hold, true), ("bbb_", Hold, true),
        ("b_*12 bb", Hold, true), ("b_*13 bb", Hold, false), ("b.*12 bb", Hold, true), ("b.*13 bb", Hold, false),
        ("b_*6 .*7 bb", Hold, false), ("b_*12 b_*12 b", Hold, true), ("b_*13 bbb", Hold, true),
        ("b_bb", Reset, false), ("b_bbb", Reset, true), ("be bb", Reset, false), ("bx bb", Reset, false),
        ("b.bb", Reset, false), ("bbb_", Reset, false), ("bbb", Reset, true),
        ("b__", Count, true), ("___", Count, true), ("b_b", Count, true), ("eee", Count, false), ("beb_", Count, true),
        ("bxb!", Count, true), ("b..b", Count, false), ("g__", Count, false),
    ];
    for (slots, on_gap, want) in cases {
        for kind in [IndicatorKind::Probe, IndicatorKind::Value, IndicatorKind::Ratio] {
            let got = truth(&Condition::Consecutive(3), kind, slots, |policy| policy.on_gap = on_gap);
            assert_eq!(got, want.into(), "{slots} {on_gap:?} {kind:?}");
        }
    }
}

#[test]
fn small_samples() {
    // A slot with one bad of 100 events is on its 99 %: met. So count events of two a slot.
    let bad_of_two = |slots: &str, min_bad: u32, kind| {
        let mut policy = policy("it", Priority::P2, Condition::Consecutive(1));
        policy.min_bad = min_bad;
        let mut world = World::with(slo(kind, 99.0, 60), policy);
        world.events = 2.0;
        world.feed(slots);
        world.told("pager") == "trigger"
    };
    for (slots, min_bad, want) in [
        ("1", 2, false),
        ("1", 1, true),
        ("11", 2, true),
        ("1e1", 2, true),
        ("1g1", 2, false),
        ("b", 2, true),
        ("b", 3, false),
    ] {
        assert_eq!(bad_of_two(slots, min_bad, IndicatorKind::Ratio), want, "{slots} min_bad {min_bad}");
    }
    assert!(bad_of_two("1", 2, IndicatorKind::Probe), "a probe's run counts slots");
}

/// Every cell of the two three-valued tables.
#[test]
fn three_valued_all_and_any() {
    let of = |truth| match truth {
        't' => Condition::Consecutive(1),
        'f' => Condition::Consecutive(9),
        _ => value_over(0.0), // the newest slot is a gap
    };
    #[rustfmt::skip]
    let cases = [
        ("tt", 't', 't'), ("tf", 'f', 't'), ("tu", 'u', 't'), ("ff", 'f', 'f'), ("fu", 'f', 'u'), ("uu", 'u', 'u'),
        ("ft", 'f', 't'), ("ut", 'u', 't'), ("uf", 'f', 'u'), ("tuf", 'f', 't'),
    ];
    let word = |truth| match truth {
        Truth::True => 't',
        Truth::False => 'f',
        Truth::Unknown => 'u',
    };
    for (parts, all, any) in cases {
        let parts: Vec<_> = parts.chars().map(of).collect();
        let got = |condition| word(truth(&condition, IndicatorKind::Value, "b_", |_| {}));
        assert_eq!(got(Condition::All(parts.clone())), all, "all {parts:?}");
        assert_eq!(got(Condition::Any(parts.clone())), any, "any {parts:?}");
    }
}

#[test]
fn values_and_silence() {
    let no_data = Condition::NoData(180);
    #[rustfmt::skip]
    let cases = [
        (value_over(500.0), "gb", Truth::True), (value_over(500.0), "bg", Truth::False), (value_over(500.0), "b_", Truth::Unknown),
        (no_data.clone(), "g__", Truth::False), (no_data.clone(), "g___", Truth::True), (no_data.clone(), "g!_!", Truth::True),
        (no_data.clone(), "___", Truth::True), (no_data.clone(), "g_e_", Truth::False), (no_data.clone(), "g_x__", Truth::True),
        // slod was not running: that time neither counts nor ends the silence
        (no_data.clone(), "g.........", Truth::False), (no_data.clone(), "g_.....__", Truth::True),
        (no_data.clone(), "g.....__", Truth::False), (no_data, "b", Truth::False),
    ];
    for (condition, slots, want) in cases {
        assert_eq!(truth(&condition, IndicatorKind::Value, slots, |_| {}), want, "{condition:?} {slots}");
    }
}

#[test]
fn burn_pairs() {
    let fast = pair(600, 120, 10.0); // of 99 %: 10 % bad in ten minutes and in two
    #[rustfmt::skip]
    let cases = [
        ("g*9 b", Truth::True), ("g*8 b g", Truth::True), ("g*7 b gg", Truth::False), ("g*10", Truth::False),
        ("g*9 _", Truth::False), ("_*10", Truth::Unknown), (".*9 b", Truth::True), ("e*10", Truth::False),
        // not even the kind reading: unmeasured minutes were good, with the mean traffic
        ("_*8 b", Truth::True), ("_*9 1", Truth::False),
    ];
    for (slots, want) in cases {
        assert_eq!(truth(&fast, IndicatorKind::Ratio, slots, |_| {}), want, "{slots}");
    }
    // Slots that do not divide the windows: whole slots only, at least two in the short one.
    let mut world =
        World::with(slo(IndicatorKind::Ratio, 99.0, 420), policy("odd", Priority::P2, pair(3_600, 900, 10.0)));
    world.feed("g*20 b");
    assert_eq!(world.firing(), ["odd:1h/15m"]);
    world.feed("gg");
    assert_eq!(world.firing(), Vec::<String>::new(), "900 s hold two slots of 420 s");
}

/// Remaining at 99 % over ten minutes of 100 events: each bad slot costs ten budgets; so use a long window.
#[test]
fn budgets_are_about_spending_that_goes_on() {
    let budget = |slots: &str| {
        let mut rules = slo(IndicatorKind::Probe, 90.0, 60);
        rules.spec.window = slod::domain::slo::Window::Rolling(6_000); // 100 slots: ten may be bad
        let mut spent = policy("spent", Priority::P1, under(0.25));
        spent.active = Some(600);
        spent.reopen_within = Some(0);
        let mut world = World::with(rules, spent);
        world.history(100, 'g');
        world.feed(slots);
        world.minutes("pager")
    };
    #[rustfmt::skip]
    let cases = [
        ("b*7", ""),                                                     // 30 % left
        ("b*8", "8:trigger"),                                            // 20 %: crossed at the eighth
        ("b*8 g*4", "8:trigger"), ("b*8 g*5", "8:trigger 13:resolve"),   // all good for five minutes: clearing
        ("b*8 g*9 b", "8:trigger 13:resolve 18:trigger"),                // still spending: a new incident (reopen_within 0)
        ("b*8 g*30", "8:trigger 13:resolve"),                            // over; under the line for an hour to come
        ("b*8 g*30 b", "8:trigger 13:resolve"),                          // one bad slot is not spending again
        ("b*8 g*30 bgb", "8:trigger 13:resolve 41:trigger"),             // two within ten minutes are
        ("b*8 g*30 bg*12 b", "8:trigger 13:resolve"),                    // too far apart
        // forgotten by the window after 100 slots; re-armed at 30 %, so the next crossing fires at once
        ("b*8 g*110 b*8", "8:trigger 13:resolve 126:trigger"),
    ];
    for (slots, want) in cases {
        assert_eq!(budget(slots), want, "{slots}");
    }
}

#[test]
fn exhaustion_is_judged_on_the_kind_reading() {
    let soon = Condition::ExhaustedWithin { time: 3 * DAY, over: 6 * 3_600 };
    let exhausts = |history: i64, slots: &str| {
        let mut world = World::with(slo(IndicatorKind::Ratio, 99.9, 60), policy("soon", Priority::P3, soon.clone()));
        world.history(history, 'g');
        world.feed(slots);
        world.told("chat")
    };
    assert_eq!(exhausts(43_200, "b"), "", "2.8 times too fast: ten days");
    assert_eq!(exhausts(43_200, "bbbb"), "trigger", "11 times too fast, 91 % left: under three days");
    assert_eq!(exhausts(0, "g*60 b"), "", "no page on a cold start");
    assert_eq!(exhausts(43_200, "b*50"), "trigger", "overspent and still being spent");
}

/// A budget line beside another keeps its own memory.
#[test]
fn two_lines_in_one_policy_do_not_disturb_each_other() {
    let mut rules = slo(IndicatorKind::Probe, 90.0, 60);
    rules.spec.window = slod::domain::slo::Window::Rolling(6_000);
    let mut spent = policy("spent", Priority::P1, Condition::Any(vec![under(0.25), under(-5.0)]));
    (spent.active, spent.reopen_within) = (Some(600), Some(0));
    let mut world = World::with(rules, spent);
    world.history(100, 'g');
    world.feed("b*8 g*30 b");
    assert_eq!(world.minutes("pager"), "8:trigger 13:resolve", "one bad slot is not spending again");
}
