//! The styles of a block as bytes: its palette, then where which of them starts. Numbers are LEB128.

use super::Block;
use crate::styled::{Color, Style};

const INDEXED: u8 = 1;
const RGB: u8 = 2;

impl Block {
    /// The styles as bytes; nothing when all of the text is plain.
    pub(crate) fn packed_styles(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.run_starts.is_empty() {
            return out;
        }
        put(&mut out, self.palette.len() as u32);
        for style in &self.palette {
            put(&mut out, u32::from(style.flags));
            for color in [style.fg, style.bg, style.underline] {
                match color {
                    Color::Default => out.push(0),
                    Color::Indexed(index) => out.extend_from_slice(&[INDEXED, index]),
                    Color::Rgb(r, g, b) => out.extend_from_slice(&[RGB, r, g, b]),
                }
            }
        }
        let mut before = 0;
        for (start, style) in self.run_starts.iter().zip(&self.run_styles) {
            put(&mut out, start - before);
            put(&mut out, u32::from(*style));
            before = *start;
        }
        out
    }

    /// Takes over the styles that [`Block::packed_styles`] gave, as far as they are such bytes and fit the text.
    pub(crate) fn take_styles(&mut self, mut bytes: &[u8]) {
        if let Some(palette) = palette(&mut bytes) {
            self.palette = palette;
        }
        let mut at = 0_u32;
        while !bytes.is_empty()
            && let Some((gap, style)) = take(&mut bytes).zip(take(&mut bytes))
            && let Some(start) = at.checked_add(gap)
            && self.text.is_char_boundary(start as usize)
            && let Ok(style) = u16::try_from(style)
            && usize::from(style) < self.palette.len()
        {
            self.run_starts.push(start);
            self.run_styles.push(style);
            at = start;
        }
    }
}

fn palette(bytes: &mut &[u8]) -> Option<Vec<Style>> {
    let count = take(bytes)? as usize;
    // Each has four bytes at least: what says otherwise must not make room for it.
    let mut palette = Vec::with_capacity(count.min(bytes.len() / 4));
    for _ in 0..count {
        let flags = u16::try_from(take(bytes)?).ok()?;
        let (fg, bg, underline) = (color(bytes)?, color(bytes)?, color(bytes)?);
        palette.push(Style {
            fg,
            bg,
            underline,
            flags,
        });
    }
    Some(palette)
}

fn color(bytes: &mut &[u8]) -> Option<Color> {
    let (color, rest) = match *bytes {
        [0, rest @ ..] => (Color::Default, rest),
        [INDEXED, index, rest @ ..] => (Color::Indexed(*index), rest),
        [RGB, r, g, b, rest @ ..] => (Color::Rgb(*r, *g, *b), rest),
        _ => return None,
    };
    *bytes = rest;
    Some(color)
}

fn put(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::styled::{StyleRun, StyledLine};

    fn style() -> impl Strategy<Value = Style> {
        let color = || {
            prop_oneof![
                Just(Color::Default),
                any::<u8>().prop_map(Color::Indexed),
                any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
            ]
        };
        (color(), color(), color(), 0u16..0x800).prop_map(|(fg, bg, underline, flags)| Style {
            fg,
            bg,
            underline,
            flags,
        })
    }

    fn line() -> impl Strategy<Value = StyledLine> {
        let pieces = prop::collection::vec(("[a-z漢é ]{1,4}", style()), 0..6);
        pieces.prop_map(|pieces| {
            let mut line = StyledLine::default();
            for (text, style) in pieces {
                let start = line.text.len() as u32;
                line.runs.push(StyleRun { start, style });
                line.text.push_str(&text);
            }
            line
        })
    }

    proptest! {
        #[test]
        fn lines_look_as_before(lines in prop::collection::vec(line(), 0..20)) {
            let mut block = Block::new(3);
            for line in &lines {
                block.push_unlinked(line);
            }
            let mut read = Block::from_text(3, Cow::Borrowed(block.text()), &[]);
            read.take_styles(&block.packed_styles());
            for (index, line) in lines.iter().enumerate() {
                prop_assert_eq!(&read.styled(index), line);
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut block = Block::from_text(0, Cow::Borrowed("grün\nrot\n"), &[]);
            block.take_styles(&bytes);
            for index in 0..block.line_count() {
                let line = block.styled(index);
                prop_assert!(line.runs.iter().all(|run| line.text.is_char_boundary(run.start as usize)));
            }
        }
    }

    #[test]
    fn plain_text_has_no_styles() {
        let mut block = Block::new(0);
        block.push_text("plain", false);
        assert!(block.packed_styles().is_empty());
    }
}
