//! The only file that writes below the history's directory.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::segment::{Kind, LogBlock, blocks};
use super::{ClosedPane, HistoryBudget, HistoryError};
use crate::types::PaneId;

/// A segment that holds so much, compressed, is followed by a new one. What is removed is removed by segments.
const SEGMENT_BYTES: u64 = 1024 * 1024;
/// A segment that was begun so long ago is followed by a new one, so that its age says how old its lines are.
const SEGMENT_AGE_MS: u64 = 6 * 60 * 60 * 1000;

const META: &str = "meta.json";
const TAIL: &str = "tail";
const SCREEN: &str = "screen";
const TIMES: &str = "times";
const LOCK: &str = "lock";

/// The files of one live pane, and what is open of them.
#[derive(Debug)]
pub(super) struct Disk {
    dir: PathBuf,
    /// Held as long as the pane lives, so that another host leaves its files alone.
    held: Option<File>,
    segment: Option<Segment>,
    /// The tail file and how many bytes of it are whole.
    tail: Option<(File, u64)>,
}

#[derive(Debug)]
struct Segment {
    file: File,
    path: PathBuf,
    /// How many bytes of it are whole: a write that failed half-way is cut off again.
    size: u64,
    begun_ms: u64,
}

impl Disk {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            held: None,
            segment: None,
            tail: None,
        }
    }

    /// Makes the directory and takes the lock, unless that was done.
    pub(super) fn prepare(&mut self) -> Result<(), HistoryError> {
        if self.held.is_some() && self.dir.is_dir() {
            return Ok(());
        }
        make_dir(&self.dir).map_err(HistoryError::new("make", &self.dir))?;
        let path = self.dir.join(LOCK);
        let file = open_file(&path, false).map_err(HistoryError::new("make", &path))?;
        hold(&file).map_err(HistoryError::new("lock", &path))?;
        self.held = Some(file);
        self.segment = None;
        self.tail = None;
        Ok(())
    }

    pub(super) fn write_meta(&self, meta: &ClosedPane) -> Result<(), HistoryError> {
        write_meta(&self.dir, meta)
    }

    /// Appends a full block to the segment, and says whether it had to begin one.
    pub(super) fn append(&mut self, block: &LogBlock, now_ms: u64) -> Result<bool, HistoryError> {
        let old = self.segment.as_ref().is_some_and(|segment| {
            segment.size >= SEGMENT_BYTES
                || now_ms.saturating_sub(segment.begun_ms) >= SEGMENT_AGE_MS
                // The budget may have taken it, or a person.
                || !segment.path.exists()
        });
        if old {
            self.segment = None;
        }
        let begun = self.segment.is_none();
        let segment = match &mut self.segment {
            Some(segment) => segment,
            none => none.insert(Segment::begin(&self.dir, block, now_ms)?),
        };
        let mut bytes = Vec::new();
        block.encode(true, now_ms, &mut bytes);
        append(&mut segment.file, &mut segment.size, &bytes)
            .map_err(HistoryError::new("write", &segment.path))?;
        // Only now: the lines of this block are in the tail file, if they are on disk at all.
        if let Some((file, size)) = &mut self.tail
            && *size > 0
        {
            let path = self.dir.join(TAIL);
            file.set_len(0).map_err(HistoryError::new("write", &path))?;
            *size = 0;
        }
        Ok(begun)
    }

    /// Writes the lines of a block that still grows, from `from` on.
    pub(super) fn append_tail(
        &mut self,
        open: &LogBlock,
        from: usize,
        now_ms: u64,
    ) -> Result<(), HistoryError> {
        let path = self.dir.join(TAIL);
        let gone = self.tail.is_some() && !path.exists();
        if gone {
            self.tail = None;
        }
        let (file, size) = match &mut self.tail {
            Some(tail) => tail,
            none => {
                let file = open_file(&path, true).map_err(HistoryError::new("make", &path))?;
                none.insert((file, 0))
            }
        };
        let first = open.block.first() + from as u64;
        let mut lines = LogBlock::new(open.kind, open.anchor, first);
        for index in from..open.block.line_count() {
            lines.block.push_unlinked(&open.block.styled(index));
        }
        let mut bytes = Vec::new();
        lines.encode(false, now_ms, &mut bytes);
        append(file, size, &bytes).map_err(HistoryError::new("write", &path))
    }

    /// Appends moments, as bytes, to those that are noted.
    pub(super) fn append_times(&self, moments: &[u8]) -> Result<(), HistoryError> {
        let path = self.dir.join(TIMES);
        let write = || -> io::Result<()> {
            let mut file = open_file(&path, true)?;
            let mut size = file.metadata()?.len();
            append(&mut file, &mut size, moments)
        };
        write().map_err(HistoryError::new("write", &path))
    }

    /// Replaces what is noted of the screen.
    pub(super) fn write_screen(&self, screen: &LogBlock, now_ms: u64) -> Result<(), HistoryError> {
        let mut bytes = Vec::new();
        screen.encode(true, now_ms, &mut bytes);
        replace(&self.dir, SCREEN, &bytes)
    }

    /// Removes everything but the lock.
    pub(super) fn purge(&mut self) -> Result<(), HistoryError> {
        self.segment = None;
        self.tail = None;
        remove_files(&self.dir, |name| name == LOCK)
    }

    /// The pane is closed: its tail is empty, and others may do with its files what is to be done.
    pub(super) fn release(&mut self) {
        if let Some((_, 0)) = &self.tail {
            let _ = fs::remove_file(self.dir.join(TAIL));
        }
        // What was on it has been appended.
        let _ = fs::remove_file(self.dir.join(SCREEN));
        self.tail = None;
        self.segment = None;
        self.held = None;
    }
}

