//! The plain values that cross the room's door: verdicts, entries, worktrees, health, and the events about them.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use specta::Type;

use ::git::RepoPath;

/// Names one worktree for as long as it stands at its place: the path of its root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct WorktreeId(pub String);

impl WorktreeId {
    /// Names the worktree whose root is `root`.
    pub fn of(root: &Path) -> Self {
        Self(root.to_string_lossy().into_owned())
    }
}

impl fmt::Display for WorktreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of one worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WorktreeInfo {
    /// Its name for commands and events.
    pub id: WorktreeId,
    /// What people call it: the last part of its path.
    pub name: String,
    /// The branch it is on; none when its HEAD is detached.
    pub branch: Option<String>,
    /// The commit it is on; none before the first commit.
    pub head: Option<String>,
    /// It is the repository's own checkout, not a linked one.
    pub main: bool,
    /// The agent that works in it, when one said so.
    pub agent: Option<String>,
    /// How many files differ from the nearest merge base, committed or not.
    pub changed_files: u32,
    /// Its directory is there and can be read.
    pub present: bool,
}

/// Lines of the file at the merge base, counted from 1; `end` is not included.
///
/// `start == end` is a place between two lines: an insertion before line `start`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(rename = "BaseLines")]
pub struct LineRange {
    /// The first line.
    pub start: u32,
    /// The line after the last one.
    pub end: u32,
}

impl fmt::Display for LineRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end.saturating_sub(self.start) {
            0 => write!(f, "before {}", self.start),
            1 => write!(f, "{}", self.start),
            _ => write!(f, "{}-{}", self.start, self.end - 1),
        }
    }
}

/// How near two changes of one file are, in the lines of their merge base; later is worse.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Both made the same change: information only.
    Identical,
    /// The same file, more than 5 lines apart.
    DifferentArea,
    /// 1 to 5 lines apart.
    AdjacentLine,
    /// A merge goes through, and one side's change uses what the other side's change took away; only looked for when asked.
    Breaks,
    /// The lines overlap or touch, or the change cannot be told by lines.
    SameLine,
}

impl Severity {
    /// Gives the word used in JSON, in conditions and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Identical => "identical",
            Severity::DifferentArea => "different_area",
            Severity::AdjacentLine => "adjacent_line",
            Severity::Breaks => "breaks",
            Severity::SameLine => "same_line",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(word: &str) -> Result<Self, UnknownSeverity> {
        [
            Self::Identical,
            Self::DifferentArea,
            Self::AdjacentLine,
            Self::Breaks,
            Self::SameLine,
        ]
        .into_iter()
        .find(|severity| severity.as_str() == word)
        .ok_or_else(|| UnknownSeverity(word.to_owned()))
    }
}

/// A word that names no severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "severity `{0}` is none of `identical`, `different_area`, `adjacent_line`, `breaks`, `same_line`"
)]
pub struct UnknownSeverity(String);

/// What happened to a file in one worktree since the merge base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangeKind {
    /// Its lines changed.
    Modify,
    /// It is new.
    Create,
    /// It is gone.
    Delete,
    /// It has another path; its lines may have changed as well.
    Rename {
        /// Where it is now.
        to: RepoPathText,
    },
    /// Only its executable bit changed.
    Mode,
    /// It is not text, or too large to be compared by lines.
    Binary,
    /// It is, or was, a symbolic link.
    Symlink,
    /// The commit of a submodule changed.
    Submodule,
}

/// A path as text, where the window shows one.
pub type RepoPathText = String;

/// How far a change is from being real; follows from what is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
#[serde(rename = "ChangeStatus")]
pub enum Status {
    /// An agent announced it; the disk does not show it yet.
    Pending,
    /// It is on disk: committed, staged, unstaged or untracked.
    Applied,
    /// It was applied, and the file is as in the merge base again.
    Reverted,
}

