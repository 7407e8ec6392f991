//! Search: a pattern over the ring, the screen and the history of panes, a block at a time.
//!
//! What is in memory is searched first; when that holds fewer matches than were asked for, the history on disk
//! is searched as well, for ten seconds at most. Nothing here holds a pane's lock: a [`PaneText`] shares a
//! pane's immutable blocks.
//!
//! *A match* is a line in which the pattern occurs, with all the places where it does; an empty occurrence is
//! none. *The order* of matches, newest first, is: what is in memory, pane by pane, the pane that was opened
//! last first; then what is on disk, in the same way. Oldest first it is pane by pane, the pane that was
//! opened first first, and in each what is on disk before what is in memory; memory alone would not do then, so
//! the history is always searched. A cursor goes on in that order, over what was there when its search began:
//! what is printed later does not shift it.

mod context;
mod contract;
mod plan;
mod query;
mod scan;
mod work;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::history::{Damage, Filter, Key};
use crate::lines::PaneText;
use context::add_context;
pub use contract::{
    LineRange, Match, Order, Range, Scope, SearchAnswer, SearchCursor, SearchError, SearchProgress,
    SearchRequest,
};
pub use pattern::Case;
use plan::{Plan, Unit};
pub use query::Query;
use scan::Scanner;
use work::{Done, Worker};

/// How long the history is searched.
const DEADLINE: Duration = Duration::from_secs(10);
/// Counts are told this often.
const TELL: Duration = Duration::from_millis(50);
/// More threads do not help: they wait for memory.
const MAX_THREADS: usize = 8;

/// Stops a search: from another thread, at the next keystroke.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Stops the searches that were given this value or a clone of it; they return what they have.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Searches `panes`, and tells `found` what it finds while it goes on. Cancelled, or out of time, it returns
/// what it has, and says so.
pub fn search(
    query: &Query,
    panes: Vec<PaneText>,
    cancel: &Cancel,
    found: &mut dyn FnMut(SearchProgress),
) -> SearchAnswer {
    search_within(query, panes, cancel, found, DEADLINE)
}

/// [`search`] with a deadline of one's own.
pub(crate) fn search_within(
    query: &Query,
    mut panes: Vec<PaneText>,
    cancel: &Cancel,
    found: &mut dyn FnMut(SearchProgress),
    deadline: Duration,
) -> SearchAnswer {
    panes.sort_by_key(|pane| pane.pane);
    if query.newest_first() {
        panes.reverse();
    }
    Search::new(query, &panes, cancel, found).run(Instant::now() + deadline)
}

struct Search<'a> {
    query: &'a Query,
    /// In the order in which they are searched.
    panes: &'a [PaneText],
    came: Vec<Filter>,
    cancel: &'a Cancel,
    found: &'a mut dyn FnMut(SearchProgress),
    newest_first: bool,
    limit: usize,
    units: Vec<Unit>,
    done: Vec<Option<Done>>,
    /// How many units from the first on are done and told of, and how many matches these had.
    told: usize,
    matches: Vec<Match>,
    last: Option<(usize, u8, Key)>,
    counts: Vec<u64>,
    total: u64,
    behind: u64,
    told_at: Instant,
    told_total: u64,
}

impl<'a> Search<'a> {
    fn new(
        query: &'a Query,
        panes: &'a [PaneText],
        cancel: &'a Cancel,
        found: &'a mut dyn FnMut(SearchProgress),
    ) -> Self {
        let newest_first = query.newest_first();
        Self {
            query,
            cancel,
            found,
            newest_first,
            limit: query.request.limit as usize,
            units: Vec::new(),
            done: Vec::new(),
            told: 0,
            matches: Vec::new(),
            last: None,
            counts: vec![0; panes.len()],
            came: panes.iter().map(|pane| query.came(pane)).collect(),
            panes,
            total: 0,
            behind: 0,
            told_at: Instant::now(),
            told_total: 0,
        }
    }

