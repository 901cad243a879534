//! Whether the store's file is still where it was opened.

use std::{io, os::unix::fs::MetadataExt as _, path::Path};

/// A file, whatever its name: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    device: u64,
    file: u64,
}

impl Place {
    /// The file of this name.
    ///
    /// # Errors
    /// There is none, or its folder cannot be looked into.
    pub fn of(path: &Path) -> io::Result<Self> {
        let found = path.metadata()?;
        Ok(Self { device: found.dev(), file: found.ino() })
    }

    /// What has become of the name, if it is this file's no more.
    pub fn left(self, path: &Path) -> Option<String> {
        let what = match Self::of(path) {
            Ok(found) if found == self => return None,
            Ok(_) => "something else was put in its place".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "it was taken away".to_owned(),
            Err(error) => format!("it cannot be looked at: {error}"),
        };
        let path = path.display();
        Some(format!(
            "{path} is no longer the store that slod writes to: {what}; all that is written from now on is lost when slod \
             ends. Put the file back (with its -wal and -shm), or restart slod to begin a new one"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_replaced_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("s.db"), folder.path().join("other"));
        std::fs::write(&path, "one").unwrap();
        let place = Place::of(&path).unwrap();
        std::fs::write(&path, "two").unwrap();
        assert_eq!(place.left(&path), None, "its words may change");
        std::fs::rename(&path, &other).unwrap();
        assert!(place.left(&path).unwrap().contains("it was taken away"));
        std::fs::write(&path, "two").unwrap();
        assert!(place.left(&path).unwrap().contains("something else was put in its place"));
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(place.left(&path), None, "put back");
    }
}
