//! slod: arguments in, exit code out.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use slod::cli;

fn main() -> ExitCode {
    // The one provider of cryptography in this program; a second installation is refused, and no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // What a panic says may hold what it was about: the place is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(anstream::stderr(), "slod: internal fault at {place}");
    }));
    let code = match cli::main(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "slod: {}", cli::chain(&error));
            cli::exit_code(&error)
        }
    };
    ExitCode::from(code)
}
