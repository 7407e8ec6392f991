//! A line as it is returned: whole, or cut around what was found in it.

/// So many bytes of a line are returned at most, beside the `…` for what is left out.
pub const MAX_LINE: usize = 4096;
/// What is returned of a long line begins so many bytes before the first occurrence.
const LEAD: usize = 256;

/// A line, or the part of a very long one that begins a little before what was found first.
#[derive(Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The text; `…` stands for what is left out.
    pub content: String,
    /// Where what was found begins and ends in it, in UTF-16 code units, as a page counts; what was found only in what is left out
    /// is not among them, and what goes on there ends with the text.
    pub ranges: Vec<(u32, u32)>,
}

impl Excerpt {
    /// Of a line in which something was found at `places`: bytes from and to, in their order.
    ///
    /// # Panics
    ///
    /// When a place is none of the line's.
    #[must_use]
    pub fn new(line: &str, places: &[(usize, usize)]) -> Self {
        let (from, to) = if line.len() <= MAX_LINE {
            (0, line.len())
        } else {
            let first = places.first().map_or(0, |place| place.0);
            let from = line.floor_char_boundary(first.saturating_sub(LEAD));
            (from, line.floor_char_boundary(from + MAX_LINE))
        };
        let mut content = String::with_capacity(to - from + 2 * '…'.len_utf8());
        if from > 0 {
            content.push('…');
        }
        let (mut at, mut units) = (from, content.encode_utf16().count() as u32);
        content.push_str(&line[from..to]);
        if to < line.len() {
            content.push('…');
        }
        let mut advance = |byte: usize| {
            units += line[at..byte].encode_utf16().count() as u32;
            at = byte;
            units
        };
        let shown = places.iter().take_while(|place| place.0 < to);
        let ranges = shown
            .map(|&(start, end)| (advance(start), advance(end.min(to))))
            .collect();
        Self { content, ranges }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_returned_whole_and_places_are_counted_as_a_page_counts() {
        let excerpt = Excerpt::new("x aa😀a", &[(2, 4), (8, 9)]);
        assert_eq!(excerpt.content, "x aa😀a");
        assert_eq!(excerpt.ranges, [(2, 4), (6, 7)]);
    }

    #[test]
    fn a_long_line_is_cut_around_what_was_found_first() {
        let line = format!("{}needle{}needle", "é".repeat(5000), "x".repeat(9000));
        let last = line.len() - 6;
        let excerpt = Excerpt::new(&line, &[(10_000, 10_006), (last, line.len())]);
        assert!(excerpt.content.starts_with("…é") && excerpt.content.ends_with("x…"));
        assert!(excerpt.content.len() <= MAX_LINE + 2 * '…'.len_utf8());
        let units: Vec<u16> = excerpt.content.encode_utf16().collect();
        let [(start, end)] = excerpt.ranges[..] else {
            panic!("what is left out has no range: {:?}", excerpt.ranges);
        };
        let found = String::from_utf16_lossy(&units[start as usize..end as usize]);
        assert_eq!(found, "needle");
    }
}
