//! Reading a pane's history: what is in its files, and what waits to be written.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk;
use super::segment::{self, HEADER, Header, Key, Kind, Located, LogBlock};
use crate::block::Block;
use crate::types::PaneId;

/// A pane's history at one moment. It holds what waited to be written then; the files are read on demand.
#[derive(Debug)]
pub struct HistoryReader {
    pane: PaneId,
    dir: PathBuf,
    /// Blocks that were not, or not wholly, in a segment when the reader was made.
    waiting: Vec<Arc<LogBlock>>,
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

/// What reading needs, kept from one block to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    file: Vec<u8>,
    text: Vec<u8>,
}

impl HistoryReader {
    pub(super) fn live(pane: PaneId, dir: PathBuf, waiting: Vec<Arc<LogBlock>>) -> Self {
        Self {
            pane,
            dir,
            waiting,
            live: true,
        }
    }

    pub(super) fn closed(pane: PaneId, dir: PathBuf) -> Option<Self> {
        dir.is_dir().then_some(Self {
            pane,
            dir,
            waiting: Vec::new(),
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
                let mut stored = vec![0; located.header.stored_len as usize];
                file.read_exact_at(&mut stored, located.offset).ok()?;
                located.header.block(&stored)
            }
        }
    }
}

/// The blocks of a file, by their headers; a damaged file is read whole, for what is left of it.
fn locate(path: &Path) -> Vec<Located> {
    let by_headers = || -> io::Result<Option<Vec<Located>>> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut found = Vec::new();
        let mut at = 0;
        let mut bytes = [0; HEADER];
        while at < size {
            if size - at < HEADER as u64 {
                return Ok(None);
            }
            file.read_exact_at(&mut bytes, at)?;
            let Some(header) = Header::parse(&bytes) else {
                return Ok(None);
            };
            let offset = at + HEADER as u64;
            at = offset + u64::from(header.stored_len);
            if at > size {
                return Ok(None);
            }
            found.push(Located { header, offset });
        }
        Ok(Some(found))
    };
    match by_headers() {
        Ok(Some(found)) => found,
        Ok(None) => fs::read(path)
            .map(|bytes| segment::blocks(&bytes).0)
            .unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

impl Chunk {
    /// Hands the text of each block that holds wanted lines to `see`, until it says `false`.
    ///
    /// # Errors
    ///
    /// What could not be read; all the rest was.
    pub(crate) fn read(
        &self,
        filter: &Filter,
        newest_first: bool,
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
                if let Err(error) = read_file(path, &mut scratch.file) {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    return Err(Damage(if error.kind() == io::ErrorKind::NotFound {
                        "a part was removed while it was searched".to_owned()
                    } else {
                        format!("`{name}` can't be read: {error}")
                    }));
                }
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let (mut found, whole) = segment::blocks(&scratch.file);
                let mut damaged = usize::from(!whole);
                if newest_first {
                    found.reverse();
                }
                for Located { header, offset } in found {
                    if filter
                        .indices(header.kind, header.first, header.next())
                        .is_empty()
                    {
                        continue;
                    }
                    let from = offset as usize;
                    let stored = &scratch.file[from..from + header.stored_len as usize];
                    let Some(joins) = header.unpack(stored, &mut scratch.text) else {
                        damaged += 1;
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
                if damaged > 0 {
                    return Err(Damage(format!(
                        "`{name}` is damaged; what was whole in it was searched"
                    )));
                }
                Ok(())
            }
        }
    }
}

fn read_file(path: &Path, bytes: &mut Vec<u8>) -> io::Result<()> {
    let file = File::open(path)?;
    let size = file.metadata()?.len() as usize;
    // Grown once and kept: only what is read is looked at.
    bytes.resize(size, 0);
    file.read_exact_at(bytes, 0)
}
