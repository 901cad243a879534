//! The README says what is so.

use std::fs;

use clap::CommandFactory as _;
use slod::{
    cli::Cli,
    config::{self, Mode, Overrides, render},
    http::routes::ROUTES,
};

fn readme() -> String {
    fs::read_to_string("README.md").unwrap()
}

#[test]
fn it_names_every_route_and_every_verb() {
    let readme = readme();
    for route in ROUTES.iter().filter(|route| !route.path.starts_with("/assets") && !route.path.contains("favicon")) {
        let row = format!("| `{} {}` | {} |", route.method, route.path, route.what);
        assert!(readme.contains(&row), "the README has no line\n{row}");
    }
    for verb in Cli::command().get_subcommands().filter(|verb| verb.get_name() != "help") {
        let named = [" ", "`"].iter().any(|end| readme.contains(&format!("`{}{end}", verb.get_name())));
        assert!(named, "the README does not name `{}`", verb.get_name());
    }
}

#[test]
fn its_example_of_a_configuration_has_no_errors() {
    let readme = readme();
    let mut blocks = readme.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("alerts")).unwrap();
    fs::write(folder.path().join("slo.yaml"), blocks.next().unwrap()).unwrap();
    fs::write(folder.path().join("alerts/policies.yaml"), blocks.next().unwrap()).unwrap();
    assert_eq!(blocks.next(), None);
    let loaded = config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default());
    assert!(loaded.config.is_some(), "{}", render::text(&loaded.diagnostics, false));
    let warned: Vec<_> =
        loaded.diagnostics.iter().filter(|said| !["E0130", "N0302"].contains(&said.code.id())).collect();
    assert!(warned.is_empty(), "{}", render::text(&loaded.diagnostics, false));
}
