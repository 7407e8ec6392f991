//! What is said of a worktree's changes.

use std::fmt;
use std::str::FromStr;

use git::RepoPath;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Between which two states of a worktree a change is told.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// From the commit to the index: what the next commit would have.
    Staged,
    /// From the index to the files; with what could not be merged.
    Unstaged,
    /// Files that git does not know, but for those that are ignored.
    Untracked,
    /// From the merge base to the commit.
    Committed,
    /// From the merge base to the files, those that git does not know included.
    Whole,
}

impl View {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Staged,
        Self::Unstaged,
        Self::Untracked,
        Self::Committed,
        Self::Whole,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Unstaged => "unstaged",
            Self::Untracked => "untracked",
            Self::Committed => "committed",
            Self::Whole => "whole",
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for View {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|view| view.word() == word);
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("`{word}` is no view; there are {words}")
        })
    }
}

/// What a worktree changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct WorktreeChanges {
    /// Its root.
    pub worktree: String,
    /// The branch it is on; none when its HEAD is detached.
    pub branch: Option<String>,
    /// The commit it is on; none before the first.
    pub head: Option<String>,
    /// What its commits are compared with; none: there is nothing to compare them with, and a note says why.
    pub base: Option<Base>,
    /// What git is in the middle of.
    pub doing: Option<Doing>,
    /// What was asked for, in that order.
    pub views: Vec<ViewChanges>,
    /// What a person should know of it.
    pub notes: Vec<String>,
}

/// What the commits of a worktree are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Base {
    /// The branch, as people call it.
    pub name: String,
    /// The commit that both started from: the merge base.
    pub commit: String,
    /// The commit that it is at.
    pub tip: String,
    /// How many commits the worktree has that the branch has not.
    pub ahead: u32,
    /// How many commits the branch has that the worktree has not.
    pub behind: u32,
}

/// Something that git began and did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// A merge.
    Merge,
    /// A rebase, or an `am`.
    Rebase,
    /// A cherry-pick.
    CherryPick,
    /// A revert.
    Revert,
    /// A bisection.
    Bisect,
}

impl Doing {
    /// What it is called within a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Merge => "a merge",
            Self::Rebase => "a rebase",
            Self::CherryPick => "a cherry-pick",
            Self::Revert => "a revert",
            Self::Bisect => "a bisection",
        }
    }
}

/// The files of one view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ViewChanges {
    /// Which.
    pub view: View,
    /// Its files, by path.
    pub files: Vec<ChangedFile>,
}

/// One file of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ChangedFile {
    /// Where it is now; where it was, when it is gone.
    #[specta(type = String)]
    pub path: RepoPath,
    /// Where it was, when it was renamed or copied.
    #[specta(type = Option<String>)]
    pub from: Option<RepoPath>,
    /// What happened to it.
    pub kind: FileChangeKind,
    /// What it was; none: it was not there.
    pub old: Option<FileKind>,
    /// What it is; none: it is not there.
    pub new: Option<FileKind>,
    /// Its lines that came and went; none: it has none, or too many to count.
    pub lines: Option<LineCounts>,
}

/// What happened to a file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    /// It is new, and git knows it.
    Added,
    /// It is new, and git does not know it.
    Untracked,
    /// Its content or its mode is another.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another path.
    Renamed,
    /// It is a copy of another one.
    Copied,
    /// It became something else: a link in the place of a file.
    TypeChanged,
    /// A merge left it to be resolved.
    Unmerged,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its content is where it leads.
    Link,
    /// A submodule, or another repository; its content is the commit that it is on.
    Repository,
}

impl FileKind {
    /// Reads a mode as git writes it; none for no file.
    pub(crate) fn of_mode(mode: &[u8]) -> Option<Self> {
        match mode {
            b"100755" => Some(Self::Executable),
            b"120000" => Some(Self::Link),
            b"160000" => Some(Self::Repository),
            b"000000" => None,
            _ => Some(Self::File),
        }
    }
}

/// How many lines came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LineCounts {
    /// Lines that are new.
    pub added: u32,
    /// Lines that are gone.
    pub removed: u32,
}

/// Which file's lines are asked for, and how they are to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DiffQuestion {
    /// Between which states.
    pub view: View,
    /// The file, as the list calls it.
    #[specta(type = String)]
    pub path: RepoPath,
    /// Where it was, as the list says.
    #[specta(type = Option<String>)]
    pub from: Option<RepoPath>,
    /// The branch or commit to compare with, in place of the one that is found.
    #[serde(default)]
    pub base: Option<String>,
    /// Unchanged lines around each change; none: all of them.
    pub context: Option<u32>,
    /// Leaves out what differs in white space alone.
    #[serde(default)]
    pub ignore_space: bool,
}

/// What is to be done with changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Into the index.
    Stage,
    /// Out of the index; the files stay.
    Unstage,
    /// Away: the files become what the index has; those that git does not know are removed.
    Discard,
}

impl Act {
    /// The word for what was done.
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Stage => "staged",
            Self::Unstage => "unstaged",
            Self::Discard => "discarded",
        }
    }
}

/// What is to be done, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ActRequest {
    /// What.
    pub act: Act,
    /// Where the changes were seen.
    pub view: View,
    /// Of which files.
    pub files: Vec<Chosen>,
}

/// A file that something is to be done with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Chosen {
    /// The file, as the list calls it.
    #[specta(type = String)]
    pub path: RepoPath,
    /// Where it was, as the list says.
    #[specta(type = Option<String>)]
    pub from: Option<RepoPath>,
    /// These hunks alone, as they were told with three lines around each change; none: all of the file.
    pub hunks: Vec<Hunk>,
}

/// The lines of one file that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FileDiff {
    /// The file; none: it did not change, or no longer.
    pub file: Option<ChangedFile>,
    /// What there is to show.
    pub content: DiffContent,
}

/// What there is to show of a file that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "content", rename_all = "snake_case")]
pub enum DiffContent {
    /// Lines. There are none when its path or its mode alone changed.
    Text {
        /// The places that changed, in order.
        hunks: Vec<Hunk>,
        /// How the bytes were read.
        encoding: TextEncoding,
        /// There is more than is shown: the rest was too large.
        cut: bool,
    },
    /// Git takes it for no text.
    Binary,
    /// It is too large to be shown by lines.
    TooLarge {
        /// How large, in bytes.
        bytes: u64,
    },
}

/// How the bytes of a text were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TextEncoding {
    /// As they should be.
    Utf8,
    /// They are no UTF-8: each byte is a character of ISO 8859-1.
    Latin1,
}

/// One place of a file that changed, as git tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Hunk {
    /// The first line before the change, from 1; 0 when there was none.
    pub old_start: u32,
    /// So many lines before the change.
    pub old_lines: u32,
    /// The first line after the change, from 1; 0 when there is none.
    pub new_start: u32,
    /// So many lines after the change.
    pub new_lines: u32,
    /// The function or the section that it is in, as far as git can tell.
    pub heading: String,
    /// Its lines, each after its sign: a space, `+`, `-`, or `\` for a last line without an end.
    pub text: String,
}
