//! Images as kitty takes them: APC G, with what is to be done as keys and values, then base64 (the terminal graphics protocol).
//!
//! An image is sent (whole, or in parts), shown as often as is wanted, and deleted. What a file on this machine, or memory that is shared, would
//! bring is refused: who prints may be at the other end of a connection. Animations, and placing by characters, are not there.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::Arc;

use super::{
    CursorAfter, ImageArea, ImageFile, MAX_KEPT, MAX_MADE, MAX_STRING, Placing, Wanted,
    from_base64, is_sound,
};
use crate::types::CellSize;

/// Images that were sent and may be shown again: so many at most.
const MAX_KNOWN: usize = 256;
/// Places that are remembered, in order to be deleted.
const MAX_SHOWN: usize = 1_024;

/// What is to be done with the screen.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Put it into cells, and say to [`Kitty::shown`] by which number.
    Place(Placing, Name),
    /// Take these out of the cells.
    Erase(Which),
}

/// By which names a program calls an image that it shows: the image's, and that of the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    image: u32,
    place: u32,
}

/// Which images are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those on screen.
    OnScreen,
    /// Those with these numbers.
    Numbered(Vec<u32>),
    /// Those that have a tile in such a place: the cursor's column, row, or both, or these ones, from 0.
    At {
        column: Option<Place>,
        row: Option<Place>,
    },
}

/// A column, or a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The cursor's.
    Cursor,
    /// This one.
    Number(usize),
}

/// The images that a program has sent.
#[derive(Debug, Default)]
pub(crate) struct Kitty {
    known: VecDeque<Known>,
    shown: VecDeque<(Name, u32)>,
    coming: Option<Coming>,
    last: u32,
}

#[derive(Debug)]
struct Known {
    id: u32,
    /// What the program called it, when it left it to us how it is called.
    number: u32,
    file: Arc<ImageFile>,
}

/// One that comes in parts.
#[derive(Debug)]
struct Coming {
    about: About,
    bytes: Vec<u8>,
}

/// What stands before the semicolon.
#[derive(Debug, Clone, Copy, Default)]
struct About {
    action: u8,
    quiet: u8,
    format: u32,
    medium: u8,
    compressed: bool,
    more: bool,
    width: u32,
    height: u32,
    id: u32,
    number: u32,
    place: u32,
    source: (u32, u32, u32, u32),
    cols: u32,
    rows: u32,
    stays: bool,
    by_characters: bool,
    delete: u8,
}

impl About {
    fn read(text: &[u8]) -> Self {
        let mut about = Self {
            action: b't',
            format: 32,
            medium: b'd',
            delete: b'a',
            ..Self::default()
        };
        for pair in text.split(|byte| *byte == b',') {
            let [key, b'=', value @ ..] = pair else {
                continue;
            };
            let letter = value.first().copied().unwrap_or_default();
            let number = std::str::from_utf8(value)
                .ok()
                .and_then(|value| value.parse().ok())
                .unwrap_or(0);
            match key {
                b'a' => about.action = letter,
                b'q' => about.quiet = number.min(2) as u8,
                b'f' => about.format = number,
                b't' => about.medium = letter,
                b'o' => about.compressed = letter == b'z',
                b'm' => about.more = number == 1,
                b's' => about.width = number,
                b'v' => about.height = number,
                b'i' => about.id = number,
                b'I' => about.number = number,
                b'p' => about.place = number,
                b'x' => about.source.0 = number,
                b'y' => about.source.1 = number,
                b'w' => about.source.2 = number,
                b'h' => about.source.3 = number,
                b'c' => about.cols = number,
                b'r' => about.rows = number,
                b'C' => about.stays = number == 1,
                b'U' => about.by_characters = number == 1,
                b'd' => about.delete = letter,
                _ => {}
            }
        }
        about
    }

    /// Whether this image is the one that is called so.
    fn means(&self, known: &Known) -> bool {
        if self.id != 0 {
            known.id == self.id
        } else {
            self.number != 0 && known.number == self.number
        }
    }

    /// What the program is told, if it wants to know.
    fn answer(&self, id: u32, outcome: Result<(), &str>) -> Option<String> {
        let silent = match outcome {
            Ok(()) => self.quiet > 0,
            Err(_) => self.quiet > 1,
        };
        if silent || (self.id == 0 && self.number == 0) {
            return None;
        }
        let mut about = format!("i={id}");
        if self.number != 0 {
            about.push_str(&format!(",I={}", self.number));
        }
        if self.place != 0 {
            about.push_str(&format!(",p={}", self.place));
        }
        let said = match outcome {
            Ok(()) => "OK",
            Err(why) => why,
        };
        Some(format!("\x1b_G{about};{said}\x1b\\"))
    }