/// Takes a pane's lock; fails when another host has it. Those who only look share the lock for that moment, and
/// are waited for.
fn hold(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(source)) => return Err(source),
        Ok(()) => return Ok(()),
    }
    match file.try_lock_shared() {
        // Nobody has it for himself.
        Ok(()) => file.lock(),
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another host holds it")),
        Err(TryLockError::Error(source)) => Err(source),
    }
}

impl Segment {
    fn begin(dir: &Path, block: &LogBlock, now_ms: u64) -> Result<Self, HistoryError> {
        let sequence = segments(dir).last().map_or(1, |last| last.sequence + 1);
        let path = dir.join(segment_name(sequence, block, now_ms));
        let file = open_file(&path, true).map_err(HistoryError::new("make", &path))?;
        let size = file.metadata().map_or(0, |meta| meta.len());
        Ok(Self {
            file,
            path,
            size,
            begun_ms: now_ms,
        })
    }
}

/// Appends all of `bytes` or nothing: what was written of them is cut off again.
fn append(file: &mut File, size: &mut u64, bytes: &[u8]) -> io::Result<()> {
    if let Err(error) = file.write_all(bytes) {
        // Should this fail as well, the reader skips the piece.
        let _ = file.set_len(*size);
        return Err(error);
    }
    *size += bytes.len() as u64;
    Ok(())
}

fn segment_name(sequence: u64, block: &LogBlock, now_ms: u64) -> String {
    let first = match block.kind {
        Kind::Printed => block.block.first(),
        Kind::FullScreen => block.anchor,
    };
    format!("{sequence:010}-{first:016x}-{now_ms:013}.seg")
}

/// A segment as its name tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentFile {
    pub(crate) path: PathBuf,
    pub(crate) sequence: u64,
    /// No line in it was printed before this one.
    pub(crate) first: u64,
    pub(crate) begun_ms: u64,
}

/// The segments of a pane, oldest first.
pub(super) fn segments(dir: &Path) -> Vec<SegmentFile> {
    let mut found: Vec<_> = names(dir)
        .into_iter()
        .filter_map(|name| {
            let mut parts = name.strip_suffix(".seg")?.split('-');
            Some(SegmentFile {
                path: dir.join(&name),
                sequence: parts.next()?.parse().ok()?,
                first: u64::from_str_radix(parts.next()?, 16).ok()?,
                begun_ms: parts.next()?.parse().ok()?,
            })
        })
        .collect();
    found.sort_by_key(|segment| segment.sequence);
    found
}

