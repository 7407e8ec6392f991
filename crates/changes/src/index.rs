//! An index of our own: the worktree's, with files that it has no more and that are there all the same.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use git::RepoPath;

use crate::worktree::Worktree;

/// A copy of a worktree's index, which is gone with this.
pub(crate) struct Index {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Index {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn copy(of: &Path) -> io::Result<Self> {
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

impl Worktree {
    /// Copies the index, with these paths in it as `revision` has them. By it, git compares what stands there with `revision`,
    /// though the person has taken it out of the index.
    pub(crate) fn index_with(&self, revision: &str, paths: &[RepoPath]) -> Result<Index, String> {
        let index = Index::copy(&self.git_dir()?.join("index"));
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
        self.ask_of(Some(&index), args, &entries)?;
        Ok(index)
    }
}