/// One file that one worktree changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename = "ChangeEntry")]
pub struct Entry {
    /// The path at the merge base; for a new file, its path.
    #[specta(type = String)]
    pub path: RepoPath,
    /// The worktree that changed it.
    pub worktree: WorktreeId,
    /// The agent that works there.
    pub agent: Option<String>,
    /// The merge base that `ranges` count in: a commit's id.
    pub base: String,
    /// What happened.
    pub change: ChangeKind,
    /// Which lines of the merge base are replaced; only known for files that more than one worktree touches.
    pub ranges: Vec<LineRange>,
    /// How real it is.
    pub status: Status,
    /// When this state was first seen, in milliseconds since 1970.
    #[specta(type = u32)]
    pub since: u64,
}

/// One worktree's part in a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename = "VerdictSide")]
pub struct Side {
    /// The worktree.
    pub worktree: WorktreeId,
    /// What people call it.
    pub name: String,
    /// The branch it is on.
    pub branch: Option<String>,
    /// The agent that works there.
    pub agent: Option<String>,
    /// Where the file is now in this worktree.
    #[specta(type = String)]
    pub path: RepoPath,
    /// What happened to it.
    pub change: ChangeKind,
    /// The lines of the merge base that this side replaces.
    pub ranges: Vec<LineRange>,
    /// How real it is.
    pub status: Status,
    /// When this side's change was first seen, in milliseconds since 1970.
    #[specta(type = u32)]
    pub since: u64,
}

/// What is said of one file and one pair of worktrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Verdict {
    /// The path at the merge base; for a file that is new in both, its path.
    #[specta(type = String)]
    pub path: RepoPath,
    /// The first worktree.
    pub left: Side,
    /// The second worktree.
    pub right: Side,
    /// How near the changes are.
    pub severity: Severity,
    /// A three-way merge of the two contents stops here.
    pub would_conflict: bool,
    /// The lines of the merge base that both sides replace, or between which they touch.
    pub overlaps: Vec<LineRange>,
    /// The merge base: a commit's id.
    pub base: String,
    /// Says more, when lines cannot: `deleted on one side`.
    pub note: Option<String>,
    /// What one side took away of what the other side's change of this file uses, or the other way round.
    pub breaks: Vec<Break>,
    /// When this severity was first seen, in milliseconds since 1970.
    #[specta(type = u32)]
    pub since: u64,
    /// A person quieted it; it is listed, and raises no badge.
    pub quiet: bool,
}

/// What became of a definition, for those who use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Breaking {
    /// It is gone.
    Removed,
    /// It is gone, and another one of the same form is new in its file.
    Renamed {
        /// What that is called.
        to: String,
    },
    /// It takes other parameters.
    Parameters,
    /// It gives something else.
    Result,
}

/// A definition that one worktree changed or removed, and a change of another one uses.
///
/// Told by names, as far as the file that uses it says whose they are: not as a compiler would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Break {
    /// What it is called, behind the type that it belongs to: `Store.open`.
    pub name: String,
    /// What became of it.
    pub change: Breaking,
    /// The worktree that did it.
    pub by: WorktreeId,
    /// The file in which it was defined, at the merge base.
    #[specta(type = String)]
    pub path: RepoPath,
    /// Its line there, from 1.
    pub line: u32,
    /// The lines that use it, as the other worktree counts them now.
    pub lines: Vec<u32>,
}

impl Verdict {
    /// Gives what tells this verdict from all others.
    pub fn key(&self) -> VerdictKey {
        VerdictKey {
            path: self.path.clone(),
            left: self.left.worktree.clone(),
            right: self.right.worktree.clone(),
        }
    }
}

/// Verdicts that speak of the same lines of a file and come to the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ConflictGroup {
    /// The path at the merge base.
    #[specta(type = String)]
    pub path: RepoPath,
    /// The lines of the merge base at which they meet; none when they meet nowhere.
    pub lines: Vec<LineRange>,
    /// How near the changes are, in each of them.
    pub severity: Severity,
    /// A merge of each pair stops here.
    pub would_conflict: bool,
    /// A person quieted all of them.
    pub quiet: bool,
    /// What the first of them says, when lines cannot.
    pub note: Option<String>,
    /// The worktrees with a part in it.
    pub worktrees: Vec<WorktreeId>,
    /// The verdicts.
    pub verdicts: Vec<VerdictKey>,
    /// When the oldest of them was first seen, in milliseconds since 1970.
    #[specta(type = u32)]
    pub since: u64,
}