    /// The file that these bytes are, or are the pixels of.
    fn file(&self, mut bytes: Vec<u8>) -> Result<ImageFile, &'static str> {
        if self.medium != b'd' {
            return Err("EINVAL:only what is sent in the string itself is read");
        }
        let channels = match self.format {
            24 => 3,
            32 => 4,
            100 => 0,
            _ => return Err("EINVAL:f is 24, 32 or 100"),
        };
        if self.compressed {
            let most = match channels {
                0 => MAX_STRING as u64,
                _ if !is_sound(self.width, self.height, MAX_MADE) => {
                    return Err("EFBIG:too many pixels, or none");
                }
                // One more, by which it is seen that there are too many.
                channels => u64::from(self.width) * u64::from(self.height) * channels as u64 + 1,
            };
            let mut plain = Vec::new();
            flate2::read::ZlibDecoder::new(&bytes[..])
                .take(most)
                .read_to_end(&mut plain)
                .map_err(|_| "EINVAL:not compressed as it says")?;
            bytes = plain;
        }
        match channels {
            0 => ImageFile::sent(bytes),
            channels => ImageFile::of_pixels(self.width, self.height, channels, &bytes),
        }
    }

    fn placing(&self, file: Arc<ImageFile>, cell: CellSize) -> Result<Placing, &'static str> {
        if self.by_characters {
            return Err("EINVAL:an image is not placed by characters");
        }
        let (x, y, width, height) = self.source;
        let left = (file.width.saturating_sub(x), file.height.saturating_sub(y));
        if left.0 == 0 || left.1 == 0 {
            return Err("EINVAL:nothing of the image is there");
        }
        let some = |wanted: u32, left: u32| if wanted == 0 { left } else { wanted.min(left) };
        let source = ImageArea {
            x,
            y,
            width: some(width, left.0),
            height: some(height, left.1),
        };
        let side = |cells: u32| (cells > 0).then_some(cells.min(1_000) as f32);
        let wanted = Wanted {
            cols: side(self.cols),
            rows: side(self.rows),
            keeps_shape: false,
        };
        let cursor = if self.stays {
            CursorAfter::Stays
        } else {
            CursorAfter::Behind
        };
        Ok(Placing::new(file, Some(source), wanted, cell, cursor))
    }
}

impl Kitty {
    /// Takes the string in, without its `G`: what is to be done, and what the program is told.
    pub(crate) fn take(
        &mut self,
        payload: &[u8],
        cell: CellSize,
    ) -> (Option<Wish>, Option<String>) {
        let end = memchr::memchr(b';', payload).unwrap_or(payload.len());
        let text = payload.get(end + 1..).unwrap_or_default();
        let said = About::read(&payload[..end]);
        // Each part is base64 of its own.
        let bytes = from_base64(text);
        let (about, bytes) = match self.coming.take() {
            // Behind the first part only `m` and `q` are said.
            Some(mut coming) => {
                let about = coming.about;
                let bytes = match bytes {
                    Ok(bytes) if coming.bytes.len() + bytes.len() <= MAX_STRING => bytes,
                    Ok(_) => return told(&about, about.id, Err("EFBIG:too many bytes")),
                    Err(why) => return told(&about, about.id, Err(why)),
                };
                coming.bytes.extend(bytes);
                if said.more {
                    self.coming = Some(coming);
                    return (None, None);
                }
                let quiet = about.quiet.max(said.quiet);
                (About { quiet, ..about }, Ok(coming.bytes))
            }
            None if said.more && matches!(said.action, b't' | b'T' | b'q') => {
                match bytes {
                    Ok(bytes) => self.coming = Some(Coming { about: said, bytes }),
                    Err(why) => return told(&said, said.id, Err(why)),
                }
                return (None, None);
            }
            None => (said, bytes),
        };
        match about.action {
            b'q' => {
                let read = bytes.and_then(|bytes| about.file(bytes));
                told(&about, about.id, read.map(|_| None))
            }
            b't' | b'T' => {
                let read = bytes.and_then(|bytes| about.file(bytes));
                let file = read.map(Arc::new);
                let id = match &file {
                    Ok(file) => self.keep(&about, Arc::clone(file)),
                    Err(_) => about.id,
                };
                let wish = match file {
                    Ok(file) if about.action == b'T' => self.place(&about, id, file, cell),
                    Ok(_) => Ok(None),
                    Err(why) => Err(why),
                };
                told(&about, id, wish)
            }
            b'p' => {
                let found = self.known.iter().rev().find(|known| about.means(known));
                let wish = match found.map(|known| (known.id, Arc::clone(&known.file))) {
                    Some((id, file)) => {
                        return told(&about, id, self.place(&about, id, file, cell));
                    }
                    None => Err("ENOENT:no image is called so"),
                };
                told(&about, about.id, wish)
            }
            b'd' => (self.delete(&about), None),
            _ => told(
                &about,
                about.id,
                Err("EINVAL:this can't be done with images here"),
            ),
        }
    }

