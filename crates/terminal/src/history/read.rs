//! Reading a pane's history: what is in its files, and what waits to be written.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk;
use super::segment::{self, HEADER, Header, Key, Kind, Located, LogBlock};
use super::times::{self, Moment};
use crate::block::Block;
use crate::imprint::Needs;
use crate::types::PaneId;

/// A pane's history at one moment. It holds what waited to be written then; the files are read on demand.
#[derive(Debug)]
pub struct HistoryReader {
    pane: PaneId,
    dir: PathBuf,
    /// Blocks that were not, or not wholly, in a segment when the reader was made.
    waiting: Vec<Arc<LogBlock>>,
    /// Those that are in no file, the last of them of all lines.
    moments: Vec<Moment>,
    live: bool,
}

/// A part of a history that could not be read, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) String);

/// Which lines are wanted, by their numbers in both sequences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) printed: Range<u64>,
    pub(crate) full_screen: Range<u64>,
}

impl Filter {
    pub(crate) fn of(&self, kind: Kind) -> &Range<u64> {
        match kind {
            Kind::Printed => &self.printed,
            Kind::FullScreen => &self.full_screen,
        }
    }

    /// The part of the lines `first..next` that is wanted, as indices from `first`.
    pub(crate) fn indices(&self, kind: Kind, first: u64, next: u64) -> Range<usize> {
        let wanted = self.of(kind);
        let from = wanted.start.clamp(first, next);
        let to = wanted.end.clamp(from, next);
        (from - first) as usize..(to - first) as usize
    }
}

/// A piece of a history that is read at once.
#[derive(Debug, Clone)]
pub(crate) enum Chunk {
    /// A file of blocks.
    File(PathBuf),
    /// A block that waits to be written.
    Waiting(Arc<LogBlock>),
}

/// A block's text where it lies, before anybody has asked where its lines are.
pub(crate) struct Text<'a> {
    pub(crate) kind: Kind,
    pub(crate) anchor: u64,
    pub(crate) first: u64,
    pub(crate) next: u64,
    pub(crate) text: &'a [u8],
    /// The starts of lines that no newline precedes.
    pub(crate) joins: &'a [u32],
}

impl Text<'_> {
    /// The key of the line at `index`.
    pub(crate) fn key(&self, index: usize) -> Key {
        let number = self.first + index as u64;
        match self.kind {
            Kind::Printed => Key::printed(number),
            Kind::FullScreen => Key::full_screen(self.anchor, number),
        }
    }
}

/// What a search wants of a piece of history.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) lines: &'a Filter,
    /// Blocks that lack this need not be read.
    pub(crate) needs: &'a Needs,
    pub(crate) newest_first: bool,
}

/// What reading needs, kept from one block to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    file: Vec<u8>,
    text: Vec<u8>,
}

impl HistoryReader {
    pub(super) fn live(
        pane: PaneId,
        dir: PathBuf,
        waiting: Vec<Arc<LogBlock>>,
        moments: Vec<Moment>,
    ) -> Self {
        Self {
            pane,
            dir,
            waiting,
            moments,
            live: true,
        }
    }

    pub(super) fn closed(pane: PaneId, dir: PathBuf) -> Option<Self> {
        dir.is_dir().then_some(Self {
            pane,
            dir,
            waiting: Vec::new(),
            moments: Vec::new(),
            live: false,
        })
    }

    /// Whose history it is.
    pub fn pane(&self) -> PaneId {
        self.pane
    }

    /// What can hold wanted lines, oldest first, each with the filter that its lines must pass: what waits is
    /// not taken from a file as well, should it have been written meanwhile.
    pub(crate) fn chunks(&self, wanted: &Filter) -> Vec<(Chunk, Filter)> {
        let on_disk = self.on_disk(wanted);
        let files = disk::segments(&self.dir);
        let mut chunks = Vec::with_capacity(files.len() + self.waiting.len());
        for (index, file) in files.iter().enumerate() {
            // A segment says which printed line is its first, and the next one, where it ends.
            let next = files.get(index + 1).map_or(u64::MAX, |next| next.first);
            let printed = !on_disk.printed.is_empty()
                && file.first < on_disk.printed.end
                && next >= on_disk.printed.start;
            if printed || !on_disk.full_screen.is_empty() {
                chunks.push((Chunk::File(file.path.clone()), on_disk.clone()));
            }
        }
        if !self.live {
            let tail = disk::tail_path(&self.dir);
            if fs::metadata(&tail).is_ok_and(|meta| meta.len() > 0) {
                chunks.push((Chunk::File(tail), on_disk));
            }
        }
        for block in &self.waiting {
            let (first, next) = (block.block.first(), block.block.next());
            if !wanted.indices(block.kind, first, next).is_empty() {
                chunks.push((Chunk::Waiting(Arc::clone(block)), wanted.clone()));
            }
        }
        chunks
    }

