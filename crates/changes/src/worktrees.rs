//! The worktrees of a repository: which there are, what would be lost with each, a new one, another name, the end of one.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use git::RepoPath;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::snapshot::{SnapshotId, SnapshotReason, Snapshots};
use crate::types::{Base, Doing, View};
use crate::worktree::{ChangesError, Listed, Worktree, text_of};

/// So many commits of the other branch are looked through for one that has all of a branch.
const LOOKED_THROUGH: &str = "--max-count=200";

/// So many worktrees are looked at at once.
const AT_ONCE: usize = 8;

/// One worktree of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ListedWorktree {
    /// Its root.
    pub path: String,
    /// The branch that it is on; none when its HEAD is detached.
    pub branch: Option<String>,
    /// It is the repository's own checkout, not a linked one: it is never removed.
    pub main: bool,
    /// Its directory is there.
    pub present: bool,
    /// It is locked: why, as far as somebody said.
    pub locked: Option<String>,
    /// What its commits are compared with.
    pub base: Option<Base>,
    /// Whether that has what it did.
    pub merged: Merged,
    /// What would be lost with it and its branch.
    pub holds: Holds,
    /// Why some of this could not be told.
    pub unknown: Option<String>,
}

/// Whether the branch that a worktree is compared with has what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Merged {
    /// It did nothing yet that is committed.
    Nothing,
    /// Its commits are there.
    Yes,
    /// What its commits did is there, in others: they were rebased, picked, or squashed into one.
    AsOthers,
    /// Some of it is not there; or that can't be told.
    No,
}

impl Merged {
    /// Whether all that was committed is there.
    pub fn is_all_there(self) -> bool {
        matches!(self, Self::Yes | Self::AsOthers)
    }
}

/// What is in a worktree and nowhere else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Holds {
    /// Files that are not committed, new ones included; those that are ignored do not count.
    pub uncommitted: u32,
    /// Commits that no other branch has, and no remote.
    pub commits: u32,
    /// What git is in the middle of.
    pub doing: Option<Doing>,
}

impl Holds {
    /// Whether nothing would be lost.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: u32, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {more}")),
        };
        let doing = self.doing.map(Doing::in_words);
        let doing = doing.map(|doing| format!("{doing} that is not ended"));
        let parts = [
            count(
                self.uncommitted,
                "file that is not committed",
                "files that are not committed",
            ),
            count(
                self.commits,
                "commit that is nowhere else",
                "commits that are nowhere else",
            ),
            doing,
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}

/// A worktree to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NewWorktree {
    /// Its branch: made, unless there is one that is called so.
    pub branch: String,
    /// The branch or commit that a new branch begins at; none: where the main worktree is.
    #[serde(default)]
    pub base: Option<String>,
    /// Its directory, in full or from the main worktree's parent on; none: beside the main worktree, called after it and the branch.
    #[serde(default)]
    pub path: Option<String>,
}

/// How far the end of a worktree goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct Removal {
    /// Its branch goes as well.
    pub branch: bool,
    /// Also what is nowhere else; files are kept by a snapshot before.
    pub lose: bool,
}

/// What came of the end of a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Removed {
    /// Where it was.
    pub path: String,
    /// Its branch, which is gone as well.
    pub branch: Option<String>,
    /// What was not committed; none: there was nothing.
    pub snapshot: Option<SnapshotId>,
}

impl Worktree {
    /// Lists the worktrees of the repository, the main one first, with what would be lost with each.
    ///
    /// Costs about ten questions to git for each of them, of some at the same time.
    ///
    /// # Errors
    ///
    /// [`ChangesError::Git`] when they can't be listed. What can't be told of one of them is [said](ListedWorktree::unknown), and that one holds
    /// something as far as anybody knows.
    pub fn all(&self) -> Result<Vec<ListedWorktree>, ChangesError> {
        let listed = self.worktrees();
        let listed = listed.map_err(self.refused("list the worktrees"))?;
        let numbered: Vec<_> = listed.iter().enumerate().collect();
        let told = numbered
            .chunks(AT_ONCE)
            .flat_map(|some| self.tell_all(some));
        Ok(told.collect())
    }

