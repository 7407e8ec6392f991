//! The files that an agent may read and write: those of its worktree, and no others.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

/// The largest file that is handed to an agent, or taken from one.
const FILE_LIMIT: u64 = 16 << 20;

/// Why a file was not read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileError {
    /// There is no such file in the worktree.
    NotFound {
        /// The path, as it was asked for.
        shown: String,
    },
    /// It may not be: it is outside of the worktree, or git's own.
    Refused(String),
    /// The system refused, or the file is not one that can be handed over.
    Failed(String),
}

impl FileError {
    fn of(what: &str, shown: &str, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::NotFound {
                shown: shown.to_owned(),
            }
        } else {
            Self::Failed(format!("could not {what} `{shown}`: {error}"))
        }
    }
}

/// Reads lines of a file inside `root`; `line` counts from 1.
pub(super) fn read(
    root: &Path,
    path: &Path,
    line: Option<u32>,
    limit: Option<u32>,
) -> Result<String, FileError> {
    let (file, shown) = open(root, path, Want::Read)?;
    let mut text = String::new();
    let read = file
        .take(FILE_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|error| FileError::of("read", &shown, &error))?;
    if read as u64 > FILE_LIMIT {
        let megabytes = FILE_LIMIT >> 20;
        return Err(FileError::Failed(format!(
            "`{shown}` is larger than {megabytes} MB"
        )));
    }
    if line.is_none() && limit.is_none() {
        return Ok(text);
    }
    let first = line.unwrap_or(1).max(1) as usize - 1;
    let count = limit.map_or(usize::MAX, |limit| limit as usize);
    Ok(text.split_inclusive('\n').skip(first).take(count).collect())
}

/// Replaces the content of a file inside `root`, making it and its directories if need be.
pub(super) fn write(root: &Path, path: &Path, content: &str) -> Result<(), FileError> {
    if content.len() as u64 > FILE_LIMIT {
        let megabytes = FILE_LIMIT >> 20;
        return Err(FileError::Refused(format!(
            "the content is larger than {megabytes} MB"
        )));
    }
    let (mut file, shown) = open(root, path, Want::Write)?;
    file.write_all(content.as_bytes())
        .map_err(|error| FileError::of("write", &shown, &error))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Read,
    Write,
}

/// Opens a file below `root`. Links are followed only as far as they stay below it.
fn open(root: &Path, path: &Path, want: Want) -> Result<(File, String), FileError> {
    let shown = path.display().to_string();
    let outside = || {
        FileError::Refused(format!(
            "`{shown}` is outside of the session's worktree `{}`",
            root.display()
        ))
    };
    let root = root.canonicalize().map_err(|error| {
        FileError::Failed(format!(
            "the worktree `{}` can't be reached: {error}",
            root.display()
        ))
    })?;
    let asked = if path.is_absolute() {
        path.to_path_buf()
    } else {
        root.join(path)
    };
    if asked.components().any(|part| part == Component::ParentDir) {
        return Err(outside());
    }
    // The longest part that exists says where the path really leads; the rest is to be made, or is missing.
    let mut existing = asked.as_path();
    let mut rest = Vec::new();
    let real = loop {
        match existing.canonicalize() {
            Ok(real) => break real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A link that leads nowhere would be followed by a write.
                if existing.symlink_metadata().is_ok() {
                    return Err(outside());
                }
                let (Some(parent), Some(name)) = (existing.parent(), existing.file_name()) else {
                    return Err(outside());
                };
                rest.push(name.to_owned());
                existing = parent;
            }
            Err(error) => {
                // Whether a file outside exists is nobody's business either.
                return Err(if asked.starts_with(&root) {
                    FileError::of("open", &shown, &error)
                } else {
                    outside()
                });
            }
        }
    };
    let mut real: PathBuf = real;
    let missing = !rest.is_empty();
    real.extend(rest.into_iter().rev());
    let Ok(below) = real.strip_prefix(&root) else {
        return Err(outside());
    };
    if missing && want == Want::Read {
        return Err(FileError::NotFound { shown });
    }
    if below.as_os_str().is_empty()
        || below.components().next() == Some(Component::Normal(".git".as_ref()))
            && want == Want::Write
    {
        return Err(FileError::Refused(format!(
            "`{shown}` may not be written by an agent"
        )));
    }
    if want == Want::Write
        && let Some(parent) = real.parent()
    {
        std::fs::create_dir_all(parent)
            .map_err(|error| FileError::of("make", &parent.display().to_string(), &error))?;
    }
    open_below(&root, below, want)
        .map(|file| (file, shown.clone()))
        .map_err(|error| FileError::of("open", &shown, &error))
}