    /// The image that was to be placed stands in cells, by this number.
    pub(crate) fn shown(&mut self, name: Name, number: u32) {
        self.shown.push_back((name, number));
        if self.shown.len() > MAX_SHOWN {
            self.shown.pop_front();
        }
    }

    /// The numbers by which an image stands in the place where it is to stand now: it moves.
    pub(crate) fn before(&self, name: Name) -> Vec<u32> {
        if name.place == 0 {
            return Vec::new();
        }
        let same = self.shown.iter().filter(|(shown, _)| *shown == name);
        same.map(|(_, number)| *number).collect()
    }

    fn place(
        &self,
        about: &About,
        id: u32,
        file: Arc<ImageFile>,
        cell: CellSize,
    ) -> Result<Option<Wish>, &'static str> {
        let name = Name {
            image: id,
            place: about.place,
        };
        let placing = about.placing(file, cell)?;
        Ok(Some(Wish::Place(placing, name)))
    }

    fn keep(&mut self, about: &About, file: Arc<ImageFile>) -> u32 {
        let id = if about.id != 0 {
            about.id
        } else {
            // Far from those that programs choose.
            self.last = self.last.wrapping_add(1) | 0x8000_0000;
            self.last
        };
        self.known.retain(|known| known.id != id);
        self.known.push_back(Known {
            id,
            number: about.number,
            file,
        });
        let kept = |known: &VecDeque<Known>| -> usize {
            known.iter().map(|known| known.file.bytes.len()).sum()
        };
        while self.known.len() > MAX_KNOWN || kept(&self.known) > MAX_KEPT {
            self.known.pop_front();
        }
        id
    }

    fn delete(&mut self, about: &About) -> Option<Wish> {
        let place = |number: u32| Some(Place::Number(number.checked_sub(1)? as usize));
        let which = match about.delete.to_ascii_lowercase() {
            b'a' => Which::OnScreen,
            b'c' => Which::At {
                column: Some(Place::Cursor),
                row: Some(Place::Cursor),
            },
            b'p' => Which::At {
                column: Some(place(about.source.0)?),
                row: Some(place(about.source.1)?),
            },
            b'x' => Which::At {
                column: Some(place(about.source.0)?),
                row: None,
            },
            b'y' => Which::At {
                column: None,
                row: Some(place(about.source.1)?),
            },
            b'i' | b'n' | b'r' => {
                let by_number = about.delete.eq_ignore_ascii_case(&b'n');
                let range = about.delete.eq_ignore_ascii_case(&b'r');
                let newest = self
                    .known
                    .iter()
                    .rev()
                    .find(|known| known.number == about.number);
                let newest = newest.map(|known| known.id);
                let meant = |id: u32| match (by_number, range) {
                    (true, _) => about.number != 0 && Some(id) == newest,
                    (_, true) => (about.source.0..=about.source.1).contains(&id),
                    _ => id == about.id,
                };
                let here = |name: &Name| {
                    meant(name.image) && (about.place == 0 || name.place == about.place)
                };
                let shown = self.shown.iter().filter(|(name, _)| here(name));
                let numbers = shown.map(|(_, number)| *number).collect();
                self.shown.retain(|(name, _)| !here(name));
                if about.delete.is_ascii_uppercase() {
                    self.known.retain(|known| !meant(known.id));
                }
                Which::Numbered(numbers)
            }
            _ => return None,
        };
        if about.delete == b'A' {
            self.known.clear();
        }
        Some(Wish::Erase(which))
    }
}

fn told(
    about: &About,
    id: u32,
    outcome: Result<Option<Wish>, &'static str>,
) -> (Option<Wish>, Option<String>) {
    match outcome {
        Ok(wish) => (wish, about.answer(id, Ok(()))),
        Err(why) => (None, about.answer(id, Err(why))),
    }
}