    fn run(mut self, deadline: Instant) -> SearchAnswer {
        let memory = self.plan().memory();
        let history_later =
            !self.query.request.ring_only && self.panes.iter().any(|pane| pane.history.is_some());
        let mut skipped_history = false;
        if self.newest_first || !history_later {
            self.units = memory;
            self.done.resize_with(self.units.len(), || None);
            self.work(0, None);
            if history_later {
                if self.behind >= self.limit as u64 {
                    skipped_history = true;
                } else {
                    let from = self.units.len();
                    let mut history = self.plan().history();
                    self.units.append(&mut history);
                    self.done.resize_with(self.units.len(), || None);
                    self.work(from, Some(deadline));
                }
            }
        } else {
            // What is in memory is searched first, that no deadline loses it, and comes last in each pane.
            let mut history = self.plan().history();
            let count = memory.len();
            let mut all: Vec<(usize, Unit)> = memory
                .into_iter()
                .chain(history.drain(..))
                .enumerate()
                .collect();
            all.sort_by_key(|(index, unit)| (unit.pane, unit.tier, *index < count, *index));
            let (first, second): (Vec<_>, Vec<_>) =
                (0..all.len()).partition(|at| all[*at].0 < count);
            self.units = all.into_iter().map(|(_, unit)| unit).collect();
            self.done.resize_with(self.units.len(), || None);
            self.work_on(&first, None);
            self.work_on(&second, Some(deadline));
        }
        self.answer(skipped_history)
    }

    fn work(&mut self, from: usize, deadline: Option<Instant>) {
        let units: Vec<usize> = (from..self.units.len()).collect();
        self.work_on(&units, deadline);
    }