    /// Tells of some worktrees at the same time.
    fn tell_all(&self, some: &[(usize, &Listed)]) -> Vec<ListedWorktree> {
        std::thread::scope(|scope| {
            let begun: Vec<_> = some
                .iter()
                .map(|(place, one)| {
                    let named = std::thread::Builder::new().name("worktree".to_owned());
                    named.spawn_scoped(scope, move || self.tell(one, *place == 0))
                })
                .collect();
            let told = begun.into_iter().zip(some).map(|(told, (place, one))| {
                let told = told.ok().and_then(|told| told.join().ok());
                told.unwrap_or_else(|| {
                    one.untold(*place == 0, "it could not be looked at".to_owned())
                })
            });
            told.collect()
        })
    }

    /// Tells of this worktree what its list does.
    ///
    /// # Errors
    ///
    /// As [`Worktree::all`].
    pub fn told(&self) -> Result<ListedWorktree, ChangesError> {
        let listed = self.worktrees();
        let listed = listed.map_err(self.refused("list the worktrees"))?;
        let place = listed.iter().position(|one| one.root == self.root());
        let Some((place, one)) = place.and_then(|place| Some((place, listed.get(place)?))) else {
            return Err(self.refused("find the worktree")(
                "git does not list it".to_owned(),
            ));
        };
        Ok(self.tell(one, place == 0))
    }

    fn tell(&self, one: &Listed, main: bool) -> ListedWorktree {
        if !one.root.is_dir() {
            // Nothing of it is left but its name.
            return ListedWorktree {
                present: false,
                holds: Holds::default(),
                unknown: None,
                ..one.untold(main, String::new())
            };
        }
        let within = match self.at(&one.root) {
            Ok(within) => within,
            Err(error) => return one.untold(main, error.to_string()),
        };
        match within.tell_of_it(one, main) {
            Ok(told) => told,
            Err(why) => one.untold(main, why),
        }
    }

    fn tell_of_it(&self, one: &Listed, main: bool) -> Result<ListedWorktree, String> {
        let told = |error: ChangesError| error.to_string();
        let views = [View::Staged, View::Unstaged, View::Untracked];
        let listed = self.list(&views, None).map_err(told)?;
        let paths: BTreeSet<_> = listed
            .views
            .iter()
            .flat_map(|view| view.files.iter().map(|file| &file.path))
            .collect();
        let merged = match (&listed.base, &listed.head) {
            (Some(base), Some(head)) if !main => self.merged(base, head, one.branch.as_deref())?,
            _ => Merged::Nothing,
        };
        let commits = match (merged, &listed.head) {
            (Merged::Yes | Merged::AsOthers, _) | (_, None) => 0,
            _ => self.commits_of_its_own(one.branch.as_deref())?,
        };
        Ok(ListedWorktree {
            base: listed.base,
            merged,
            holds: Holds {
                uncommitted: u32::try_from(paths.len()).unwrap_or(u32::MAX),
                commits,
                doing: listed.doing,
            },
            unknown: None,
            ..one.untold(main, String::new())
        })
    }

    /// How many commits here no other branch has, and no remote.
    fn commits_of_its_own(&self, branch: Option<&str>) -> Result<u32, String> {
        let except = branch.map(|name| format!("--exclude={}", escaped(name)));
        let mut args = vec!["rev-list", "--count", "HEAD", "--not", "--remotes"];
        args.extend(except.as_deref());
        args.push("--branches");
        text_of(&self.ask(args)?)
            .parse()
            .map_err(|_| "git says something that is not understood".to_owned())
    }

