//! A patch as git writes it, read into hunks.

use crate::types::{DiffContent, Hunk, TextEncoding};

/// More bytes of a patch are not handed on.
const MOST: usize = 24 * 1024 * 1024;

/// The part of a patch that is about one file.
pub(crate) struct Section<'a> {
    /// The line that begins it.
    title: &'a [u8],
    /// The lines before the first hunk.
    head: Vec<&'a [u8]>,
    hunks: Vec<RawHunk<'a>>,
}

struct RawHunk<'a> {
    old: (u32, u32),
    new: (u32, u32),
    heading: &'a [u8],
    /// Its lines with their signs, the last one's end left out.
    text: &'a [u8],
}

/// The lines of a hunk, in bytes.
pub(crate) struct Lines<'a> {
    /// The first line after the change, from 1, and how many; where there is none, the line before.
    pub(crate) new: (u32, u32),
    /// Its lines with their signs.
    pub(crate) text: &'a [u8],
}

impl Section<'_> {
    fn is_binary(&self) -> bool {
        let told =
            |line: &&[u8]| line.starts_with(b"Binary files ") || *line == b"GIT binary patch";
        self.head.iter().any(told)
    }

    /// Its hunks, as they are told.
    pub(crate) fn told(&self) -> Vec<Hunk> {
        match content(std::slice::from_ref(self)) {
            DiffContent::Text { hunks, .. } => hunks,
            DiffContent::Binary | DiffContent::TooLarge { .. } => Vec::new(),
        }
    }

    /// What stands before the hunks in a patch with some of them. Its mode changes with all of the file, not with a part.
    pub(crate) fn beginning(&self) -> Vec<u8> {
        let mode =
            |line: &&&[u8]| !line.starts_with(b"old mode ") && !line.starts_with(b"new mode ");
        let lines = [&self.title]
            .into_iter()
            .chain(self.head.iter().filter(mode));
        lines
            .flat_map(|line| [*line, &b"\n"[..]])
            .flatten()
            .copied()
            .collect()
    }

    /// One of its hunks, as it stands in the patch.
    pub(crate) fn hunk(&self, place: usize) -> Vec<u8> {
        let hunk = &self.hunks[place];
        let (old, new) = (hunk.old, hunk.new);
        let head = format!("@@ -{},{} +{},{} @@\n", old.0, old.1, new.0, new.1);
        [head.as_bytes(), hunk.text, b"\n"].concat()
    }

    /// The lines of one of its hunks, and where they stand after the change.
    pub(crate) fn lines(&self, place: usize) -> Lines<'_> {
        let hunk = &self.hunks[place];
        Lines {
            new: hunk.new,
            text: hunk.text,
        }
    }

    /// Whether it says that it leads to, or from, this path.
    pub(crate) fn is_about(&self, path: &[u8]) -> bool {
        let told = |line: &&[u8]| {
            let named = line
                .strip_prefix(b"+++ b/")
                .or(line.strip_prefix(b"--- a/"));
            let named = named.or(line.strip_prefix(b"rename to "));
            named.is_some_and(|named| named.strip_suffix(b"\t").unwrap_or(named) == path)
        };
        self.head.iter().any(told)
    }
}

/// Reads a patch. Lines are counted as the hunks say, so that no line of a file is taken for one of the patch.
pub(crate) fn sections(patch: &[u8]) -> Vec<Section<'_>> {
    let mut sections = Vec::<Section<'_>>::new();
    let mut rest = patch;
    while let Some((line, after)) = next_line(rest) {
        let at = rest;
        rest = after;
        if line.starts_with(b"diff --git ") {
            sections.push(Section {
                title: line,
                head: Vec::new(),
                hunks: Vec::new(),
            });
        } else if let Some(section) = sections.last_mut() {
            match read_hunk(line, after) {
                Some((hunk, after)) => {
                    section.hunks.push(hunk);
                    rest = after;
                }
                None => section.head.push(&at[..line.len()]),
            }
        }
    }
    sections
}

/// The first line without its end, and what comes after it.
fn next_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let end = text.iter().position(|byte| *byte == b'\n');
    let end = end.unwrap_or(text.len());
    Some((&text[..end], text.get(end + 1..).unwrap_or_default()))
}

fn read_hunk<'a>(line: &'a [u8], after: &'a [u8]) -> Option<(RawHunk<'a>, &'a [u8])> {
    let told = line.strip_prefix(b"@@ -")?;
    let end = told.windows(3).position(|three| three == b" @@")?;
    let ranges = std::str::from_utf8(&told[..end]).ok()?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| {
        let (start, lines) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, lines.parse().ok()?))
    };
    let (old, new): ((u32, u32), (u32, u32)) = (range(old)?, range(new)?);
    let heading = &told[end + 3..];
    let (mut left_old, mut left_new) = (old.1, new.1);
    let mut rest = after;
    while let Some((line, after)) = next_line(rest) {
        match line.first() {
            Some(b'+') if left_new > 0 => left_new -= 1,
            Some(b'-') if left_old > 0 => left_old -= 1,
            Some(b'\\') => {}
            Some(b' ') if left_old > 0 && left_new > 0 => {
                left_old -= 1;
                left_new -= 1;
            }
            _ => break,
        }
        rest = after;
    }
    let text = &after[..after.len() - rest.len()];
    let hunk = RawHunk {
        old,
        new,
        heading: heading.strip_prefix(b" ").unwrap_or(heading),
        text: text.strip_suffix(b"\n").unwrap_or(text),
    };
    Some((hunk, rest))
}

