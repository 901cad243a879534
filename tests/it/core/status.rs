//! The public page: confirmed, proposed, approved, reminded of, moved on, taken back; never while blind.

use slod::domain::{
    incident::IncidentEvent,
    notification::{Message, PublicState},
    page_news::PageNews,
    policy::{Condition, Policy, Priority},
    slo::IndicatorKind,
    status_page::StatusClock,
};

use super::world::{World, at, planned, policy, slo, status_page};

fn down() -> Policy {
    let mut down = policy("down", Priority::P1, Condition::Consecutive(1));
    down.notify = vec!["chat".into()];
    down
}

fn world(approve: bool, confirm_for: i64) -> World {
    let mut rules = slo(IndicatorKind::Probe, 99.0, 60);
    rules.status = Some(status_page(approve, confirm_for));
    World::new(rules, vec![planned(down(), None)])
}

fn draft(world: &mut World, approve: bool) {
    world.about(IncidentEvent::StatusDraft { by: "ann".into(), approve });
}

#[test]
fn on_its_own() {
    let mut world = world(false, 300);
    world.feed("b*5");
    assert_eq!(world.told("public"), "", "not confirmed yet");
    world.until(360);
    assert_eq!(world.minutes("public"), "6:investigating", "five minutes after it fired, without any other event");
    world.feed("b*5 g*20");
    assert_eq!(world.minutes("public"), "6:investigating 11:monitoring 21:resolved");
    assert_eq!(world.told("lead"), "", "nobody needs to be reminded");
}

#[test]
fn a_short_breach_is_never_public() {
    let mut world = world(false, 300);
    world.feed("b*4 g*30");
    assert_eq!(world.told("public"), "");
    assert!(world.core.incidents.is_empty(), "finished");
}

#[test]
fn a_relapse_takes_it_back() {
    let mut world = world(false, 0);
    world.feed("b g*3 b g*15");
    assert_eq!(world.minutes("public"), "1:investigating 2:monitoring 5:investigating 6:monitoring 16:resolved");
}

#[test]
fn drafts_wait_for_people_who_are_reminded() {
    let mut world = world(true, 300);
    world.feed("b*30");
    assert_eq!(world.told("public"), "");
    assert_eq!(world.minutes("lead"), "6:update 16:update 21:update", "confirmed, −5m, deadline");
    draft(&mut world, true);
    assert_eq!(world.minutes("public"), "30:investigating");
    let clock = world.incident().status.clone().unwrap();
    assert_eq!((clock.posted_at.unwrap() - clock.due_at.unwrap()).num_minutes(), 9, "the delay is on record");
    world.feed("g");
    assert_eq!(world.told("public"), "investigating", "monitoring waits too");
    draft(&mut world, true);
    world.feed("g*15");
    draft(&mut world, true);
    assert_eq!(world.told("public"), "investigating monitoring resolved");
}

#[test]
fn approved_in_time_there_are_no_more_reminders() {
    let mut world = world(true, 0);
    world.feed("bb");
    draft(&mut world, true);
    world.feed("b*30");
    assert_eq!(world.minutes("lead"), "1:update");
}

#[test]
fn discarded_the_page_is_left_alone() {
    let mut world = world(true, 0);
    world.feed("bb");
    draft(&mut world, false);
    world.feed("b*30 g*20");
    assert_eq!((world.told("public"), world.minutes("lead")), (String::new(), "1:update".into()));
    assert!(world.core.incidents.is_empty(), "finished");
}

/// The page shows something that a person must take back: it is said, and slod leaves it alone.
#[test]
fn a_discarded_end_leaves_the_page_to_people() {
    let mut world = world(true, 0);
    world.feed("bb");
    draft(&mut world, true);
    world.feed("g");
    draft(&mut world, true);
    world.feed("g*12");
    draft(&mut world, false);
    assert_eq!(world.told("public"), "investigating monitoring");
    let said = "status-page the page stays at \"monitoring\" and is left to people";
    assert!(world.lines.iter().any(|line| line == said), "{:?}", world.lines);
    world.feed("b g*20");
    assert_eq!(world.told("public"), "investigating monitoring");
}

/// "Not now" to monitoring is no "never" to the end.
#[test]
fn a_discarded_monitoring_keeps_the_end() {
    let mut world = world(true, 0);
    world.feed("bb");
    draft(&mut world, true);
    world.feed("g");
    draft(&mut world, false);
    let said = "status-page the page stays at \"investigating\" until \"resolved\" is proposed";
    assert!(world.lines.iter().any(|line| line == said), "{:?}", world.lines);
    world.feed("g*5");
    assert_eq!(world.incident().status.as_ref().unwrap().draft, None, "not proposed again");
    world.feed("g*7");
    draft(&mut world, true);
    assert_eq!(world.told("public"), "investigating resolved");
    // A relapse: monitoring is proposed once more.
    let mut world = self::world(true, 0);
    world.feed("bb");
    draft(&mut world, true);
    world.feed("g");
    draft(&mut world, false);
    world.feed("bb g");
    draft(&mut world, true);
    assert_eq!(world.told("public"), "investigating monitoring");
}

