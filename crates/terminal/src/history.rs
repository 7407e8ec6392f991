//! What panes showed, on disk: a log of lines for each pane, within an age and a size.
//!
//! Lines are written as they arrive, not when they leave the ring, so that a crash loses a second of output
//! instead of the ring. A pane's thread only appends to memory; one thread, `history`, does what touches the
//! disk: a full block of lines is compressed and appended to a segment, and the lines of a block that still
//! grows go, at most a second after they arrived, to a file beside it.
//!
//! ```text
//! history/7/meta.json                                program, directory, name, times
//! history/7/0000000003-00000000000f4240-1763899200000.seg   sequence, first line, begun at: compressed blocks
//! history/7/tail                                     the lines of the block that still grows
//! history/7/times                                    how many lines there were, every few seconds
//! history/7/screen                                   what had not left the screen lately, in case of a crash
//! history/7/lock                                     held while the pane lives
//! ```

mod disk;
mod read;
mod segment;
mod times;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::styled::StyledLine;
use crate::types::{LineId, PaneId, PaneInfo, PaneRole};
use clock::Clock;
use disk::Disk;
pub use read::HistoryReader;
pub(crate) use read::{Chunk, Damage, Filter, Placed, Scratch, Text, Wanted};
pub(crate) use segment::{Key, Kind, LogBlock};
use times::{Moment, Times};

/// A block of lines is compressed and written when it has this much text.
const BLOCK_BYTES: usize = 128 * 1024;
/// Pieces of one line stay in one block up to here, so that a match may cover them.
const JOINED_BYTES: usize = 4 * 1024 * 1024;
/// What is not on disk after this time is written, full block or not.
const DELAY: Duration = Duration::from_secs(1);
/// After a failed write, the next attempt.
const RETRY: Duration = Duration::from_secs(3);
/// While the disk can't be written, so much of a pane's output is kept for it.
const MAX_WAITING: usize = 32 * 1024 * 1024;
/// Budgets are looked at this often, which looks at the files of all panes.
const TIDY: Duration = Duration::from_secs(600);
/// And this long after a segment has begun: many begin together, one for each step of a flow that prints.
const TIDY_AFTER: Duration = Duration::from_secs(5);

/// How long and how much history is kept, over all panes; the oldest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryBudget {
    /// What is older goes.
    pub max_age: Duration,
    /// So many bytes on disk.
    pub max_bytes: u64,
}

impl Default for HistoryBudget {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(30 * 24 * 60 * 60),
            max_bytes: 2 * 1024 * 1024 * 1024,
        }
    }
}

/// What is known of a pane that only lives in history, or will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ClosedPane {
    /// Which pane.
    pub id: PaneId,
    /// The program and its arguments, as started.
    pub program: Vec<String>,
    /// What the pane was used for.
    pub role: PaneRole,
    /// The directory that its program worked in last, as far as is known.
    pub cwd: String,
    /// The title that the program set last.
    pub title: String,
    /// The name that a person gave.
    pub name: Option<String>,
    /// The command that ran last, if the shell told.
    pub command: Option<String>,
    /// The closed pane that it went on for: see [`crate::OpenPane::continues`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<PaneId>,
    /// When it was opened, in milliseconds since 1970.
    #[specta(type = u32)]
    pub opened_at: u64,
    /// When its program ended or the pane was closed, in milliseconds since 1970; none if the host ended first.
    #[specta(type = Option<u32>)]
    pub ended_at: Option<u64>,
}

impl ClosedPane {
    /// What is known of a pane once it is closed.
    pub(crate) fn of(pane: &PaneInfo) -> Self {
        Self {
            id: pane.id,
            program: pane.program.clone(),
            role: pane.role,
            cwd: pane.cwd.clone(),
            title: pane.title.clone(),
            name: pane.name.clone(),
            command: pane.command.clone(),
            continues: pane.earlier.last().map(|end| end.pane),
            opened_at: pane.opened_at,
            ended_at: pane.ended_at,
        }
    }

    /// Takes over what changes while a pane lives.
    pub(crate) fn follow(&mut self, pane: &PaneInfo) {
        *self = Self::of(pane);
    }
}

