//! Images: what programs send to be drawn, read within bounds, and kept for the windows that draw it.
//!
//! Three ways to send one are known: sixels (DEC STD 070), the `File` string of iTerm2 (OSC 1337), and the graphics protocol of kitty (APC G). Whatever the
//! way, an image becomes a file of a kind that a window can show, and tiles: cells of the screen, which scroll, move and are erased as text is
//! (`screen/tiles.rs`). A window asks for the file when it sees the first tile of it.

mod inline;
mod kitty;
mod sixel;

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::types::CellSize;

pub(crate) use inline::{Inline, is_file};
pub(crate) use kitty::{Kitty, Place, Which, Wish};

/// No string that brings an image, or a part of one, is longer.
pub(crate) const MAX_STRING: usize = 16 * 1024 * 1024;
/// What the images of a pane take together, as files.
const MAX_KEPT: usize = 64 * 1024 * 1024;
/// So many images stand in cells at most: the older ones are forgotten.
const MAX_PLACED: usize = 1_024;
/// Pixels of an image: it takes four bytes for each where it is drawn.
const MAX_PIXELS: u64 = 32 * 1024 * 1024;
/// Pixels of an image that is made into a file here, while others wait for the pane: more than a screen of 4K has.
const MAX_MADE: u64 = 10 * 1024 * 1024;
/// Pixels of a side.
const MAX_SIDE: u32 = 16 * 1024;

/// Base64 as programs write it, with or without its end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A file that a window can show.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ImageFile {
    bytes: Vec<u8>,
    media_type: &'static str,
    /// In pixels.
    width: u32,
    height: u32,
}

impl ImageFile {
    /// Takes a file as a program sent it.
    ///
    /// # Errors
    ///
    /// Says what is wrong, in a word for the program: its kind is not known, or it is too large.
    fn sent(bytes: Vec<u8>) -> Result<Self, &'static str> {
        let media_type = match imagesize::image_type(&bytes) {
            Ok(imagesize::ImageType::Png) => "image/png",
            Ok(imagesize::ImageType::Jpeg) => "image/jpeg",
            Ok(imagesize::ImageType::Gif) => "image/gif",
            Ok(imagesize::ImageType::Webp) => "image/webp",
            _ => return Err("EBADPNG:not an image of a known kind"),
        };
        let size = imagesize::blob_size(&bytes).map_err(|_| "EBADPNG:its size can't be read")?;
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let (width, height) = (side(size.width), side(size.height));
        if !is_sound(width, height, MAX_PIXELS) {
            return Err("EFBIG:too many pixels, or none");
        }
        Ok(Self {
            bytes,
            media_type,
            width,
            height,
        })
    }

    /// Makes a file of pixels: `channels` bytes each, red, green, blue and, with four, how opaque.
    ///
    /// # Errors
    ///
    /// As for [`ImageFile::sent`], and when there are more or fewer bytes than pixels.
    fn of_pixels(
        width: u32,
        height: u32,
        channels: usize,
        pixels: &[u8],
    ) -> Result<Self, &'static str> {
        if !is_sound(width, height, MAX_MADE) {
            return Err("EFBIG:too many pixels, or none");
        }
        if pixels.len() != width as usize * height as usize * channels {
            return Err("ENODATA:not as many bytes as pixels");
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(match channels {
            3 => png::ColorType::Rgb,
            _ => png::ColorType::Rgba,
        });
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(pixels))
            .map_err(|_| "EINVAL:the pixels can't be written down")?;
        Ok(Self {
            bytes,
            media_type: "image/png",
            width,
            height,
        })
    }
}

/// Whether an image has sides, and no more than `most` pixels.
fn is_sound(width: u32, height: u32, most: u64) -> bool {
    (1..=MAX_SIDE).contains(&width)
        && (1..=MAX_SIDE).contains(&height)
        && u64::from(width) * u64::from(height) <= most
}

/// Reads base64, with whatever line ends are in it.
fn from_base64(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    let decoded = BASE64.decode(text).or_else(|_| {
        let text: Vec<u8> = text
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        BASE64.decode(text)
    });
    decoded.map_err(|_| "EINVAL:no base64")
}

/// A part of an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ImageArea {
    /// The first column.
    pub x: u32,
    /// The first row.
    pub y: u32,
    /// How many columns.
    pub width: u32,
    /// How many rows.
    pub height: u32,
}

/// An image that stands in cells, as a window needs it to draw them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PlacedImage {
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub media_type: String,
    /// The file, in base64.
    pub data: String,
    /// The part of it that is drawn.
    pub source: ImageArea,
    /// How many tiles make a row of it: tile `n` is in column `n % cols` and row `n / cols`.
    pub cols: u16,
    /// How wide it is drawn, in thousandths of a cell's width; the last tile of a row may be filled in part.
    pub width: u32,
    /// How high, likewise.
    pub height: u32,
}