/// Over before anybody approved; a relapse is proposed and reminded of anew.
#[test]
fn over_before_it_was_posted() {
    let mut world = world(true, 0);
    world.feed("bb ggg");
    assert_eq!(world.minutes("lead"), "1:update");
    world.feed("b*20");
    assert_eq!(world.minutes("lead"), "1:update 6:update 16:update 21:update");
    draft(&mut world, true);
    assert_eq!(world.told("public"), "investigating");
}

#[test]
fn it_never_moves_while_blind() {
    let mut world = world(false, 600);
    world.feed("bb !*20");
    assert_eq!(world.told("public"), "", "blind since before it was confirmed");
    world.feed("b");
    assert_eq!(world.minutes("public"), "23:investigating");
    world.feed("g");
    assert_eq!(world.minutes("public"), "23:investigating 24:monitoring");
    world.feed("!*15");
    assert_eq!(world.minutes("public"), "23:investigating 24:monitoring", "the hold is over, but who knows");
    world.feed("g");
    assert_eq!(world.minutes("public"), "23:investigating 24:monitoring 40:resolved");
}

#[test]
fn only_from_its_priority_on() {
    let mut rules = slo(IndicatorKind::Probe, 99.0, 60);
    rules.status = Some(status_page(false, 0));
    let mut minor = down();
    minor.priority = Priority::P3;
    let mut world = World::new(rules, vec![planned(minor, None)]);
    world.feed("b*30");
    assert_eq!(world.told("public"), "");
}

fn page(world: &mut World, news: PageNews) {
    world.about(IncidentEvent::Page(news));
}

fn clock(world: &World) -> StatusClock {
    world.incident().status.clone().unwrap()
}

/// Sent is not posted: the deadline runs until the page shows it.
#[test]
fn a_page_that_does_not_answer_is_late() {
    let mut world = world(false, 300);
    world.page_answers = false;
    world.feed("b*23");
    assert_eq!(world.minutes("public"), "6:investigating");
    assert_eq!(world.minutes("lead"), "16:update 21:update", "no reminder of what was only just sent");
    assert_eq!(clock(&world).late_seconds(at(23 * 60)), Some(120), "so far");
    page(&mut world, PageNews::Shows { state: PublicState::Investigating, at: at(25 * 60) });
    world.feed("b*9");
    assert_eq!(clock(&world).late_seconds(at(40 * 60)), Some(240));
    let said = "status-page \"investigating\" is public 4 min after the deadline";
    assert!(world.lines.iter().any(|line| line == said), "{:?}", world.lines);
    assert_eq!(world.minutes("lead"), "16:update 21:update");
}

#[test]
fn what_was_never_posted_stays_on_record() {
    let mut world = world(true, 0);
    world.feed("b*20 g");
    assert_eq!(clock(&world).late_seconds(at(90 * 60)), Some(5 * 60), "due at 16, over at 21");
    assert_eq!(clock(&world).deadline(), Some(at(16 * 60)));
    world.feed("g*20");
    assert!(world.core.incidents.is_empty(), "finished");
}

#[test]
fn what_is_on_its_way_keeps_the_incident() {
    let mut world = world(false, 0);
    world.page_answers = false;
    world.feed("b g*30");
    assert_eq!(world.told("public"), "investigating monitoring resolved");
    assert_eq!(world.core.incidents.len(), 1);
    for state in [PublicState::Investigating, PublicState::Monitoring, PublicState::Resolved] {
        let at = world.now;
        page(&mut world, PageNews::Shows { state, at });
    }
    assert!(world.core.incidents.is_empty(), "finished");
}

#[test]
fn a_person_who_edits_the_page_has_it() {
    let mut world = world(false, 0);
    world.feed("bb");
    for _ in 0..2 {
        page(&mut world, PageNews::TakenOver { what: "somebody has posted \"identified\" there".into() });
    }
    assert_eq!(world.told("lead"), "update", "told once");
    let said = "status-page somebody has posted \"identified\" there: the page is left to people";
    assert_eq!(world.lines.iter().filter(|line| *line == said).count(), 1, "{:?}", world.lines);
    world.restart();
    world.feed("g*3 bb g*30");
    assert_eq!(world.told("public"), "investigating");
    assert!(world.core.incidents.is_empty(), "finished");
}