/// What there is to show of these parts of a patch, which are about one file.
pub(crate) fn content(sections: &[Section<'_>]) -> DiffContent {
    if sections.iter().any(Section::is_binary) {
        return DiffContent::Binary;
    }
    let raw = sections.iter().flat_map(|section| &section.hunks);
    let utf8 = raw
        .clone()
        .all(|hunk| std::str::from_utf8(hunk.text).is_ok());
    let encoding = match utf8 {
        true => TextEncoding::Utf8,
        false => TextEncoding::Latin1,
    };
    let mut left = MOST;
    let mut cut = false;
    let mut hunks = Vec::new();
    for hunk in raw {
        if hunk.text.len() > left {
            cut = true;
            if let Some(part) = hunk.up_to(left) {
                hunks.push(part.told(encoding));
            }
            break;
        }
        left -= hunk.text.len();
        hunks.push(hunk.told(encoding));
    }
    DiffContent::Text {
        hunks,
        encoding,
        cut,
    }
}

impl<'a> RawHunk<'a> {
    /// Its beginning, in so many bytes; none: not a line of it.
    fn up_to(&self, bytes: usize) -> Option<Self> {
        let end = self.text[..bytes].iter().rposition(|byte| *byte == b'\n')?;
        let text = &self.text[..end];
        let lines = |other: u8| {
            let lines = text.split(|byte| *byte == b'\n');
            let own = lines.filter(|line| !line.starts_with(&[other]) && !line.starts_with(b"\\"));
            u32::try_from(own.count()).unwrap_or(u32::MAX)
        };
        Some(Self {
            old: (self.old.0, lines(b'+')),
            new: (self.new.0, lines(b'-')),
            heading: self.heading,
            text,
        })
    }

    fn told(&self, encoding: TextEncoding) -> Hunk {
        Hunk {
            old_start: self.old.0,
            old_lines: self.old.1,
            new_start: self.new.0,
            new_lines: self.new.1,
            heading: text(self.heading, TextEncoding::Utf8),
            text: text(self.text, encoding),
        }
    }
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8], encoding: TextEncoding) -> String {
    match encoding {
        TextEncoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        TextEncoding::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A file of which every line is new, as a patch would tell it.
pub(crate) fn all_new(bytes: &[u8], lines: u32) -> DiffContent {
    let mut text = Vec::with_capacity(bytes.len() + lines as usize);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        text.push(b'+');
        text.extend_from_slice(line);
    }
    match text.last() {
        Some(b'\n') => drop(text.pop()),
        Some(_) => text.extend_from_slice(b"\n\\ No newline at end of file"),
        None => {}
    }
    let hunk = RawHunk {
        old: (0, 0),
        new: (1, lines),
        heading: &[],
        text: &text,
    };
    content(&[Section {
        title: &[],
        head: Vec::new(),
        hunks: Vec::from_iter((lines > 0).then_some(hunk)),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hunks of a patch, as their ranges and their lines.
    fn told(patch: &[u8]) -> String {
        let DiffContent::Text { hunks, .. } = content(&sections(patch)) else {
            return "no text".to_owned();
        };
        let told = hunks.iter().map(|hunk| {
            let (old, new) = (
                (hunk.old_start, hunk.old_lines),
                (hunk.new_start, hunk.new_lines),
            );
            format!("{old:?} {new:?} {:?} {:?}\n", hunk.heading, hunk.text)
        });
        told.collect()
    }

    #[test]
    fn a_line_that_looks_like_one_of_a_patch_is_a_line() {
        let patch = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,3 +1,2 @@ fn main\n x\n--- a/f\n-@@ -1 +1 @@\n+diff --git a/x b/x\n";
        assert_eq!(
            told(patch),
            "(1, 3) (1, 2) \"fn main\" \" x\\n--- a/f\\n-@@ -1 +1 @@\\n+diff --git a/x b/x\"\n"
        );
    }

    #[test]
    fn a_patch_that_ends_too_early_is_what_there_is_of_it() {
        let patch = b"diff --git a/f b/f\n@@ -1,9 +1,9 @@\n-x\n+";
        assert_eq!(told(patch), "(1, 9) (1, 9) \"\" \"-x\\n+\"\n");
        for end in 0..patch.len() {
            // No cut of it is a panic.
            told(&patch[..end]);
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_read_one_by_one() {
        let patch = b"diff --git a/f b/f\n@@ -1 +1 @@\n-caf\xe9\n+caf\xc3\xa9\n";
        assert_eq!(
            told(patch),
            "(1, 1) (1, 1) \"\" \"-caf\u{e9}\\n+caf\u{c3}\u{a9}\"\n"
        );
    }

    #[test]
    fn a_text_without_a_last_line_end_says_so() {
        let DiffContent::Text { hunks, .. } = all_new(b"a\nb", 2) else {
            panic!("it is text");
        };
        assert_eq!(hunks[0].text, "+a\n+b\n\\ No newline at end of file");
    }
}
