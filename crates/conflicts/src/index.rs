//! Who touches what: entries by path, verdicts by file and pair, and what changed about them.
//!
//! Pure: states go in, the difference comes out. Nothing here is remembered that does not follow from
//! the last state given, so an event that was lost heals with the next one.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::{Hunk, nearness};
use crate::path::RepoPath;
use crate::types::{
    ConflictEvent, Entry, LineRange, Severity, Status, Verdict, VerdictKey, WorktreeId,
};

/// The entries and verdicts of one repository.
#[derive(Debug, Default)]
pub struct Index {
    entries: BTreeMap<RepoPath, Vec<Entry>>,
    verdicts: BTreeMap<VerdictKey, Verdict>,
}

/// Two worktrees whose entries share a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The first worktree.
    pub left: WorktreeId,
    /// The second worktree.
    pub right: WorktreeId,
    /// The worst of all their ranges.
    pub severity: Severity,
}

impl Index {
    /// Registers a change; takes the place of what the same worktree registered for the same path.
    ///
    /// A change that is reverted leaves.
    pub fn register(&mut self, entry: Entry) {
        let path = entry.path.clone();
        let entries = self.entries.entry(path.clone()).or_default();
        entries.retain(|other| other.worktree != entry.worktree);
        if entry.status != Status::Reverted {
            entries.push(entry);
            entries.sort_by(|a, b| a.worktree.cmp(&b.worktree));
        }
        if entries.is_empty() {
            self.entries.remove(&path);
        }
    }

    /// Replaces all that one worktree registered.
    pub fn replace(&mut self, worktree: &WorktreeId, entries: Vec<Entry>) {
        self.remove(worktree);
        for entry in entries {
            self.register(entry);
        }
    }

    /// Removes all that a worktree registered.
    pub fn remove(&mut self, worktree: &WorktreeId) {
        self.entries.retain(|_, entries| {
            entries.retain(|entry| entry.worktree != *worktree);
            !entries.is_empty()
        });
    }

    /// Removes the announcements older than `max_age` milliseconds, and says how many there were.
    ///
    /// What is on disk never grows stale: it leaves when the disk says so.
    pub fn sweep(&mut self, now: u64, max_age: u64) -> usize {
        let mut swept = 0;
        self.entries.retain(|_, entries| {
            entries.retain(|entry| {
                let stale =
                    entry.status == Status::Pending && now.saturating_sub(entry.since) > max_age;
                swept += usize::from(stale);
                !stale
            });
            !entries.is_empty()
        });
        swept
    }

    /// Lists who touches `path`.
    pub fn entries(&self, path: &RepoPath) -> &[Entry] {
        self.entries.get(path).map_or(&[], Vec::as_slice)
    }

    /// Lists everything registered, by path.
    pub fn snapshot(&self) -> Vec<Entry> {
        self.entries.values().flatten().cloned().collect()
    }

    /// Tells one set of touched files from another, without regard to lines and times.
    pub(crate) fn touched(&self) -> Vec<(RepoPath, WorktreeId, Status)> {
        let entries = self.entries.values().flatten();
        entries
            .map(|entry| (entry.path.clone(), entry.worktree.clone(), entry.status))
            .collect()
    }

    /// Compares all pairs of worktrees that touch `path`, by their lines alone.
    pub fn pairs(&self, path: &RepoPath) -> Vec<Pair> {
        let entries = self.entries(path);
        let mut pairs = Vec::new();
        for (at, left) in entries.iter().enumerate() {
            for right in &entries[at + 1..] {
                pairs.push(Pair {
                    left: left.worktree.clone(),
                    right: right.worktree.clone(),
                    severity: of_ranges(&left.ranges, &right.ranges),
                });
            }
        }
        pairs
    }

    /// Lists the other worktrees that touch `path`, and how near they are to the proposed `ranges`.
    pub fn proposed(
        &self,
        path: &RepoPath,
        ranges: &[LineRange],
        worktree: &WorktreeId,
    ) -> Vec<(&Entry, Severity)> {
        let others = self
            .entries(path)
            .iter()
            .filter(|entry| entry.worktree != *worktree);
        others
            .map(|entry| (entry, of_ranges(ranges, &entry.ranges)))
            .collect()
    }