#[test]
fn a_refused_post_is_told_to_the_owners_and_the_page_goes_on() {
    let mut world = world(false, 0);
    world.page_answers = false;
    world.feed("bb");
    let why = "401 wrong key".to_owned();
    page(&mut world, PageNews::Refused { state: PublicState::Investigating, why });
    assert_eq!(world.told("lead"), "update");
    world.feed("g");
    assert_eq!(world.told("public"), "investigating monitoring");
}

/// What is resolved stays so: the public hears of a relapse as of another incident.
#[test]
fn a_relapse_after_the_end_begins_another_public_incident() {
    let mut rules = slo(IndicatorKind::Probe, 99.0, 60);
    rules.status = Some(status_page(false, 0));
    let mut down = down();
    down.reopen_within = Some(3_600);
    let mut world = World::new(rules, vec![planned(down, None)]);
    world.feed("b g*15 b g b g*15");
    let posts = world.heard.iter().filter_map(|heard| match &heard.outgoing.message {
        Message::StatusPost(post) => {
            let mark = post.key.split_once('/').map_or("1", |(_, number)| number).to_owned();
            Some(format!("{} {mark}{}", post.state.as_str(), if post.opens { " opens" } else { "" }))
        }
        Message::Notification(_) | Message::Bulletin(_) | Message::Record(_) => None,
    });
    let expected = [
        "investigating 1 opens",
        "monitoring 1",
        "resolved 1",
        "investigating 2 opens",
        "monitoring 2",
        "investigating 2",
        "monitoring 2",
        "resolved 2",
    ];
    assert_eq!(posts.collect::<Vec<_>>(), expected);
}

/// What is public says no ratios, causes or names.
#[test]
fn public_words() {
    let mut world = world(false, 0);
    world.feed("b g*12");
    let posts = world.heard.iter().filter_map(|heard| match &heard.outgoing.message {
        Message::StatusPost(post) => Some(format!("{} {}", post.name, post.body)),
        _ => None,
    });
    let posts: Vec<_> = posts.collect();
    assert_eq!(posts.len(), 3);
    for word in ["%", "down", "front", "burn", "ann"] {
        assert!(posts.iter().all(|post| !post.contains(word)), "{word} in {posts:?}");
    }
}

/// Decided is not posted: the timeline says which.
#[test]
fn the_timeline_says_posted_when_the_page_took_it() {
    let mut world = world(false, 0);
    world.page_answers = false;
    world.feed("bb");
    let of_page = |world: &World| {
        let lines = world.lines.iter().filter_map(|line| line.strip_prefix("status-page "));
        lines.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of_page(&world), ["will post \"investigating\""]);
    page(&mut world, PageNews::Shows { state: PublicState::Investigating, at: at(150) });
    assert_eq!(of_page(&world), ["will post \"investigating\"", "posted \"investigating\""]);
}

/// The page took nothing before it was over: there is nothing to end, and the timeline says so.
#[test]
fn what_was_over_before_the_page_took_it_is_not_posted() {
    let dropped = |state, opens| PageNews::Dropped { state, opens };
    let mut world = world(false, 0);
    world.page_answers = false;
    world.feed("b*20 g");
    assert_eq!(world.told("public"), "investigating monitoring");
    page(&mut world, dropped(PublicState::Investigating, true));
    let said = "status-page \"investigating\" was not posted: it was over before the page took it";
    assert!(world.lines.iter().any(|line| line == said), "{:?}", world.lines);
    assert_eq!((clock(&world).posted, clock(&world).posted_at), (None, None));
    assert_eq!(clock(&world).late_seconds(at(90 * 60)), Some(5 * 60), "due at 16, over at 21: on record");
    page(&mut world, dropped(PublicState::Monitoring, false));
    world.feed("g*4");
    assert_eq!(world.told("public"), "investigating monitoring", "nothing is there to be resolved");
    // A relapse begins anew, under the same mark: it names nothing on the page.
    world.feed("b");
    let last = world.heard.iter().rev().find_map(|heard| match &heard.outgoing.message {
        Message::StatusPost(post) => Some((post.state, post.opens, post.key.clone())),
        _ => None,
    });
    assert_eq!(last, Some((PublicState::Investigating, true, world.incident().key.clone())));
}

/// It is back when the news arrives that nothing was begun: it is posted after all.
#[test]
fn what_was_not_posted_is_posted_when_the_outage_is_back() {
    let mut world = world(true, 0);
    world.page_answers = false;
    world.feed("bb");
    draft(&mut world, true);
    world.feed("g b");
    assert_eq!(world.told("public"), "investigating");
    page(&mut world, PageNews::Dropped { state: PublicState::Investigating, opens: true });
    assert_eq!(clock(&world).draft, Some(PublicState::Investigating));
    draft(&mut world, true);
    assert_eq!(world.told("public"), "investigating investigating");
}