/// Why history could not be kept or removed.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A directory or file of the history can't be made, written or removed.
    #[error("could not {action} `{}`", path.display())]
    Disk {
        /// What was being done: `write`, `remove`.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl HistoryError {
    fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk {
            action,
            path,
            source,
        }
    }
}

/// What history says when it stops or resumes: for which pane, and why, in words for a person.
pub(crate) type Warn = Box<dyn Fn(Option<PaneId>, String) + Send + Sync>;

/// The history of all panes below one directory. Dropping the last clone writes what waits, and ends its thread.
#[derive(Clone)]
pub struct History {
    shared: Arc<Shared>,
    _thread: Arc<Thread>,
}

struct Shared {
    dir: PathBuf,
    budget: HistoryBudget,
    clock: Clock,
    warn: Warn,
    live: Mutex<HashMap<PaneId, Weak<Log>>>,
    due: Mutex<Due>,
    wake: Condvar,
}

/// What the `history` thread is to do next.
#[derive(Default)]
struct Due {
    logs: HashMap<PaneId, Instant>,
    tidy: Option<Instant>,
    failing: bool,
    stop: bool,
}

/// Ends the `history` thread when the last handle goes.
struct Thread {
    shared: Arc<Shared>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.shared.due.lock().stop = true;
        self.shared.wake.notify_all();
        if let Some(handle) = self.handle.lock().take()
            && handle.thread().id() != std::thread::current().id()
        {
            // A panic there has been reported already.
            let _ = handle.join();
        }
    }
}

/// The history of one live pane: its own thread appends, and never waits for the disk.
pub struct PaneHistory {
    log: Arc<Log>,
    history: History,
}

/// One live pane's log. `pending` is for memory and held for as long as a copy takes; `disk` is held while
/// writing.
struct Log {
    pane: PaneId,
    pending: Mutex<Pending>,
    disk: Mutex<Disk>,
}

struct Pending {
    /// Full blocks that wait to be written, oldest first.
    full: VecDeque<Arc<LogBlock>>,
    /// The block that grows. A reader that holds it makes it be copied, once, when a line arrives.
    open: Arc<LogBlock>,
    /// How many lines of `open` are in the tail file.
    written: usize,
    /// The number of the next line that leaves the screen, and of the next sampled one.
    next: u64,
    next_sampled: u64,
    /// The bytes that `full` takes in memory.
    waiting: usize,
    /// Lines were dropped because the disk could not be written for too long.
    dropped: bool,
    meta: ClosedPane,
    meta_changed: bool,
    /// What had not left the screen lately, for the case of a crash; none: nothing new.
    screen: Option<LogBlock>,
    times: Times,
    /// The pane is closed: the block that grows is as full as it will be.
    closed: bool,
}

