//! How lines lie on disk: blocks behind one another in a file, each with a header and checksums.
//!
//! A block says by itself which lines it holds, so a file that was cut off, or damaged in the middle, gives
//! back every block that is whole. A compressed block has its text's imprint before it (see `imprint.rs`), by
//! which a search passes it over unread; what its lines look like, if not plain, comes behind it, where a search never
//! looks. Older files have the one or both of them not, and are read as before.

use std::borrow::Cow;

use crate::block::Block;
use crate::imprint::{Needs, imprint, is_length};
use crate::types::LineId;

/// A block without an imprint, one with, and one whose lines have styles, with or without; all begin with [`MARK`].
const PLAIN: [u8; 4] = *b"SWB1";
const IMPRINTED: [u8; 4] = *b"SWB2";
const STYLED: [u8; 4] = *b"SWB3";
const MARK: &[u8] = b"SWB";
/// The bytes of a block's header, and of one that says as well how long the styles are.
const UNSTYLED_HEADER: usize = 56;
pub(crate) const HEADER: usize = 60;
/// No block is larger: a header that says so is damaged.
const MAX_RAW: usize = 16 * 1024 * 1024;

const RAW: u8 = 0;
const LZ4: u8 = 1;

/// Which of a pane's two sequences of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// Sampled from a full-screen program.
    FullScreen,
    /// Left the screen.
    Printed,
}

/// A place in everything that a pane showed, in the order in which it was shown: a line that left the screen
/// stands after the full-screen lines that were sampled before it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// For a printed line its number; for a sampled one the number of the printed line that came next.
    pub(crate) anchor: u64,
    pub(crate) kind: Kind,
    /// The number within its sequence.
    pub(crate) number: u64,
}

impl Key {
    pub(crate) fn printed(number: u64) -> Self {
        Self {
            anchor: number,
            kind: Kind::Printed,
            number,
        }
    }

    pub(crate) fn full_screen(anchor: u64, number: u64) -> Self {
        Self {
            anchor,
            kind: Kind::FullScreen,
            number,
        }
    }

    pub(crate) fn id(self) -> LineId {
        match self.kind {
            Kind::Printed => LineId(self.number),
            Kind::FullScreen => LineId(LineId::FULL_SCREEN + self.number),
        }
    }
}

/// Consecutive lines of one of a pane's two sequences.
#[derive(Debug, Clone)]
pub(crate) struct LogBlock {
    pub(crate) kind: Kind,
    /// For sampled lines: the number of the printed line that came next.
    pub(crate) anchor: u64,
    pub(crate) block: Block,
}

impl LogBlock {
    pub(crate) fn new(kind: Kind, anchor: u64, first: u64) -> Self {
        Self {
            kind,
            anchor,
            block: Block::new(first),
        }
    }

    /// The bytes on disk: raw, for the few lines that were not written yet; compressed, for a full block.
    pub(crate) fn encode(&self, compress: bool, now_ms: u64, out: &mut Vec<u8>) {
        let joins = self.block.joins();
        let text = self.block.text().as_bytes();
        let mut raw = Cow::Borrowed(text);
        if !joins.is_empty() {
            let raw = raw.to_mut();
            for join in &joins {
                raw.extend_from_slice(&join.to_le_bytes());
            }
        }
        let packed = compress.then(|| lz4_flex::block::compress(&raw));
        let (codec, stored) = match &packed {
            Some(packed) if packed.len() < raw.len() => (LZ4, packed.as_slice()),
            _ => (RAW, raw.as_ref()),
        };
        let imprint = compress.then(|| imprint(text)).flatten();
        let styles = seal_styles(&self.block.packed_styles());
        let start = out.len();
        let power = imprint.as_ref().map_or(0, |bits| bits.len().ilog2() as u8);
        out.extend_from_slice(match (styles.is_empty(), &imprint) {
            (true, None) => &PLAIN,
            (true, Some(_)) => &IMPRINTED,
            (false, _) => &STYLED,
        });
        out.extend_from_slice(&[u8::from(self.kind == Kind::Printed), codec, power, 0]);
        out.extend_from_slice(&self.block.first().to_le_bytes());
        out.extend_from_slice(&self.anchor.to_le_bytes());
        out.extend_from_slice(&now_ms.to_le_bytes());
        out.extend_from_slice(&(self.block.line_count() as u32).to_le_bytes());
        out.extend_from_slice(&(joins.len() as u32).to_le_bytes());
        out.extend_from_slice(&(raw.len() as u32).to_le_bytes());
        out.extend_from_slice(&(stored.len() as u32).to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(stored).to_le_bytes());
        if !styles.is_empty() {
            out.extend_from_slice(&(styles.len() as u32).to_le_bytes());
        }
        let check = crc32fast::hash(&out[start..]);
        out.extend_from_slice(&check.to_le_bytes());
        if let Some(bits) = imprint {
            out.extend_from_slice(&bits);
            out.extend_from_slice(&crc32fast::hash(&bits).to_le_bytes());
        }
        out.extend_from_slice(stored);
        out.extend_from_slice(&styles);
    }
}

