//! Where a pattern occurs in a text of several lines, and the lines as they are shown.

use memchr::{memchr, memchr_iter, memrchr};
use pattern::{Cache, Pattern};

use crate::contract::TranscriptRange;

/// So many bytes of a line are returned at most.
const MAX_CONTENT: usize = 4096;
/// So many occurrences in a line.
const MAX_RANGES: usize = 200;
/// What is returned of a long line begins so many bytes before the first occurrence.
const LEAD: usize = 256;

/// A line in which the pattern occurs.
pub(crate) struct Found {
    pub(crate) line: u32,
    pub(crate) content: String,
    pub(crate) ranges: Vec<TranscriptRange>,
}

/// The lines of `text` in which the pattern occurs.
pub(crate) fn find(pattern: &Pattern, cache: &mut Cache, text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut counted, mut line) = (0, 0, 0);
    while at < bytes.len()
        && let Some(first) = pattern.find(cache, bytes, at, bytes.len())
    {
        let start = memrchr(b'\n', &bytes[..first.start()]).map_or(0, |newline| newline + 1);
        let end =
            memchr(b'\n', &bytes[first.start()..]).map_or(bytes.len(), |next| first.start() + next);
        let mut places = vec![(first.start() - start, first.end().min(end) - start)];
        let mut next = first.end();
        while next < end
            && places.len() < MAX_RANGES
            && let Some(more) = pattern.find(cache, bytes, next, bytes.len())
            && more.start() < end
        {
            places.push((more.start() - start, more.end().min(end) - start));
            next = more.end();
        }
        line += memchr_iter(b'\n', &bytes[counted..start]).count();
        counted = start;
        let (content, ranges) = measured(&text[start..end], &places);
        found.push(Found {
            line: line as u32,
            content,
            ranges,
        });
        at = end + 1;
    }
    found
}

/// A line as it is returned, and the places in it, counted as the page counts.
fn measured(line: &str, places: &[(usize, usize)]) -> (String, Vec<TranscriptRange>) {
    let (from, to) = if line.len() <= MAX_CONTENT {
        (0, line.len())
    } else {
        let first = places.first().map_or(0, |place| place.0);
        let from = line.floor_char_boundary(first.saturating_sub(LEAD));
        (from, line.floor_char_boundary(from + MAX_CONTENT))
    };
    let mut content = String::with_capacity(to - from + 6);
    if from > 0 {
        content.push('…');
    }
    let lead = content.encode_utf16().count() as u32;
    content.push_str(&line[from..to]);
    if to < line.len() {
        content.push('…');
    }
    let mut ranges = Vec::with_capacity(places.len());
    let (mut at, mut units) = (from, lead);
    let mut place = |byte: usize| {
        units += line[at..byte].encode_utf16().count() as u32;
        at = byte;
        units
    };
    for &(start, end) in places {
        if start >= to {
            break;
        }
        let start = place(start);
        let end = place(end.min(to));
        ranges.push(TranscriptRange { start, end });
    }
    (content, ranges)
}

#[cfg(test)]
mod tests {
    use pattern::{Case, Sought};

    use super::*;

    /// The line's number, its text, and from where to where.
    type Line = (u32, String, Vec<(u32, u32)>);

    fn found(typed: &str, text: &str) -> Vec<Line> {
        let pattern = Pattern::new(&Sought {
            text: typed,
            regex: true,
            case: Case::Smart,
            whole_word: false,
        })
        .unwrap();
        find(&pattern, &mut pattern.cache(), text)
            .into_iter()
            .map(|found| {
                let ranges = found.ranges.iter().map(|range| (range.start, range.end));
                (found.line, found.content, ranges.collect())
            })
            .collect()
    }

    #[test]
    fn each_line_is_found_once_with_all_places_in_it() {
        assert_eq!(
            found("a+", "x aa😀a\nnone?\nbanana"),
            [
                (0, "x aa😀a".to_owned(), vec![(2, 4), (6, 7)]),
                (2, "banana".to_owned(), vec![(1, 2), (3, 4), (5, 6)])
            ]
        );
        assert_eq!(found("^b$", "a\nb\n"), [(1, "b".to_owned(), vec![(0, 1)])]);
    }

    #[test]
    fn a_long_line_is_cut_around_what_was_found() {
        let text = format!("{}needle{}", "é".repeat(5000), "x".repeat(9000));
        let (_, content, ranges) = found("needle", &text).remove(0);
        assert!(content.starts_with("…é") && content.ends_with("x…"));
        let units: Vec<u16> = content.encode_utf16().collect();
        let (start, end) = (ranges[0].0 as usize, ranges[0].1 as usize);
        assert_eq!(String::from_utf16_lossy(&units[start..end]), "needle");
        assert!(content.len() < MAX_CONTENT + 10);
    }
}
