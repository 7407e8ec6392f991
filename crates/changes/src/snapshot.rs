//! What files were, kept so that what is taken away can be given back: in a repository of our own, never in the person's.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use git::{Program, Question, RepoPath};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::disk::{self, State};
use crate::types::FileKind;
use crate::worktree::{ChangesError, Worktree};

/// More bytes are not kept by one snapshot.
const MOST: u64 = 512 * 1024 * 1024;

/// Snapshots are kept this long.
const KEPT_MS: u64 = 30 * 24 * 3600 * 1000;

/// Names a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct SnapshotId(String);

/// Keeps what files were, each snapshot a commit in a bare repository of our own: nothing of the person's own repository, of its
/// objects, refs, index or hooks, has a part in it.
#[derive(Debug, Clone)]
pub struct Snapshots {
    directory: PathBuf,
    program: Program,
}

/// A file of a snapshot, by where it is kept in it.
const BEFORE: &str = "before/";
/// A path at which there was nothing.
const ABSENT: &str = "absent/";
/// The permissions of a file.
const MODES: &str = "modes/";

impl Snapshots {
    /// Keeps them in this directory, which is made when it is needed.
    pub fn new(directory: PathBuf, program: Program) -> Self {
        Self { directory, program }
    }

    /// Keeps what stands at these paths of a worktree now. When it returns, that is on the disk.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotKept`]: a file can't be read, they are too large, the disk is full.
    pub(crate) fn take(
        &self,
        worktree: &Worktree,
        paths: &[RepoPath],
        now_ms: u64,
    ) -> Result<SnapshotId, ChangesError> {
        let failed = |why: String| ChangesError::NotKept {
            worktree: worktree.root().to_owned(),
            why,
        };
        let id = SnapshotId::new(now_ms);
        let mut told = Import::begin(&id, now_ms, worktree.root());
        let mut left = MOST;
        for path in paths {
            let state = disk::state(worktree.root(), path, left)
                .map_err(|error| failed(format!("`{path}`: {error}")))?;
            if let State::There { bytes, .. } = &state {
                left = left.saturating_sub(bytes.len() as u64);
            }
            told.add(path, &state);
        }
        self.make().map_err(failed)?;
        let input = told.end();
        self.ask(&["fast-import", "--quiet", "--done"], &input)
            .map_err(failed)?;
        Ok(id)
    }

    /// Puts the files of a snapshot back as they were, each in one step: it is as before or as after, also when this process ends
    /// in between. What stood in their places is kept as well, by the snapshot that is returned.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NoSnapshot`]; [`ChangesError::NotKept`] before anything is written; [`ChangesError::Write`].
    pub fn restore(
        &self,
        worktree: &Worktree,
        id: &SnapshotId,
        now_ms: u64,
    ) -> Result<SnapshotId, ChangesError> {
        let states = self.read(id)?;
        let paths: Vec<_> = states.iter().map(|(path, _)| path.clone()).collect();
        let before = self.take(worktree, &paths, now_ms)?;
        let scratch = worktree.scratch()?;
        for (path, state) in &states {
            disk::put(worktree.root(), path, state, &scratch).map_err(worktree.unwritten(path))?;
        }
        Ok(before)
    }

    /// Drops the snapshots that are too old, and gives back the room that they took.
    ///
    /// # Errors
    ///
    /// Says for a person why it was not done.
    pub fn prune(&self, now_ms: u64) -> Result<(), String> {
        if !self.directory.exists() {
            return Ok(());
        }
        let listed = self.ask(&["for-each-ref", "--format=%(refname)", REFS], &[])?;
        let mut gone = String::new();
        for full in String::from_utf8_lossy(&listed).lines() {
            let taken = full.strip_prefix(REFS).and_then(|id| id.split('-').next());
            let taken: u64 = taken.and_then(|ms| ms.parse().ok()).unwrap_or(0);
            if taken + KEPT_MS < now_ms {
                // Nobody fails to write into a text.
                let _ = writeln!(gone, "delete {full}");
            }
        }
        if !gone.is_empty() {
            self.ask(&["update-ref", "--stdin"], gone.as_bytes())?;
            self.ask(&["gc", "--quiet", "--prune=now"], &[])?;
        }
        Ok(())
    }