    /// Whether the other branch has what this one did.
    fn merged(&self, base: &Base, head: &str, branch: Option<&str>) -> Result<Merged, String> {
        if base.ahead == 0 {
            // It may have been merged, or may just have begun: what was done on the branch is in its log.
            let Some(branch) = branch else {
                return Ok(Merged::Nothing);
            };
            let full = format!("refs/heads/{branch}");
            let log = self.ask(["reflog", "show", "--format=%gs", &full, "--"])?;
            let own = ["commit", "cherry-pick", "revert", "am", "rebase"];
            let did = String::from_utf8_lossy(&log)
                .lines()
                .any(|line| own.iter().any(|word| line.starts_with(word)));
            return Ok(if did { Merged::Yes } else { Merged::Nothing });
        }
        let picked = text_of(&self.ask(["cherry", &base.tip, head])?);
        if !picked.is_empty() && picked.lines().all(|line| line.starts_with('-')) {
            return Ok(Merged::AsOthers);
        }
        Ok(
            match self.adds_nothing(base, head) || self.is_squashed(base, head)? {
                true => Merged::AsOthers,
                false => Merged::No,
            },
        )
    }

    /// Whether a merge would leave the other branch as it is. What git writes for that goes beside the repository.
    fn adds_nothing(&self, base: &Base, head: &str) -> bool {
        let tried = || -> Result<bool, String> {
            let merged = self.try_merge(&base.tip, head)?;
            let tree = self.ask(["rev-parse", &format!("{}^{{tree}}", base.tip)])?;
            Ok(merged.conflicts.is_empty() && merged.tree == text_of(&tree))
        };
        // What can't be tried is not there.
        tried().unwrap_or(false)
    }

    /// Whether one commit of the other branch does what all of these do together.
    fn is_squashed(&self, base: &Base, head: &str) -> Result<bool, String> {
        let both = [base.commit.as_str(), head];
        let names = ["diff-tree", "-r", "-z", "--name-only", "--no-renames"];
        let names = self.ask(names.into_iter().chain(both).chain(["--"]))?;
        // Such a commit touches each of these files: one of them is enough to find it by.
        let Some(first) = names.split(|byte| *byte == 0).find(|name| !name.is_empty()) else {
            // They come to nothing.
            return Ok(true);
        };
        let patch = [
            "diff-tree",
            "-p",
            "--full-index",
            "--no-ext-diff",
            "--no-textconv",
        ];
        let patch = self.ask(patch.into_iter().chain(both).chain(["--"]))?;
        let range = format!("{}..{}", base.commit, base.tip);
        let mut args: Vec<OsString> = [
            "--literal-pathspecs",
            "log",
            "-p",
            "--full-diff",
            "--full-index",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--no-merges",
            LOOKED_THROUGH,
            "--format=commit %H",
            &range,
            "--",
        ]
        .map(OsString::from)
        .into();
        args.push(RepoPath::new(first).to_path().into());
        let others = self.ask(&args)?;
        let id = |patch: &[u8]| self.ask_with(Vec::new(), ["patch-id", "--stable"], patch);
        let wanted = text_of(&id(&patch)?);
        let Some(wanted) = wanted.split_whitespace().next() else {
            return Ok(false);
        };
        let others = text_of(&id(&others)?);
        Ok(others.lines().any(|line| line.starts_with(wanted)))
    }

