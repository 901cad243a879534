//! `slod top` in a real terminal: taken over, kept through a restart of the daemon, given back.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use slod::http::{
    Companion,
    serve::{bind_socket, bind_tcp, serve},
};

use super::fake_desk::{FakeDesk, StoppedClock};

/// A desk on a socket, until dropped.
struct Daemon {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    ended: Option<tokio::task::JoinHandle<()>>,
    runtime: tokio::runtime::Runtime,
}

impl Daemon {
    fn on(socket: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let local = bind_socket(socket).unwrap();
        let tcp = bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let companion = Companion::new(Arc::new(FakeDesk::default()), Arc::new(StoppedClock));
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let ended = runtime.spawn(async move {
            serve(companion, tcp, Some(local), async {
                let _ = stopped.await;
            })
            .await
            .unwrap();
        });
        Self { stop: Some(stop), ended: Some(ended), runtime }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.runtime.block_on(self.ended.take().unwrap()).unwrap();
    }
}

/// A terminal with `slod top` in it. `script` gives it one.
struct Terminal {
    child: Child,
    seen: Vec<u8>,
}

impl Terminal {
    fn start(socket: &Path, variables: &[(&str, &str)]) -> Self {
        let top = format!("stty cols 80 rows 24; exec {} top --every 1", env!("CARGO_BIN_EXE_slod"));
        let mut command = Command::new("script");
        command.args(["-qec", &top, "/dev/null"]).env_clear().env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
        command.env("SLOD_SOCKET", socket).envs(variables.iter().copied());
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        Self { child, seen: Vec::new() }
    }

    /// Reads on until it shows `text` anew.
    fn shows(&mut self, text: &str) {
        self.seen.clear();
        let out = self.child.stdout.as_mut().unwrap();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&self.seen).contains(text) {
            let many = out.read(&mut buffer).unwrap();
            assert!(many > 0, "it ended without `{text}`: {}", String::from_utf8_lossy(&self.seen));
            self.seen.extend(&buffer[..many]);
        }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Presses a key, and reads to the end.
    fn ends_with(mut self, key: &[u8]) -> String {
        self.child.stdin.as_mut().unwrap().write_all(key).unwrap();
        self.child.stdout.as_mut().unwrap().read_to_end(&mut self.seen).unwrap();
        let rest = self.seen();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{rest}");
        rest
    }
}

const UTF8: (&str, &str) = ("LANG", "C.UTF-8");
const XTERM: (&str, &str) = ("TERM", "xterm-256color");

#[test]
fn it_outlives_a_restart_of_the_daemon_and_gives_the_screen_back() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("slod.sock");
    let daemon = Daemon::on(&socket);
    let mut terminal = Terminal::start(&socket, &[UTF8, XTERM]);
    terminal.shows("\u{1b}[?1049h");
    terminal.shows("▲ burning");
    drop(daemon);
    terminal.shows("no answer since ");
    let daemon = Daemon::on(&socket);
    loop {
        terminal.shows("q ends");
        if !terminal.seen().contains("no answer since ") {
            break;
        }
    }
    let end = terminal.ends_with(b"q");
    assert!(end.contains("\u{1b}[?25h") && end.contains("\u{1b}[?1049l"), "{end:?}");
    drop(daemon);
}

#[test]
fn ctrl_c_ends_it_and_colours_and_letters_are_those_of_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("slod.sock");
    let daemon = Daemon::on(&socket);
    let mut coloured = Terminal::start(&socket, &[UTF8, XTERM]);
    coloured.shows("\u{1b}[33m▲ burning\u{1b}[0m");
    assert!(coloured.ends_with(b"\x03").contains("\u{1b}[?1049l"));
    let mut plain = Terminal::start(&socket, &[XTERM, ("LC_ALL", "POSIX"), ("NO_COLOR", "1")]);
    plain.shows("! burning");
    let seen = plain.ends_with(b"q");
    assert!(!seen.contains("\u{1b}[33m") && seen.is_ascii(), "{seen:?}");
    drop(daemon);
}
