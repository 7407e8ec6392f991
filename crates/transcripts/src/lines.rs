//! The lines of a file, a piece at a time: the file may be larger than memory, and is written to while it is read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use memchr::{memchr, memrchr};

/// So much is read at once.
const CHUNK: usize = 256 * 1024;
/// A longer line is left out.
pub(crate) const MAX_LINE: usize = 64 * 1024 * 1024;

/// What becomes of reading on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    Stop,
}

/// What a thread reads with.
#[derive(Debug, Default)]
pub(crate) struct Buffer(Vec<u8>);

/// Reads the lines that begin in `from..to`, and tells `see` of them: several whole lines at once, and where in the file they
/// begin. The last one of a file may lack its newline. Tells how many lines were left out for their length.
pub(crate) fn each(
    file: &File,
    from: u64,
    to: u64,
    buffer: &mut Buffer,
    see: &mut dyn FnMut(u64, &[u8]) -> Go,
) -> io::Result<u64> {
    let mut left_out = 0;
    // A line begins here when the byte before ends one.
    let mut skipping = from > 0;
    let mut base = from - u64::from(skipping);
    // `bytes[..filled]` is what was read and not yet seen.
    let bytes = &mut buffer.0;
    let mut filled = 0;
    loop {
        if bytes.len() < filled + CHUNK {
            bytes.resize(filled + CHUNK, 0);
        }
        let came = match file.read_at(&mut bytes[filled..filled + CHUNK], base + filled as u64) {
            Ok(came) => came,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let searched = filled;
        filled += came;
        let mut start = 0;
        if skipping {
            match memchr(b'\n', &bytes[..filled]) {
                Some(end) => {
                    skipping = false;
                    start = end + 1;
                }
                None if came == 0 => return Ok(left_out),
                None => {
                    base += filled as u64;
                    filled = 0;
                    if base > to {
                        return Ok(left_out);
                    }
                    continue;
                }
            }
        }
        if base + start as u64 >= to {
            return Ok(left_out);
        }
        // The last line that is wanted begins before `to`.
        let end = if base + filled as u64 >= to {
            let last = (to - 1 - base) as usize;
            memchr(b'\n', &bytes[last.max(start)..filled]).map(|next| last.max(start) + next + 1)
        } else {
            memrchr(b'\n', &bytes[searched.max(start)..filled])
                .map(|at| searched.max(start) + at + 1)
        };
        let seen = match end {
            Some(end) => end,
            // What comes no further is a line as well.
            None if came == 0 => filled,
            None => {
                if base + filled as u64 >= to
                    && let Some(whole) = memrchr(b'\n', &bytes[start..filled])
                {
                    start + whole + 1
                } else {
                    start
                }
            }
        };
        if seen > start && see(base + start as u64, &bytes[start..seen]) == Go::Stop {
            return Ok(left_out);
        }
        let over = came == 0 || base + seen as u64 >= to;
        if over {
            return Ok(left_out);
        }
        bytes.copy_within(seen..filled, 0);
        filled -= seen;
        base += seen as u64;
        if filled > MAX_LINE {
            left_out += 1;
            skipping = true;
            base += filled as u64;
            filled = 0;
        }
    }
}

/// The one line that begins at `at`.
pub(crate) fn one(file: &File, at: u64, buffer: &mut Buffer) -> io::Result<Option<Vec<u8>>> {
    let mut line = None;
    let mut see = |_: u64, bytes: &[u8]| {
        let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
        line = Some(bytes[..end].to_vec());
        Go::Stop
    };
    each(file, at, at + 1, buffer, &mut see)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// The lines that begin in each of the blocks of a text, in their order.
    fn in_blocks(text: &[u8], block: u64) -> Vec<(u64, Vec<u8>)> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut lines = Vec::new();
        let mut from = 0;
        while from < text.len() as u64 {
            let to = (from + block).min(text.len() as u64);
            let mut see = |base: u64, bytes: &[u8]| {
                let mut at = base;
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    lines.push((at, line.to_vec()));
                    at += line.len() as u64;
                }
                Go::On
            };
            each(&file, from, to, &mut Buffer::default(), &mut see).unwrap();
            from = to;
        }
        lines
    }

    fn whole(text: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut at = 0;
        text.split_inclusive(|byte| *byte == b'\n')
            .map(|line| {
                let begins = at;
                at += line.len() as u64;
                (begins, line.to_vec())
            })
            .collect()
    }

    #[test]
    fn every_line_is_seen_once_wherever_a_file_is_cut() {
        let long = "x".repeat(CHUNK * 2 + 3);
        for text in [
            "a\nbb\n\nccc\n".to_owned(),
            "no end".to_owned(),
            "one\ntwo".to_owned(),
            format!("{long}\nshort\n{long}\n{long}"),
            format!("{}\n", "line\n".repeat(CHUNK / 4)),
        ] {
            let blocks: &[u64] = if text.len() < 100 {
                &[1, 2, 3, 5, 1000]
            } else {
                &[70_000, 300_000, 10_000_000]
            };
            for block in blocks {
                assert!(
                    in_blocks(text.as_bytes(), *block) == whole(text.as_bytes()),
                    "a text of {} in blocks of {block}",
                    text.len()
                );
            }
        }
    }

    #[test]
    fn one_line_is_found_by_its_place() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one\ntwo\nthree").unwrap();
        let at = |at| one(&file, at, &mut Buffer::default()).unwrap();
        assert_eq!(at(0), Some(b"one".to_vec()));
        assert_eq!(at(4), Some(b"two".to_vec()));
        assert_eq!(at(8), Some(b"three".to_vec()));
        assert_eq!(at(5), None, "no line begins there");
        assert_eq!(at(100), None);
    }
}
