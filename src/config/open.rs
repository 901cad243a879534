//! Opens files so that nothing can hang: only regular ones, whatever their names have come to mean since.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// `O_NONBLOCK` of Linux: to open a pipe that nobody writes to does not wait.
#[cfg(target_os = "linux")]
const O_NONBLOCK: i32 = 0o4000;
/// `O_NONBLOCK` of the BSDs and macOS.
#[cfg(not(target_os = "linux"))]
const O_NONBLOCK: i32 = 0x4;

/// Why nothing was read.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It cannot be read at all.
    Unreadable(String),
    /// It is over the size that is allowed.
    TooLarge,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Unreadable(why) => why,
            Self::TooLarge => "it is too large",
        })
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// All bytes of a regular file, links followed, if there are at most `most`.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Refused> {
    check(&fs::metadata(path)?)?;
    // between the look and the opening it may have become something else: opened without waiting, and looked at again
    let file: File = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)?;
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(Refused::TooLarge) } else { Ok(bytes) }
}

fn check(data: &fs::Metadata) -> Result<(), Refused> {
    if data.is_file() {
        return Ok(());
    }
    let what = if data.is_dir() { "it is a folder, and is not a regular file" } else { "it is not a regular file" };
    Err(Refused::Unreadable(what.to_owned()))
}