    /// The lines that came from `since` on and before `before`, in milliseconds since 1970: known to a few seconds.
    pub(crate) fn came(&self, since: Option<u64>, before: Option<u64>) -> Filter {
        let mut noted = times::decode(&disk::read_times(&self.dir));
        if noted.is_empty() {
            noted = self.written();
        }
        noted.extend(&self.moments);
        if !self.live {
            // What a crash left behind its last moment came soon after it.
            let last = noted.iter().map(|moment| moment.at_ms).max();
            let ended = disk::read_meta(&self.dir).and_then(|meta| meta.ended_at);
            let ended = ended.or_else(|| disk::meta_written_at(&self.dir));
            noted.push(Moment::of_all(last.or(ended).unwrap_or(0)));
        }
        let (printed, full_screen) = times::came(&times::in_order(noted), since, before);
        Filter {
            printed,
            full_screen,
        }
    }

    /// When blocks were written: all that is known of histories that were kept without moments.
    fn written(&self) -> Vec<Moment> {
        let mut moments: Vec<Moment> = Vec::new();
        let files = disk::segments(&self.dir).into_iter().map(|file| file.path);
        for located in files.flat_map(|path| locate(&path)) {
            let header = located.header;
            let (printed, sampled) = moments.last().map_or((0, 0), |it| (it.printed, it.sampled));
            let at_ms = header.written_ms;
            moments.push(match header.kind {
                Kind::Printed => Moment {
                    at_ms,
                    printed: header.next(),
                    sampled,
                },
                Kind::FullScreen => Moment {
                    at_ms,
                    printed: printed.max(header.anchor),
                    sampled: header.next(),
                },
            });
        }
        moments
    }

    fn on_disk(&self, wanted: &Filter) -> Filter {
        let first = |kind| {
            self.waiting
                .iter()
                .find(|block| block.kind == kind)
                .map_or(u64::MAX, |block| block.block.first())
        };
        let clip = |wanted: &Range<u64>, end: u64| wanted.start..wanted.end.min(end);
        Filter {
            printed: clip(&wanted.printed, first(Kind::Printed)),
            full_screen: clip(&wanted.full_screen, first(Kind::FullScreen)),
        }
    }

    /// Where every wanted block is, oldest first, by reading headers only.
    pub(crate) fn places(&self, wanted: &Filter) -> Vec<Placed> {
        let mut placed = Vec::new();
        for (chunk, filter) in self.chunks(wanted) {
            match chunk {
                Chunk::Waiting(block) => {
                    let (first, next) = (block.block.first(), block.block.next());
                    placed.extend(Placed::new(
                        block.kind,
                        block.anchor,
                        first,
                        &filter.indices(block.kind, first, next),
                        At::Waiting(Arc::clone(&block)),
                    ));
                }
                Chunk::File(path) => {
                    let path = Arc::new(path);
                    for located in locate(&path) {
                        let header = located.header;
                        placed.extend(Placed::new(
                            header.kind,
                            header.anchor,
                            header.first,
                            &filter.indices(header.kind, header.first, header.next()),
                            At::Disk(Arc::clone(&path), located),
                        ));
                    }
                }
            }
        }
        placed
    }

    /// The number of the line that is sampled next, as far as is known.
    pub(crate) fn next_full_screen(&self) -> u64 {
        self.waiting
            .iter()
            .rev()
            .find(|block| block.kind == Kind::FullScreen)
            .map_or(u64::MAX, |block| block.block.next())
    }
}

/// Some lines of one block, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) kind: Kind,
    pub(crate) anchor: u64,
    /// The number of the first of the lines.
    pub(crate) first: u64,
    pub(crate) count: u64,
    at: At,
}

#[derive(Debug, Clone)]
enum At {
    Waiting(Arc<LogBlock>),
    Disk(Arc<PathBuf>, Located),
}

impl Placed {
    fn new(kind: Kind, anchor: u64, first: u64, indices: &Range<usize>, at: At) -> Option<Self> {
        (!indices.is_empty()).then(|| Self {
            kind,
            anchor,
            first: first + indices.start as u64,
            count: indices.len() as u64,
            at,
        })
    }

    /// The key of the line at `index`.
    pub(crate) fn key(&self, index: u64) -> Key {
        match self.kind {
            Kind::Printed => Key::printed(self.first + index),
            Kind::FullScreen => Key::full_screen(self.anchor, self.first + index),
        }
    }