impl History {
    /// Opens the history below `dir`, making the directory if need be, takes in what a crash left, and starts
    /// the thread that writes. `warn` hears when history stops being written, once, and when it resumes.
    ///
    /// # Errors
    ///
    /// The directory can't be made, or is not ours to write to.
    pub fn open(
        dir: &Path,
        budget: HistoryBudget,
        clock: Clock,
        warn: Warn,
    ) -> Result<Self, HistoryError> {
        disk::make_dir(dir).map_err(HistoryError::new("make", dir))?;
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            budget,
            clock,
            warn,
            live: Mutex::default(),
            due: Mutex::new(Due {
                tidy: Some(Instant::now()),
                ..Due::default()
            }),
            wake: Condvar::new(),
        });
        for pane in disk::panes(dir) {
            disk::recover(&shared.pane_dir(pane), shared.clock.now_ms());
        }
        let worker = Arc::clone(&shared);
        let handle = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || worker.work())
            .map_err(HistoryError::new("start the thread that writes", dir))?;
        Ok(Self {
            shared: Arc::clone(&shared),
            _thread: Arc::new(Thread {
                shared,
                handle: Mutex::new(Some(handle)),
            }),
        })
    }

    /// Begins the history of a pane that has just been opened. Nothing is written yet, so this can't fail;
    /// what can't be written is warned of and tried again. A pane that is closed soon is written once.
    pub fn begin(&self, meta: ClosedPane) -> PaneHistory {
        let pane = meta.id;
        let log = Arc::new(Log {
            pane,
            pending: Mutex::new(Pending {
                full: VecDeque::new(),
                open: Arc::new(LogBlock::new(Kind::Printed, 0, 0)),
                written: 0,
                next: 0,
                next_sampled: 0,
                waiting: 0,
                dropped: false,
                meta,
                meta_changed: true,
                screen: None,
                times: Times::default(),
                closed: false,
            }),
            disk: Mutex::new(Disk::new(self.shared.pane_dir(pane))),
        });
        self.shared.live.lock().insert(pane, Arc::downgrade(&log));
        self.shared.schedule(pane, DELAY);
        PaneHistory {
            log,
            history: self.clone(),
        }
    }

    /// The panes that only live in history, newest first.
    pub fn closed(&self) -> Vec<ClosedPane> {
        let mut closed: Vec<_> = disk::panes(&self.shared.dir)
            .into_iter()
            .filter(|pane| !self.is_live(*pane))
            .filter_map(|pane| disk::read_meta(&self.shared.pane_dir(pane)))
            .collect();
        closed.sort_by_key(|pane| std::cmp::Reverse((pane.opened_at, pane.id)));
        closed
    }

    /// What is known of a pane that only lives in history, and until when it lived, as far as that is known.
    pub(crate) fn closed_pane(&self, pane: PaneId) -> Option<(ClosedPane, Option<u64>)> {
        if self.is_live(pane) {
            return None;
        }
        let dir = self.shared.pane_dir(pane);
        let meta = disk::read_meta(&dir)?;
        // A host that was killed told nothing more after that.
        let until = meta.ended_at.or_else(|| disk::meta_written_at(&dir));
        Some((meta, until))
    }

    fn is_live(&self, pane: PaneId) -> bool {
        self.shared.live.lock().contains_key(&pane) || disk::is_held(&self.shared.pane_dir(pane))
    }

    /// Reads what a pane, live or closed, has in its history; nothing when there is none.
    pub fn reader(&self, pane: PaneId) -> Option<HistoryReader> {
        let log = self.shared.live.lock().get(&pane).and_then(Weak::upgrade);
        let dir = self.shared.pane_dir(pane);
        match log {
            Some(log) => Some(log.reader(dir, self.shared.clock.now_ms())),
            None => HistoryReader::closed(pane, dir),
        }
    }

    /// Removes the history of one pane, or of all, at once. What a live pane prints from now on is kept again.
    ///
    /// # Errors
    ///
    /// The first file that could not be removed; the others are removed all the same.
    pub fn purge(&self, pane: Option<PaneId>) -> Result<(), HistoryError> {
        let panes = match pane {
            Some(pane) => vec![pane],
            None => disk::panes(&self.shared.dir),
        };
        let mut result = Ok(());
        for pane in panes {
            let dir = self.shared.pane_dir(pane);
            let live = self.shared.live.lock().get(&pane).and_then(Weak::upgrade);
            let removed = match live {
                Some(log) => {
                    // In this order: what is being written is finished, then it and all that waits goes.
                    let mut disk = log.disk.lock();
                    log.pending.lock().forget();
                    let removed = disk.purge();
                    drop(disk);
                    self.shared.schedule(pane, Duration::ZERO);
                    removed
                }
                None => disk::remove_pane(&dir),
            };
            if result.is_ok() {
                result = removed;
            }
        }
        result
    }

    /// Writes what waits, now, and keeps to the budget.
    ///
    /// # Errors
    ///
    /// The first thing that could not be written.
    pub fn flush(&self) -> Result<(), HistoryError> {
        let mut result = Ok(());
        for log in self.shared.logs() {
            let written = self.shared.write(&log);
            if result.is_ok() {
                result = written;
            }
        }
        self.shared.tidy();
        result
    }
}

