//! Files as they stand on the disk: read without following a link, and replaced in one step.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use git::RepoPath;
use rustix::fs::OFlags;

use crate::types::FileKind;

/// What stands at a path.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// A file, or a link; the mode of a file, as the system has it.
    There {
        kind: FileKind,
        bytes: Vec<u8>,
        mode: Option<u32>,
    },
    /// Nothing.
    Absent,
}

/// What is this old and made for a moment only was left by a process that was killed.
pub(crate) const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// How the names of our directories begin.
const SCRATCH: &str = ".switchyard-";

/// Removes what processes left that were killed.
fn sweep(git_dir: &Path) {
    for entry in fs::read_dir(git_dir).into_iter().flatten().flatten() {
        if !entry.file_name().as_bytes().starts_with(SCRATCH.as_bytes()) {
            continue;
        }
        let about = entry.metadata().and_then(|found| found.modified());
        let old = about.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > LEFT_BEHIND));
        if old {
            // It is in nobody's way, and the next one tries again.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A directory for files that are about to take another one's place.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Makes one in a directory of git's own, on the same disk as the worktree, most likely: what a process that ends leaves
    /// there is in nobody's way.
    pub(crate) fn below(git_dir: &Path) -> io::Result<Self> {
        sweep(git_dir);
        tempfile::Builder::new()
            .prefix(SCRATCH)
            // Whoever may not read a file may not read it while it is made, either.
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(git_dir)
            .map(Self)
    }

    fn place(&self) -> PathBuf {
        self.0.path().join("file")
    }
}

/// Reads what stands at a path.
///
/// # Errors
///
/// When it can't be read, is larger than `most` bytes, or is neither a file nor a link.
pub(crate) fn state(root: &Path, path: &RepoPath, most: u64) -> io::Result<State> {
    let place = root.join(path.to_path());
    let found = match fs::symlink_metadata(&place) {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(State::Absent),
        Err(error) => return Err(error),
    };
    if found.is_symlink() {
        return Ok(State::There {
            kind: FileKind::Link,
            bytes: fs::read_link(&place)?.into_os_string().into_vec(),
            mode: None,
        });
    }
    if !found.is_file() {
        return Err(io::Error::other("it is neither a file nor a link"));
    }
    if found.len() > most {
        return Err(io::Error::other("it is too large"));
    }
    let mode = found.permissions().mode() & 0o7777;
    Ok(State::There {
        kind: kind_of(mode),
        bytes: read(&place, most)?,
        mode: Some(mode),
    })
}

/// The same, where a directory is no file: nothing stands there.
pub(crate) fn state_or_directory(root: &Path, path: &RepoPath, most: u64) -> io::Result<State> {
    let about = fs::symlink_metadata(root.join(path.to_path()));
    match about.is_ok_and(|about| about.is_dir()) {
        true => Ok(State::Absent),
        false => state(root, path, most),
    }
}

/// What git takes a file with this mode for.
pub(crate) fn kind_of(mode: u32) -> FileKind {
    match mode & 0o100 {
        0 => FileKind::File,
        _ => FileKind::Executable,
    }
}

pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Reads a file of at most so many bytes: no link, and no pipe that took its place.
pub(crate) fn read(place: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(place)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file to be read: no link, and no pipe that took its place.
pub(crate) fn open(place: &Path) -> io::Result<fs::File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(place)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file)
}

/// Puts something at a path, in one step: it is as before or as after.
///
/// # Errors
///
/// When it can't be written, or when it would not lie in the worktree any more: a directory of it has become a link.
pub(crate) fn put(
    root: &Path,
    path: &RepoPath,
    state: &State,
    scratch: &Scratch,
) -> io::Result<()> {
    for parent in path.parents() {
        let place = root.join(parent.to_path());
        if fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink()) {
            return Err(io::Error::other(format!("`{parent}` is a symbolic link")));
        }
    }
    let place = root.join(path.to_path());
    let is_directory = fs::symlink_metadata(&place).is_ok_and(|found| found.is_dir());
    let State::There { kind, bytes, mode } = state else {
        return match fs::remove_file(&place) {
            // No file is there.
            _ if is_directory => Ok(()),
            Err(error) if !is_absent(&error) => Err(error),
            _ => Ok(()),
        };
    };
    if is_directory {
        // Only one without files.
        remove_empty(&place)?;
    }
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    let parent = place.parent().unwrap_or(root);
    let new = make(*kind, bytes, *mode, scratch)?;
    match fs::rename(&new, &place) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            // The worktree is on another disk than its repository: beside the file, then.
            let beside = Scratch::below(parent)?;
            fs::rename(make(*kind, bytes, *mode, &beside)?, &place)
        }
        done => done,
    }
}

/// Removes a directory in which there are directories at most.
fn remove_empty(place: &Path) -> io::Result<()> {
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty(&entry.path())?;
        }
    }
    fs::remove_dir(place)
}

/// Makes a file or a link to be moved to its place.
fn make(kind: FileKind, bytes: &[u8], mode: Option<u32>, scratch: &Scratch) -> io::Result<PathBuf> {
    let new = scratch.place();
    if kind == FileKind::Link {
        std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(bytes), &new)?;
    } else {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&new)?;
        file.write_all(bytes)?;
        let permissions = mode.map_or_else(
            || {
                file.metadata()
                    .map(|made| with_kind(made.permissions(), kind))
            },
            |mode| Ok(fs::Permissions::from_mode(mode)),
        );
        file.set_permissions(permissions?)?;
        file.sync_all()?;
    }
    Ok(new)
}

/// As the system makes files for this person, executable by those who may read it or by nobody.
fn with_kind(made: fs::Permissions, kind: FileKind) -> fs::Permissions {
    let mode = made.mode() & 0o666;
    fs::Permissions::from_mode(match kind {
        FileKind::Executable => mode | (mode & 0o444) >> 2,
        _ => mode,
    })
}
