//! What a block of text could hold, in a few kilobytes: kept beside each compressed block, it tells a search which
//! blocks need not be unpacked at all.
//!
//! An imprint has a bit for every three bytes that follow one another in a line (upper and lower case are one). A
//! pattern [`Needs`] certain threes wherever it matches; a block whose imprint lacks one of them holds no match. The
//! other way round nothing is promised: several threes share a bit.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A block has one byte of imprint for so many bytes of text.
const SHARE: usize = 32;
/// The smallest and the largest imprint, in bytes; between them are the powers of two.
const SMALLEST: usize = 64;
const LARGEST: usize = 128 * 1024;
/// Text shorter than this is read as fast as its imprint would be.
const SHORT: usize = 2 * 1024;

/// The two characters outside of ASCII whose lower case, or upper case, is an ASCII letter: `ſ` and the Kelvin sign.
const STRANGERS: [&[u8]; 2] = ["\u{17f}".as_bytes(), "\u{212a}".as_bytes()];

/// Makes the imprint of a text; nothing when it would say too little to be worth its place.
pub(crate) fn imprint(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() < SHORT {
        return None;
    }
    let strange = STRANGERS
        .iter()
        .any(|stranger| memchr::memmem::find(text, stranger).is_some());
    if strange {
        return None;
    }
    // Rounded down: a full block has a little more text than it is cut at.
    let size = (1 << (text.len() / SHARE).ilog2()).clamp(SMALLEST, LARGEST);
    let mut bits = vec![0; size];
    for line in text.split(|byte| *byte == b'\n') {
        each_three(line, |three| {
            let (byte, bit) = place(three, size);
            bits[byte] |= bit;
        });
    }
    let set: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
    (set as usize * 4 < size * 8 * 3).then_some(bits)
}

/// Whether a length can be an imprint's.
pub(crate) fn is_length(length: usize) -> bool {
    length.is_power_of_two() && (SMALLEST..=LARGEST).contains(&length)
}

fn each_three(text: &[u8], mut see: impl FnMut(u32)) {
    let mut three = 0;
    for (at, byte) in text.iter().enumerate() {
        three = (three << 8 | u32::from(byte.to_ascii_lowercase())) & 0xff_ffff;
        if at >= 2 {
            see(three);
        }
    }
}

/// Where the bit of three bytes is in an imprint of `size` bytes.
fn place(three: u32, size: usize) -> (usize, u8) {
    // Fibonacci hashing: the upper bits are the mixed ones.
    let hash = (three.wrapping_mul(0x9E37_79B1) >> 12) as usize & (size * 8 - 1);
    (hash / 8, 1 << (hash % 8))
}

/// What a text must hold for a pattern to match in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// All of these threes.
    all: Vec<u32>,
    /// And of each of these, all threes of one at least.
    any: Vec<Vec<Vec<u32>>>,
}

impl Needs {
    /// What the matches of a pattern have in common.
    pub(crate) fn of(hir: &Hir) -> Self {
        let mut needs = Self::default();
        let mut run = Vec::new();
        needs.take(hir, &mut run);
        needs.end(&mut run);
        needs.all.sort_unstable();
        needs.all.dedup();
        needs
    }

    /// Whether the text with this imprint may hold a match.
    pub(crate) fn met_by(&self, imprint: &[u8]) -> bool {
        let has = |three: &u32| {
            let (byte, bit) = place(*three, imprint.len());
            imprint[byte] & bit != 0
        };
        self.all.iter().all(has)
            && self
                .any
                .iter()
                .all(|arms| arms.iter().any(|arm| arm.iter().all(has)))
    }

    /// Whether every text may hold a match.
    pub(crate) fn none(&self) -> bool {
        self.all.is_empty() && self.any.is_empty()
    }