/// Names one verdict: a file and a pair of worktrees, the smaller id on the left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
pub struct VerdictKey {
    /// The path at the merge base.
    #[specta(type = String)]
    pub path: RepoPath,
    /// The first worktree.
    pub left: WorktreeId,
    /// The second worktree.
    pub right: WorktreeId,
}

/// Whether the picture can be trusted to be fresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename = "WatchHealth")]
pub struct Health {
    /// Whether changes are seen as they happen.
    pub state: HealthState,
    /// Why not, one line per reason, for a person.
    pub reasons: Vec<String>,
    /// Directories being watched.
    pub watches: u32,
    /// When all files were last looked at, in milliseconds since 1970.
    #[specta(type = u32)]
    pub scanned_at: u64,
}

/// Whether changes are seen as they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
#[serde(rename = "WatchState")]
pub enum HealthState {
    /// Every change raises an event.
    Live,
    /// Some changes may be seen late, by looking at all files again and again.
    Degraded,
    /// The repository is gone; nothing is watched.
    Gone,
}

/// Something changed. Each event names what it is about; the reader asks for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ConflictEvent {
    /// A verdict is new, or its severity or outcome changed.
    Verdict {
        /// The verdict as it is now.
        verdict: Box<Verdict>,
    },
    /// A verdict no longer holds.
    Resolved {
        /// Which one.
        key: VerdictKey,
    },
    /// A verdict says the same as before, of other lines or other text.
    Contents {
        /// Which one.
        key: VerdictKey,
    },
    /// Worktrees appeared, vanished, moved to other commits, or touch other files than before.
    Worktrees,
    /// The health changed.
    Health {
        /// As it is now.
        health: Health,
    },
}

/// A change that somebody is about to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ProposedChange {
    /// The file: absolute, or relative to the worktree.
    pub file: String,
    /// Its lines as they are now in that worktree, from 1, one range per place; none: the whole file, lines not known.
    pub lines: Vec<LineRange>,
    /// The worktree: its root, its name or its branch.
    pub worktree: String,
    /// What will stand there, as far as it is known: the names in it are looked up in what others changed.
    #[serde(default)]
    pub new_text: Option<String>,
}

/// What the other worktrees do where a change is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CheckAnswer {
    /// The file's path in the repository.
    #[specta(type = String)]
    pub path: RepoPath,
    /// The worktree that asks.
    pub worktree: WorktreeId,
    /// The worst of `touches`; none when no other worktree touches the file.
    pub severity: Option<Severity>,
    /// Every other worktree that touches the file, the nearest first.
    pub touches: Vec<Touch>,
    /// Why the answer may be incomplete.
    pub notes: Vec<String>,
    /// Something that should have been compared was not; the notes say what, and why.
    pub incomplete: bool,
}

/// One other worktree that touches a file somebody is about to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Touch {
    /// That worktree, and what it did.
    pub side: Side,
    /// The lines of `side`, as the worktree that asks counts them now.
    pub lines: Vec<LineRange>,
    /// How near it is to the proposed lines; without lines, to what is already changed.
    pub severity: Severity,
    /// What it changes there, as far as there are lines to show: near the proposed ones, or wherever it changes the
    /// file where none are proposed.
    pub hunks: Vec<HunkView>,
    /// What it took away of what the proposed change uses; then `side` is of the file that had it.
    #[serde(default)]
    pub breaks: Vec<Break>,
}

/// Both sides of one verdict, in their context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct VerdictDetails {
    /// The verdict.
    pub verdict: Verdict,
    /// What the left worktree did to the merge base.
    pub left: Vec<HunkView>,
    /// What the right worktree did to the merge base.
    pub right: Vec<HunkView>,
    /// What a merge would write, with conflict markers; none for files that are not text.
    pub merged: Option<String>,
}

/// One change of lines with a few lines around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct HunkView {
    /// The replaced lines of the merge base.
    pub base: LineRange,
    /// It overlaps or touches a change of the other side.
    pub meets: bool,
    /// The lines to show.
    pub rows: Vec<HunkRow>,
}