    /// Searches the units `numbers` on the machine's cores, and takes in what comes of them.
    fn work_on(&mut self, numbers: &[usize], deadline: Option<Instant>) {
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_THREADS)
            .min(numbers.len());
        let units = std::mem::take(&mut self.units);
        let (query, cancel) = (self.query, self.cancel);
        let worker = Worker {
            panes: self.panes,
            units: &units,
            numbers,
            next: AtomicUsize::new(0),
            // No match behind this unit can be among the first `limit`.
            collect_to: AtomicUsize::new(self.collect_to()),
            pattern: &query.pattern,
            needs: &query.needs,
            newest_first: self.newest_first,
            limit: self.limit,
            cancel,
            deadline,
        };
        if threads <= 1 {
            let mut scanner = Scanner::new(worker.pattern);
            while let Some((unit, done)) = worker.step(&mut scanner) {
                self.take(unit, done, &units, &worker.collect_to);
            }
        } else {
            std::thread::scope(|scope| {
                let (send, receive) = mpsc::sync_channel(threads * 2);
                let mut started = 0;
                for number in 0..threads {
                    let send = send.clone();
                    let worker = &worker;
                    let thread = std::thread::Builder::new().name(format!("search {number}"));
                    let spawned = thread.spawn_scoped(scope, move || {
                        let mut scanner = Scanner::new(worker.pattern);
                        while let Some(done) = worker.step(&mut scanner) {
                            if send.send(done).is_err() {
                                break;
                            }
                        }
                    });
                    started += usize::from(spawned.is_ok());
                }
                drop(send);
                if started == 0 {
                    let mut scanner = Scanner::new(worker.pattern);
                    while let Some((unit, done)) = worker.step(&mut scanner) {
                        self.take(unit, done, &units, &worker.collect_to);
                    }
                }
                while let Ok((unit, done)) = receive.recv() {
                    self.take(unit, done, &units, &worker.collect_to);
                }
            });
        }
        self.units = units;
    }

    fn take(&mut self, unit: usize, done: Done, units: &[Unit], collect_to: &AtomicUsize) {
        self.total += done.count;
        self.behind += done.behind;
        self.counts[units[unit].pane] += done.count;
        let hits = !done.hits.is_empty();
        self.done[unit] = Some(done);
        if hits {
            let end = self.collect_to();
            collect_to.store(end, Ordering::Relaxed);
            for done in self.done.iter_mut().skip(end).flatten() {
                done.hits = Vec::new();
            }
        }
        self.tell(units);
        if self.told_at.elapsed() >= TELL && self.total != self.told_total {
            self.tell_count();
        }
    }

    fn tell_count(&mut self) {
        self.told_at = Instant::now();
        self.told_total = self.total;
        let (total, panes) = (self.total, self.panes_with_match());
        (self.found)(SearchProgress::Count { total, panes });
    }

    fn panes_with_match(&self) -> u32 {
        self.counts.iter().filter(|count| **count > 0).count() as u32
    }

    /// The number of the first unit that can't add to the first `limit` matches.
    fn collect_to(&self) -> usize {
        let mut known = self.matches.len();
        for (index, done) in self.done.iter().enumerate().skip(self.told) {
            if known >= self.limit {
                return index;
            }
            known += done.as_ref().map_or(0, |done| done.hits.len());
        }
        if known >= self.limit {
            self.done.len()
        } else {
            usize::MAX
        }
    }

    /// Tells of the matches of all units up to the first that is not done.
    fn tell(&mut self, units: &[Unit]) {
        let before = self.matches.len();
        while let Some(Some(done)) = self.done.get_mut(self.told) {
            let hits = std::mem::take(&mut done.hits);
            let (pane, tier) = (units[self.told].pane, units[self.told].tier);
            self.told += 1;
            let id = self.panes[pane].pane;
            for hit in hits.into_iter().take(self.limit - self.matches.len()) {
                self.last = Some((pane, tier, hit.key));
                self.matches.push(hit.into_match(id));
            }
        }
        // The lines around a match depend on its neighbours: with them, matches are told of at the end.
        if self.query.request.context == 0 {
            self.send_from(before);
        }
    }

    fn send_from(&mut self, before: usize) {
        if self.matches.len() > before {
            let matches = self.matches[before..].to_vec();
            (self.found)(SearchProgress::Found { matches });
        }
    }

    fn answer(mut self, skipped_history: bool) -> SearchAnswer {
        if self.query.request.context > 0 {
            add_context(self.panes, &mut self.matches, self.query.request.context);
            self.send_from(0);
        }
        self.tell_count();
        let mut reasons = Vec::new();
        let more = self.behind > self.matches.len() as u64;
        if more {
            reasons.push(match self.query.position {
                None => format!("these are the first {} matches", self.matches.len()),
                Some(_) => "there are more matches behind these".to_owned(),
            });
        }
        if skipped_history {
            reasons.push(
                "history was not searched, since there are enough matches in memory".to_owned(),
            );
        }
        let cut = self
            .done
            .iter()
            .any(|done| done.as_ref().is_none_or(|done| done.cut));
        if self.cancel.is_cancelled() {
            reasons.push("the search was cancelled".to_owned());
        } else if cut {
            reasons.push(format!(
                "history was searched for {} seconds, which did not do for all of it",
                DEADLINE.as_secs()
            ));
        }
        let mut damaged = Vec::new();
        for (unit, done) in self.units.iter().zip(&self.done) {
            if let Some(Done {
                damage: Some(Damage(what)),
                ..
            }) = done
                && damaged.len() < 3
            {
                damaged.push(format!(
                    "history of pane {}: {what}",
                    self.panes[unit.pane].pane
                ));
            }
        }
        damaged.dedup();
        reasons.extend(damaged);
        let cursor = self
            .last
            .filter(|_| more || skipped_history || cut)
            .and_then(|last| self.plan().cursor(last));
        SearchAnswer {
            total: self.total,
            panes: self.panes_with_match(),
            truncated: !reasons.is_empty(),
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            cursor,
            matches: self.matches,
        }
    }

    fn plan(&self) -> Plan<'_> {
        Plan {
            query: self.query,
            panes: self.panes,
            came: &self.came,
        }
    }
}

#[cfg(test)]
mod tests;
