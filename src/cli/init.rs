//! `slod init`.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;

use super::{OK, output};

/// The starter, by path.
const FILES: [(&str, &str); 4] = [
    ("slo.yaml", include_str!("starter/slo.yaml")),
    ("alerts/policies.yaml", include_str!("starter/policies.yaml")),
    ("alerts/escalations.yaml", include_str!("starter/escalations.yaml")),
    ("alerts/receivers.yaml", include_str!("starter/receivers.yaml")),
];

/// `slod init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where to; made if it is not there
    dir: PathBuf,
}

/// Writes the starter. Nothing is written if any file is there already.
pub fn run(args: &InitArgs) -> anyhow::Result<u8> {
    for (name, _) in FILES {
        let path = args.dir.join(name);
        anyhow::ensure!(fs::symlink_metadata(&path).is_err(), "{} exists: nothing was written", path.display());
    }
    for (name, text) in FILES {
        write(&args.dir.join(name), text)?;
    }
    let dir = args.dir.display();
    output::print(&format!("wrote {dir}/slo.yaml and {dir}/alerts/\nnext: slod check --config {dir}\n"))?;
    Ok(OK)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => anyhow::bail!("{} exists", path.display()),
        written => written.with_context(|| format!("cannot write {}", path.display())),
    }
}
