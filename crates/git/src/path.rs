//! `RepoPath`: a path inside a repository.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A path inside a repository, as git writes it: relative, `/` between its parts, any bytes.
///
/// It is shown and serialized as text; bytes that are not UTF-8 are replaced there, so two such
/// paths may look alike, but they are never taken for one another inside.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Arc<[u8]>);

impl RepoPath {
    /// Takes a path as git writes it.
    pub fn new(path: impl AsRef<[u8]>) -> Self {
        Self(path.as_ref().into())
    }

    /// Gives the bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the path with lossless bytes where the system allows it, to be joined to a worktree's root.
    pub fn to_path(&self) -> PathBuf {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt as _;
            PathBuf::from(std::ffi::OsStr::from_bytes(&self.0))
        }
        #[cfg(not(unix))]
        {
            PathBuf::from(String::from_utf8_lossy(&self.0).into_owned())
        }
    }

    /// Reads a relative path of the file system; none when it is empty or leaves its root.
    pub fn from_path(path: &Path) -> Option<Self> {
        let mut bytes = Vec::new();
        for part in path.components() {
            match part {
                std::path::Component::Normal(part) => {
                    if !bytes.is_empty() {
                        bytes.push(b'/');
                    }
                    bytes.extend_from_slice(part.as_encoded_bytes());
                }
                std::path::Component::CurDir => {}
                _ => return None,
            }
        }
        (!bytes.is_empty()).then(|| Self(bytes.into()))
    }

    /// Says whether this path lies in the directory `dir`.
    pub fn is_below(&self, dir: &RepoPath) -> bool {
        self.0.len() > dir.0.len() && self.0.starts_with(&dir.0) && self.0[dir.0.len()] == b'/'
    }

    /// Gives the path as it is inside the directory `dir`; none when it does not lie there.
    pub fn inside(&self, dir: &RepoPath) -> Option<Self> {
        self.is_below(dir)
            .then(|| Self(self.0[dir.0.len() + 1..].into()))
    }

    /// Says whether it belongs to git itself.
    pub fn is_gits_own(&self) -> bool {
        self.0.split(|byte| *byte == b'/').next() == Some(b".git")
    }

    /// Gives the path of something inside the directory `dir` as it is from outside.
    pub fn within(&self, dir: &RepoPath) -> Self {
        Self([dir.as_bytes(), b"/", self.as_bytes()].concat().into())
    }

    /// Lists the directories that this path lies in, the outermost last.
    pub fn parents(&self) -> impl Iterator<Item = RepoPath> + '_ {
        let mut end = self.0.len();
        std::iter::from_fn(move || {
            end = self.0[..end].iter().rposition(|byte| *byte == b'/')?;
            Some(RepoPath(self.0[..end].into()))
        })
    }

    /// Gives the last part of the path.
    pub fn name(&self) -> &[u8] {
        self.0
            .rsplit(|byte| *byte == b'/')
            .next()
            .unwrap_or(&self.0)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl From<&str> for RepoPath {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl Serialize for RepoPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.0))
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(String::deserialize(deserializer)?))
    }
}
