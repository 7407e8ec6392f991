//! Files that git does not know, read from the disk: how many lines they have, and which.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use git::RepoPath;

use crate::disk::{kind_of, read};
use crate::types::{ChangedFile, FileChangeKind, FileKind, LineCounts};

/// A larger file is not read.
pub(crate) const LARGEST: u64 = 24 * 1024 * 1024;

/// A text has no zero in its first bytes: so many of them, as for git.
const LOOKED_AT: usize = 8000;

/// How much is read in order to count lines.
pub(crate) struct Budget {
    bytes: u64,
    files: usize,
    uncounted: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024 * 1024,
            files: 20_000,
            uncounted: 0,
        }
    }
}

impl Budget {
    /// How many files were too many, or too large.
    pub(crate) fn uncounted(&self) -> usize {
        self.uncounted
    }

    fn allows(&mut self, bytes: u64) -> bool {
        let allowed = self.files > 0 && bytes <= self.bytes.min(LARGEST);
        if allowed {
            self.files -= 1;
            self.bytes -= bytes;
        } else {
            self.uncounted += 1;
        }
        allowed
    }
}

/// What stands at a path.
pub(crate) enum Content {
    /// These bytes: a file, or where a link leads.
    Bytes(FileKind, Vec<u8>),
    /// A file of so many bytes, which was not read.
    TooLarge(FileKind, u64),
    /// A repository of its own.
    Repository,
    /// Nothing, any more; or nothing that can be read.
    Nothing,
}

/// Reads what stands at a path, if it is not larger than `allows` says. A link is read and not followed, and nothing but files is opened.
pub(crate) fn content(root: &Path, path: &RepoPath, allows: impl FnOnce(u64) -> bool) -> Content {
    let place = root.join(path.to_path());
    let Ok(found) = fs::symlink_metadata(&place) else {
        return Content::Nothing;
    };
    if found.is_symlink() {
        return fs::read_link(&place).map_or(Content::Nothing, |to| {
            Content::Bytes(FileKind::Link, to.as_os_str().as_bytes().to_vec())
        });
    }
    if found.is_dir() {
        return Content::Repository;
    }
    if !found.is_file() {
        return Content::Nothing;
    }
    let kind = kind_of(found.permissions().mode());
    if !allows(found.len()) {
        return Content::TooLarge(kind, found.len());
    }
    read(&place, LARGEST).map_or(Content::Nothing, |bytes| Content::Bytes(kind, bytes))
}

/// Whether git would take these bytes for text.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    !bytes[..bytes.len().min(LOOKED_AT)].contains(&0)
}

/// A file that git does not know, with its lines counted as far as the budget goes.
pub(crate) fn counted(root: &Path, path: &RepoPath, budget: &mut Budget) -> ChangedFile {
    let (new, lines) = match content(root, path, |bytes| budget.allows(bytes)) {
        Content::Bytes(kind, bytes) => (Some(kind), is_text(&bytes).then(|| count(&bytes))),
        Content::TooLarge(kind, _) => (Some(kind), None),
        Content::Repository => (Some(FileKind::Repository), None),
        Content::Nothing => (None, None),
    };
    ChangedFile {
        path: path.clone(),
        from: None,
        kind: FileChangeKind::Untracked,
        old: None,
        new,
        lines: lines.map(|added| LineCounts { added, removed: 0 }),
    }
}

/// How many lines a text has; one without an end is a line.
pub(crate) fn count(bytes: &[u8]) -> u32 {
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
    let open = usize::from(bytes.last().is_some_and(|last| *last != b'\n'));
    u32::try_from(ends + open).unwrap_or(u32::MAX)
}