/// Packed styles as they lie on disk: a checksum of what follows, their length, and they themselves, compressed.
fn seal_styles(packed: &[u8]) -> Vec<u8> {
    if packed.is_empty() {
        return Vec::new();
    }
    let mut sealed = vec![0; 4];
    sealed.extend_from_slice(&lz4_flex::block::compress_prepend_size(packed));
    let check = crc32fast::hash(&sealed[4..]);
    sealed[..4].copy_from_slice(&check.to_le_bytes());
    sealed
}

/// The packed styles; nothing when the bytes are damaged.
fn open_styles(sealed: &[u8]) -> Option<Vec<u8>> {
    let (check, packed) = sealed.split_first_chunk()?;
    let length = u32::from_le_bytes(*packed.first_chunk()?);
    if crc32fast::hash(packed).to_le_bytes() != *check || length as usize > MAX_RAW {
        return None;
    }
    lz4_flex::block::decompress_size_prepended(packed).ok()
}

/// What a block's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    codec: u8,
    /// The bytes of the imprint; 0: there is none.
    imprint: u32,
    pub(crate) first: u64,
    pub(crate) anchor: u64,
    pub(crate) written_ms: u64,
    pub(crate) count: u32,
    joins: u32,
    raw_len: u32,
    pub(crate) stored_len: u32,
    check: u32,
    /// The bytes of the styles, which follow what is stored; none: there are none, and the header is shorter.
    styles: Option<u32>,
}

