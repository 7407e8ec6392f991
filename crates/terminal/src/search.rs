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

mod pattern;
mod scan;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::block::Block;
use crate::history::{Chunk, Damage, Filter, Key, Kind, Text, Wanted};
use crate::lines::{Lines, PaneText};
use crate::types::{Line, LineId, PaneId, Source};
use pattern::Pattern;
use scan::{After, Hit, Scanner};

/// How long the history is searched.
const DEADLINE: Duration = Duration::from_secs(10);
/// So much of a ring is searched in one go by one thread.
const UNIT_BYTES: usize = 1024 * 1024;
/// Counts are told this often.
const TELL: Duration = Duration::from_millis(50);
/// More threads do not help: they wait for memory.
const MAX_THREADS: usize = 8;

/// What to search for, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SearchRequest {
    /// What to look for: 1 to 200 characters.
    pub pattern: String,
    /// How many matches to return, 1 to 500.
    #[serde(default = "default_limit")]
    pub limit: u32,
    /// How many lines around each match to return, 0 to 50.
    #[serde(default)]
    pub context: u32,
    /// The pattern is a regular expression, as Rust's `regex` has them; else it is looked for as it is.
    #[serde(default)]
    pub regex: bool,
    /// Whether `a` finds `A`.
    #[serde(default)]
    pub case: Case,
    /// The match must neither begin nor end within a word.
    #[serde(default)]
    pub whole_word: bool,
    /// Which panes.
    pub scope: Scope,
    /// Which matches come first.
    #[serde(default)]
    pub order: Order,
    /// Goes on where an earlier answer to the same request ended.
    #[serde(default)]
    pub cursor: Option<SearchCursor>,
    /// Searches what is in memory only: the ring and the screen.
    #[serde(default)]
    pub ring_only: bool,
    /// Only these lines, of one pane: the output of one command.
    #[serde(default)]
    pub lines: Option<LineRange>,
}

fn default_limit() -> u32 {
    50
}

impl SearchRequest {
    /// Looks for `pattern`, as it is, in the panes of `scope`; the newest 50 matches.
    pub fn new(pattern: impl Into<String>, scope: Scope) -> Self {
        Self {
            pattern: pattern.into(),
            limit: default_limit(),
            context: 0,
            regex: false,
            case: Case::default(),
            whole_word: false,
            scope,
            order: Order::default(),
            cursor: None,
            ring_only: false,
            lines: None,
        }
    }
}

/// Whether upper and lower case are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    /// They are, unless the pattern has an uppercase letter.
    #[default]
    Smart,
    /// They are.
    Ignore,
    /// They are not.
    Match,
}

/// Which panes to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "panes", rename_all = "snake_case")]
pub enum Scope {
    /// One pane, live or closed.
    Pane {
        /// Which.
        id: PaneId,
    },
    /// All panes that are open.
    Live,
    /// All panes, the closed ones too.
    All,
    /// The panes that were closed.
    Closed,
}

/// Which matches come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// What was printed last.
    #[default]
    NewestFirst,
    /// What was printed first.
    OldestFirst,
}

/// Lines of one pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct LineRange {
    /// The first line.
    pub from: LineId,
    /// The line after the last.
    pub to: LineId,
}

/// Where a search goes on. Its text means nothing to anybody but the search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct SearchCursor(pub String);

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SearchAnswer {
    /// The matches, in the order that was asked for.
    pub matches: Vec<Match>,
    /// All matches in what was searched, not only those returned.
    #[specta(type = u32)]
    pub total: u64,
    /// How many panes have a match.
    pub panes: u32,
    /// There are or may be more matches than are returned.
    pub truncated: bool,
    /// Why there are, and what was not searched.
    pub reason: Option<String>,
    /// Goes on behind the last match; none: there are no more.
    pub cursor: Option<SearchCursor>,
}

