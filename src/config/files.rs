//! Finds and reads the files of a configuration: the root file, and what it includes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    codes::Code,
    finding::Finding,
    open::{self, Refused},
    pattern,
    tree::{Node, Span},
    yaml,
};

/// Largest file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most files.
const FILES_MAX: usize = 256;

/// One file.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// As the user would name it.
    pub shown: String,
    /// As seen from the root file's folder.
    pub short: String,
    /// The folder it lies in.
    pub folder: PathBuf,
    /// What it holds; empty if it cannot be read.
    pub text: String,
    /// The tree; none if there is none, or it does not parse.
    pub root: Option<Node>,
    /// What is written, but overruled by the same key elsewhere.
    pub dropped: Vec<Node>,
    line_starts: Vec<usize>,
    parsed: bool,
}

impl File {
    /// Whether it could be read, and is YAML.
    pub fn is_parsed(&self) -> bool {
        self.parsed
    }

    /// The line of a byte, from 1, and where it starts.
    pub fn line_at(&self, byte: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= byte).max(1);
        (line, self.line_starts.get(line - 1).copied().unwrap_or_default())
    }

    /// Where a line starts, if there is such a line.
    pub fn start_of(&self, line: usize) -> Option<usize> {
        self.line_starts.get(line.checked_sub(1)?).copied()
    }

    /// A line's text.
    pub fn line_text(&self, line: usize) -> &str {
        let start = self.line_starts.get(line - 1).copied().unwrap_or_default();
        let rest = self.text.get(start..).unwrap_or_default();
        rest.split('\n').next().unwrap_or_default().trim_end()
    }
}

/// All files read, the root file first.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: Vec<File>,
    /// SHA-256 of all bytes, hex.
    pub hash: String,
}

impl Files {
    /// One file. Every span's index is valid.
    pub fn get(&self, index: usize) -> &File {
        &self.files[index]
    }

    /// All files.
    pub fn iter(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }
}

/// Reads the root file (or `slo.yaml` in the folder) and what it includes.
pub(crate) fn read_all(config: &Path) -> (Files, Vec<Finding>) {
    let root = if config.is_dir() { config.join("slo.yaml") } else { config.to_owned() };
    let base = root.parent().map(Path::to_owned).unwrap_or_default();
    let mut reading = Reading { base, ..Reading::default() };
    let bytes = reading.read(&root);
    reading.hash.update(&bytes);
    for path in reading.includes() {
        if reading.files.len() >= FILES_MAX {
            reading.findings.push(Finding::error(Code::TooLarge, None, format!("over {FILES_MAX} files included")));
            break;
        }
        let bytes = reading.read(&path);
        reading.hash.update(&bytes);
    }
    let hash = hex::encode(reading.hash.finalize());
    (Files { files: reading.files, hash }, reading.findings)
}

/// Reads this file alone.
pub(crate) fn read_one(path: &Path) -> (Files, Vec<Finding>) {
    let base = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut reading = Reading { base, ..Reading::default() };
    reading.read(path);
    (Files { files: reading.files, hash: String::new() }, reading.findings)
}

#[derive(Default)]
struct Reading {
    base: PathBuf,
    files: Vec<File>,
    findings: Vec<Finding>,
    hash: Sha256,
}

