//! Where a pattern occurs in a text of several lines, and the lines as they are shown.

use memchr::{memchr, memchr_iter, memrchr};
use pattern::{Cache, Excerpt, Pattern};

use crate::contract::TranscriptRange;

/// So many occurrences in a line.
const MAX_RANGES: usize = 200;

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
        let excerpt = Excerpt::new(&text[start..end], &places);
        let ranges = excerpt.ranges.into_iter();
        found.push(Found {
            line: line as u32,
            content: excerpt.content,
            ranges: ranges
                .map(|(start, end)| TranscriptRange { start, end })
                .collect(),
        });
        at = end + 1;
    }
    found
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
}
