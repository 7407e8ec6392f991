//! What files were, kept so that what is taken away can be given back: in a repository of our own, never in the person's.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use git::{Program, Question, RepoPath};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::disk::{self, State};
use crate::moment::MOMENTS;
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

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for SnapshotId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

/// What was kept, as a list tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Snapshot {
    /// Its name.
    pub id: SnapshotId,
    /// When it was taken, in milliseconds since 1970.
    pub taken_ms: u64,
    /// Of what.
    #[serde(flatten)]
    pub kept: Kept,
}

/// Of what a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Kept {
    /// The root of the worktree.
    pub worktree: String,
    /// What then took its place.
    pub reason: SnapshotReason,
    /// So many files.
    pub count: u32,
    /// The first of them; bytes that are no text are replaced.
    pub files: Vec<String>,
}

/// What took the place of what a snapshot kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotReason {
    /// It was discarded.
    Discarded,
    /// An older snapshot was given back.
    Restored,
    /// Nothing: its worktree was removed.
    Removed,
}

/// So many files are named by a list.
const NAMED: usize = 20;

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
        reason: SnapshotReason,
        now_ms: u64,
    ) -> Result<SnapshotId, ChangesError> {
        let failed = |why: String| ChangesError::NotKept {
            worktree: worktree.root().to_owned(),
            why,
        };
        let id = SnapshotId::new(now_ms);
        let kept = Kept {
            worktree: worktree.root().display().to_string(),
            reason,
            count: u32::try_from(paths.len()).unwrap_or(u32::MAX),
            files: paths.iter().take(NAMED).map(RepoPath::to_string).collect(),
        };
        let mut told = Import::begin(&id.full(), now_ms, &kept);
        let mut left = MOST;
        for path in paths {
            let state = disk::state_or_directory(worktree.root(), path, left)
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
        let mut states: Vec<_> = self.read(id)?.into_iter().collect();
        let paths: Vec<_> = states.iter().map(|(path, _)| path.clone()).collect();
        // What goes makes room for what comes.
        states.sort_by_key(|(_, state)| matches!(state, State::There { .. }));
        let before = self.take(worktree, &paths, SnapshotReason::Restored, now_ms)?;
        let scratch = worktree.scratch()?;
        for (path, state) in &states {
            disk::put(worktree.root(), path, state, &scratch).map_err(worktree.unwritten(path))?;
        }
        Ok(before)
    }

    /// Lists what is kept, the newest first: of one worktree, by its root, or of all.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotListed`].
    pub fn list(&self, worktree: Option<&Path>) -> Result<Vec<Snapshot>, ChangesError> {
        let listed = self.listed_in(REFS);
        let listed = listed.map_err(|why| ChangesError::NotListed { why })?;
        let mut all: Vec<_> = listed
            .into_iter()
            .map(|(id, kept)| Snapshot {
                taken_ms: id.taken_ms(),
                id,
                kept,
            })
            .collect();
        if let Some(root) = worktree.map(|root| root.display().to_string()) {
            all.retain(|one| one.kept.worktree == root);
        }
        all.sort_by_key(|one| std::cmp::Reverse((one.taken_ms, one.id.nth())));
        Ok(all)
    }

    /// What stands below these refs, and what is told of it.
    pub(crate) fn listed_in<K: serde::de::DeserializeOwned>(
        &self,
        refs: &str,
    ) -> Result<Vec<(SnapshotId, K)>, String> {
        if !self.is_made() {
            return Ok(Vec::new());
        }
        let format = "--format=%(refname)%00%(contents)%00";
        let printed = self.ask(&["for-each-ref", format, refs], &[])?;
        let printed = String::from_utf8_lossy(&printed);
        let mut fields = printed.split('\0');
        let mut all = Vec::new();
        while let (Some(full), Some(kept)) = (fields.next(), fields.next()) {
            let id = full.trim_start().strip_prefix(refs).map(SnapshotId::from);
            // What another version wrote, and this one can't read, is given back by its name alone.
            if let (Some(id), Ok(kept)) = (id, serde_json::from_str::<K>(kept)) {
                all.push((id, kept));
            }
        }
        Ok(all)
    }

    /// Drops the snapshots and moments that are too old, and gives back the room that they took.
    ///
    /// # Errors
    ///
    /// Says for a person why it was not done.
    pub fn prune(&self, now_ms: u64) -> Result<(), String> {
        if !self.is_made() {
            return Ok(());
        }
        let args = ["for-each-ref", "--format=%(refname)", REFS, MOMENTS];
        let listed = self.ask(&args, &[])?;
        let listed = String::from_utf8_lossy(&listed);
        let is_old = |full: &&str| {
            let id = full.strip_prefix(REFS).or(full.strip_prefix(MOMENTS));
            let taken = id.map_or(0, |id| SnapshotId::from(id).taken_ms());
            taken + KEPT_MS < now_ms
        };
        self.drop_refs(listed.lines().filter(is_old).map(str::to_owned))
    }

    /// Drops what stands at these refs, and gives back the room that it took.
    pub(crate) fn drop_refs(&self, refs: impl Iterator<Item = String>) -> Result<(), String> {
        let gone: String = refs.map(|full| format!("delete {full}\n")).collect();
        if !gone.is_empty() {
            self.drop_stale_lock();
            self.ask(&["update-ref", "--stdin"], gone.as_bytes())?;
            // What is younger may be of a snapshot that another process is about to name.
            self.ask(&["gc", "--quiet", "--prune=2.hours.ago"], &[])?;
        }
        Ok(())
    }

    fn read(&self, id: &SnapshotId) -> Result<BTreeMap<RepoPath, State>, ChangesError> {
        let missing = |why: String| ChangesError::NoSnapshot {
            id: id.0.clone(),
            why,
        };
        if !id.is_sound() {
            return Err(missing("no snapshot is called so".to_owned()));
        }
        self.states_of(&id.full()).map_err(missing)
    }

    /// The files that stand below a ref, as they were.
    pub(crate) fn states_of(&self, full: &str) -> Result<BTreeMap<RepoPath, State>, String> {
        let listed = self.ask(&["ls-tree", "-r", "-z", full], &[])?;
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
            let path = path.get(1..).unwrap_or_default();
            let own = [BEFORE, ABSENT, MODES];
            if !own.iter().any(|part| path.starts_with(part.as_bytes())) {
                continue;
            }
            wanted.extend_from_slice(about.nth(1).unwrap_or_default());
            wanted.push(b'\n');
            entries.push((kind, path));
        }
        let contents = self.ask(&["cat-file", "--batch"], &wanted)?;
        let mut contents = &contents[..];
        let mut states = BTreeMap::new();
        let mut modes = Vec::new();
        for (kind, path) in entries {
            let bytes = next_content(&mut contents).ok_or("it can't be read any more")?;
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
        Ok(states)
    }

    /// Whether there is a repository already; what is there of it is all of it.
    fn is_made(&self) -> bool {
        self.directory.join("HEAD").exists()
    }

    /// Makes the repository that they are kept in: beside, and then all at once, so that none is ever made in part.
    pub(crate) fn make(&self) -> Result<(), String> {
        if self.is_made() {
            return Ok(());
        }
        let failed = |error: io::Error| format!("`{}`: {error}", self.directory.display());
        let parent = self.directory.parent().unwrap_or(&self.directory);
        fs::create_dir_all(parent).map_err(failed)?;
        // What files held is for their owner only.
        let beside = tempfile::Builder::new()
            .prefix(".snapshots-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(failed)?;
        let within = Self::new(beside.path().to_owned(), self.program.clone());
        within.ask(&["init", "--bare", "--quiet", "--template=", "."], &[])?;
        match fs::rename(beside.path(), &self.directory) {
            // Somebody else has made it meanwhile.
            Err(error) if !self.is_made() => Err(failed(error)),
            _ => fs::File::open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(failed),
        }
    }

    /// Takes away the lock of a git that was killed while it dropped snapshots: nothing else would, ever.
    fn drop_stale_lock(&self) {
        let lock = self.directory.join("packed-refs.lock");
        let left = fs::metadata(&lock).and_then(|found| found.modified());
        let stale = |left: SystemTime| left.elapsed().is_ok_and(|age| age > disk::LEFT_BEHIND);
        if left.is_ok_and(stale) {
            // When it stays, git says so.
            let _ = fs::remove_file(lock);
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn ask(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
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
    pub(crate) fn new(now_ms: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(format!("{now_ms}-{}-{next}", std::process::id()))
    }

    /// It comes from the page: it must name a snapshot, and nothing else.
    pub(crate) fn is_sound(&self) -> bool {
        !self.0.is_empty()
            && self
                .0
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
    }

    pub(crate) fn taken_ms(&self) -> u64 {
        self.numbers().next().unwrap_or(0)
    }

    /// The how manieth it is of its process.
    pub(crate) fn nth(&self) -> u64 {
        self.numbers().nth(2).unwrap_or(0)
    }

    fn numbers(&self) -> impl Iterator<Item = u64> {
        self.0.split('-').map(|part| part.parse().unwrap_or(0))
    }

    fn full(&self) -> String {
        self.full_in(REFS)
    }

    pub(crate) fn full_in(&self, refs: &str) -> String {
        format!("{refs}{}", self.0)
    }
}

/// What `git fast-import` reads.
pub(crate) struct Import(Vec<u8>);

impl Import {
    /// Begins a commit at a ref, with what is told of it.
    pub(crate) fn begin(full: &str, now_ms: u64, kept: &impl Serialize) -> Self {
        let message = serde_json::to_string(kept).expect("texts and numbers are always JSON");
        let mut told = Self(Vec::new());
        told.line(&format!("commit {full}"));
        told.line(&format!(
            "committer switchyard <switchyard@localhost> {} +0000",
            now_ms / 1000
        ));
        told.data(message.as_bytes());
        told
    }

    pub(crate) fn add(&mut self, path: &RepoPath, state: &State) {
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

    pub(crate) fn end(mut self) -> Vec<u8> {
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

    /// A file with these bytes.
    pub(crate) fn file(&mut self, mode: &str, below: &str, path: &RepoPath, bytes: &[u8]) {
        self.entry(mode, "inline", below, path);
        self.data(bytes);
    }

    /// An object that is there.
    pub(crate) fn object(&mut self, mode: &str, id: &str, below: &str, path: &RepoPath) {
        self.entry(mode, id, below, path);
    }

    fn entry(&mut self, mode: &str, what: &str, below: &str, path: &RepoPath) {
        let mut line = format!("M {mode} {what} \"{below}");
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
    }
}

/// Takes the next content off what `git cat-file --batch` printed.
pub(crate) fn next_content<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&rest[..end]).ok()?;
    let size: usize = head.split(' ').nth(2)?.parse().ok()?;
    let content = rest.get(end + 1..end + 1 + size)?;
    *rest = rest.get(end + 2 + size..)?;
    Some(content)
}
