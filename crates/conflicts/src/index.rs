//! Who touches what: entries by path, verdicts by file and pair, and what changed about them.
//!
//! Pure: states go in, the difference comes out. Nothing here is remembered that does not follow from
//! the last state given, so an event that was lost heals with the next one.

use std::collections::{BTreeMap, BTreeSet};

use crate::types::{ConflictEvent, Entry, Status, Verdict, VerdictKey, WorktreeId};
use ::git::RepoPath;

/// The entries and verdicts of one repository.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: BTreeMap<RepoPath, Vec<Entry>>,
    verdicts: BTreeMap<VerdictKey, Verdict>,
}

impl Index {
    /// Registers a change; takes the place of what the same worktree registered for the same path.
    ///
    /// A change that is reverted leaves.
    pub(crate) fn register(&mut self, entry: Entry) {
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
    pub(crate) fn replace(&mut self, worktree: &WorktreeId, entries: Vec<Entry>) {
        self.remove(worktree);
        for entry in entries {
            self.register(entry);
        }
    }

    /// Removes all that a worktree registered.
    pub(crate) fn remove(&mut self, worktree: &WorktreeId) {
        self.entries.retain(|_, entries| {
            entries.retain(|entry| entry.worktree != *worktree);
            !entries.is_empty()
        });
    }

    /// Lists everything registered, by path.
    pub(crate) fn snapshot(&self) -> Vec<Entry> {
        self.entries.values().flatten().cloned().collect()
    }

    /// Tells one set of touched files from another, without regard to lines and times.
    pub(crate) fn touched(&self) -> Vec<(RepoPath, WorktreeId, Status)> {
        let entries = self.entries.values().flatten();
        entries
            .map(|entry| (entry.path.clone(), entry.worktree.clone(), entry.status))
            .collect()
    }

    /// Gives the verdicts as they were settled last.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.values()
    }

    /// Takes the verdicts as they are now; gives one event for each that is new, gone, or says
    /// something else. A verdict that says the same keeps the time it was first seen; one that is new began with the
    /// later change of the two, whoever looked when.
    pub(crate) fn settle(&mut self, verdicts: Vec<Verdict>, now: u64) -> Vec<ConflictEvent> {
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
            let began = match before {
                Some(_) => now,
                None => verdict.left.since.max(verdict.right.since).min(now),
            };
            verdict.since = as_bad.map_or(began, |before| before.since);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ChangeKind;

    fn entry(worktree: &str, status: Status) -> Entry {
        Entry {
            path: "a".into(),
            worktree: WorktreeId(worktree.to_owned()),
            agent: None,
            base: "base".to_owned(),
            change: ChangeKind::Modify,
            ranges: Vec::new(),
            status,
            since: 1_000,
        }
    }

    #[test]
    fn a_change_takes_the_place_of_the_last_one_and_a_reverted_one_leaves() {
        let mut index = Index::default();
        index.register(entry("two", Status::Pending));
        index.register(entry("two", Status::Applied));
        index.register(entry("one", Status::Applied));
        let listed = |index: &Index| -> Vec<_> {
            let all = index.snapshot().into_iter();
            all.map(|entry| (entry.worktree.0, entry.status)).collect()
        };
        let both = ["one", "two"].map(|name| (name.to_owned(), Status::Applied));
        assert_eq!(listed(&index), both);
        index.register(entry("two", Status::Reverted));
        assert_eq!(listed(&index), both[..1]);
        index.remove(&WorktreeId("one".to_owned()));
        assert_eq!(listed(&index), []);
    }
}
