//! Values that are never shown: found in what a program or a run says, and covered there.
//!
//! [`Secrets`] covers them in a text that is there as a whole, or in a piece of one; [`CoveredStream`] in one that is
//! still being written, wherever it is cut. What must not be on disk is covered before it gets there.
//!
//! It promises that a value which was printed as it is does not get through, also with the line ends that a terminal
//! makes of it. It knows nothing of values in other clothes: in base64, or with colours between their letters.

use std::fmt;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use serde::{Deserialize, Serialize};

/// What stands for a value.
const COVER: &str = "•••";
/// The least length of a value that is covered. A shorter one is too likely to be a word of its own, like `true` or
/// `false`, to be covered wherever it occurs.
pub const SHORTEST: usize = 6;

/// Values that no text may show.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Secrets {
    /// None: there is nothing to cover.
    values: Option<AhoCorasick>,
    /// In their bytes, for texts that are still being written.
    plain: Vec<Vec<u8>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.plain.len())
    }
}

impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        self.plain == other.plain
    }
}

impl Eq for Secrets {}

impl From<Vec<String>> for Secrets {
    fn from(values: Vec<String>) -> Self {
        Self::new(values)
    }
}

impl From<Secrets> for Vec<String> {
    fn from(secrets: Secrets) -> Self {
        let values = secrets.plain.into_iter();
        values
            .filter_map(|value| String::from_utf8(value).ok())
            .collect()
    }
}

impl Secrets {
    /// Covers these values; those of fewer than six bytes are left out.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut plain: Vec<Vec<u8>> = values
            .into_iter()
            .filter(|value| value.len() >= SHORTEST)
            .flat_map(|value| {
                // As a terminal shows it: every line ends with a carriage return as well.
                let shown = value.replace("\r\n", "\n").replace('\n', "\r\n");
                [value, shown].map(String::into_bytes)
            })
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

    /// Whether there is nothing to cover.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Whether a value occurs in a text.
    #[must_use]
    pub fn occur_in(&self, text: &str) -> bool {
        self.values
            .as_ref()
            .is_some_and(|values| values.is_match(text))
    }

    /// Whether something seems to have been covered in a text.
    #[must_use]
    pub fn were_covered_in(&self, text: &str) -> bool {
        !self.is_empty() && text.contains(COVER)
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

/// Covers values in a text that comes in pieces, wherever the pieces are cut.
///
/// What may be the beginning of a value is held back until more comes: it is shown by [`CoveredStream::finish`] at the
/// latest.
#[derive(Debug)]
pub struct CoveredStream {
    secrets: Secrets,
    /// What was shown last, as it came: a value that is covered already may reach beyond it.
    shown: usize,
    /// That, and what is held back.
    text: Vec<u8>,
}

impl CoveredStream {
    /// Covers these values.
    #[must_use]
    pub fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            shown: 0,
            text: Vec::new(),
        }
    }

    /// Takes the next piece, and gives what can be shown by now.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.text.extend_from_slice(piece);
        let settled = self.secrets.settled(&self.text).max(self.shown);
        self.show(settled)
    }

    /// Gives what was held back: nothing more comes for now.
    pub fn finish(&mut self) -> Vec<u8> {
        self.show(self.text.len())
    }

    fn show(&mut self, to: usize) -> Vec<u8> {
        let shown = self.secrets.cover_piece(&self.text, self.shown..to);
        let kept = to - to.min(self.secrets.reach());
        self.text.drain(..kept);
        self.shown = to - kept;
        shown
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
            shown.extend_from_slice(COVER.as_bytes());
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

    #[test]
    fn a_value_of_several_lines_is_covered_as_a_terminal_shows_it() {
        let secrets = Secrets::new(["first line\nsecond".to_owned()]);
        let cover = |text: &str| secrets.cover(text.to_owned());
        assert_eq!(cover("<first line\nsecond>"), "<•••>");
        assert_eq!(cover("<first line\r\nsecond>"), "<•••>");
    }

    #[test]
    fn nothing_tells_a_value_by_printing_it() {
        assert_eq!(format!("{:?}", secrets()), "Secrets(3)");
    }

    /// Covers a text as a stream, cut at these places.
    fn streamed(text: &str, cuts: &[usize]) -> String {
        let mut stream = CoveredStream::new(secrets());
        let text = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        let mut shown = Vec::new();
        let mut from = 0;
        for to in cuts {
            shown.extend(stream.push(&text[from..to]));
            from = to;
        }
        shown.extend(stream.finish());
        String::from_utf8(shown).unwrap()
    }

    proptest! {
        #[test]
        fn a_stream_shows_what_the_whole_would(
            text in "(abcabc|bcabcdé|cdé|a|b|c|x){0,30}",
            cuts in prop::collection::vec(any::<usize>(), 0..12),
        ) {
            prop_assert_eq!(streamed(&text, &cuts), secrets().cover(text.clone()));
        }

        #[test]
        fn pieces_show_what_the_whole_would(
            text in "(abcabc|bcabcdé|cdé|a|b|c|x){0,30}",
            cuts in prop::collection::vec(any::<usize>(), 0..12),
        ) {
            prop_assert_eq!(in_pieces(&text, &cuts), secrets().cover(text.clone()));
        }
    }
}