/// The file with the lines that are in no segment yet.
pub(super) fn tail_path(dir: &Path) -> PathBuf {
    dir.join(TAIL)
}

/// The moments that were noted, as they were written; nothing when none were.
pub(super) fn read_times(dir: &Path) -> Vec<u8> {
    fs::read(dir.join(TIMES)).unwrap_or_default()
}

fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

/// The panes that have a directory.
pub(super) fn panes(dir: &Path) -> Vec<PaneId> {
    let mut panes: Vec<_> = names(dir)
        .into_iter()
        .filter_map(|name| name.parse().ok().map(PaneId))
        .collect();
    panes.sort();
    panes
}

/// Makes a directory that only its owner may enter.
pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Opens a file that only its owner may read, making it if need be.
pub(super) fn open_file(path: &Path, append: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).create(true).mode(0o600);
    if append {
        options.append(true);
    } else {
        options.write(true).truncate(false);
    }
    options.open(path)
}

fn write_meta(dir: &Path, meta: &ClosedPane) -> Result<(), HistoryError> {
    let bytes = serde_json::to_vec_pretty(meta)
        .map_err(|error| HistoryError::new("write", &dir.join(META))(error.into()))?;
    replace(dir, META, &bytes)
}

/// Writes a file anew: whoever reads it sees the old bytes or the new ones.
fn replace(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), HistoryError> {
    let path = dir.join(name);
    let fresh = dir.join(format!("{name}.new"));
    let write = || -> io::Result<()> {
        let mut file = open_file(&fresh, false)?;
        file.set_len(0)?;
        file.write_all(bytes)?;
        drop(file);
        fs::rename(&fresh, &path)
    };
    write().map_err(HistoryError::new("write", &path))
}

pub(super) fn read_meta(dir: &Path) -> Option<ClosedPane> {
    serde_json::from_slice(&fs::read(dir.join(META)).ok()?).ok()
}