/// Opens what was resolved, and lets the system refuse when a link was put in its way meanwhile.
#[cfg(target_os = "linux")]
fn open_below(root: &Path, below: &Path, want: Want) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
    let directory = open(
        root,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let (flags, mode) = match want {
        Want::Read => (OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()),
        Want::Write => (
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NONBLOCK,
            Mode::from_raw_mode(0o644),
        ),
    };
    let file: File = openat2(
        &directory,
        below,
        flags | OFlags::CLOEXEC,
        mode,
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
    )?
    .into();
    regular(file)
}

#[cfg(not(target_os = "linux"))]
fn open_below(root: &Path, below: &Path, want: Want) -> io::Result<File> {
    let path = root.join(below);
    regular(match want {
        Want::Read => File::open(path)?,
        Want::Write => File::create(path)?,
    })
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_worktree_is_read_whole_or_in_part_and_written() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.txt"), "one\ntwo\nthree\n").unwrap();
        let at = root.path().join("a.txt");
        assert_eq!(
            read(root.path(), &at, None, None).unwrap(),
            "one\ntwo\nthree\n"
        );
        assert_eq!(read(root.path(), &at, Some(2), Some(1)).unwrap(), "two\n");
        let new = root.path().join("deep/er/b.txt");
        write(root.path(), &new, "new").unwrap();
        assert_eq!(std::fs::read_to_string(new).unwrap(), "new");
    }

    fn assert_refused<T: std::fmt::Debug>(path: &str, done: Result<T, FileError>) {
        match done {
            Err(FileError::Refused(reason)) => {
                assert!(reason.contains("outside"), "{path}: {reason}")
            }
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_apart_from_one_that_may_not_be_read() {
        let root = tempfile::tempdir().unwrap();
        let none = root.path().join("none.txt");
        let shown = none.display().to_string();
        assert_eq!(
            read(root.path(), &none, None, None),
            Err(FileError::NotFound { shown })
        );
        std::fs::create_dir(root.path().join("dir")).unwrap();
        let error = read(root.path(), &root.path().join("dir"), None, None).unwrap_err();
        assert!(matches!(error, FileError::Failed(_)), "{error:?}");
    }

    #[test]
    fn nothing_outside_of_the_worktree_is_read_or_written() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("tree");
        std::fs::create_dir_all(root.join("in")).unwrap();
        std::fs::write(outer.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret"), root.join("link")).unwrap();
        std::os::unix::fs::symlink(outer.path(), root.join("dir")).unwrap();
        std::os::unix::fs::symlink(outer.path().join("none"), root.join("dangling")).unwrap();
        for path in [
            "/etc/passwd",
            "../secret",
            "in/../../secret",
            "link",
            "dir/secret",
            "dir/new",
        ] {
            let at = Path::new(path);
            assert_refused(path, read(&root, at, None, None));
            assert_refused(path, write(&root, at, "x"));
        }
        assert_refused("dangling", read(&root, Path::new("dangling"), None, None));
        assert_refused("dangling", write(&root, Path::new("dangling"), "x"));
        assert!(write(&root, Path::new(".git/config"), "x").is_err());
        assert_eq!(
            std::fs::read_to_string(outer.path().join("secret")).unwrap(),
            "s"
        );
        assert!(!outer.path().join("new").exists());
        assert!(!outer.path().join("none").exists());
    }
}
