//! Values that are never shown: found in what a run says, and covered there.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

/// What stands for a value.
const COVER: &[u8] = "•••".as_bytes();
/// A shorter value is too likely to be a word of its own, like `true` or `false`, to be covered wherever it occurs.
const SHORTEST: usize = 6;

/// Values that no text of a run may show.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// None: there is nothing to cover.
    values: Option<AhoCorasick>,
    /// In their bytes, for texts that are still being written.
    plain: Vec<Vec<u8>>,
}

impl Secrets {
    /// Covers these values; those of fewer than six bytes are left out.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut plain: Vec<Vec<u8>> = values
            .into_iter()
            .map(String::into_bytes)
            .filter(|value| value.len() >= SHORTEST)
            .collect();
        plain.sort();
        plain.dedup();
        let values = (!plain.is_empty()).then(|| {
            AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .build(&plain)
                .expect("secrets are far smaller than what an automaton can hold")
        });
        Self { values, plain }
    }

    /// Covers every value in a text.
    pub fn cover(&self, text: String) -> String {
        let ranges = self.ranges(text.as_bytes());
        if ranges.is_empty() {
            return text;
        }
        let whole = 0..text.len();
        String::from_utf8(covered(text.as_bytes(), &whole, &ranges))
            .expect("a text that occurs in another begins and ends between two characters")
    }

    /// Covers the values in one piece of a longer text, as they would be in the whole of it: a value that
    /// lies across the ends of several pieces is covered in each, and what stands for it comes once.
    ///
    /// `around` is the piece with [`reach`](Self::reach) bytes before it and after it, as far as there are any.
    pub fn cover_piece(&self, around: &[u8], piece: Range<usize>) -> Vec<u8> {
        covered(around, &piece, &self.ranges(around))
    }

    /// How many bytes beyond a piece decide what is covered in it.
    pub fn reach(&self) -> usize {
        self.plain.iter().map(Vec::len).max().unwrap_or(1) - 1
    }

    /// How much of a text that still grows can be shown: what follows may be the beginning of a value.
    pub fn settled(&self, text: &[u8]) -> usize {
        (text.len().saturating_sub(self.reach())..text.len())
            .find(|&start| {
                self.plain.iter().any(|value| {
                    value.starts_with(&text[start..]) && value.len() > text.len() - start
                })
            })
            .unwrap_or(text.len())
    }

    /// Where values lie, in their order; those that overlap are one.
    fn ranges(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self
            .values
            .iter()
            .flat_map(|values| values.find_overlapping_iter(text))
            .map(|found| found.range())
            .collect();
        found.sort_by_key(|range| range.start);
        found.dedup_by(|next, before| {
            let overlaps = next.start < before.end;
            if overlaps {
                before.end = before.end.max(next.end);
            }
            overlaps
        });
        found
    }
}

/// The `piece` of a text with each of `ranges` covered; of a range that begins before the piece, nothing is left.
fn covered(text: &[u8], piece: &Range<usize>, ranges: &[Range<usize>]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(piece.len());
    let mut at = piece.start;
    for range in ranges {
        if range.end <= at || range.start >= piece.end {
            continue;
        }
        if range.start >= piece.start {
            shown.extend_from_slice(&text[at..range.start]);
            shown.extend_from_slice(COVER);
        }
        at = range.end.min(piece.end);
    }
    shown.extend_from_slice(&text[at..piece.end]);
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(["abcabc", "bcabcdé", "cdécdé", "short"].map(str::to_owned))
    }

    /// Covers a text piece by piece, cut at these places.
    fn in_pieces(text: &str, cuts: &[usize]) -> String {
        let secrets = secrets();
        let text = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        let mut shown = Vec::new();
        let mut from = 0;
        for to in cuts {
            let first = from - from.min(secrets.reach());
            let last = text.len().min(to + secrets.reach());
            shown.extend(secrets.cover_piece(&text[first..last], from - first..to - first));
            from = to;
        }
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn every_value_is_covered_also_where_values_overlap() {
        let cover = |text: &str| secrets().cover(text.to_owned());
        assert_eq!(cover("nothing"), "nothing");
        assert_eq!(cover("<abcabc>"), "<•••>");
        assert_eq!(cover("<abcabcdécdé>abcab"), "<•••>abcab");
        assert_eq!(cover("abcabcabcabc"), "•••");
        assert_eq!(cover("abcabc abcabc"), "••• •••");
    }

    #[test]
    fn a_value_of_a_few_letters_is_a_word_like_any_other() {
        let secrets = Secrets::new(["true".to_owned()]);
        assert_eq!(secrets.cover("is it true?".to_owned()), "is it true?");
        assert_eq!(secrets.cover_piece(b"is it true?", 6..11), b"true?");
    }

    #[test]
    fn what_may_become_a_value_is_not_shown_yet() {
        let shown = |text: &str| text[..secrets().settled(text.as_bytes())].to_owned();
        assert_eq!(shown("all of it"), "all of it");
        assert_eq!(shown("so far abcab"), "so far ");
        assert_eq!(shown("so far xbcab"), "so far x");
        assert_eq!(shown("complete abcabc."), "complete abcabc.");
    }

    proptest! {
        #[test]
        fn pieces_show_what_the_whole_would(
            text in "(abcabc|bcabcdé|cdé|a|b|c|x){0,30}",
            cuts in prop::collection::vec(any::<usize>(), 0..12),
        ) {
            prop_assert_eq!(in_pieces(&text, &cuts), secrets().cover(text.clone()));
        }
    }
}