/// A line in which the pattern occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Match {
    /// In which pane.
    pub pane: PaneId,
    /// Which line.
    pub line: LineId,
    /// The line's number in its pane, from 1; for a line of a full-screen program, the number of the line that
    /// was printed next.
    #[specta(type = u32)]
    pub line_number: u64,
    /// The line's text; a very long one is cut around the first occurrence, and `…` stands for the rest.
    pub content: String,
    /// Where in it the pattern occurs.
    pub ranges: Vec<Range>,
    /// The lines before, oldest first; none is returned twice, also not as another's match or context.
    pub context_before: Vec<Line>,
    /// The lines after, oldest first.
    pub context_after: Vec<Line>,
    /// Where the line was found.
    pub source: Source,
    /// It was shown by a full-screen program.
    pub full_screen: bool,
}

/// Where in a line the pattern occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Range {
    /// Where it begins in the content, in UTF-16 code units.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// In which cell of the line it begins, from 0; a wide character has two.
    pub start_col: u32,
    /// The cell behind its last.
    pub end_col: u32,
}

/// What a search tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "progress", rename_all = "snake_case")]
pub enum SearchProgress {
    /// The next matches of the answer, in order.
    Found {
        /// They are not told again before the answer, which has all of them.
        matches: Vec<Match>,
    },
    /// How many matches are known of by now.
    Count {
        /// In what was searched so far.
        #[specta(type = u32)]
        total: u64,
        /// How many panes have one.
        panes: u32,
    },
}

/// Why nothing was searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum SearchError {
    /// A field of the request is out of its range.
    #[error("bad `{field}`: {message}")]
    BadParams {
        /// Which field.
        field: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// There is no such pane, and no history of it.
    #[error("there is no pane `{pane}`, and no history of it")]
    BadId {
        /// The id that was given.
        pane: PaneId,
    },
    /// The pattern can't be searched for.
    #[error("bad pattern: {message}")]
    BadQuery {
        /// What is wrong.
        message: String,
        /// Where in the pattern, in UTF-16 code units from 0.
        position: Option<u32>,
    },
}

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

/// What a cursor says.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    order: Order,
    /// The pane, tier, and key of the last match that was returned; none: all of the first tier is done.
    pane: u32,
    tier: u8,
    /// Anchor, whether it was printed, number.
    key: (u64, bool, u64),
    /// For each pane that was searched: where its memory began, where its lines ended, and its sampled ones.
    bounds: BTreeMap<u32, (u64, u64, u64)>,
}

/// A request whose fields are in range and whose pattern is compiled.
pub struct Query {
    request: SearchRequest,
    pattern: Pattern,
    position: Option<Position>,
}