    fn read(&self, id: &SnapshotId) -> Result<Vec<(RepoPath, State)>, ChangesError> {
        let missing = |why: String| ChangesError::NoSnapshot {
            id: id.0.clone(),
            why,
        };
        if !id.is_sound() {
            return Err(missing("no snapshot is called so".to_owned()));
        }
        let listed = self
            .ask(&["ls-tree", "-r", "-z", &id.full()], &[])
            .map_err(missing)?;
        let mut entries = Vec::new();
        let mut wanted = Vec::new();
        for line in listed
            .split(|byte| *byte == 0)
            .filter(|line| !line.is_empty())
        {
            let tab = line.iter().position(|byte| *byte == b'\t');
            let (about, path) = line.split_at(tab.unwrap_or(line.len()));
            let mut about = about.split(|byte| *byte == b' ');
            let kind = about.next().and_then(FileKind::of_mode);
            wanted.extend_from_slice(about.nth(1).unwrap_or_default());
            wanted.push(b'\n');
            entries.push((kind, path.get(1..).unwrap_or_default()));
        }
        let contents = self
            .ask(&["cat-file", "--batch"], &wanted)
            .map_err(missing)?;
        let mut contents = &contents[..];
        let mut states = BTreeMap::new();
        let mut modes = Vec::new();
        for (kind, path) in entries {
            let bytes = next_content(&mut contents)
                .ok_or_else(|| missing("it can't be read any more".to_owned()))?;
            if let Some(path) = path.strip_prefix(ABSENT.as_bytes()) {
                states.insert(RepoPath::new(path), State::Absent);
            } else if let Some(path) = path.strip_prefix(MODES.as_bytes()) {
                let mode = std::str::from_utf8(bytes).ok();
                let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok());
                modes.push((RepoPath::new(path), mode));
            } else if let (Some(path), Some(kind)) = (path.strip_prefix(BEFORE.as_bytes()), kind) {
                let bytes = bytes.to_vec();
                let mode = None;
                states.insert(RepoPath::new(path), State::There { kind, bytes, mode });
            }
        }
        for (of, told) in modes {
            if let Some(State::There { mode, .. }) = states.get_mut(&of) {
                *mode = told;
            }
        }
        Ok(states.into_iter().collect())
    }

    /// Makes the repository that they are kept in.
    fn make(&self) -> Result<(), String> {
        if self.directory.join("HEAD").exists() {
            return Ok(());
        }
        let made = fs::create_dir_all(&self.directory).and_then(|()| self.to_owner());
        made.map_err(|error| format!("`{}`: {error}", self.directory.display()))?;
        self.ask(&["init", "--bare", "--quiet", "--template=", "."], &[])
            .map(drop)
    }

    /// What files held is for their owner only.
    fn to_owner(&self) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o700))
    }

    fn ask(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
        // What is written is on the disk before anything hangs on it.
        let args = ["-c", "core.fsync=all"].iter().chain(args);
        self.program.ask(&Question {
            dir: &self.directory,
            env: vec![("GIT_DIR", OsStr::new("."))],
            args: args.map(OsStr::new).collect(),
            input,
        })
    }
}

/// Where the snapshots stand in the repository that keeps them.
const REFS: &str = "refs/snapshots/";

impl SnapshotId {
    fn new(now_ms: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(format!("{now_ms}-{}-{next}", std::process::id()))
    }

    /// It comes from the page: it must name a snapshot, and nothing else.
    fn is_sound(&self) -> bool {
        !self.0.is_empty()
            && self
                .0
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
    }

    fn full(&self) -> String {
        format!("{REFS}{}", self.0)
    }
}

/// What `git fast-import` reads.
struct Import(Vec<u8>);

impl Import {
    fn begin(id: &SnapshotId, now_ms: u64, root: &Path) -> Self {
        let message = root.display().to_string();
        let mut told = Self(Vec::new());
        told.line(&format!("commit {}", id.full()));
        told.line(&format!(
            "committer switchyard <switchyard@localhost> {} +0000",
            now_ms / 1000
        ));
        told.data(message.as_bytes());
        told
    }

    fn add(&mut self, path: &RepoPath, state: &State) {
        match state {
            State::Absent => self.file("100644", ABSENT, path, &[]),
            State::There { kind, bytes, mode } => {
                let octal = match kind {
                    FileKind::Link => "120000",
                    FileKind::Executable => "100755",
                    FileKind::File | FileKind::Repository => "100644",
                };
                self.file(octal, BEFORE, path, bytes);
                if let Some(mode) = mode {
                    self.file("100644", MODES, path, format!("{mode:o}").as_bytes());
                }
            }
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.line("done");
        self.0
    }

    fn line(&mut self, line: &str) {
        self.0.extend_from_slice(line.as_bytes());
        self.0.push(b'\n');
    }

    fn data(&mut self, bytes: &[u8]) {
        self.line(&format!("data {}", bytes.len()));
        self.0.extend_from_slice(bytes);
        self.0.push(b'\n');
    }

    fn file(&mut self, mode: &str, below: &str, path: &RepoPath, bytes: &[u8]) {
        let mut line = format!("M {mode} inline \"{below}");
        for byte in path.as_bytes() {
            // Each as a number, where it might mean something else.
            match byte {
                b' '..=b'~' if !matches!(byte, b'"' | b'\\') => line.push(char::from(*byte)),
                // Nobody fails to write into a text.
                _ => drop(write!(line, "\\{byte:03o}")),
            }
        }
        line.push('"');
        self.line(&line);
        self.data(bytes);
    }
}

/// Takes the next content off what `git cat-file --batch` printed.
fn next_content<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&rest[..end]).ok()?;
    let size: usize = head.split(' ').nth(2)?.parse().ok()?;
    let content = rest.get(end + 1..end + 1 + size)?;
    *rest = rest.get(end + 2 + size..)?;
    Some(content)
}
