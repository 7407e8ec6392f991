//! How lines lie on disk: blocks behind one another in a file, each with a header and checksums.
//!
//! A block says by itself which lines it holds, so a file that was cut off, or damaged in the middle, gives
//! back every block that is whole. A compressed block has its text's imprint before it (see `imprint.rs`), by
//! which a search passes it over unread; older files have none, and are read as before.

use std::borrow::Cow;

use crate::block::Block;
use crate::imprint::{Needs, imprint, is_length};
use crate::types::LineId;

/// A block without an imprint, and one with; both begin with [`MARK`].
const PLAIN: [u8; 4] = *b"SWB1";
const IMPRINTED: [u8; 4] = *b"SWB2";
const MARK: &[u8] = b"SWB";
/// The bytes of a block's header.
pub(crate) const HEADER: usize = 56;
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
        let start = out.len();
        let power = imprint.as_ref().map_or(0, |bits| bits.len().ilog2() as u8);
        out.extend_from_slice(if imprint.is_some() {
            &IMPRINTED
        } else {
            &PLAIN
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
        let check = crc32fast::hash(&out[start..]);
        out.extend_from_slice(&check.to_le_bytes());
        if let Some(bits) = imprint {
            out.extend_from_slice(&bits);
            out.extend_from_slice(&crc32fast::hash(&bits).to_le_bytes());
        }
        out.extend_from_slice(stored);
    }
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
}

impl Header {
    /// Reads a header; nothing when these bytes are none, or are damaged.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.get(..HEADER)?.try_into().ok()?;
        if crc32fast::hash(&bytes[..52]) != u32_at(bytes, 52) {
            return None;
        }
        let imprint = match &bytes[..4] {
            mark if *mark == PLAIN => 0,
            mark if *mark == IMPRINTED => 1_u32.checked_shl(u32::from(bytes[6]))?,
            _ => return None,
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
        };
        let sane = header.raw_len as usize <= MAX_RAW
            && header.stored_len <= header.raw_len
            && header.joins as usize * 4 <= header.raw_len as usize
            && header.codec <= LZ4
            && (header.imprint == 0 || is_length(header.imprint as usize))
            && header.first < LineId::FULL_SCREEN
            && header.anchor < LineId::FULL_SCREEN;
        sane.then_some(header)
    }

    /// The number of the line after the last.
    pub(crate) fn next(&self) -> u64 {
        self.first + u64::from(self.count)
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

    /// The block with its lines; nothing when the bytes are damaged.
    pub(crate) fn block(&self, stored: &[u8]) -> Option<Block> {
        let mut text = Vec::new();
        let joins = self.unpack(stored, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        Some(Block::from_text(self.first, text, &joins))
    }
}

fn u32_at(bytes: &[u8; HEADER], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8; HEADER], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// Where a block's bytes are in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Located {
    pub(crate) header: Header,
    /// Where what is stored begins.
    pub(crate) offset: u64,
}

/// Finds the blocks in a file's bytes, and says whether all bytes belonged to one.
pub(crate) fn blocks(bytes: &[u8]) -> (Vec<Located>, bool) {
    let mut found = Vec::new();
    let mut whole = true;
    let mut at = 0;
    while at < bytes.len() {
        let end = Header::parse(&bytes[at..])
            .map(|header| (header, at + HEADER + header.before_stored()))
            .map(|(header, from)| (header, from, from + header.stored_len as usize));
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
