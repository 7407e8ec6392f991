//! Images as iTerm2 takes them: OSC 1337 with `File=`, whole, or in parts (`MultipartFile=`, `FilePart=`, `FileEnd`).

use std::sync::Arc;

use super::{CursorAfter, ImageFile, MAX_STRING, Placing, Wanted, from_base64};
use crate::types::{CellSize, PaneSize};

/// One that comes in parts, up to its end.
#[derive(Debug, Default)]
pub(crate) struct Inline(Option<Parts>);

#[derive(Debug)]
struct Parts {
    about: Vec<u8>,
    text: Vec<u8>,
}

/// Whether the string with this payload is about a file.
pub(crate) fn is_file(payload: &[u8]) -> bool {
    payload.strip_prefix(b"1337;").is_some_and(|rest| {
        [&b"File="[..], b"MultipartFile=", b"FilePart=", b"FileEnd"]
            .iter()
            .any(|name| rest.starts_with(name))
    })
}

impl Inline {
    /// Takes the string in; an image, if it is one, or the last part of one.
    pub(crate) fn take(
        &mut self,
        payload: &[u8],
        cell: CellSize,
        size: PaneSize,
    ) -> Option<Placing> {
        let said = payload.strip_prefix(b"1337;")?;
        if let Some(rest) = said.strip_prefix(b"File=") {
            let colon = memchr::memchr(b':', rest)?;
            return image(&rest[..colon], &rest[colon + 1..], cell, size);
        }
        if let Some(about) = said.strip_prefix(b"MultipartFile=") {
            self.0 = Some(Parts {
                about: about.to_vec(),
                text: Vec::new(),
            });
        } else if let Some(part) = said.strip_prefix(b"FilePart=") {
            let parts = self.0.as_mut()?;
            if parts.text.len() + part.len() > MAX_STRING {
                self.0 = None;
                return None;
            }
            parts.text.extend_from_slice(part);
        } else if said == b"FileEnd" {
            let parts = self.0.take()?;
            return image(&parts.about, &parts.text, cell, size);
        }
        None
    }
}

fn image(about: &[u8], text: &[u8], cell: CellSize, size: PaneSize) -> Option<Placing> {
    let mut inline = false;
    let mut wanted = Wanted {
        keeps_shape: true,
        ..Wanted::default()
    };
    for pair in about.split(|byte| *byte == b';') {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            // Without it, it is a file to be saved, which nothing is that a program prints.
            "inline" => inline = value == "1",
            "width" => wanted.cols = length(value, cell.width, size.cols),
            "height" => wanted.rows = length(value, cell.height, size.rows),
            "preserveAspectRatio" => wanted.keeps_shape = value != "0",
            _ => {}
        }
    }
    if !inline {
        return None;
    }
    let file = ImageFile::sent(from_base64(text).ok()?).ok()?;
    let mut placing = Placing::new(Arc::new(file), None, wanted, cell, CursorAfter::Behind);
    // What does not say how large it wants to be does not run out of the screen.
    if wanted.cols.is_none() && wanted.rows.is_none() && placing.width > f32::from(size.cols) {
        let scale = f32::from(size.cols) / placing.width;
        placing.width *= scale;
        placing.height *= scale;
    }
    Some(placing)
}

/// A length in cells: `N` of them, `Npx`, `N%` of the screen, or `auto`.
fn length(value: &str, cell: u16, cells: u16) -> Option<f32> {
    let number = |text: &str| text.parse().ok().filter(|number: &f32| *number > 0.0);
    if let Some(pixels) = value.strip_suffix("px") {
        number(pixels).map(|pixels| pixels / f32::from(cell.max(1)))
    } else if let Some(percent) = value.strip_suffix('%') {
        number(percent).map(|percent| percent.min(100.0) / 100.0 * f32::from(cells))
    } else {
        number(value)
    }
}
