//! Which files a worktree changed: what git says, read.

use std::collections::{HashMap, HashSet};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use git::RepoPath;

use crate::diff::PLAIN;
use crate::index::Index;
use crate::types::{
    Base, ChangedFile, FileChangeKind, FileKind, LineCounts, View, ViewChanges, WorktreeChanges,
};
use crate::untracked::{self, Budget};
use crate::worktree::{ChangesError, Compared, Head, Worktree, text_of};

/// The tree without files: what a worktree without a merge base is compared with. Git knows it without having it.
const NOTHING: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// What `git status` is asked for beside the views: the branch, and files that git does not know.
struct Status {
    head: Head,
    untracked: Vec<RepoPath>,
}

/// What git tells of everything since the base.
#[derive(Default)]
struct Whole {
    files: Vec<ChangedFile>,
    /// Files that are not in the index, stand there all the same, and were compared with what the base has: they are no new ones.
    compared: HashSet<RepoPath>,
}

impl Worktree {
    /// Lists what changed, in each of these views. `base`: the branch or commit to compare with; none: the one that this
    /// worktree's branch began at, most likely.
    ///
    /// Costs what `git status` and a `git diff` for each view cost, some of them at the same time.
    ///
    /// # Errors
    ///
    /// [`ChangesError::NoBase`], and [`ChangesError::Git`] when git does not answer: the worktree is gone, its index can't be
    /// read, it takes too long.
    pub fn list(
        &self,
        views: &[View],
        base: Option<&str>,
    ) -> Result<WorktreeChanges, ChangesError> {
        let wants = |view| views.contains(&view);
        let counts_untracked = wants(View::Untracked) || wants(View::Whole);
        let (status, doing, staged, unstaged) = std::thread::scope(|scope| {
            let doing = beside(scope, || self.doing());
            let staged = wants(View::Staged)
                .then(|| beside(scope, || self.files_of(&["--cached"], View::Staged, None)));
            let unstaged = wants(View::Unstaged)
                .then(|| beside(scope, || self.files_of(&[], View::Unstaged, None)));
            let status = self.status();
            (status, ended(doing), staged.map(ended), unstaged.map(ended))
        });
        let status = status.map_err(self.refused("tell the state"))?;
        let doing = doing.map_err(self.refused("tell the state"))?;
        let mut notes = Vec::new();
        let base = match self.compared(&status.head, base)? {
            Compared::With(base) => Some(base),
            Compared::Not(why) => {
                notes.push(why);
                None
            }
        };
        let (committed, whole, untracked) = std::thread::scope(|scope| {
            let untracked = counts_untracked
                .then(|| beside(scope, || Ok(self.read_untracked(&status.untracked))));
            let since = |view| since_base(view, base.as_ref(), &status.head);
            let committed = wants(View::Committed).then(|| match since(View::Committed) {
                Some(args) => self.files_of(&args, View::Committed, None),
                None => Ok(Vec::new()),
            });
            let whole = wants(View::Whole).then(|| match since(View::Whole) {
                Some(args) => self.whole(&args, &status.untracked),
                None => Ok(Whole::default()),
            });
            (committed, whole, untracked.map(ended))
        });
        let untracked = untracked
            .transpose()
            .map_err(self.refused("read the new files"))?;
        let (untracked, uncounted) = untracked.unwrap_or_default();
        notes.extend(uncounted_note(uncounted));
        let whole = whole.map(|known| {
            let Whole {
                mut files,
                compared,
            } = known?;
            let new = untracked
                .iter()
                .filter(|file| !compared.contains(&file.path));
            files.extend(new.cloned());
            files.sort_by(|a, b| a.path.cmp(&b.path));
            Ok(files)
        });
        let mut found = HashMap::from([
            (View::Staged, staged),
            (View::Unstaged, unstaged),
            (View::Untracked, Some(Ok(untracked))),
            (View::Committed, committed),
            (View::Whole, whole),
        ]);
        let views = views.iter().map(|view| {
            let files = found.remove(view).flatten().unwrap_or(Ok(Vec::new()));
            let files = files.map_err(self.refused("list the changes"))?;
            Ok(ViewChanges { view: *view, files })
        });
        Ok(WorktreeChanges {
            views: views.collect::<Result<_, ChangesError>>()?,
            worktree: self.root().to_string_lossy().into_owned(),
            branch: status.head.branch,
            head: status.head.commit,
            base,
            doing,
            notes,
        })
    }

    /// All that differs from a tree, new files included, and what a person should know of it.
    pub(crate) fn whole_since(
        &self,
        tree: &str,
    ) -> Result<(Vec<ChangedFile>, Vec<String>), ChangesError> {
        let status = self.status().map_err(self.refused("tell the state"))?;
        let known = self.whole(&[tree], &status.untracked);
        let known = known.map_err(self.refused("list the changes"))?;
        Ok(self.with_untracked(known, &status.untracked))
    }