impl Header {
    /// Reads a header; nothing when these bytes are none, or are damaged.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (size, imprinted) = match *bytes.first_chunk()? {
            PLAIN => (UNSTYLED_HEADER, false),
            IMPRINTED => (UNSTYLED_HEADER, true),
            STYLED => (HEADER, *bytes.get(6)? > 0),
            _ => return None,
        };
        let bytes = bytes.get(..size)?;
        if crc32fast::hash(&bytes[..size - 4]) != u32_at(bytes, size - 4) {
            return None;
        }
        let imprint = if imprinted {
            1_u32.checked_shl(u32::from(bytes[6]))?
        } else {
            0
        };
        let header = Self {
            kind: if bytes[4] == 1 {
                Kind::Printed
            } else {
                Kind::FullScreen
            },
            codec: bytes[5],
            imprint,
            first: u64_at(bytes, 8),
            anchor: u64_at(bytes, 16),
            written_ms: u64_at(bytes, 24),
            count: u32_at(bytes, 32),
            joins: u32_at(bytes, 36),
            raw_len: u32_at(bytes, 40),
            stored_len: u32_at(bytes, 44),
            check: u32_at(bytes, 48),
            styles: (size == HEADER).then(|| u32_at(bytes, 52)),
        };
        let sane = header.raw_len as usize <= MAX_RAW
            && header.stored_len <= header.raw_len
            && header.joins as usize * 4 <= header.raw_len as usize
            && header.codec <= LZ4
            && header.styles.unwrap_or(0) as usize <= MAX_RAW
            && (header.imprint == 0 || is_length(header.imprint as usize))
            && header.first < LineId::FULL_SCREEN
            && header.anchor < LineId::FULL_SCREEN;
        sane.then_some(header)
    }

    /// The number of the line after the last.
    pub(crate) fn next(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// The bytes of this header.
    pub(crate) fn size(&self) -> usize {
        match self.styles {
            None => UNSTYLED_HEADER,
            Some(_) => HEADER,
        }
    }

    /// The bytes of what is stored and of what its lines look like, which follows.
    pub(crate) fn body_len(&self) -> usize {
        self.stored_len as usize + self.styles.unwrap_or(0) as usize
    }

    /// How many bytes lie between the header and what is stored.
    pub(crate) fn before_stored(&self) -> usize {
        if self.imprint == 0 {
            0
        } else {
            self.imprint as usize + 4
        }
    }

    /// Whether the block may hold a match of a pattern with these needs; `bytes` follow the header.
    pub(crate) fn may_meet(&self, needs: &Needs, bytes: &[u8]) -> bool {
        let size = self.imprint as usize;
        if size == 0 || needs.none() {
            return true;
        }
        let (Some(bits), Some(check)) = (bytes.get(..size), bytes.get(size..size + 4)) else {
            return true;
        };
        // A damaged imprint must not hide what is there.
        crc32fast::hash(bits).to_le_bytes() != *check || needs.met_by(bits)
    }

    /// Checks and unpacks a block's bytes into `text`, and returns the starts of lines that no newline
    /// precedes; nothing when the bytes are damaged.
    pub(crate) fn unpack(&self, stored: &[u8], text: &mut Vec<u8>) -> Option<Vec<u32>> {
        if stored.len() != self.stored_len as usize || crc32fast::hash(stored) != self.check {
            return None;
        }
        let raw_len = self.raw_len as usize;
        if self.codec == LZ4 {
            // Growing is the only time that it is filled; the bytes are overwritten.
            if text.len() < raw_len {
                text.resize(raw_len, 0);
            }
            let size = lz4_flex::block::decompress_into(stored, &mut text[..raw_len]).ok()?;
            if size != raw_len {
                return None;
            }
        } else {
            if stored.len() != raw_len {
                return None;
            }
            text.clear();
            text.extend_from_slice(stored);
        }
        let text_len = raw_len - self.joins as usize * 4;
        let joins = text[text_len..raw_len]
            .chunks_exact(4)
            .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        text.truncate(text_len);
        Some(joins)
    }

    /// The block with its lines, of all its bytes behind the header and the imprint; nothing when they are damaged.
    /// Lines whose styles are damaged are plain.
    pub(crate) fn block(&self, body: &[u8]) -> Option<Block> {
        let (stored, styles) = body.split_at_checked(self.stored_len as usize)?;
        let mut text = Vec::new();
        let joins = self.unpack(stored, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        let mut block = Block::from_text(self.first, text, &joins);
        if let Some(styles) = open_styles(styles) {
            block.take_styles(&styles);
        }
        Some(block)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Where a block's bytes are in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Located {
    pub(crate) header: Header,
    /// Where what is stored begins.
    pub(crate) offset: u64,
}

impl Located {
    /// The block with its lines, from all of its file's bytes; nothing when its own are damaged.
    pub(crate) fn block(&self, file: &[u8]) -> Option<Block> {
        let from = self.offset as usize;
        self.header
            .block(&file[from..from + self.header.body_len()])
    }
}

/// Finds the blocks in a file's bytes, and says whether all bytes belonged to one.
pub(crate) fn blocks(bytes: &[u8]) -> (Vec<Located>, bool) {
    let mut found = Vec::new();
    let mut whole = true;
    let mut at = 0;
    while at < bytes.len() {
        let end = Header::parse(&bytes[at..])
            .map(|header| (header, at + header.size() + header.before_stored()))
            .map(|(header, from)| (header, from, from + header.body_len()));
        match end {
            Some((header, from, end)) if end <= bytes.len() => {
                found.push(Located {
                    header,
                    offset: from as u64,
                });
                at = end;
            }
            _ => {
                whole = false;
                match memchr::memmem::find(&bytes[at + 1..], MARK) {
                    Some(skip) => at += 1 + skip,
                    None => break,
                }
            }
        }
    }
    (found, whole)
}
