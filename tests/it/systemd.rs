//! The daemon as systemd sees it: the real binary talks to a socket that plays the manager.

use std::{
    fs,
    io::ErrorKind,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// Nothing here takes a second, but the machine may be busy.
const LIMIT: Duration = Duration::from_secs(30);

const CONFIG: &str = r#"
version: 1
daemon: {listen: "127.0.0.1:0", store: "sqlite:slod.db", socket: slod.sock}
services:
  shop:
    slos:
      front-page:
        objective: 99%
        window: 7d
        every: 1h
        indicator: {probe: {url: "http://127.0.0.1:9/", timeout: 1s}}
policies:
  down: {slo: shop/front-page, when: {consecutive: 2}, priority: P3, notify: [team]}
receivers:
  team: {slack: {webhook: "http://127.0.0.1:9/services/x"}}
"#;

/// The daemon in a folder of its own, and the manager's end of the socket. It is killed if a test fails.
struct Unit {
    folder: TempDir,
    manager: UnixDatagram,
    daemon: Child,
}

impl Unit {
    fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("slo.yaml"), CONFIG).unwrap();
        let address = folder.path().join("notify");
        let manager = UnixDatagram::bind(&address).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_slod"));
        let log = fs::File::create(folder.path().join("log")).unwrap();
        command.arg("run").current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.env_clear().env("NOTIFY_SOCKET", &address).envs(variables.iter().copied());
        let daemon = command.spawn().unwrap();
        Self { folder, manager, daemon }
    }

    /// The next message, as its lines. Pings of the watchdog are left out unless they are waited for.
    fn told(&self, with_pings: bool) -> Vec<String> {
        self.manager.set_read_timeout(Some(LIMIT)).unwrap();
        let mut buffer = [0; 4096];
        loop {
            let length = match self.manager.recv(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => panic!("systemd was told nothing within {LIMIT:?} ({error}):\n{}", self.log()),
            };
            let text = std::str::from_utf8(&buffer[..length]).unwrap();
            if with_pings || text.trim_end() != "WATCHDOG=1" {
                return text.lines().map(str::to_owned).collect();
            }
        }
    }

    fn signal(&self, name: &str) {
        let done = Command::new("/bin/kill").args(["-s", name, &self.daemon.id().to_string()]).status().unwrap();
        assert!(done.success(), "kill -s {name}");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Tells it to stop, and what it ended with.
    fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        assert_eq!(self.told(false), ["STOPPING=1"]);
        self.daemon.wait().unwrap().code()
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        // Fails where it has ended, which is as well.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// `RELOADING=1` with a time by the monotonic clock, then `READY=1`.
fn assert_reloads(unit: &Unit) {
    unit.signal("HUP");
    let lines = unit.told(false);
    assert_eq!(lines[0], "RELOADING=1");
    let stamp =
        lines.iter().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).expect("a time by the monotonic clock");
    assert!(stamp.parse::<u64>().unwrap() > 0, "{stamp}");
    assert_eq!(unit.told(false), ["READY=1"]);
}

#[test]
fn it_tells_when_it_is_ready_reloads_and_stops() {
    let unit = Unit::start(&[]);
    assert_eq!(unit.told(false), ["READY=1"]);
    assert_reloads(&unit);
    // A reload that is refused has an end too, and leaves the daemon as it was.
    fs::write(unit.folder.path().join("slo.yaml"), "version: 2\n").unwrap();
    assert_reloads(&unit);
    assert!(unit.log().contains("refused"), "{}", unit.log());
    assert_eq!(unit.stop(), Some(0));
}

#[test]
fn it_pings_the_watchdog_often_enough() {
    let unit = Unit::start(&[("WATCHDOG_USEC", "3000000")]);
    assert_eq!(unit.told(false), ["READY=1"]);
    for _ in 0..3 {
        assert_eq!(unit.told(true), ["WATCHDOG=1"]);
    }
    assert_eq!(unit.stop(), Some(0));
}

#[test]
fn it_does_not_ask_to_be_started_again_with_a_refused_configuration() {
    let mut unit = Unit::start(&[("SLOD_LISTEN", "nowhere")]);
    assert_eq!(unit.daemon.wait().unwrap().code(), Some(78));
    assert!(fs::read_to_string("systemd/slod.service").unwrap().contains("RestartPreventExitStatus=78"));
}

/// Every variable that the shipped configuration reads, by asking it.
fn asked_for() -> Vec<String> {
    let asked = std::cell::RefCell::new(Vec::new());
    let note = |name: &str| {
        asked.borrow_mut().push(name.to_owned());
        None
    };
    slod::config::load(Path::new("slo.yaml"), slod::config::Mode::Check, &note, &slod::config::Overrides::default());
    asked.into_inner()
}

#[test]
fn the_example_of_the_environment_names_every_variable_of_the_shipped_configuration() {
    let example = fs::read_to_string("systemd/slod.env.example").unwrap();
    let named: Vec<&str> = example
        .lines()
        .map(|line| line.trim_start_matches('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .collect();
    // systemd sets these itself.
    let given = ["STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "RUNTIME_DIRECTORY"];
    let asked = asked_for();
    for name in asked.iter().filter(|name| !given.contains(&name.as_str())) {
        assert!(named.contains(&name.as_str()), "systemd/slod.env.example does not name {name}");
    }
    for name in named.iter().filter(|name| !name.starts_with("SLOD_")) {
        assert!(asked.iter().any(|other| other == name), "nothing reads {name}");
    }
}
