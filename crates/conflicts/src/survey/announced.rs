//! Changes that agents announced and the disk does not show yet.

use std::collections::HashSet;

use super::Survey;
use super::changes::{Pair, kind};
use super::judge::Party;
use super::refused::AskError;
use crate::compare;
use crate::git::Id;
use crate::types::{
    ChangeKind, LineRange, ProposedChange, Severity, Side, Status, Verdict, VerdictKey, WorktreeId,
};
use ::git::RepoPath;

/// A change that an agent announced.
#[derive(Debug, Clone)]
pub(super) struct Announced {
    pub(super) worktree: WorktreeId,
    pub(super) agent: Option<String>,
    pub(super) path: RepoPath,
    pub(super) lines: Vec<LineRange>,
    pub(super) at: u64,
}

impl Survey {
    /// Takes note of a change that is about to be made.
    pub(crate) fn announce(
        &mut self,
        change: &ProposedChange,
        agent: Option<String>,
    ) -> Result<(), AskError> {
        let (worktree, path) = self.locate(change)?;
        let agent = agent.or_else(|| self.agents.get(&worktree).cloned());
        if let Some((submodule, inside)) = self.in_submodule(&worktree, &path)
            && let Some(survey) = self.submodules.surveys.get_mut(&submodule)
        {
            let change = ProposedChange {
                file: inside.to_string(),
                ..change.clone()
            };
            return survey.announce(&change, agent);
        }
        self.announced
            .retain(|other| (&other.worktree, &other.path) != (&worktree, &path));
        let at = self.clock.now_ms();
        self.announced.push(Announced {
            worktree,
            agent,
            path,
            lines: change.lines.clone(),
            at,
        });
        Ok(())
    }

    /// What is announced for a file of a worktree, and not done yet.
    pub(super) fn announced_by(&self, worktree: &WorktreeId, path: &RepoPath) -> Option<Announced> {
        let mut all = self.announced.iter();
        let found = all.find(|one| one.worktree == *worktree && one.path == *path);
        found.cloned()
    }

    /// The lines of a merge base that a change is announced for: told in the lines of the file as it is there now.
    pub(super) fn announced_lines(&mut self, announced: &Announced, base: &Id) -> Vec<LineRange> {
        let tree = self.worktrees.get(&announced.worktree);
        let changes = tree.and_then(|tree| tree.changes.get(base));
        let Some(effect) = changes.and_then(|changes| changes.effects.get(&announced.path)) else {
            return announced.lines.clone();
        };
        let party = Party {
            worktree: announced.worktree.clone(),
            path: effect.path.clone(),
            state: effect.now,
        };
        let Some(hunks) = self.hunks_of(effect.base, &party) else {
            return Vec::new();
        };
        let in_base = |lines: &LineRange| {
            let lines = compare::to_base(&(lines.start - 1..lines.end - 1), &hunks);
            LineRange {
                start: lines.start + 1,
                end: lines.end + 1,
            }
        };
        announced.lines.iter().map(in_base).collect()
    }

    pub(super) fn announced_side(&self, announced: &Announced, lines: Vec<LineRange>) -> Side {
        let party = Party {
            worktree: announced.worktree.clone(),
            path: announced.path.clone(),
            state: None,
        };
        Side {
            agent: announced.agent.clone(),
            status: Status::Pending,
            since: announced.at,
            ..self.side(&party, ChangeKind::Modify, lines)
        }
    }

    /// Adds what is announced and not yet done; drops announcements that came true or grew old.
    pub(super) fn pending(&mut self, pairs: &[Pair], now: u64, verdicts: &mut Vec<Verdict>) {
        let (worktrees, age) = (&self.worktrees, self.announce_age);
        self.announced.retain(|announced| {
            let tree = worktrees.get(&announced.worktree);
            let done = tree
                .and_then(|tree| tree.seen.get(&announced.path))
                .is_some_and(|(_, since)| *since >= announced.at);
            tree.is_some() && !done && now.saturating_sub(announced.at) <= age
        });
        let told: HashSet<_> = verdicts.iter().map(Verdict::key).collect();
        for announced in self.announced.clone() {
            for (left, right, bases) in pairs {
                let (Some(base), true) =
                    (bases.first(), [left, right].contains(&&announced.worktree))
                else {
                    continue;
                };
                let key = VerdictKey {
                    path: announced.path.clone(),
                    left: left.clone(),
                    right: right.clone(),
                };
                if told.contains(&key) {
                    continue;
                }
                let other = if *left == announced.worktree {
                    right
                } else {
                    left
                };
                let effect = self.worktrees.get(other).and_then(|tree| {
                    tree.changes
                        .get(base)?
                        .effects
                        .get(&announced.path)
                        .cloned()
                });
                let other_announced = self.announced_by(other, &announced.path);
                let theirs = match (effect, other_announced) {
                    (Some(effect), _) => {
                        let party = Party {
                            worktree: other.clone(),
                            path: effect.path.clone(),
                            state: effect.now,
                        };
                        let ranges = self.ranges(effect.base, &party);
                        self.side(&party, kind(&effect, &announced.path), ranges)
                    }
                    (None, Some(entry)) if announced.worktree < *other => {
                        let lines = self.announced_lines(&entry, base);
                        self.announced_side(&entry, lines)
                    }
                    _ => continue,
                };
                let lines = self.announced_lines(&announced, base);
                let mine = self.announced_side(&announced, lines);
                let hunks: Vec<_> = theirs.ranges.iter().map(compare::Hunk::at).collect();
                let near = mine
                    .ranges
                    .iter()
                    .filter_map(|range| compare::nearness(&compare::Hunk::at(range).old, &hunks));
                let severity = near.max().unwrap_or(Severity::DifferentArea);
                let (left, right) = if mine.worktree < theirs.worktree {
                    (mine, theirs)
                } else {
                    (theirs, mine)
                };
                verdicts.push(Verdict {
                    path: announced.path.clone(),
                    left,
                    right,
                    severity,
                    would_conflict: false,
                    overlaps: Vec::new(),
                    base: base.to_string(),
                    note: Some("announced, not on disk yet".to_owned()),
                    breaks: Vec::new(),
                    since: 0,
                    quiet: false,
                });
            }
        }
    }
}