impl PaneHistory {
    /// The first line of the pane has this number.
    pub(crate) fn begins_with(&self, first: LineId) {
        let mut pending = self.log.pending.lock();
        pending.next = first.0;
        pending.open = Arc::new(LogBlock::new(Kind::Printed, 0, first.0));
    }

    /// Appends a line that left the screen. Returns at once, whatever the disk does.
    pub fn append(&self, id: LineId, line: &StyledLine) {
        let mut pending = self.log.pending.lock();
        if pending.next != id.0 {
            pending.seal();
            pending.next = id.0;
        }
        self.append_line(pending, Kind::Printed, line);
    }

    /// Appends lines that a full-screen program newly showed.
    pub fn append_full_screen(&self, lines: &[StyledLine]) {
        for line in lines {
            let pending = self.log.pending.lock();
            self.append_line(pending, Kind::FullScreen, line);
        }
    }

    fn append_line(&self, mut pending: MutexGuard<'_, Pending>, kind: Kind, line: &StyledLine) {
        let clean = pending.clean();
        let full = pending.push(kind, line);
        let overflow = pending.overflow();
        drop(pending);
        if full {
            self.history.shared.schedule(self.log.pane, Duration::ZERO);
        } else if clean {
            self.history.shared.schedule(self.log.pane, DELAY);
        }
        if overflow {
            self.history.shared.warn_dropped(self.log.pane);
        }
    }

    /// Changes what is known of the pane: its directory, its title, its last command.
    pub fn describe(&self, change: impl FnOnce(&mut ClosedPane)) {
        let mut pending = self.log.pending.lock();
        let before = pending.meta.clone();
        change(&mut pending.meta);
        if pending.meta != before {
            pending.meta_changed = true;
            drop(pending);
            self.history.shared.schedule(self.log.pane, DELAY);
        }
    }

    /// Notes the lines that have not left the screen, the first of which will have the id `first`: after a crash
    /// they are the end of the history. Each call replaces what was noted before, and is
    /// written at once. That all these lines have come by now is noted, too.
    pub fn note_screen(&self, first: LineId, lines: &[StyledLine]) {
        let mut noted = LogBlock::new(Kind::Printed, 0, first.0);
        for line in lines {
            noted.block.push_unlinked(line);
        }
        let mut pending = self.log.pending.lock();
        let moment = Moment {
            at_ms: self.history.shared.clock.now_ms(),
            printed: noted.block.next(),
            sampled: pending.next_sampled,
        };
        pending.times.note(moment);
        pending.screen = Some(noted);
        drop(pending);
        self.history.shared.schedule(self.log.pane, Duration::ZERO);
    }

    /// Reads what the pane has in its history, that which waits to be written included.
    pub fn reader(&self) -> HistoryReader {
        let shared = &self.history.shared;
        self.log
            .reader(shared.pane_dir(self.log.pane), shared.clock.now_ms())
    }

    /// Ends the pane's history with what its screen still showed, and writes all of it; from now on the pane
    /// is among [`History::closed`].
    pub fn close(self, screen: &[StyledLine]) {
        for line in screen {
            let pending = self.log.pending.lock();
            self.append_line(pending, Kind::Printed, line);
        }
        // The rest is what dropping does.
    }
}

impl Drop for PaneHistory {
    fn drop(&mut self) {
        let shared = &self.history.shared;
        {
            let mut pending = self.log.pending.lock();
            pending.seal();
            let moment = Moment {
                at_ms: shared.clock.now_ms(),
                printed: pending.next,
                sampled: pending.next_sampled,
            };
            pending.times.note(moment);
            pending.times.end();
            pending.closed = true;
            if pending.meta.ended_at.is_none() {
                pending.meta.ended_at = Some(shared.clock.now_ms());
            }
            pending.meta_changed = true;
            pending.screen = None;
        }
        if let Err(error) = shared.write(&self.log) {
            shared.report(Some(self.log.pane), &error);
        }
        shared.live.lock().remove(&self.log.pane);
        shared.due.lock().logs.remove(&self.log.pane);
        self.log.disk.lock().release();
    }
}