/// An image as it is to be put into cells.
#[derive(Debug, Clone)]
pub(crate) struct Placing {
    pub(crate) file: Arc<ImageFile>,
    source: ImageArea,
    /// In cells.
    width: f32,
    height: f32,
    /// Where the cursor is left.
    pub(crate) cursor: CursorAfter,
}

/// Where an image leaves the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CursorAfter {
    /// Where it was.
    Stays,
    /// In the image's last row, in the column in which the image begins.
    Below,
    /// In the image's last row, behind it.
    Behind,
}

/// How large a program wants an image, in cells; none: as its pixels or the other side say.
#[derive(Debug, Clone, Copy, Default)]
struct Wanted {
    cols: Option<f32>,
    rows: Option<f32>,
    /// Both sides grow or shrink alike where both are wanted.
    keeps_shape: bool,
}

impl Placing {
    fn new(
        file: Arc<ImageFile>,
        source: Option<ImageArea>,
        wanted: Wanted,
        cell: CellSize,
        cursor: CursorAfter,
    ) -> Self {
        let whole = ImageArea {
            x: 0,
            y: 0,
            width: file.width,
            height: file.height,
        };
        let source = source.unwrap_or(whole);
        // Cells may not have been drawn anywhere yet.
        let cell = if cell.width == 0 || cell.height == 0 {
            CellSize::default()
        } else {
            cell
        };
        let natural = (
            source.width as f32 / f32::from(cell.width),
            source.height as f32 / f32::from(cell.height),
        );
        let (width, height) = match (wanted.cols, wanted.rows) {
            (None, None) => natural,
            (Some(cols), None) => (cols, natural.1 * cols / natural.0),
            (None, Some(rows)) => (natural.0 * rows / natural.1, rows),
            (Some(cols), Some(rows)) if wanted.keeps_shape => {
                let scale = (cols / natural.0).min(rows / natural.1);
                (natural.0 * scale, natural.1 * scale)
            }
            (Some(cols), Some(rows)) => (cols, rows),
        };
        Self {
            file,
            source,
            width: width.clamp(0.01, 1_000.0),
            height: height.clamp(0.01, 10_000.0),
            cursor,
        }
    }

    /// How many columns and rows of cells it touches.
    pub(crate) fn cells(&self) -> (u16, u16) {
        (self.width.ceil() as u16, self.height.ceil() as u16)
    }
}

/// The images of one pane.
#[derive(Debug, Default)]
pub(crate) struct Images {
    placed: VecDeque<(u32, Placing)>,
    last: u32,
    pub(crate) inline: Inline,
    pub(crate) kitty: Kitty,
}

impl Images {
    /// Reads sixels: what stands between `q` and the end of the string.
    pub(crate) fn sixels(data: &[u8], cell: CellSize) -> Option<Placing> {
        let file = Arc::new(sixel::read(data)?);
        let wanted = Wanted::default();
        Some(Placing::new(file, None, wanted, cell, CursorAfter::Below))
    }

    /// Keeps an image that is put into cells now, and gives it the number that its tiles have.
    pub(crate) fn place(&mut self, placing: Placing) -> u32 {
        // The number is a colour of the cells.
        self.last = self.last % 0xff_ffff + 1;
        self.placed.push_back((self.last, placing));
        while self.placed.len() > MAX_PLACED || self.kept() > MAX_KEPT {
            self.placed.pop_front();
        }
        self.last
    }

    /// Says whether there is any.
    pub(crate) fn any(&self) -> bool {
        !self.placed.is_empty()
    }

    fn kept(&self) -> usize {
        let mut files: Vec<_> = self
            .placed
            .iter()
            .map(|(_, placing)| &placing.file)
            .collect();
        files.sort_unstable_by_key(|file| Arc::as_ptr(file));
        files.dedup_by_key(|file| Arc::as_ptr(file));
        files.iter().map(|file| file.bytes.len()).sum()
    }

    /// The image with this number, unless it is forgotten.
    pub(crate) fn get(&self, number: u32) -> Option<PlacedImage> {
        let (_, placing) = self.placed.iter().find(|(id, _)| *id == number)?;
        Some(PlacedImage {
            media_type: placing.file.media_type.to_owned(),
            data: BASE64.encode(&placing.file.bytes),
            source: placing.source,
            cols: placing.cells().0,
            width: (placing.width * 1000.0) as u32,
            height: (placing.height * 1000.0) as u32,
        })
    }
}

#[cfg(test)]
mod tests;