impl Query {
    /// Checks a request and compiles its pattern.
    ///
    /// # Errors
    ///
    /// [`SearchError::BadParams`] names the field, [`SearchError::BadQuery`] the position in the pattern.
    pub fn new(request: &SearchRequest) -> Result<Self, SearchError> {
        let bad = |field: &str, message: String| {
            Err(SearchError::BadParams {
                field: field.to_owned(),
                message,
            })
        };
        let pattern = Pattern::new(request)?;
        if !(1..=500).contains(&request.limit) {
            let limit = request.limit;
            return bad("limit", format!("{limit}; it must be from 1 to 500"));
        }
        if request.context > 50 {
            let context = request.context;
            return bad("context", format!("{context}; it must be from 0 to 50"));
        }
        if let Some(lines) = request.lines {
            if !matches!(request.scope, Scope::Pane { .. }) {
                return bad("lines", "they are of one pane: name it as scope".to_owned());
            }
            if lines.from > lines.to {
                return bad(
                    "lines",
                    format!("from {} to {}; they must ascend", lines.from, lines.to),
                );
            }
        }
        let position = match &request.cursor {
            None => None,
            Some(cursor) => match serde_json::from_str::<Position>(&cursor.0) {
                Ok(position) if position.order == request.order => Some(position),
                Ok(_) => {
                    return bad("cursor", "it is of a search in the other order".to_owned());
                }
                Err(_) => return bad("cursor", "it is not one that a search gave".to_owned()),
            },
        };
        Ok(Self {
            request: request.clone(),
            pattern,
            position,
        })
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
    panes: Vec<PaneText>,
    cancel: &Cancel,
    found: &mut dyn FnMut(SearchProgress),
    deadline: Duration,
) -> SearchAnswer {
    Search::new(query, panes, cancel, found).run(Instant::now() + deadline)
}

/// A piece of work for one thread.
struct Unit {
    pane: usize,
    tier: u8,
    what: What,
    filter: Filter,
    after: After,
}

enum What {
    Memory(Vec<Arc<Block>>, Source),
    History(Chunk),
}

/// What came of a unit.
#[derive(Default)]
struct Done {
    /// All matches, and those behind the cursor.
    count: u64,
    behind: u64,
    hits: Vec<Hit>,
    damage: Option<Damage>,
    cut: bool,
}

struct Search<'a> {
    query: &'a Query,
    panes: Vec<PaneText>,
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
        mut panes: Vec<PaneText>,
        cancel: &'a Cancel,
        found: &'a mut dyn FnMut(SearchProgress),
    ) -> Self {
        let newest_first = query.request.order == Order::NewestFirst;
        panes.sort_by_key(|pane| pane.pane);
        if newest_first {
            panes.reverse();
        }
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
            panes,
            total: 0,
            behind: 0,
            told_at: Instant::now(),
            told_total: 0,
        }
    }

    /// Where a pane's memory began and its lines ended when the search, or its first page, began.
    fn bounds(&self, pane: &PaneText) -> Option<(u64, u64, u64)> {
        match &self.query.position {
            Some(position) => position.bounds.get(&pane.pane.0).copied(),
            None => Some((
                pane.memory_from(),
                pane.end(),
                pane.history
                    .as_ref()
                    .map_or(0, |history| history.next_full_screen()),
            )),
        }
    }

    fn run(mut self, deadline: Instant) -> SearchAnswer {
        let memory = self.plan_memory();
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
                    let mut history = self.plan_history();
                    self.units.append(&mut history);
                    self.done.resize_with(self.units.len(), || None);
                    self.work(from, Some(deadline));
                }
            }
        } else {
            // What is in memory is searched first, that no deadline loses it, and comes last in each pane.
            let mut history = self.plan_history();
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

    /// The units over what is in memory, in order.
    fn plan_memory(&self) -> Vec<Unit> {
        let mut units = Vec::new();
        let tier = self.tiers().0;
        for (index, pane) in self.panes.iter().enumerate() {
            let Some((_, end, _)) = self.bounds(pane) else {
                continue;
            };
            let range = self.printed(pane.memory_from(), end);
            if range.is_empty() {
                continue;
            }
            let filter = Filter {
                printed: range,
                full_screen: 0..0,
            };
            let mut add = |blocks: Vec<Arc<Block>>, source| {
                units.push(Unit {
                    pane: index,
                    tier,
                    what: What::Memory(blocks, source),
                    filter: filter.clone(),
                    after: self.after(index, tier),
                });
            };
            let screen = (!pane.screen.is_empty()).then(|| {
                let mut block = Block::new(pane.ring.next_id().0);
                for line in &pane.screen {
                    block.push_text(&line.text, line.continues);
                }
                Arc::new(block)
            });
            if self.newest_first
                && let Some(screen) = &screen
            {
                add(vec![Arc::clone(screen)], Source::Screen);
            }
            let mut group = Vec::new();
            let mut bytes = 0;
            let blocks = pane.ring.blocks();
            for at in 0..blocks.len() {
                let block = if self.newest_first {
                    &blocks[blocks.len() - 1 - at]
                } else {
                    &blocks[at]
                };
                bytes += block.text().len();
                group.push(Arc::clone(block));
                if bytes >= UNIT_BYTES {
                    add(std::mem::take(&mut group), Source::Ring);
                    bytes = 0;
                }
            }
            if !group.is_empty() {
                add(group, Source::Ring);
            }
            if !self.newest_first
                && let Some(screen) = screen
            {
                add(vec![screen], Source::Screen);
            }
        }
        units
    }

    /// The units over what is on disk, in order.
    fn plan_history(&self) -> Vec<Unit> {
        let (memory, disk) = self.tiers();
        let mut memory_then = Vec::new();
        let mut units = Vec::new();
        for (index, pane) in self.panes.iter().enumerate() {
            let (Some(history), Some((memory_from, end, sampled))) =
                (&pane.history, self.bounds(pane))
            else {
                continue;
            };
            let now_from = pane.memory_from();
            let sampled = if self.query.request.lines.is_some() {
                0..0
            } else {
                0..sampled
            };
            let add = |tier, printed: std::ops::Range<u64>, full_screen, to: &mut Vec<Unit>| {
                let wanted = Filter {
                    printed,
                    full_screen,
                };
                let mut chunks = history.chunks(&wanted);
                if self.newest_first {
                    chunks.reverse();
                }
                for (chunk, filter) in chunks {
                    to.push(Unit {
                        pane: index,
                        tier,
                        what: What::History(chunk),
                        filter,
                        after: self.after(index, tier),
                    });
                }
            };
            // What was in memory on the first page belongs there still, wherever it is now.
            let left = self.printed(memory_from, now_from.min(end));
            if !left.is_empty() {
                add(memory, left, 0..0, &mut memory_then);
            }
            let older = self.printed(0, memory_from.min(now_from).min(end));
            add(disk, older, sampled, &mut units);
        }
        memory_then.append(&mut units);
        memory_then
    }

    /// Which come first, what is in memory or what is on disk.
    fn tiers(&self) -> (u8, u8) {
        if self.newest_first { (0, 1) } else { (1, 0) }
    }

    fn printed(&self, from: u64, to: u64) -> std::ops::Range<u64> {
        match self.query.request.lines {
            None => from..to,
            Some(lines) => from.max(lines.from.0)..to.min(lines.to.0),
        }
    }

    /// Which matches of a pane and tier are behind the cursor.
    fn after(&self, pane: usize, tier: u8) -> After {
        let Some(position) = &self.query.position else {
            return After::All;
        };
        let (pane, then) = (self.panes[pane].pane.0, position.pane);
        let order = if self.newest_first {
            (tier, !pane).cmp(&(position.tier, !then))
        } else {
            (pane, tier).cmp(&(then, position.tier))
        };
        match order {
            std::cmp::Ordering::Less => After::None,
            std::cmp::Ordering::Greater => After::All,
            std::cmp::Ordering::Equal => {
                let (anchor, printed, number) = position.key;
                let kind = if printed {
                    Kind::Printed
                } else {
                    Kind::FullScreen
                };
                After::Key(Key {
                    anchor,
                    kind,
                    number,
                })
            }
        }
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
            units: &units,
            numbers,
            next: AtomicUsize::new(0),
            // No match behind this unit can be among the first `limit`.
            collect_to: AtomicUsize::new(self.collect_to()),
            pattern: &query.pattern,
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
            self.add_context();
            self.send_from(0);
        }
        self.tell_count();
        let mut reasons = Vec::new();
        let more = self.behind > self.matches.len() as u64;
        if more {
            reasons.push(format!(
                "these are the first {} matches",
                self.matches.len()
            ));
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
        let cursor = (more || skipped_history || cut)
            .then(|| self.cursor())
            .flatten();
        SearchAnswer {
            total: self.total,
            panes: self.panes_with_match(),
            truncated: !reasons.is_empty(),
            reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
            cursor,
            matches: self.matches,
        }
    }

    fn cursor(&self) -> Option<SearchCursor> {
        let (pane, tier, key) = self.last?;
        let position = Position {
            order: self.query.request.order,
            pane: self.panes[pane].pane.0,
            tier,
            key: (key.anchor, key.kind == Kind::Printed, key.number),
            bounds: self
                .panes
                .iter()
                .filter_map(|pane| Some((pane.pane.0, self.bounds(pane)?)))
                .collect(),
        };
        serde_json::to_string(&position).ok().map(SearchCursor)
    }

    /// Gives each match the lines around it. A line between two matches belongs to one of them only, and to
    /// the earlier one first.
    fn add_context(&mut self) {
        let context = u64::from(self.query.request.context);
        if context == 0 {
            return;
        }
        for pane in &self.panes {
            let mut at: Vec<(u64, usize)> = Vec::new();
            let mut lines: Option<Lines<'_>> = None;
            for (index, found) in self.matches.iter().enumerate() {
                if found.pane == pane.pane {
                    let lines = lines.get_or_insert_with(|| Lines::new(pane));
                    if let Some(position) = lines.find_id(found.line) {
                        at.push((position, index));
                    }
                }
            }
            let Some(mut lines) = lines else { continue };
            at.sort_unstable();
            let mut free_from = 0;
            for (nth, (position, index)) in at.iter().copied().enumerate() {
                let before = free_from.max(position.saturating_sub(context))..position;
                let next = at.get(nth + 1).map_or(u64::MAX, |(next, _)| *next);
                let end = (position + 1 + context).min(next).min(lines.len());
                let found = &mut self.matches[index];
                found.context_before = before.filter_map(|at| lines.line(at)).map(short).collect();
                found.context_after = (position + 1..end)
                    .filter_map(|at| lines.line(at))
                    .map(short)
                    .collect();
                free_from = end.max(position + 1);
            }
        }
    }
}

