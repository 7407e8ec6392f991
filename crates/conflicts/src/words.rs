//! What others do to a file, in words: for the command line, for hooks of agents, for their tools.

use std::fmt::Write as _;
use std::path::Path;

use crate::types::{Break, Breaking, ChangeKind, HunkView, LineRange, Status, Touch};

/// How many rows of the other side's change are told.
const ROWS: usize = 80;

impl Break {
    /// Says what the worktree does that took it away: `removes \`open\``.
    pub fn does(&self) -> String {
        let name = &self.name;
        match &self.change {
            Breaking::Removed => format!("removes `{name}`"),
            Breaking::Renamed { to } => format!("renames `{name}` to `{to}`"),
            Breaking::Parameters => format!("changes the parameters of `{name}`"),
            Breaking::Result => format!("changes what `{name}` gives"),
        }
    }

    /// Says what the worktree called `by` did, and where the one called `user` uses it.
    pub(crate) fn in_words(&self, by: &str, user: &str) -> String {
        let lines: Vec<_> = self.lines.iter().map(ToString::to_string).collect();
        let lines = match lines.as_slice() {
            [] => String::new(),
            [one] => format!(" in line {one}"),
            all => format!(" in lines {}", all.join(", ")),
        };
        format!(
            "{by} {} ({} line {}), which {user} uses{lines}",
            self.does(),
            self.path,
            self.line
        )
    }
}

impl Touch {
    /// Says what the other worktree does with the file (`changes`), and at which lines of it (` line 4`, or nothing).
    pub fn in_words(&self) -> (&'static str, String) {
        let does = match (self.side.status, &self.side.change) {
            (Status::Pending, _) => "is about to change",
            (_, ChangeKind::Create) => "creates",
            (_, ChangeKind::Delete) => "deletes",
            (_, ChangeKind::Rename { .. }) => "renames",
            _ => "changes",
        };
        let whole = matches!(self.side.change, ChangeKind::Create | ChangeKind::Delete);
        let lines = match (self.lines.as_slice(), self.side.ranges.as_slice()) {
            _ if whole => String::new(),
            (here, there) if here.is_empty() || here == there => behind_a_name(there),
            (here, there) => format!(
                "{} ({} at the merge base)",
                behind_a_name(here),
                lines_in_words(there)
            ),
        };
        (does, lines)
    }

    /// Tells an agent who it is, what they change there, and where their version lies: some lines of text.
    pub fn told(&self) -> String {
        let side = &self.side;
        let mut text = match &side.agent {
            Some(agent) => format!("{agent} in the worktree `{}`", side.name),
            None => format!("The worktree `{}`", side.name),
        };
        if let Some(branch) = &side.branch {
            let _ = write!(text, " (branch `{branch}`)");
        }
        match self.breaks.first() {
            Some(broken) => {
                let (path, line) = (&broken.path, broken.line);
                let _ = write!(text, " {}: `{path}`, line {line}", broken.does());
            }
            None => {
                let (does, lines) = self.in_words();
                let comma = if lines.is_empty() { "" } else { "," };
                let _ = write!(text, " {does} it{comma}{lines}");
            }
        }
        let rows = self.hunks.iter().flat_map(HunkView::unified);
        let (rows, more): (Vec<_>, Vec<_>) = rows.enumerate().partition(|(at, _)| *at < ROWS);
        for (_, row) in rows {
            let _ = write!(text, "\n{row}");
        }
        if !more.is_empty() {
            let _ = write!(text, "\n… {} more lines", more.len());
        }
        let place = Path::new(&side.worktree.0).join(side.path.to_path());
        let _ = write!(text, "\nIts version: {}", place.display());
        text
    }
}

/// Some lines in words, behind the name of their file.
fn behind_a_name(lines: &[LineRange]) -> String {
    match lines {
        [] => String::new(),
        [one] if one.end == one.start => format!(" {one}"),
        [one] if one.end == one.start + 1 => format!(" line {one}"),
        _ => format!(" lines {}", lines_in_words(lines)),
    }
}

/// Gives the lines, such as `4, 7-9`.
pub fn lines_in_words(lines: &[LineRange]) -> String {
    let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
    lines.join(", ")
}
