//! The only file that names notify: raw notices of the file system in, settled changes out.
//!
//! Each directory is watched by itself, so what ignore rules leave out costs nothing. A watch that
//! could not be placed and a notice that was lost are said, never passed over.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{RecursiveMode, Watcher as _};

use crate::survey::path_in;
use crate::types::WorktreeId;
use ::git::RepoPath;

/// Quiet for this long, and a batch of changes is looked at: editors write in several steps.
const SETTLE: Duration = Duration::from_millis(12);

/// A batch is looked at after this long, however busy it is.
const AT_MOST: Duration = Duration::from_millis(50);

/// While git holds a worktree's index, its changes wait this long at most.
const LOCKED_AT_MOST: Duration = Duration::from_millis(1_000);

/// What the file system said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something happened to this path.
    Changed(PathBuf),
    /// This path is gone, or something else stands there; watches below it may be dead.
    Gone(PathBuf),
    /// Notices were lost, for this reason.
    Lost(String),
}

/// Why a directory is not watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// The system has no watches left.
    #[error("the system's limit of watched directories is reached")]
    Exhausted,
    /// The directory is not there.
    #[error("the directory is gone")]
    Missing,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Watches directories, each by itself.
pub trait WatchDirs: Send {
    /// Watches the entries of one directory. Watching it again renews the watch.
    ///
    /// # Errors
    ///
    /// [`WatchError::Exhausted`] when the system has no watches left.
    fn watch(&mut self, dir: &Path) -> Result<(), WatchError>;

    /// Stops watching a directory.
    fn unwatch(&mut self, dir: &Path);
}

/// Takes notices in.
pub type Deliver = Box<dyn Fn(Notice) + Send + Sync>;

/// Starts watching; replaced in tests to lose notices and to run out of watches.
pub trait Notifier: Send + Sync {
    /// Starts, and delivers notices until the answer is dropped.
    ///
    /// # Errors
    ///
    /// [`WatchError`] when the system offers no more of its notification queues.
    fn start(&self, deliver: Deliver) -> Result<Box<dyn WatchDirs>, WatchError>;
}

/// The system's own notification.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNotifier;

impl Notifier for SystemNotifier {
    fn start(&self, deliver: Deliver) -> Result<Box<dyn WatchDirs>, WatchError> {
        let handler = move |event: notify::Result<notify::Event>| match event {
            Ok(event) => {
                if event.need_rescan() {
                    deliver(Notice::Lost(
                        "the system dropped notices of changes".to_owned(),
                    ));
                }
                for notice in notices(event) {
                    deliver(notice);
                }
            }
            Err(error) => deliver(Notice::Lost(error.to_string())),
        };
        let watcher = notify::recommended_watcher(handler).map_err(refused)?;
        Ok(Box::new(System(watcher)))
    }
}

struct System(notify::RecommendedWatcher);

impl WatchDirs for System {
    fn watch(&mut self, dir: &Path) -> Result<(), WatchError> {
        self.0
            .watch(dir, RecursiveMode::NonRecursive)
            .map_err(refused)
    }

    fn unwatch(&mut self, dir: &Path) {
        // It may be gone already, with its directory.
        let _ = self.0.unwatch(dir);
    }
}

fn refused(error: notify::Error) -> WatchError {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => WatchError::Exhausted,
        notify::ErrorKind::PathNotFound => WatchError::Missing,
        notify::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            WatchError::Missing
        }
        _ => WatchError::Other(error.to_string()),
    }
}

/// What an event means for the picture; readers of files raise events too, which mean nothing.
fn notices(event: notify::Event) -> Vec<Notice> {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
        EventKind::Access(_) => return Vec::new(),
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
            return event.paths.into_iter().map(Notice::Gone).collect();
        }
        // Its two halves come by themselves.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => return Vec::new(),
        _ => {}
    }
    event.paths.into_iter().map(Notice::Changed).collect()
}

/// The directories that are watched, and those that should be.
pub(crate) struct Watches {
    dirs: Option<Box<dyn WatchDirs>>,
    armed: HashSet<PathBuf>,
    /// Not watched, with the reason.
    missing: HashMap<PathBuf, WatchError>,
    /// Directories armed since [`Watches::begin`].
    visited: Option<HashSet<PathBuf>>,
    refused: Option<WatchError>,
}

