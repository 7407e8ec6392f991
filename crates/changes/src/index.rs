//! The index: where it lies, what was staged in it at some time, and one of our own beside it.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use git::RepoPath;

use crate::worktree::Worktree;

/// A copy of a worktree's index, which is gone with this.
pub(crate) struct Index {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Index {
    /// The variable by which git uses it.
    pub(crate) fn env(&self) -> Vec<(&'static str, &OsStr)> {
        vec![("GIT_INDEX_FILE", self.path.as_os_str())]
    }

    pub(crate) fn copy(of: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("switchyard-").tempdir()?;
        let path = directory.path().join("index");
        match fs::copy(of, &path) {
            // Nothing was ever staged.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Self {
                path,
                _directory: directory,
            }),
        }
    }
}

/// What was staged at some time.
pub(crate) struct Staged {
    place: PathBuf,
    bytes: Option<Vec<u8>>,
}

impl Staged {
    pub(crate) fn read(place: PathBuf) -> io::Result<Self> {
        let bytes = match fs::read(&place) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { place, bytes })
    }

    /// Puts it back, under the lock that git takes as well.
    pub(crate) fn put_back(self) -> io::Result<()> {
        let lock = lock_of(&self.place);
        let mut held = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&lock)?;
        let done = match &self.bytes {
            Some(bytes) => held
                .write_all(bytes)
                .and_then(|()| fs::rename(&lock, &self.place)),
            None => fs::remove_file(&self.place).and_then(|()| fs::remove_file(&lock)),
        };
        if done.is_err() {
            let _ = fs::remove_file(&lock);
        }
        done
    }
}

fn lock_of(index: &Path) -> PathBuf {
    let mut name = index.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

impl Worktree {
    /// Where the worktree's index lies.
    pub(crate) fn index_place(&self) -> Result<PathBuf, String> {
        let args = ["rev-parse", "--path-format=absolute", "--git-path", "index"];
        Ok(RepoPath::new(self.ask(args)?.trim_ascii_end()).to_path())
    }

    /// Copies the index, with these paths in it as `revision` has them. By it, git compares what stands there with `revision`,
    /// though the person has taken it out of the index.
    pub(crate) fn index_with(&self, revision: &str, paths: &[RepoPath]) -> Result<Index, String> {
        let index = Index::copy(&self.index_place()?);
        let index = index.map_err(|error| format!("its index could not be copied: {error}"))?;
        let listed = match paths {
            [path] => {
                let place = path.to_path().into_os_string();
                let args = ["--literal-pathspecs", "ls-tree", "-r", "-z", revision, "--"];
                let args = args.map(OsString::from).into_iter().chain([place]);
                self.ask(&args.collect::<Vec<_>>())?
            }
            // They may be more than an argument list can hold.
            _ => self.ask(["ls-tree", "-r", "-z", revision])?,
        };
        let paths: HashSet<_> = paths.iter().map(RepoPath::as_bytes).collect();
        let mut entries = Vec::new();
        for entry in listed.split(|byte| *byte == 0) {
            let tab = entry.iter().position(|byte| *byte == b'\t');
            if tab.is_some_and(|tab| paths.contains(&entry[tab + 1..])) {
                entries.extend_from_slice(entry);
                entries.push(0);
            }
        }
        let args = ["update-index", "-z", "--replace", "--index-info"];
        self.ask_with(index.env(), args, &entries)?;
        Ok(index)
    }
}