/// When that was written last, in milliseconds since 1970.
pub(super) fn meta_written_at(dir: &Path) -> Option<u64> {
    let written = fs::metadata(dir.join(META)).ok()?.modified().ok()?;
    let since = written.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

/// Whether a host holds this pane's files: the pane lives there.
pub(super) fn is_held(dir: &Path) -> bool {
    match File::open(dir.join(LOCK)) {
        // Shared: two who look must not take each other for a pane that lives.
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    }
}

/// Takes in what a crash left: the lines of the tail file become a segment. What can't be read stays where
/// it is and is skipped by readers; what can't be written is tried at the next start.
pub(super) fn recover(dir: &Path, now_ms: u64) {
    let tail = tail_path(dir);
    if is_held(dir) {
        return;
    }
    let screen = dir.join(SCREEN);
    let bytes = fs::read(&tail).unwrap_or_default();
    let noted = fs::read(&screen).unwrap_or_default();
    if bytes.is_empty() && noted.is_empty() {
        let _ = fs::remove_file(&tail);
        return;
    }
    let last = segments(dir)
        .last()
        .and_then(|segment| fs::read(&segment.path).ok())
        .map(|bytes| blocks(&bytes).0)
        .unwrap_or_default();
    let mut whole: Option<LogBlock> = None;
    let mut full = Vec::new();
    for located in blocks(&bytes).0 {
        let header = located.header;
        // The crash may have come between writing the block to its segment and emptying the tail.
        let known = last
            .iter()
            .any(|known| known.header.kind == header.kind && known.header.next() > header.first);
        let Some(block) = located.block(&bytes).filter(|_| !known) else {
            continue;
        };
        let fits = whole.as_ref().is_some_and(|whole| {
            whole.kind == header.kind
                && whole.anchor == header.anchor
                && whole.block.next() == header.first
        });
        if !fits {
            full.extend(whole.take());
        }
        let whole =
            whole.get_or_insert_with(|| LogBlock::new(header.kind, header.anchor, header.first));
        for index in 0..block.line_count() {
            whole.block.push_unlinked(&block.styled(index));
        }
    }
    full.extend(whole);
    // What was on screen follows; of that, what has left it since is known already.
    let next = |kind, next, anchor| match kind {
        Kind::Printed => next,
        Kind::FullScreen => anchor,
    };
    let in_segment = last
        .iter()
        .map(|known| next(known.header.kind, known.header.next(), known.header.anchor));
    let in_tail = full
        .iter()
        .map(|block| next(block.kind, block.block.next(), block.anchor));
    let printed = in_segment.chain(in_tail).max().unwrap_or(0);
    for located in blocks(&noted).0 {
        let Some(block) = located.block(&noted) else {
            continue;
        };
        let mut rest = LogBlock::new(Kind::Printed, 0, printed.max(block.first()));
        for index in (rest.block.first() - block.first()) as usize..block.line_count() {
            rest.block.push_unlinked(&block.styled(index));
        }
        if rest.block.line_count() > 0 {
            full.push(rest);
        }
    }
    let mut disk = Disk::new(dir.to_owned());
    let written = full
        .iter()
        .try_for_each(|block| disk.append(block, now_ms).map(drop));
    match written {
        Ok(()) => {
            let _ = fs::remove_file(&tail);
            let _ = fs::remove_file(&screen);
        }
        Err(error) => tracing::warn!(%error, "could not take in the lines that a crash left"),
    }
}

/// Removes what is older than the budget allows, then the oldest until the rest fits, then the panes of
/// which nothing is left. The newest segment of a pane that lives stays.
pub(super) fn tidy(dir: &Path, budget: HistoryBudget, now_ms: u64, held: impl Fn(PaneId) -> bool) {
    let mut candidates = Vec::new();
    let mut total = 0;
    let oldest = now_ms.saturating_sub(budget.max_age.as_millis() as u64);
    for pane in panes(dir) {
        let pane_dir = dir.join(pane.to_string());
        let held = held(pane);
        let mut left = 0;
        let mut found = segments(&pane_dir);
        let newest = if held { found.pop() } else { None };
        for segment in newest.iter().chain(&found) {
            let size = fs::metadata(&segment.path).map_or(0, |meta| meta.len());
            let kept = Some(segment) == newest.as_ref();
            if segment.begun_ms < oldest && !kept && fs::remove_file(&segment.path).is_ok() {
                continue;
            }
            left += 1;
            total += size;
            if !kept {
                candidates.push((segment.begun_ms, segment.path.clone(), size));
            }
        }
        if left == 0 && !held {
            forget_if_empty(&pane_dir, oldest);
        }
    }
    candidates.sort();
    for (_, path, size) in candidates {
        if total <= budget.max_bytes {
            break;
        }
        if fs::remove_file(&path).is_ok() {
            total -= size;
            if let Some(pane_dir) = path.parent()
                && segments(pane_dir).is_empty()
                && !is_held(pane_dir)
            {
                forget_if_empty(pane_dir, u64::MAX);
            }
        }
    }
}

/// Removes a closed pane's directory, unless lines wait in its tail or it ended after `oldest`.
fn forget_if_empty(dir: &Path, oldest: u64) {
    let tail = fs::metadata(tail_path(dir)).map_or(0, |meta| meta.len());
    let ended = read_meta(dir).map_or(0, |meta| meta.ended_at.unwrap_or(meta.opened_at));
    if tail == 0 && ended < oldest {
        let _ = remove_pane(dir);
    }
}

/// Removes a pane's directory and all that is in it.
pub(super) fn remove_pane(dir: &Path) -> Result<(), HistoryError> {
    let removed = remove_files(dir, |_| false);
    match fs::remove_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            removed.and(Err(HistoryError::new("remove", dir)(error)))
        }
        _ => removed,
    }
}

fn remove_files(dir: &Path, keep: impl Fn(&str) -> bool) -> Result<(), HistoryError> {
    let mut result = Ok(());
    for name in names(dir).into_iter().filter(|name| !keep(name)) {
        let path = dir.join(name);
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(HistoryError::new("remove", &path)(error))
            }
            _ => Ok(()),
        };
        if result.is_ok() {
            result = removed;
        }
    }
    result
}