impl Watches {
    pub(crate) fn new(started: Result<Box<dyn WatchDirs>, WatchError>) -> Self {
        let (dirs, refused) = match started {
            Ok(dirs) => (Some(dirs), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            dirs,
            armed: HashSet::new(),
            missing: HashMap::new(),
            visited: None,
            refused,
        }
    }

    /// Watches a directory, if it is not watched yet.
    pub(crate) fn arm(&mut self, dir: &Path) {
        if let Some(visited) = &mut self.visited {
            // All are renewed: a directory may have been replaced without a word.
            if !visited.insert(dir.to_owned()) {
                return;
            }
        } else if self.armed.contains(dir) {
            return;
        }
        let Some(dirs) = &mut self.dirs else { return };
        match dirs.watch(dir) {
            Ok(()) => {
                self.missing.remove(dir);
                self.armed.insert(dir.to_owned());
            }
            Err(error) => {
                self.armed.remove(dir);
                if error != WatchError::Missing {
                    self.missing.insert(dir.to_owned(), error);
                }
            }
        }
    }

    /// Begins a look at everything: what is not armed until [`Watches::end`] is not needed any more.
    pub(crate) fn begin(&mut self) {
        self.visited = Some(HashSet::new());
    }

    pub(crate) fn end(&mut self) {
        let Some(visited) = self.visited.take() else {
            return;
        };
        let unneeded: Vec<_> = self.armed.difference(&visited).cloned().collect();
        for dir in unneeded {
            self.armed.remove(&dir);
            if let Some(dirs) = &mut self.dirs {
                dirs.unwatch(&dir);
            }
        }
        self.missing.retain(|dir, _| visited.contains(dir));
    }

    /// Forgets a directory that is gone, and all below it.
    pub(crate) fn forget(&mut self, path: &Path) {
        if !self.armed.contains(path) {
            return;
        }
        let below: Vec<_> = self
            .armed
            .iter()
            .filter(|dir| dir.starts_with(path))
            .cloned()
            .collect();
        for dir in below {
            self.armed.remove(&dir);
            if let Some(dirs) = &mut self.dirs {
                dirs.unwatch(&dir);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.armed.len()
    }

    /// Why changes may be seen late; empty when all is watched.
    pub(crate) fn reasons(&self) -> Vec<String> {
        if let Some(error) = &self.refused {
            return vec![format!(
                "changes are not notified: {error}; looking at all files every few seconds"
            )];
        }
        let kinds: BTreeSet<_> = self.missing.values().map(ToString::to_string).collect();
        let say = |kind: String| {
            let count = self
                .missing
                .values()
                .filter(|error| error.to_string() == kind)
                .count();
            let hint = if kind == WatchError::Exhausted.to_string() {
                " (on Linux: sysctl fs.inotify.max_user_watches)"
            } else {
                ""
            };
            format!(
                "{count} directories are not watched: {kind}{hint}; looking at all files every few seconds"
            )
        };
        kinds.into_iter().map(say).collect()
    }
}

/// Where the worktrees and their git directories lie.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) common_dir: PathBuf,
    /// Id, root, git directory.
    pub(crate) worktrees: Vec<(WorktreeId, PathBuf, PathBuf)>,
    /// The worktree, and the git directory that it has for a submodule.
    pub(crate) submodules: Vec<(WorktreeId, PathBuf)>,
}

/// What one notice is about.
#[derive(Debug, PartialEq, Eq)]
enum About {
    /// A file or directory of a worktree.
    File(WorktreeId, RepoPath),
    /// The worktree's root itself.
    Root(WorktreeId),
    /// HEAD, an index, refs, the list of worktrees.
    Refs,
    /// Rules or settings of the repository: everything has to be looked at again.
    Rules,
    Nothing,
}

impl About {
    /// What a path in the directory of a repository is about.
    fn common(rest: &Path) -> Self {
        let lock = rest
            .extension()
            .is_some_and(|extension| extension == "lock");
        match rest.to_str() {
            _ if lock => Self::Nothing,
            Some("HEAD" | "MERGE_HEAD" | "index" | "packed-refs" | "refs" | "worktrees" | "") => {
                Self::Refs
            }
            Some("config" | "config.worktree" | "info/exclude" | "info/attributes") => Self::Rules,
            _ if rest.starts_with("refs/heads") || rest.starts_with("worktrees") => Self::Refs,
            _ => Self::Nothing,
        }
    }
}

impl Places {
    fn about(&self, path: &Path) -> About {
        let git_dirs = self.submodules.iter().map(|(_, git_dir)| git_dir);
        // They lie in one another, and in that of the worktree: the innermost counts.
        let submodule = git_dirs
            .filter(|git_dir| path.starts_with(git_dir))
            .max_by_key(|git_dir| git_dir.as_os_str().len());
        if let Some(rest) = submodule.and_then(|git_dir| path.strip_prefix(git_dir).ok()) {
            return About::common(rest);
        }
        for (_, _, git_dir) in &self.worktrees {
            if let Ok(rest) = path.strip_prefix(git_dir)
                && *git_dir != self.common_dir
            {
                return match rest.to_str() {
                    Some("HEAD" | "MERGE_HEAD" | "index" | "gitdir" | "") => About::Refs,
                    Some("config.worktree") => About::Rules,
                    _ => About::Nothing,
                };
            }
        }
        if let Ok(rest) = path.strip_prefix(&self.common_dir) {
            return About::common(rest);
        }
        let inside = |(_, root, _): &&(WorktreeId, PathBuf, PathBuf)| path.starts_with(root);
        // Worktrees may lie inside one another: the innermost counts.
        let Some((id, root, _)) = self
            .worktrees
            .iter()
            .filter(inside)
            .max_by_key(|place| place.1.as_os_str().len())
        else {
            return About::Nothing;
        };
        match path_in(root, path) {
            Some(path) => About::File(id.clone(), path),
            None => About::Root(id.clone()),
        }
    }

    /// Directories whose entries tell of HEADs, refs, indexes and worktrees.
    pub(crate) fn git_dirs(&self) -> Vec<PathBuf> {
        let common = &self.common_dir;
        let mut dirs = vec![common.clone(), common.join("refs"), common.join("info")];
        let worktrees = common.join("worktrees");
        if worktrees.is_dir() {
            dirs.push(worktrees);
        }
        dirs.extend(self.worktrees.iter().map(|(_, _, git_dir)| git_dir.clone()));
        let mut waiting = vec![common.join("refs/heads")];
        for (_, git_dir) in &self.submodules {
            dirs.extend([git_dir.clone(), git_dir.join("info")]);
            waiting.push(git_dir.join("refs/heads"));
        }
        while let Some(dir) = waiting.pop() {
            if let Ok(entries) = std::fs::read_dir(&dir) {
                let below = entries.filter_map(Result::ok);
                waiting.extend(
                    below
                        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                        .map(|entry| entry.path()),
                );
                dirs.push(dir);
            }
        }
        dirs
    }
}

/// Changes that are looked at together once they have settled.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) files: HashMap<WorktreeId, HashSet<RepoPath>>,
    pub(crate) roots: HashSet<WorktreeId>,
    pub(crate) refs: bool,
    pub(crate) rules: bool,
    pub(crate) lost: Option<String>,
    /// The first and the last notice.
    times: Option<(Instant, Instant)>,
}

impl Batch {
    pub(crate) fn take_in(&mut self, notice: &Notice, places: &Places, now: Instant) {
        let path = match notice {
            Notice::Changed(path) | Notice::Gone(path) => path,
            Notice::Lost(why) => {
                self.lost = Some(why.clone());
                self.stamp(now);
                return;
            }
        };
        match places.about(path) {
            About::File(id, path) => {
                self.files.entry(id).or_default().insert(path);
            }
            About::Root(id) => {
                if matches!(notice, Notice::Gone(_)) {
                    self.roots.insert(id);
                } else {
                    return;
                }
            }
            About::Refs => self.refs = true,
            About::Rules => self.rules = true,
            About::Nothing => return,
        }
        self.stamp(now);
    }

    /// Asks for another look at HEADs, refs and indexes.
    pub(crate) fn read_refs(&mut self, now: Instant) {
        self.refs = true;
        self.stamp(now);
    }

    fn stamp(&mut self, now: Instant) {
        self.times = Some((self.times.map_or(now, |(first, _)| first), now));
    }

    /// When to look; later while git is at work in one of the worktrees concerned.
    pub(crate) fn due(&self, places: &Places) -> Option<Instant> {
        let (first, last) = self.times?;
        let worktrees = places.worktrees.iter();
        let worktrees = worktrees.map(|(id, _, git_dir)| (id, git_dir));
        let submodules = places.submodules.iter();
        let mut all = worktrees.chain(submodules.map(|(id, git_dir)| (id, git_dir)));
        let locked = all.any(|(id, git_dir)| {
            (self.refs || self.files.contains_key(id)) && git_dir.join("index.lock").exists()
        });
        Some(if locked {
            (Instant::now() + SETTLE)
                .min(first + LOCKED_AT_MOST)
                .max(last + SETTLE)
        } else {
            (last + SETTLE).min(first + AT_MOST)
        })
    }
}