fn short(mut line: Line) -> Line {
    if line.text.len() > scan::MAX_CONTENT {
        line.text
            .truncate(line.text.floor_char_boundary(scan::MAX_CONTENT));
        line.text.push('…');
    }
    line
}

/// What the threads of a search share.
struct Worker<'a> {
    units: &'a [Unit],
    numbers: &'a [usize],
    next: AtomicUsize,
    collect_to: AtomicUsize,
    pattern: &'a Pattern,
    newest_first: bool,
    limit: usize,
    cancel: &'a Cancel,
    deadline: Option<Instant>,
}

impl Worker<'_> {
    fn over(&self) -> bool {
        self.cancel.is_cancelled() || self.deadline.is_some_and(|at| Instant::now() >= at)
    }

    /// Searches the next unit; nothing when there is none.
    fn step(&self, scanner: &mut Scanner<'_>) -> Option<(usize, Done)> {
        let number = *self
            .numbers
            .get(self.next.fetch_add(1, Ordering::Relaxed))?;
        let unit = &self.units[number];
        let mut done = Done::default();
        if self.over() {
            done.cut = true;
            return Some((number, done));
        }
        let mut see = |scanner: &mut Scanner<'_>, text: &Text<'_>, source| {
            if self.over() {
                done.cut = true;
                return false;
            }
            let collecting = number < self.collect_to.load(Ordering::Relaxed);
            let want = if collecting {
                self.limit - done.hits.len().min(self.limit)
            } else {
                0
            };
            let found = scanner.scan(
                text,
                &unit.filter,
                &unit.after,
                source,
                want,
                self.newest_first,
            );
            done.count += found.count;
            done.behind += found.behind;
            done.hits.extend(found.hits);
            true
        };
        match &unit.what {
            What::Memory(blocks, source) => {
                for block in blocks {
                    let text = Text {
                        kind: Kind::Printed,
                        anchor: 0,
                        first: block.first(),
                        next: block.next(),
                        text: block.text().as_bytes(),
                        joins: &block.joins(),
                    };
                    if !see(scanner, &text, *source) {
                        break;
                    }
                }
            }
            What::History(chunk) => {
                let mut scratch = scanner.take_scratch();
                let wanted = Wanted {
                    lines: &unit.filter,
                    needs: self.pattern.needs(),
                    newest_first: self.newest_first,
                };
                let read = chunk.read(&wanted, &mut scratch, |text| {
                    see(scanner, &text, Source::History)
                });
                done.damage = read.err();
                scanner.put_scratch(scratch);
            }
        }
        Some((number, done))
    }
}

#[cfg(test)]
mod tests;