impl HunkView {
    /// Gives the hunk in the unified format of `diff -u` (POSIX.1-2017, "Diff Unified Output Format"): first where
    /// it stands in the merge base and in the worktree, then each row behind its mark.
    pub fn unified(&self) -> Vec<String> {
        let old = place(
            self.rows.iter().filter_map(|row| row.base_line),
            self.base.start,
        );
        let new = place(self.rows.iter().filter_map(|row| row.line), self.base.start);
        let mut lines = vec![format!("@@ -{old} +{new} @@")];
        lines.extend(self.rows.iter().map(|row| {
            let mark = match row.change {
                RowChange::Same => ' ',
                RowChange::Removed => '-',
                RowChange::Added => '+',
            };
            format!("{mark}{}", row.text)
        }));
        lines
    }
}

/// One side of a hunk's first line: `first,count`. A count of 1 isn't said; with none it is the line before `next`.
fn place(lines: impl Iterator<Item = u32>, next: u32) -> String {
    let (first, count) = lines.fold((None, 0), |(first, count), line| {
        (first.or(Some(line)), count + 1)
    });
    match (first, count) {
        (None, _) => format!("{},0", next.saturating_sub(1)),
        (Some(first), 1) => first.to_string(),
        (Some(first), count) => format!("{first},{count}"),
    }
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct HunkRow {
    /// What happened to it.
    pub change: RowChange,
    /// Its number at the merge base, from 1.
    pub base_line: Option<u32>,
    /// Its number in the worktree, from 1.
    pub line: Option<u32>,
    /// Its text without the line's end.
    pub text: String,
}

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum RowChange {
    /// Nothing.
    Same,
    /// It is gone.
    Removed,
    /// It is new.
    Added,
}

/// Which verdicts to list. The empty filter lists all that deserve a look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct ConflictFilter {
    /// Only files that match one of these globs or lie below one of these directories.
    pub paths: Vec<String>,
    /// Only verdicts that this worktree has a part in: its root, its name or its branch.
    pub worktree: Option<String>,
    /// Only this severity and worse; none: all but `identical`.
    pub at_least: Option<Severity>,
    /// Those a person quieted, too.
    pub quiet_too: bool,
}

/// All that is known, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Picture {
    /// The repository: its common directory.
    pub repository: String,
    /// Its worktrees, the main one first.
    pub worktrees: Vec<WorktreeInfo>,
    /// What each worktree changed, by path.
    pub entries: Vec<Entry>,
    /// What is said of each file and pair, the worst first.
    pub verdicts: Vec<Verdict>,
    /// The same verdicts, put together where they speak of the same lines; the worst first.
    pub groups: Vec<ConflictGroup>,
    /// Pairs and files that could not be compared, and why, for a person.
    pub notes: Vec<String>,
    /// Something that should have been compared was not; the notes say what, and why.
    pub incomplete: bool,
    /// Whether it is fresh.
    pub health: Health,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunk_is_written_as_a_unified_diff_writes_it() {
        let row = |change, base_line, line, text: &str| HunkRow {
            change,
            base_line,
            line,
            text: text.to_owned(),
        };
        let unified = |start, end, rows: Vec<HunkRow>| {
            let base = LineRange { start, end };
            let hunk = HunkView {
                base,
                meets: true,
                rows,
            };
            hunk.unified().join("\n")
        };
        let changed = vec![
            row(RowChange::Same, Some(3), Some(4), "three"),
            row(RowChange::Removed, Some(4), None, "four"),
            row(RowChange::Added, None, Some(5), "4"),
            row(RowChange::Added, None, Some(6), "4½"),
        ];
        insta::assert_snapshot!(unified(4, 5, changed), @"
        @@ -3,2 +4,3 @@
         three
        -four
        +4
        +4½
        ");
        let new = vec![row(RowChange::Added, None, Some(1), "first")];
        insta::assert_snapshot!(unified(1, 1, new), @"
        @@ -0,0 +1 @@
        +first
        ");
    }
}