    /// Reads the whole block; nothing when it is gone or damaged.
    pub(crate) fn load(&self) -> Option<Block> {
        match &self.at {
            At::Waiting(block) => Some(block.block.clone()),
            At::Disk(path, located) => {
                let file = File::open(path.as_path()).ok()?;
                let mut body = vec![0; located.header.body_len()];
                file.read_exact_at(&mut body, located.offset).ok()?;
                located.header.block(&body)
            }
        }
    }
}

/// The blocks of a file, by their headers; a damaged file is read whole, for what is left of it.
fn locate(path: &Path) -> Vec<Located> {
    let by_headers = || walk(&File::open(path)?, 0, &mut Vec::new(), |_, _| true);
    match by_headers() {
        Ok(Some(found)) => found,
        Ok(None) => fs::read(path)
            .map(|bytes| segment::blocks(&bytes).0)
            .unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

/// Goes from header to header and gathers the blocks that are `wanted`, as their header and at most `beside` bytes
/// behind it tell; nothing when the file is damaged.
fn walk(
    file: &File,
    beside: usize,
    bytes: &mut Vec<u8>,
    wanted: impl Fn(&Header, &[u8]) -> bool,
) -> io::Result<Option<Vec<Located>>> {
    let size = file.metadata()?.len();
    let mut found = Vec::new();
    let mut at = 0;
    while at < size {
        let here = (HEADER + beside).min((size - at) as usize);
        bytes.resize(here, 0);
        file.read_exact_at(bytes, at)?;
        let Some(header) = Header::parse(bytes) else {
            return Ok(None);
        };
        let offset = at + (header.size() + header.before_stored()) as u64;
        at = offset + header.body_len() as u64;
        if at > size {
            return Ok(None);
        }
        if wanted(&header, &bytes[header.size()..]) {
            found.push(Located { header, offset });
        }
    }
    Ok(Some(found))
}

/// The imprint of a full block, and its checksum: what is read beside a header.
const BESIDE: usize = 4 * 1024 + 4;

impl Chunk {
    /// Hands the text of each block that may hold what is wanted to `see`, until it says `false`.
    ///
    /// # Errors
    ///
    /// What could not be read; all the rest was.
    pub(crate) fn read(
        &self,
        wanted: &Wanted<'_>,
        scratch: &mut Scratch,
        mut see: impl FnMut(Text<'_>) -> bool,
    ) -> Result<(), Damage> {
        match self {
            Chunk::Waiting(block) => {
                see(Text {
                    kind: block.kind,
                    anchor: block.anchor,
                    first: block.block.first(),
                    next: block.block.next(),
                    text: block.block.text().as_bytes(),
                    joins: &block.block.joins(),
                });
                Ok(())
            }
            Chunk::File(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let damaged = read_file(path, wanted, scratch, see).map_err(|error| {
                    Damage(if error.kind() == io::ErrorKind::NotFound {
                        "a part was removed while it was searched".to_owned()
                    } else {
                        format!("`{name}` can't be read: {error}")
                    })
                })?;
                if damaged {
                    return Err(Damage(format!(
                        "`{name}` is damaged; what was whole in it was searched"
                    )));
                }
                Ok(())
            }
        }
    }
}

/// Reads the blocks of a file that may hold what is wanted, and says whether one of them was damaged.
fn read_file(
    path: &Path,
    wanted: &Wanted<'_>,
    scratch: &mut Scratch,
    mut see: impl FnMut(Text<'_>) -> bool,
) -> io::Result<bool> {
    let file = File::open(path)?;
    let holds = |header: &Header| {
        let lines = wanted.lines;
        !lines
            .indices(header.kind, header.first, header.next())
            .is_empty()
    };
    let beside = if wanted.needs.none() { 0 } else { BESIDE };
    let walked = walk(&file, beside, &mut scratch.file, |header, beside| {
        holds(header) && header.may_meet(wanted.needs, beside)
    })?;
    let (mut found, mut damaged) = match walked {
        Some(found) => (found, false),
        None => {
            // What is whole is found by its own mark, wherever it is.
            let (mut found, whole) = segment::blocks(&fs::read(path)?);
            found.retain(|located| holds(&located.header));
            (found, !whole)
        }
    };
    if wanted.newest_first {
        found.reverse();
    }
    for Located { header, offset } in found {
        scratch.file.resize(header.stored_len as usize, 0);
        file.read_exact_at(&mut scratch.file, offset)?;
        let Some(joins) = header.unpack(&scratch.file, &mut scratch.text) else {
            damaged = true;
            continue;
        };
        let more = see(Text {
            kind: header.kind,
            anchor: header.anchor,
            first: header.first,
            next: header.next(),
            text: &scratch.text,
            joins: &joins,
        });
        if !more {
            break;
        }
    }
    Ok(damaged)
}