    /// What git knows of all that changed, and the files that it does not know.
    fn with_untracked(
        &self,
        Whole {
            mut files,
            compared,
        }: Whole,
        untracked: &[RepoPath],
    ) -> (Vec<ChangedFile>, Vec<String>) {
        let (untracked, uncounted) = self.read_untracked(untracked);
        let new = untracked.into_iter();
        files.extend(new.filter(|file| !compared.contains(&file.path)));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        (files, uncounted_note(uncounted).into_iter().collect())
    }

    /// The arguments by which `git diff` tells a view; none: the view is empty, or not for `git diff` to tell.
    pub(crate) fn diff_args(
        &self,
        view: View,
        base: Option<&str>,
    ) -> Result<Option<Vec<String>>, ChangesError> {
        match view {
            View::Staged => Ok(Some(vec!["--cached".to_owned()])),
            // Of what could not be merged: what our own side had.
            View::Unstaged => Ok(Some(vec!["-2".to_owned()])),
            View::Untracked => Ok(None),
            View::Committed | View::Whole => {
                let head = self.head().map_err(self.refused("tell the state"))?;
                let base = match self.compared(&head, base)? {
                    Compared::With(base) => Some(base),
                    Compared::Not(_) => None,
                };
                let args = since_base(view, base.as_ref(), &head);
                Ok(args.map(|args| args.into_iter().map(str::to_owned).collect()))
            }
        }
    }

    /// Everything since the base that git knows, and what it knows of new files that the base has as well.
    fn whole(&self, args: &[&str], untracked: &[RepoPath]) -> Result<Whole, String> {
        let files = self.files_of(args, View::Whole, None)?;
        let untracked: HashSet<_> = untracked.iter().collect();
        let gone = files.iter().filter_map(|file| match file.kind {
            FileChangeKind::Deleted => Some(&file.path),
            _ => file.from.as_ref(),
        });
        let compared: HashSet<_> = gone
            .filter(|path| untracked.contains(path))
            .cloned()
            .collect();
        if compared.is_empty() {
            return Ok(Whole { files, compared });
        }
        let paths: Vec<_> = compared.iter().cloned().collect();
        let index = self.index_with(args[0], &paths)?;
        let files = self.files_of(args, View::Whole, Some(&index))?;
        Ok(Whole { files, compared })
    }

    /// The files of a view that git knows, by the worktree's index or another one.
    fn files_of(
        &self,
        args: &[&str],
        view: View,
        index: Option<&Index>,
    ) -> Result<Vec<ChangedFile>, String> {
        let asked = [
            &["diff", "--raw", "--numstat", "-z"][..],
            &PLAIN,
            args,
            &["--"],
        ];
        let printed =
            self.ask_with(index.map_or_else(Vec::new, Index::env), asked.concat(), &[])?;
        let mut files = read_files(&printed)?;
        if view == View::Staged {
            // What could not be merged is no part of the next commit.
            files.retain(|file| file.kind != FileChangeKind::Unmerged);
        }
        Ok(files)
    }

    fn read_untracked(&self, paths: &[RepoPath]) -> (Vec<ChangedFile>, usize) {
        let mut budget = Budget::default();
        let files: Vec<_> = paths
            .iter()
            .map(|path| untracked::counted(self.root(), path, &mut budget))
            .collect();
        (files, budget.uncounted())
    }

    /// Where HEAD is, without a look at the files.
    fn head(&self) -> Result<Head, String> {
        let args = [
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=no",
        ];
        // Of one path that there is not: nothing is looked at.
        let printed = self.ask(args.iter().chain(&["--", ":(literal).git/nothing"]))?;
        Ok(read_status(&printed).head)
    }

    fn status(&self) -> Result<Status, String> {
        let args = ["--porcelain=v2", "--branch", "-z", "--untracked-files=all"];
        let printed = self.ask(["status", "--no-renames"].iter().chain(&args))?;
        Ok(read_status(&printed))
    }
}

/// The arguments by which `git diff` tells what came since the merge base; none: nothing did.
fn since_base<'a>(view: View, base: Option<&'a Base>, head: &'a Head) -> Option<Vec<&'a str>> {
    let from = base.map(|base| base.commit.as_str());
    if view == View::Whole {
        // Without anything to compare commits with, they are no changes.
        return Some(vec![from.or(head.commit.as_deref()).unwrap_or(NOTHING)]);
    }
    Some(vec![from?, head.commit.as_deref()?])
}

