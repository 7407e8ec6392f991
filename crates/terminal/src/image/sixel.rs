//! Sixels: six pixels one below the other in each character (DEC STD 070, chapter 9; the VT330/VT340 programmer reference).
//!
//! Read here and not by a library, because what a program sends is hostile: a few bytes may paint one row again and again, or claim
//! any size, so that pixels, and the painting of them, are counted while they are read.

use super::{ImageFile, MAX_MADE, MAX_SIDE, is_sound};

/// What is painted at most, over itself too: an image of the largest size in few colours.
const MAX_PAINTED: u64 = 2 * MAX_MADE;
/// The colours that a terminal has before any is set (VT340), in percent.
const USUAL: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (20, 20, 80),
    (80, 13, 13),
    (20, 80, 20),
    (80, 20, 80),
    (20, 80, 80),
    (80, 80, 20),
    (53, 53, 53),
    (26, 26, 26),
    (33, 33, 60),
    (60, 26, 26),
    (33, 60, 33),
    (60, 33, 60),
    (33, 60, 60),
    (60, 60, 33),
    (80, 80, 80),
];
const COLOURS: usize = 1024;

/// A pixel: red, green, blue, and how opaque.
type Pixel = [u8; 4];

struct Canvas {
    /// Each as long as it was painted.
    rows: Vec<Vec<Pixel>>,
    painted: u64,
    width: usize,
}

impl Canvas {
    /// Paints `count` times the six pixels that `bits` says, from there on. Says whether there is room.
    fn paint(&mut self, (x, y): (usize, usize), bits: u8, count: usize, colour: Pixel) -> bool {
        let end = x + count;
        if end > MAX_SIDE as usize {
            return false;
        }
        // What is left free takes room as well.
        self.width = self.width.max(end);
        for bit in (0..6).filter(|bit| bits & 1 << bit != 0) {
            let row = y + bit;
            self.painted += count as u64;
            if self.rows.len() <= row {
                self.rows.resize_with(row + 1, Vec::new);
            }
            let taken = self.width as u64 * self.rows.len() as u64;
            if taken > MAX_MADE || self.painted > MAX_PAINTED {
                return false;
            }
            let row = &mut self.rows[row];
            if row.len() < end {
                row.resize(end, [0; 4]);
            }
            row[x..end].fill(colour);
        }
        true
    }
}

/// Reads what stands between the `q` and the end of the string; none: it paints nothing. Of one that is too large, what there is room for.
pub(super) fn read(data: &[u8]) -> Option<ImageFile> {
    let mut canvas = Canvas {
        rows: Vec::new(),
        painted: 0,
        width: 0,
    };
    let mut palette = vec![[0, 0, 0, 255]; COLOURS];
    for (colour, percent) in palette.iter_mut().zip(USUAL) {
        *colour = of_percent(percent.0.into(), percent.1.into(), percent.2.into());
    }
    let mut colour = palette[0];
    let (mut x, mut y) = (0, 0);
    let mut declared = (0, 0);
    let mut rest = data;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'?'..=b'~' => {
                if !canvas.paint((x, y), byte - b'?', 1, colour) {
                    break;
                }
                x += 1;
            }
            b'!' => {
                let [count, ..] = numbers(&mut rest);
                let count = count.max(1) as usize;
                let Some((&byte @ b'?'..=b'~', tail)) = rest.split_first() else {
                    continue;
                };
                rest = tail;
                if !canvas.paint((x, y), byte - b'?', count, colour) {
                    break;
                }
                x += count;
            }
            b'$' => x = 0,
            b'-' => {
                x = 0;
                y += 6;
                if y >= MAX_SIDE as usize {
                    break;
                }
            }
            b'#' => {
                let [index, space, a, b, c] = numbers(&mut rest);
                let index = index as usize % COLOURS;
                match space {
                    1 => palette[index] = of_hls(a, b, c),
                    2 => palette[index] = of_percent(a, b, c),
                    _ => {}
                }
                colour = palette[index];
            }
            // How large a pixel is, which is as large as the others; and how large the image is.
            b'"' => {
                let [_, _, width, height, _] = numbers(&mut rest);
                if is_sound(width, height, MAX_MADE) {
                    declared = (width as usize, height as usize);
                }
            }
            _ => {}
        }
    }
    let painted = (canvas.width, canvas.rows.len());
    let mut size = (painted.0.max(declared.0), painted.1.max(declared.1));
    if (size.0 * size.1) as u64 > MAX_MADE {
        size = painted;
    }
    let (width, height) = size;
    let mut pixels = Vec::with_capacity(width * height * 4);
    for row in 0..height {
        let row = canvas.rows.get(row).map_or(&[][..], Vec::as_slice);
        pixels.extend_from_slice(row.as_flattened());
        pixels.resize(pixels.len() + (width - row.len()) * 4, 0);
    }
    ImageFile::of_pixels(width as u32, height as u32, 4, &pixels).ok()
}

/// Takes the numbers off that stand next, between semicolons; 0 for what is not said.
fn numbers(rest: &mut &[u8]) -> [u32; 5] {
    let mut numbers = [0_u32; 5];
    let mut at = 0;
    while let Some((&byte, tail)) = rest.split_first() {
        match byte {
            b'0'..=b'9' => {
                if let Some(number) = numbers.get_mut(at) {
                    *number = number
                        .saturating_mul(10)
                        .saturating_add(u32::from(byte - b'0'))
                        .min(1_000_000);
                }
            }
            b';' => at += 1,
            _ => break,
        }
        *rest = tail;
    }
    numbers
}

fn of_percent(red: u32, green: u32, blue: u32) -> Pixel {
    let byte = |percent: u32| ((percent.min(100) * 255 + 50) / 100) as u8;
    [byte(red), byte(green), byte(blue), 255]
}

/// A colour by its hue in degrees, which begins at blue, its lightness and its saturation in percent.
fn of_hls(hue: u32, lightness: u32, saturation: u32) -> Pixel {
    let hue = ((hue % 360 + 240) % 360) as f32 / 60.0;
    let lightness = lightness.min(100) as f32 / 100.0;
    let saturation = saturation.min(100) as f32 / 100.0;
    let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
    let second = chroma * (1.0 - (hue % 2.0 - 1.0).abs());
    let (red, green, blue) = match hue as u32 {
        0 => (chroma, second, 0.0),
        1 => (second, chroma, 0.0),
        2 => (0.0, chroma, second),
        3 => (0.0, second, chroma),
        4 => (second, 0.0, chroma),
        _ => (chroma, 0.0, second),
    };
    let base = lightness - chroma / 2.0;
    let byte = |part: f32| ((part + base) * 255.0).round() as u8;
    [byte(red), byte(green), byte(blue), 255]
}
