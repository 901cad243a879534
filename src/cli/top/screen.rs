//! The terminal while `slod top` runs: taken over, drawn, given back whatever happens.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};

use anyhow::Context as _;
use crossterm::{
    cursor,
    event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    execute, queue, terminal,
};

use super::{TopArgs, fetch::Asked};
use crate::{
    cli::{OK, output},
    clock::{Clock, SystemClock},
    views::render_top::{Glance, Room, top},
};

/// How long a key waits at most.
const KEY: Duration = Duration::from_millis(100);
/// Looks at the keyboard between two drawings without news: the clock on top goes on.
const KEYS_A_DRAWING: u32 = 10;

/// The terminal as it is while it is ours; given back when dropped.
struct Taken;

impl Taken {
    fn take() -> anyhow::Result<Self> {
        terminal::enable_raw_mode().context("the terminal cannot be used")?;
        let taken = Self;
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide).context("the terminal cannot be used")?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Whoever cannot be given it back is not there any more.
        let _ = execute!(io::stdout(), cursor::Show, terminal::LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

/// Draws until `q`, Escape or Ctrl-C. A daemon that does not answer is waited for.
pub fn run(config: &Path, args: &TopArgs) -> anyhow::Result<u8> {
    // The first look says in plain words what is wrong, if something is.
    let mut asked = Asked::default();
    let mut glance = asked.glance(config, args)?;
    let (looks, stop) = looking(asked, config.to_owned(), args.clone());
    let taken = Taken::take()?;
    let mut silent: Option<String> = None;
    'drawing: loop {
        draw(&glance, silent.as_deref())?;
        for _ in 0..KEYS_A_DRAWING {
            match looks.try_recv() {
                Ok(Ok(newer)) => {
                    (glance, silent) = (newer, None);
                    continue 'drawing;
                }
                Ok(Err(why)) => silent = Some(why),
                Err(_) => {}
            }
            if event::poll(KEY).context("the keyboard cannot be read")? {
                match event::read().context("the keyboard cannot be read")? {
                    event if ends(&event) => break 'drawing,
                    Event::Resize(..) => continue 'drawing,
                    _ => {}
                }
            }
        }
    }
    drop((taken, stop));
    Ok(OK)
}

/// Looks again and again, elsewhere: a slow answer holds no key up. Ends when the sender is dropped.
fn looking(mut asked: Asked, config: PathBuf, args: TopArgs) -> (Receiver<Result<Glance, String>>, Sender<()>) {
    let (news, looks) = channel();
    let (stop, stopped) = channel::<()>();
    let every = Duration::from_secs(u64::from(args.every));
    std::thread::spawn(move || {
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            let look = asked.glance(&config, &args).map_err(|error| crate::cli::chain(&error));
            if news.send(look).is_err() {
                break;
            }
        }
    });
    (looks, stop)
}

fn ends(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let interrupted = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind != KeyEventKind::Release && (interrupted || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}

fn draw(glance: &Glance, silent: Option<&str>) -> anyhow::Result<()> {
    let (width, height) = terminal::size().unwrap_or((80, 24));
    let room = Room { width: usize::from(width.max(20)), height: Some(usize::from(height).saturating_sub(1)) };
    let frame = output::dressed(&top(glance, silent, SystemClock.now(), room));
    // Without colours there is still a cursor to be moved.
    let mut out = io::stdout().lock();
    queue!(out, terminal::BeginSynchronizedUpdate, cursor::MoveTo(0, 0)).context("cannot draw")?;
    for line in frame.lines().take(usize::from(height).saturating_sub(1)) {
        write!(out, "{line}\x1b[K\r\n").context("cannot draw")?;
    }
    write!(out, "\x1b[Jq ends").context("cannot draw")?;
    queue!(out, terminal::EndSynchronizedUpdate).context("cannot draw")?;
    out.flush().context("cannot draw")
}