    /// Gives the verdicts as they were settled last.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.values()
    }

    /// Takes the verdicts as they are now; gives one event for each that is new, gone, or says
    /// something else. A verdict that says the same keeps the time it was first seen.
    pub fn settle(&mut self, verdicts: Vec<Verdict>, now: u64) -> Vec<ConflictEvent> {
        let mut events = Vec::new();
        let mut held = BTreeSet::new();
        for mut verdict in verdicts {
            let key = verdict.key();
            let before = self.verdicts.get(&key);
            let same = before.is_some_and(|before| {
                (before.severity, before.would_conflict, before.quiet)
                    == (verdict.severity, verdict.would_conflict, verdict.quiet)
            });
            let as_bad = before.filter(|before| before.severity == verdict.severity);
            verdict.since = as_bad.map_or(now, |before| before.since);
            if !same {
                events.push(ConflictEvent::Verdict {
                    verdict: Box::new(verdict.clone()),
                });
            }
            self.verdicts.insert(key.clone(), verdict);
            held.insert(key);
        }
        self.verdicts.retain(|key, _| {
            let holds = held.contains(key);
            if !holds {
                events.push(ConflictEvent::Resolved { key: key.clone() });
            }
            holds
        });
        events
    }
}

/// The worst nearness over all ranges; without any, nothing is known but that the file is shared.
fn of_ranges(left: &[LineRange], right: &[LineRange]) -> Severity {
    let hunks: Vec<_> = right
        .iter()
        .map(|range| Hunk {
            old: range.start..range.end,
            new: 0..0,
        })
        .collect();
    left.iter()
        .filter_map(|range| nearness(&(range.start..range.end), &hunks))
        .max()
        .unwrap_or(Severity::DifferentArea)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ChangeKind;

    fn entry(worktree: &str, path: &str, ranges: &[(u32, u32)], status: Status) -> Entry {
        Entry {
            path: path.into(),
            worktree: WorktreeId(worktree.to_owned()),
            agent: None,
            base: "base".to_owned(),
            change: ChangeKind::Modify,
            ranges: ranges
                .iter()
                .map(|&(start, end)| LineRange { start, end })
                .collect(),
            status,
            since: 1_000,
        }
    }

    fn pairs(entries: Vec<Entry>) -> String {
        let mut index = Index::default();
        entries.into_iter().for_each(|entry| index.register(entry));
        let say = |pair: Pair| format!("{} {} {}", pair.left, pair.right, pair.severity);
        index
            .pairs(&"a".into())
            .into_iter()
            .map(say)
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn all_pairs_are_compared_and_the_worst_range_counts() {
        let entries = vec![
            entry("one", "a", &[(1, 2), (50, 51)], Status::Applied),
            entry("two", "a", &[(10, 11), (53, 54)], Status::Applied),
            entry("three", "a", &[(1, 1)], Status::Pending),
        ];
        insta::assert_snapshot!(pairs(entries), @"one three same_line, one two adjacent_line, three two different_area");
    }

    #[test]
    fn a_reverted_change_leaves() {
        let entries = vec![
            entry("one", "a", &[(1, 2)], Status::Applied),
            entry("two", "a", &[(1, 2)], Status::Applied),
            entry("two", "a", &[], Status::Reverted),
        ];
        assert_eq!(pairs(entries), "");
    }

    #[test]
    fn only_announcements_grow_stale() {
        let mut index = Index::default();
        index.register(entry("one", "a", &[(1, 2)], Status::Applied));
        index.register(entry("two", "a", &[(1, 2)], Status::Pending));
        assert_eq!(index.sweep(1_500, 600), 0);
        assert_eq!(index.sweep(2_000, 600), 1);
        assert_eq!(index.snapshot().len(), 1);
        index.remove(&WorktreeId("one".to_owned()));
        assert!(index.snapshot().is_empty());
    }

    #[test]
    fn a_proposed_change_hears_of_the_others_only() {
        let mut index = Index::default();
        index.register(entry("one", "a", &[(1, 2)], Status::Applied));
        index.register(entry("two", "a", &[(8, 9)], Status::Applied));
        let near = index.proposed(
            &"a".into(),
            &[LineRange { start: 2, end: 3 }],
            &WorktreeId("one".to_owned()),
        );
        assert_eq!(near.len(), 1);
        assert_eq!(near[0].1, Severity::AdjacentLine);
    }
}