fn uncounted_note(uncounted: usize) -> Option<String> {
    (uncounted > 0).then(|| {
        format!(
            "the lines of {uncounted} new files are not counted: they are too many or too large"
        )
    })
}

/// Does something on a thread of its own.
fn beside<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> Result<T, String> + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, Result<T, String>>, String> {
    let thread = Builder::new().name("changes".to_owned());
    thread
        .spawn_scoped(scope, work)
        .map_err(|error| format!("the system gave no thread: {error}"))
}

fn ended<T>(begun: Result<ScopedJoinHandle<'_, Result<T, String>>, String>) -> Result<T, String> {
    let lost = |_| Err("it ended before its time".to_owned());
    begun?.join().unwrap_or_else(lost)
}

/// Reads what `git diff --raw --numstat -z` printed.
pub(crate) fn read_files(printed: &[u8]) -> Result<Vec<ChangedFile>, String> {
    let odd = || "git says something that is not understood".to_owned();
    let mut parts = printed.split(|byte| *byte == 0).peekable();
    let mut files = Vec::<ChangedFile>::new();
    let mut places = HashMap::<RepoPath, usize>::new();
    while let Some(record) = parts.next_if(|part| part.starts_with(b":")) {
        let file = read_record(record, &mut parts).ok_or_else(odd)?;
        match places.get(&file.path) {
            // It is told twice when it could not be merged: as that, and beside our own side.
            Some(place) => {
                let known = &mut files[*place];
                known.old = known.old.or(file.old);
                known.new = known.new.or(file.new);
            }
            None => {
                places.insert(file.path.clone(), files.len());
                files.push(file);
            }
        }
    }
    while let Some(counted) = parts.next() {
        if counted.is_empty() {
            continue;
        }
        let mut fields = counted.splitn(3, |byte| *byte == b'\t');
        let (added, removed) = fields.next().zip(fields.next()).ok_or_else(odd)?;
        let mut path = fields.next().ok_or_else(odd)?;
        if path.is_empty() {
            // It was renamed: both paths follow.
            parts.next();
            path = parts.next().ok_or_else(odd)?;
        }
        let count = |field: &[u8]| std::str::from_utf8(field).ok()?.parse().ok();
        let lines = count(added).zip(count(removed));
        if let Some(place) = places.get(&RepoPath::new(path)) {
            files[*place].lines = lines.map(|(added, removed)| LineCounts { added, removed });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Reads one record of `git diff --raw -z`, and the paths after it.
fn read_record<'a>(
    record: &[u8],
    parts: &mut impl Iterator<Item = &'a [u8]>,
) -> Option<ChangedFile> {
    let mut fields = record.strip_prefix(b":")?.split(|byte| *byte == b' ');
    let (old, new) = (fields.next()?, fields.next()?);
    let kind = match fields.nth(2)?.first()? {
        b'A' => FileChangeKind::Added,
        b'D' => FileChangeKind::Deleted,
        b'R' => FileChangeKind::Renamed,
        b'C' => FileChangeKind::Copied,
        b'T' => FileChangeKind::TypeChanged,
        b'U' => FileChangeKind::Unmerged,
        _ => FileChangeKind::Modified,
    };
    let first = RepoPath::new(parts.next()?);
    let moved = matches!(kind, FileChangeKind::Renamed | FileChangeKind::Copied);
    let (path, from) = match moved {
        true => (RepoPath::new(parts.next()?), Some(first)),
        false => (first, None),
    };
    Some(ChangedFile {
        path,
        from,
        kind,
        old: FileKind::of_mode(old),
        new: FileKind::of_mode(new),
        lines: None,
    })
}

/// Reads what `git status --porcelain=v2 --branch -z --no-renames` printed.
fn read_status(printed: &[u8]) -> Status {
    let mut head = Head {
        branch: None,
        commit: None,
        upstream: None,
    };
    let mut untracked = Vec::new();
    for line in printed.split(|byte| *byte == 0) {
        if let Some(commit) = line.strip_prefix(b"# branch.oid ") {
            head.commit = Some(text_of(commit)).filter(|commit| commit != "(initial)");
        } else if let Some(branch) = line.strip_prefix(b"# branch.head ") {
            head.branch = Some(text_of(branch)).filter(|branch| branch != "(detached)");
        } else if let Some(upstream) = line.strip_prefix(b"# branch.upstream ") {
            head.upstream = Some(text_of(upstream));
        } else if let Some(path) = line.strip_prefix(b"? ") {
            // A repository of its own has a slash at its end.
            untracked.push(RepoPath::new(path.strip_suffix(b"/").unwrap_or(path)));
        }
    }
    Status { head, untracked }
}
