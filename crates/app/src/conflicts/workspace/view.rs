//! The workspace's repositories as they are listed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::conflicts::{ConflictGroup, ConflictWatcher, Health, HealthState, Severity, grouped};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::Kept;

/// One repository of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RepositoryView {
    /// What commands call it: the directory that its worktrees share.
    pub repository: String,
    /// The root of its main worktree; for a bare one, the shared directory.
    pub root: String,
    /// What people call it: the last part of its root; with as much before it as tells it from the others.
    pub name: String,
    /// A person added it: it stays without panes, and over restarts.
    pub added: bool,
    /// How far it is known.
    pub state: RepositoryState,
    /// Its worktrees, the main one first.
    pub worktrees: Vec<WorktreeView>,
}

/// How far a repository is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RepositoryState {
    /// All its files are being looked at for the first time.
    Looking,
    /// It is watched.
    Watched {
        /// Whether changes are seen as they happen.
        health: HealthState,
        /// Why not, a line per reason, for a person.
        reasons: Vec<String>,
        /// Directories being watched.
        watches: u32,
    },
    /// It can't be watched; it is tried again now and then.
    Failed {
        /// Why, for a person.
        message: String,
    },
}

/// One worktree of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WorktreeView {
    /// Its root, which is also its name for commands.
    pub path: String,
    /// What people call it: the last part of its path.
    pub name: String,
    /// The branch it is on; none when its HEAD is detached.
    pub branch: Option<String>,
    /// It is the repository's own checkout, not a linked one.
    pub main: bool,
    /// Its directory is there and can be read.
    pub present: bool,
    /// The agent that works in it, when one is known.
    pub agent: Option<String>,
    /// How many files differ from the nearest merge base, committed or not.
    pub changed_files: u32,
    /// How many groups of warnings it has a part in; those that a person quieted don't count.
    pub conflicts: u32,
    /// How many of them a merge would stop at.
    pub would_conflict: u32,
    /// The worst of them.
    pub worst: Option<Severity>,
}

pub(super) fn watched_view(
    repository: &str,
    watcher: &ConflictWatcher,
    roots: &BTreeMap<String, PathBuf>,
    kept: &Kept,
) -> RepositoryView {
    let Health {
        state,
        reasons,
        watches,
        ..
    } = watcher.health();
    let groups = grouped(&watcher.verdicts());
    let warnings: Vec<_> = groups.iter().filter(|group| warns(group)).collect();
    let worktrees = watcher.worktrees().into_iter().map(|worktree| {
        let part = warnings
            .iter()
            .filter(|group| group.worktrees.contains(&worktree.id));
        let stops = part.clone().filter(|group| group.would_conflict);
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        WorktreeView {
            conflicts: count(part.clone().count()),
            would_conflict: count(stops.count()),
            worst: part.map(|group| group.severity).max(),
            path: worktree.id.0,
            name: worktree.name,
            branch: worktree.branch,
            main: worktree.main,
            present: worktree.present,
            agent: worktree.agent,
            changed_files: worktree.changed_files,
        }
    });
    let worktrees: Vec<_> = worktrees.collect();
    let main = worktrees.iter().find(|worktree| worktree.main);
    let root = match (main, roots.get(repository)) {
        (Some(main), _) => PathBuf::from(&main.path),
        (None, Some(root)) => root.clone(),
        (None, None) => PathBuf::from(repository),
    };
    let state = RepositoryState::Watched {
        health: state,
        reasons,
        watches,
    };
    view(repository.to_owned(), &root, kept, state, worktrees)
}

/// Whether a group is a warning: near, and not quieted.
fn warns(group: &ConflictGroup) -> bool {
    !group.quiet && (group.would_conflict || group.severity >= Severity::AdjacentLine)
}

pub(super) fn view(
    repository: String,
    root: &Path,
    kept: &Kept,
    state: RepositoryState,
    worktrees: Vec<WorktreeView>,
) -> RepositoryView {
    let name = root.file_name().unwrap_or(root.as_os_str());
    RepositoryView {
        repository,
        name: name.to_string_lossy().into_owned(),
        added: kept.added.contains(root),
        root: root.to_string_lossy().into_owned(),
        state,
        worktrees,
    }
}

/// Names repositories that would be called the same by as much of their roots as tells them apart.
pub(super) fn tell_apart(views: &mut [RepositoryView]) {
    let mut parts = vec![1; views.len()];
    loop {
        let mut called = BTreeMap::<_, Vec<usize>>::new();
        for (at, view) in views.iter().enumerate() {
            called.entry(view.name.clone()).or_default().push(at);
        }
        let alike = called.into_values().filter(|alike| alike.len() > 1);
        let mut longer = false;
        for at in alike.flatten() {
            parts[at] += 1;
            let name = last_parts(Path::new(&views[at].root), parts[at]);
            longer |= name != views[at].name;
            views[at].name = name;
        }
        if !longer {
            return;
        }
    }
}

/// The end of a path, of so many parts.
fn last_parts(path: &Path, count: usize) -> String {
    let parts = path.components().count();
    let end: PathBuf = path
        .components()
        .skip(parts.saturating_sub(count))
        .collect();
    end.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_of_one_name_are_called_by_what_tells_them_apart() {
        let called = |roots: &[&str]| {
            let state = RepositoryState::Looking;
            let kept = Kept::default();
            let of = |root: &&str| {
                view(
                    (*root).to_owned(),
                    Path::new(root),
                    &kept,
                    state.clone(),
                    Vec::new(),
                )
            };
            let mut views: Vec<_> = roots.iter().map(of).collect();
            tell_apart(&mut views);
            let names: Vec<_> = views.into_iter().map(|view| view.name).collect();
            names.join(" ")
        };
        assert_eq!(called(&["/w/shop", "/w/api"]), "shop api");
        assert_eq!(
            called(&["/a/shop", "/b/shop", "/w/api"]),
            "a/shop b/shop api"
        );
        assert_eq!(
            called(&["/1/x/shop", "/2/x/shop", "/y/shop"]),
            "1/x/shop 2/x/shop y/shop"
        );
        // The whole of a root is all that there is to say.
        assert_eq!(called(&["/shop", "/b/shop", "/"]), "/shop b/shop /");
    }
}