    /// Takes in what follows `run`, the bytes that are certain to come right before it.
    fn take(&mut self, hir: &Hir, run: &mut Vec<u8>) {
        match hir.kind() {
            // They take no place.
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => run.extend_from_slice(&literal.0),
            HirKind::Class(class) => match one_letter(class) {
                Some(byte) => run.push(byte),
                None => self.end(run),
            },
            HirKind::Capture(capture) => self.take(&capture.sub, run),
            HirKind::Concat(parts) => {
                for part in parts {
                    self.take(part, run);
                }
            }
            HirKind::Repetition(repetition) => {
                self.end(run);
                if repetition.min > 0 {
                    self.take(&repetition.sub, run);
                    self.end(run);
                }
            }
            HirKind::Alternation(arms) => {
                self.end(run);
                let mut needs: Vec<Vec<u32>> = Vec::new();
                for arm in arms {
                    // What an arm's own arms need is not kept: that would have no end.
                    let all = Self::of(arm).all;
                    if all.is_empty() {
                        return;
                    }
                    needs.push(all);
                }
                self.any.push(needs);
            }
        }
    }

    fn end(&mut self, run: &mut Vec<u8>) {
        each_three(run, |three| self.all.push(three));
        run.clear();
    }
}

/// The ASCII letter that a class stands for in either case; nothing when it stands for more.
fn one_letter(class: &Class) -> Option<u8> {
    let mut letter = None;
    let mut see = |c: char| {
        let folded = match c {
            '\u{17f}' => b's',
            '\u{212a}' => b'k',
            c if c.is_ascii() => (c as u8).to_ascii_lowercase(),
            _ => return false,
        };
        *letter.get_or_insert(folded) == folded
    };
    let one = match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .take(5)
            .all(&mut see),
        Class::Bytes(class) => class
            .ranges()
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .take(5)
            .all(|byte| byte.is_ascii() && see(char::from(byte))),
    };
    letter.filter(|_| one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needs(pattern: &str) -> Needs {
        Needs::of(&regex_syntax::parse(pattern).unwrap())
    }

    /// A text that is long enough to have an imprint, with `line` somewhere in it.
    fn imprint_with(line: &str) -> Vec<u8> {
        let mut text = "nothing of note here, 0123456789\n".repeat(100);
        text.push_str(line);
        text.push('\n');
        imprint(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_text_without_what_a_pattern_needs_is_known_by_its_imprint() {
        for (pattern, line, other) in [
            ("timeout after", "a timeout after 3 ms", "a timer"),
            ("(?i)Timeout", "TIMEOUT", "time out"),
            (
                r"error: \d+ of \w+ failed",
                "error: 7 of them failed",
                "error: all passed",
            ),
            (r"(GET|PUT) /x", "PUT /x", "POST /y"),
            (r"\bwhole\b", "the whole of it", "while"),
            ("(?:abc)+", "abc", "ab"),
            ("größe", "die größe", "die gross"),
        ] {
            assert!(needs(pattern).met_by(&imprint_with(line)), "{pattern}");
            assert!(!needs(pattern).met_by(&imprint_with(other)), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_may_match_anything_needs_nothing() {
        for pattern in [
            "ab",
            "a.b.c",
            "x*",
            "(?:abc)?",
            "(?:abc|d)",
            "[a-z]+",
            "(?i)é",
        ] {
            assert!(needs(pattern).none(), "{pattern}");
        }
    }

    #[test]
    fn a_text_that_an_imprint_would_mislead_about_has_none() {
        assert_eq!(imprint(b"short"), None);
        assert_eq!(
            imprint("a line with a \u{212a}\n".repeat(200).as_bytes()),
            None
        );
        // Everything is in it.
        let noise: Vec<u8> = (0..40_000_u32)
            .flat_map(|n| n.wrapping_mul(0x9E37_79B1).to_be_bytes())
            .collect();
        assert_eq!(imprint(&noise), None);
    }

    proptest! {
        #[test]
        fn no_text_that_holds_a_match_is_passed_over(
            words in prop::collection::vec("[a-cA-CsSkK\u{17f}\u{212a} ]{1,6}", 400..600),
            pattern in prop::sample::select(vec![
                "abc", "(?i)abc", "(?i)ask", "(?i)[ab]ss", "a(?:bc|ca)b", "(?i)a(?:bc|ca)+", "(?i)kab?c", "^cab", "ca$",
                "(?i)\\bsack?", "(?:a|bb|ccc)a{2}", "[^a]bca",
            ]),
        ) {
            let text = words.join("\n");
            if let Some(imprint) = imprint(text.as_bytes())
                && regex::Regex::new(pattern).unwrap().is_match(&text)
            {
                prop_assert!(needs(pattern).met_by(&imprint));
            }
        }
    }
}
