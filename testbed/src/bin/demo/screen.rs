//! What is written to the terminal: one line a fact, aligned; in colour only where it is one.

use std::io::{IsTerminal, Write};

use testbed::clock::Stopwatch;

/// Most letters of a line's text.
const TEXT_MAX: usize = 118;

/// Who a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// What the demo itself says.
    Demo,
    /// The servers around slod.
    World,
    /// What breaks, and what went wrong.
    Broken,
    /// What is mended, and what went well.
    Mended,
    /// What slod sees.
    Slod,
    /// What the one at the keyboard does.
    You,
    /// What a receiver got.
    Receiver(&'static str),
}

impl Actor {
    fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::World => "world",
            Self::Broken => "broken",
            Self::Mended => "mended",
            Self::Slod => "slod",
            Self::You => "you",
            Self::Receiver(name) => name,
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Demo | Self::World => "2",
            Self::Broken => "1;31",
            Self::Mended => "1;32",
            Self::Slod => "36",
            Self::You => "1;33",
            Self::Receiver(_) => "1;35",
        }
    }
}

/// The terminal, or the file that stands for it.
#[derive(Debug)]
pub struct Screen {
    colour: bool,
    watch: Stopwatch,
}

impl Screen {
    /// Starts the clock that stands before each line.
    pub fn new() -> Self {
        let colour =
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour, watch: Stopwatch::start() }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.watch.elapsed().as_secs_f64()
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A heading.
    pub fn title(&self, text: &str) {
        print(&format!("{}\n\n", self.paint("1", text)));
    }

    /// One line: when, who, what.
    pub fn line(&self, actor: Actor, text: &str) {
        let name = self.paint(actor.colour(), &format!("{:<10}", actor.name()));
        print(&format!("{:>6.1} s  {name}  {}\n", self.seconds(), short(text)));
    }

    /// A name and a value.
    pub fn fact(&self, name: &str, value: &str) {
        print(&format!("          {}  {value}\n", self.paint("2", &format!("{name:<10}"))));
    }

    /// Lines of another program, each behind a bar.
    pub fn quote<'a>(&self, lines: impl Iterator<Item = &'a str>) {
        let bar = self.paint("2", "│");
        for line in lines {
            print(&format!("          {bar} {line}\n"));
        }
    }
}

/// An empty line.
pub fn blank() {
    print("\n");
}

/// A terminal that has gone away is no reason to end before the world has been taken down.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn short(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_MAX - 1).chain(['…']).collect()
}