impl Reading {
    /// Reads one file; what goes wrong is a finding. Answers the bytes.
    fn read(&mut self, path: &Path) -> Vec<u8> {
        let index = self.files.len();
        let shown = path.strip_prefix(".").unwrap_or(path).display().to_string();
        let short = path.strip_prefix(&self.base).unwrap_or(path).display().to_string();
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let mut file = File { shown, short, folder, ..File::default() };
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err((code, why)) => {
                self.findings.push(Finding::error(code, None, format!("cannot read `{}`: {why}", file.shown)));
                self.files.push(file);
                return Vec::new();
            }
        };
        match String::from_utf8(bytes.clone()) {
            Ok(text) => file.text = text,
            Err(error) => {
                let line = bytes[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
                let message = format!("`{}` is not UTF-8 (line {line})", file.shown);
                self.findings.push(Finding::error(Code::Unreadable, None, message).help("save the file as UTF-8"));
                self.files.push(file);
                return bytes;
            }
        }
        file.line_starts = std::iter::once(0).chain(file.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        match yaml::parse(&file.text, index) {
            Ok(document) => {
                file.root = document.root;
                file.dropped = document.dropped;
                file.parsed = true;
                self.findings.extend(document.findings);
            }
            Err(finding) => self.findings.push(finding),
        }
        self.files.push(file);
        bytes
    }

    /// The files that the root file's `include` names, sorted, each once.
    fn includes(&mut self) -> Vec<PathBuf> {
        let Some(include) = self.files[0].root.as_ref().and_then(|root| root.child("include")).cloned() else {
            return Vec::new();
        };
        let items = match &include.value {
            super::tree::Value::List(items) => items.clone(),
            _ => vec![include],
        };
        let mut found = Vec::new();
        for item in &items {
            let Some(text) = item.scalar() else {
                let message = format!("`include` is a list of file patterns, not {}", item.word());
                self.findings.push(Finding::error(Code::WrongType, item.at, message));
                continue;
            };
            found.extend(self.include(text, item.at));
        }
        let mut seen: Vec<PathBuf> = Vec::new();
        let root = self.base.join(&self.files[0].short);
        found.retain(|path| {
            *path != root && !seen.contains(path) && {
                seen.push(path.clone());
                true
            }
        });
        found
    }

    /// The files that one pattern names, sorted. Whatever of it cannot be read is an error: half a configuration is none.
    fn include(&mut self, text: &str, at: Span) -> Vec<PathBuf> {
        let Expanded { mut files, refused } = expand(&self.base, text);
        files.sort();
        let whole = refused.is_empty();
        for (path, why) in refused.into_iter().take(FILES_MAX) {
            let message = format!("`{text}` includes `{}`, which cannot be read: {why}", path.display());
            self.findings.push(Finding::error(Code::Unreadable, at, message).help("mend or remove it"));
        }
        let is_pattern = text.contains(['*', '?']);
        if files.is_empty() && whole {
            let finding = if is_pattern {
                Finding::warning(Code::IncludesNothing, at, format!("`{text}` matches no file"))
            } else {
                Finding::error(Code::Unreadable, at, format!("`{text}` does not exist"))
            };
            self.findings.push(finding);
        }
        if !is_pattern && files.first().is_some_and(|path| path.is_dir()) {
            let help = format!("write `{}/*.yaml`", text.trim_end_matches('/'));
            let message = format!("`{text}` is a folder, not a file");
            self.findings.push(Finding::error(Code::Unreadable, at, message).help(help));
            return Vec::new();
        }
        files
    }
}

/// What a pattern names.
#[derive(Default)]
struct Expanded {
    files: Vec<PathBuf>,
    /// What it names too, but cannot be read, and why.
    refused: Vec<(PathBuf, String)>,
}

/// The files that a pattern names: `*` and `?` match within one part of the path.
fn expand(base: &Path, text: &str) -> Expanded {
    let mut found = vec![if text.starts_with('/') { PathBuf::from("/") } else { base.to_owned() }];
    let mut refused = Vec::new();
    let is_pattern = |part: &&str| part.contains(['*', '?']);
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        found = if is_pattern(part) {
            found.iter().flat_map(|folder| matching(folder, part, &mut refused)).collect()
        } else {
            found.into_iter().map(|folder| folder.join(part)).collect()
        };
        found.truncate(FILES_MAX * 4);
        let after_pattern = parts[..=at].iter().any(is_pattern);
        found.retain(|path| match fs::metadata(path) {
            Ok(data) if is_last && after_pattern => !data.is_dir(),
            Ok(data) => is_last || data.is_dir(),
            // a pattern may meet folders that do not hold what is looked for; a link that leads nowhere is not that
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => false,
            Err(error) => {
                refused.push((path.clone(), error.to_string()));
                false
            }
        });
    }
    Expanded { files: found, refused }
}

fn matching(folder: &Path, part: &str, refused: &mut Vec<(PathBuf, String)>) -> Vec<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let shown = folder.strip_prefix(".").unwrap_or(folder);
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            refused.push((folder.to_owned(), error.to_string()));
            return found;
        }
    };
    for entry in entries {
        match entry {
            Ok(entry) => {
                let name = entry.file_name();
                let shown_name = name.to_string_lossy();
                if !shown_name.starts_with('.') && pattern::matches(part, &shown_name) {
                    found.push(shown.join(name));
                }
            }
            Err(error) => refused.push((folder.to_owned(), error.to_string())),
        }
    }
    found
}

/// Reads at most the allowed size.
fn read_bounded(path: &Path) -> Result<Vec<u8>, (Code, String)> {
    open::read(path, FILE_BYTES_MAX).map_err(|refused| match refused {
        Refused::Unreadable(why) => (Code::Unreadable, why),
        Refused::TooLarge => (Code::TooLarge, "it is over 1 MiB".to_owned()),
    })
}