    /// Makes a worktree with a branch of its own, or with one that is there. Git does it, with the person's hooks.
    ///
    /// # Errors
    ///
    /// [`ChangesError::BadName`] for what can't be a branch, [`ChangesError::NotDone`] with git's words.
    pub fn add(&self, new: &NewWorktree) -> Result<Worktree, ChangesError> {
        let branch = new.branch.trim();
        let sound = self.ask(["check-ref-format", "--branch", branch]);
        if sound.is_err() || branch.starts_with('-') || branch.starts_with('@') {
            return Err(ChangesError::BadName {
                field: "branch",
                name: branch.to_owned(),
            });
        }
        let main = self.main()?;
        let path = match new.path.as_deref().map(str::trim) {
            None | Some("") => beside(main.root(), branch),
            Some(path) => main.root().parent().unwrap_or(main.root()).join(path),
        };
        let undone = |why: String| ChangesError::NotDone {
            what: "make the worktree",
            path: path.clone(),
            why,
        };
        let full = format!("refs/heads/{branch}");
        let there = self.ask(["show-ref", "--verify", "--quiet", &full]).is_ok();
        let base = new.base.as_deref().map(str::trim);
        let base = base.filter(|base| !base.is_empty());
        let mut args: Vec<&OsStr> = ["worktree", "add"].map(OsStr::new).into();
        match (there, base) {
            (true, Some(base)) => {
                return Err(undone(format!(
                    "the branch `{branch}` is there already, so it can't begin at `{base}`"
                )));
            }
            (true, None) => {
                args.extend(["--".as_ref(), path.as_os_str(), OsStr::new(branch)]);
            }
            (false, base) => {
                let begin = base.unwrap_or("HEAD");
                if begin.starts_with('-') {
                    return Err(ChangesError::NoBase {
                        name: begin.to_owned(),
                    });
                }
                args.extend(["--no-track", "-b", branch, "--"].map(OsStr::new));
                args.extend([path.as_os_str(), OsStr::new(begin)]);
            }
        }
        main.act_with(&args, &[]).map_err(undone)?;
        self.at(&path)
    }

    /// Gives its branch another name.
    ///
    /// # Errors
    ///
    /// [`ChangesError::BadName`], [`ChangesError::NotDone`] with git's words: it is on no branch, there is one that is called so.
    pub fn rename(&self, branch: &str) -> Result<(), ChangesError> {
        let branch = branch.trim();
        if branch.starts_with('-') || self.ask(["check-ref-format", "--branch", branch]).is_err() {
            return Err(ChangesError::BadName {
                field: "branch",
                name: branch.to_owned(),
            });
        }
        let undone = |why: String| ChangesError::NotDone {
            what: "rename the branch of",
            path: self.root().to_owned(),
            why,
        };
        let now = self.ask(["symbolic-ref", "--quiet", "--short", "HEAD"]);
        let now = now.map_err(|_| undone("it is on no branch".to_owned()))?;
        self.act_with(&["branch", "--move", "--", &text_of(&now), branch], &[])
            .map_err(undone)?;
        Ok(())
    }

    /// Says whether this worktree may be removed so.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotDone`] says what would be lost, or what else keeps it.
    pub fn may_be_removed(&self, how: Removal) -> Result<(), ChangesError> {
        self.removable(how).map(drop)
    }

    fn removable(&self, how: Removal) -> Result<ListedWorktree, ChangesError> {
        let told = self.told()?;
        if told.main {
            return Err(self.unremoved("it is the repository's own".to_owned()));
        }
        match told.locked.as_deref() {
            None => {}
            Some("") => return Err(self.unremoved("it is locked".to_owned())),
            Some(why) => return Err(self.unremoved(format!("it is locked: {why}"))),
        }
        if let Some(why) = &told.unknown {
            return Err(self.unremoved(format!("what it holds can't be told: {why}")));
        }
        let lost = Holds {
            // They stay with the branch.
            commits: match how.branch || told.branch.is_none() {
                true => told.holds.commits,
                false => 0,
            },
            ..told.holds.clone()
        };
        if !lost.is_nothing() && !how.lose {
            return Err(self.unremoved(format!("it holds {lost}")));
        }
        Ok(told)
    }

    fn unremoved(&self, why: String) -> ChangesError {
        ChangesError::NotDone {
            what: "remove the worktree",
            path: self.root().to_owned(),
            why,
        }
    }

