//! `slod run`.

use std::path::Path;

use super::flags::RunArgs;

/// Runs the daemon until it is told to stop.
pub fn run(_config: &Path, _args: RunArgs) -> anyhow::Result<u8> {
    anyhow::bail!("this build has no daemon")
}