impl Pending {
    fn push(&mut self, kind: Kind, line: &StyledLine) -> bool {
        let (anchor, number) = match kind {
            Kind::Printed => (0, self.next),
            Kind::FullScreen => (self.next, self.next_sampled),
        };
        let mut full = false;
        if self.open.kind != kind || self.open.anchor != anchor || self.open.block.next() != number
        {
            full = self.seal();
            self.open = Arc::new(LogBlock::new(kind, anchor, number));
        }
        let open = &mut Arc::make_mut(&mut self.open).block;
        open.push_unlinked(line);
        let size = open.text().len();
        match kind {
            Kind::Printed => self.next += 1,
            Kind::FullScreen => self.next_sampled += 1,
        }
        if size >= BLOCK_BYTES && (!line.continues || size >= JOINED_BYTES) {
            full = self.seal();
        }
        full
    }

    /// Makes the block that grows one that waits to be written.
    fn seal(&mut self) -> bool {
        if self.open.block.line_count() == 0 {
            return false;
        }
        let fresh = LogBlock::new(Kind::Printed, 0, self.next);
        let mut full = std::mem::replace(&mut self.open, Arc::new(fresh));
        Arc::make_mut(&mut full).block.shrink();
        self.waiting += full.block.memory();
        self.full.push_back(full);
        self.written = 0;
        true
    }

    /// Drops the oldest of what waits when it is too much, and says whether it did so for the first time.
    fn overflow(&mut self) -> bool {
        let mut first = false;
        while self.waiting > MAX_WAITING
            && let Some(block) = self.full.pop_front()
        {
            self.waiting -= block.block.memory();
            first |= !self.dropped;
            self.dropped = true;
        }
        first
    }

    fn clean(&self) -> bool {
        self.full.is_empty() && self.open.block.line_count() == self.written
    }

    fn forget(&mut self) {
        self.full.clear();
        self.waiting = 0;
        self.written = 0;
        self.screen = None;
        self.times = Times::default();
        self.open = Arc::new(LogBlock::new(Kind::Printed, 0, self.next));
        self.meta_changed = true;
    }
}

impl Log {
    fn reader(&self, dir: PathBuf, now_ms: u64) -> HistoryReader {
        let pending = self.pending.lock();
        let open = (pending.open.block.line_count() > 0).then_some(&pending.open);
        let waiting = pending.full.iter().chain(open).cloned().collect();
        let mut moments = pending.times.in_memory();
        // What nobody has noted yet has come just now.
        moments.push(Moment::of_all(now_ms));
        drop(pending);
        HistoryReader::live(self.pane, dir, waiting, moments)
    }

    /// Writes what waits. Holds `disk` throughout, `pending` only to look.
    fn write(&self, now_ms: u64) -> Result<bool, HistoryError> {
        let mut disk = self.disk.lock();
        disk.prepare()?;
        let meta = {
            let mut pending = self.pending.lock();
            std::mem::take(&mut pending.meta_changed).then(|| pending.meta.clone())
        };
        if let Some(meta) = meta
            && let Err(error) = disk.write_meta(&meta)
        {
            self.pending.lock().meta_changed = true;
            return Err(error);
        }
        let mut begun = false;
        loop {
            let block = self.pending.lock().full.front().cloned();
            let Some(block) = block else { break };
            begun |= disk.append(&block, now_ms)?;
            let mut pending = self.pending.lock();
            // It may have been dropped meanwhile, to make room.
            if pending
                .full
                .front()
                .is_some_and(|front| Arc::ptr_eq(front, &block))
            {
                pending.full.pop_front();
                pending.waiting -= block.block.memory();
            }
            pending.dropped = false;
        }
        let (open, written) = {
            let pending = self.pending.lock();
            (Arc::clone(&pending.open), pending.written)
        };
        let count = open.block.line_count();
        if written < count {
            disk.append_tail(&open, written, now_ms)?;
            let mut pending = self.pending.lock();
            if pending.open.block.first() == open.block.first() && pending.open.kind == open.kind {
                pending.written = count;
            }
        }
        let (screen, (moments, count)) = {
            let mut pending = self.pending.lock();
            (pending.screen.take(), pending.times.unwritten())
        };
        if let Some(screen) = screen {
            disk.write_screen(&screen, now_ms)?;
        }
        if count > 0 {
            disk.append_times(&moments)?;
            self.pending.lock().times.written(count);
        }
        Ok(begun)
    }
}