    /// Ends this worktree: its directory goes, and git's record of it.
    ///
    /// What is nowhere else keeps it from that, unless it is said to be lost; then its files are kept in `snapshots` before, under
    /// its path.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NotDone`] says what would be lost, or git's words. Then nothing was done, unless it says otherwise.
    pub fn remove(
        &self,
        how: Removal,
        snapshots: &Snapshots,
        now_ms: u64,
    ) -> Result<Removed, ChangesError> {
        let told = self.removable(how)?;
        let undone = |why: String| self.unremoved(why);
        let snapshot = match told.holds.uncommitted {
            0 => None,
            _ => Some(self.keep_all(snapshots, now_ms)?),
        };
        let main = self.main()?;
        let mut args: Vec<&OsStr> = ["worktree", "remove"].map(OsStr::new).into();
        // Else git looks once more, and refuses when something was written meanwhile.
        if how.lose {
            args.push("--force".as_ref());
        }
        args.extend(["--".as_ref(), self.root().as_os_str()]);
        main.act_with(&args, &[]).map_err(undone)?;
        let branch = told.branch.filter(|_| how.branch);
        if let Some(branch) = &branch {
            main.act_with(&["branch", "--quiet", "-D", "--", branch], &[])
                .map_err(|why| undone(format!("it is gone, but its branch is not: {why}")))?;
        }
        Ok(Removed {
            path: told.path,
            branch,
            snapshot,
        })
    }

    /// Keeps all that is not committed.
    fn keep_all(&self, snapshots: &Snapshots, now_ms: u64) -> Result<SnapshotId, ChangesError> {
        let listed = self.list(&[View::Staged, View::Unstaged, View::Untracked], None)?;
        let files = listed.views.into_iter().flat_map(|view| view.files);
        let paths: BTreeSet<_> = files.map(|file| file.path).collect();
        let paths: Vec<_> = paths.into_iter().collect();
        snapshots.take(self, &paths, SnapshotReason::Removed, now_ms)
    }

    /// Has git forget the worktrees whose directories are gone.
    ///
    /// # Errors
    ///
    /// [`ChangesError::Git`].
    pub fn forget_missing(&self) -> Result<(), ChangesError> {
        self.act_with(&["worktree", "prune"], &[])
            .map_err(self.refused("forget the missing worktrees"))?;
        Ok(())
    }

    /// The repository's own checkout.
    ///
    /// # Errors
    ///
    /// [`ChangesError::Git`] when the worktrees can't be listed.
    pub fn main(&self) -> Result<Worktree, ChangesError> {
        let listed = self.worktrees();
        let listed = listed.map_err(self.refused("list the worktrees"))?;
        match listed.first() {
            Some(main) => Ok(self.elsewhere(&main.root)),
            None => Ok(self.clone()),
        }
    }

    /// How many bytes its directory takes on the disk; what has several names counts once. What can't be read does not count.
    pub fn size(&self) -> u64 {
        size_of(self.root())
    }
}

/// What a directory takes on the disk.
fn size_of(root: &Path) -> u64 {
    let (mut bytes, mut seen) = (0, BTreeSet::new());
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            // Of the entry itself: no link is followed.
            let Ok(about) = entry.metadata() else {
                continue;
            };
            if about.nlink() < 2 || about.is_dir() || seen.insert((about.dev(), about.ino())) {
                bytes += about.blocks() * 512;
            }
            if about.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    bytes
}

/// Where a worktree is made that nobody says a place for.
fn beside(main: &Path, branch: &str) -> PathBuf {
    let mut name = main.file_name().unwrap_or_default().to_owned();
    name.push("-");
    name.push(branch.replace('/', "-"));
    main.with_file_name(name)
}

/// A name as a pattern that matches it alone.
fn escaped(name: &str) -> String {
    let special = |char| matches!(char, '*' | '?' | '[' | '\\');
    name.chars()
        .flat_map(|char| special(char).then_some('\\').into_iter().chain([char]))
        .collect()
}

impl Listed {
    /// What is known of it without a look into it.
    fn untold(&self, main: bool, why: String) -> ListedWorktree {
        ListedWorktree {
            path: self.root.display().to_string(),
            branch: self.branch.clone(),
            main,
            present: true,
            locked: self.locked.clone(),
            base: None,
            merged: Merged::No,
            holds: Holds::default(),
            unknown: Some(why),
        }
    }
}