impl Shared {
    fn pane_dir(&self, pane: PaneId) -> PathBuf {
        self.dir.join(pane.to_string())
    }

    fn logs(&self) -> Vec<Arc<Log>> {
        self.live
            .lock()
            .values()
            .filter_map(Weak::upgrade)
            .collect()
    }

    fn schedule(&self, pane: PaneId, after: Duration) {
        let at = Instant::now() + after;
        let mut due = self.due.lock();
        let known = due.logs.entry(pane).or_insert(at);
        let sooner = *known >= at;
        *known = at.min(*known);
        drop(due);
        if sooner {
            self.wake.notify_one();
        }
    }

    /// The `history` thread: sleeps until something is due, and does it.
    fn work(&self) {
        loop {
            let mut tidy = false;
            let mut logs = Vec::new();
            {
                let mut due = self.due.lock();
                loop {
                    let now = Instant::now();
                    if due.stop {
                        break;
                    }
                    logs.extend(due.logs.extract_if(|_, at| *at <= now).map(|(id, _)| id));
                    if due.tidy.is_some_and(|at| at <= now) {
                        tidy = true;
                        due.tidy = Some(now + TIDY);
                    }
                    if tidy || !logs.is_empty() {
                        break;
                    }
                    let next = due.logs.values().chain(due.tidy.iter()).min().copied();
                    let wait = next.map_or(TIDY, |at| at.saturating_duration_since(now));
                    self.wake.wait_for(&mut due, wait);
                }
                if due.stop {
                    break;
                }
            }
            for pane in logs {
                let log = self.live.lock().get(&pane).and_then(Weak::upgrade);
                if let Some(log) = log {
                    // A failure has been warned of, and is tried again.
                    let _ = self.write(&log);
                }
            }
            if tidy {
                self.tidy();
            }
        }
        for log in self.logs() {
            let _ = self.write(&log);
        }
    }

    /// Writes one pane's lines. Says when writing stops to work and when it works again, once each.
    fn write(&self, log: &Log) -> Result<(), HistoryError> {
        let result = log.write(self.clock.now_ms());
        match &result {
            Ok(begun) => {
                let resumed = std::mem::take(&mut self.due.lock().failing);
                if resumed {
                    (self.warn)(None, "history is being written again".to_owned());
                }
                if *begun {
                    self.tidy_soon();
                }
            }
            Err(error) => {
                self.report(Some(log.pane), error);
                self.schedule(log.pane, RETRY);
            }
        }
        result.map(drop)
    }

    fn report(&self, pane: Option<PaneId>, error: &HistoryError) {
        let failing = std::mem::replace(&mut self.due.lock().failing, true);
        let HistoryError::Disk { source, .. } = error;
        tracing::warn!(?pane, %error, %source, "history is not being written");
        if !failing {
            (self.warn)(
                None,
                format!(
                    "history is not being written: {error}: {source}; it resumes by itself once that works"
                ),
            );
        }
    }

    fn warn_dropped(&self, pane: PaneId) {
        (self.warn)(
            Some(pane),
            "history could not be written for so long that some of this pane's older lines are lost"
                .to_owned(),
        );
    }

    fn tidy_soon(&self) {
        let soon = Instant::now() + TIDY_AFTER;
        let mut due = self.due.lock();
        if due.tidy.is_none_or(|at| at > soon) {
            due.tidy = Some(soon);
            drop(due);
            self.wake.notify_one();
        }
    }

    /// Removes what is too old, then the oldest until the rest fits.
    fn tidy(&self) {
        let held = |pane: PaneId| {
            let live = self.live.lock().get(&pane).and_then(Weak::upgrade);
            live.is_some() || disk::is_held(&self.pane_dir(pane))
        };
        disk::tidy(&self.dir, self.budget, self.clock.now_ms(), held);
    }
}

#[cfg(test)]
mod tests;
