//! What a picture was, and what it is.

use std::ffi::OsString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imagesize::ImageType;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::types::{DiffQuestion, View};
use crate::untracked::{Content, content};
use crate::worktree::{ChangesError, Worktree, text_of};

/// A larger file is not shown as a picture.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Nor one of more pixels, however small its file is: each takes four bytes where it is drawn.
const MOST_PIXELS: usize = 40_000_000;

/// A file as a picture, before a change and after it; none where it is no picture, or a too large one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FilePictures {
    /// As it was.
    pub old: Option<FilePicture>,
    /// As it is.
    pub new: Option<FilePicture>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FilePicture {
    /// What kind: `image/png`.
    pub media: String,
    /// Its bytes, in base64.
    pub base64: String,
    /// How large its file is.
    pub bytes: u32,
    /// How wide it is, in pixels.
    pub width: u32,
    /// How high it is, in pixels.
    pub height: u32,
}

impl Worktree {
    /// Gives a file that changed as the pictures that it was and is.
    ///
    /// # Errors
    ///
    /// As [`Worktree::diff`].
    pub fn pictures(&self, question: &DiffQuestion) -> Result<FilePictures, ChangesError> {
        if question.view == View::Untracked {
            return Ok(self.pictures_between(question, None, None));
        }
        let args = self.diff_args(question.view, question.base.as_deref())?;
        let sides: Vec<_> = args.unwrap_or_default();
        Ok(
            match sides.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["--cached"] => self.pictures_between(question, Some("HEAD"), Some(":0")),
                ["-2"] => self.pictures_between(question, Some(":0"), None),
                [old] => self.pictures_between(question, Some(old), None),
                [old, new] => self.pictures_between(question, Some(old), Some(new)),
                _ => FilePictures::default(),
            },
        )
    }

    /// The pictures between two states; no later one: as the file stands there.
    pub(crate) fn pictures_between(
        &self,
        question: &DiffQuestion,
        old: Option<&str>,
        new: Option<&str>,
    ) -> FilePictures {
        let before = question.from.as_ref().unwrap_or(&question.path);
        let in_git = |state: &str, path: &git::RepoPath| {
            let mut name = OsString::from(format!("{state}:"));
            name.push(path.to_path());
            let asked = |args: [&str; 2]| {
                let args = args.map(OsString::from).into_iter().chain([name.clone()]);
                self.ask(&args.collect::<Vec<_>>()).ok()
            };
            let bytes: u64 = text_of(&asked(["cat-file", "-s"])?).parse().ok()?;
            picture((bytes <= LARGEST).then(|| asked(["cat-file", "blob"]))??)
        };
        let here = || match content(self.root(), &question.path, |bytes| bytes <= LARGEST) {
            Content::Bytes(_, bytes) => picture(bytes),
            Content::TooLarge(..) | Content::Repository | Content::Nothing => None,
        };
        FilePictures {
            old: old.and_then(|old| in_git(old, before)),
            new: match new {
                Some(new) => in_git(new, &question.path),
                None => here(),
            },
        }
    }
}

/// These bytes as a picture, when they begin as one that is not too large.
fn picture(bytes: Vec<u8>) -> Option<FilePicture> {
    let media = match imagesize::image_type(&bytes).ok()? {
        ImageType::Png => "image/png",
        ImageType::Jpeg => "image/jpeg",
        ImageType::Gif => "image/gif",
        ImageType::Webp => "image/webp",
        _ => return None,
    };
    let size = imagesize::blob_size(&bytes).ok()?;
    if size.width.checked_mul(size.height)? > MOST_PIXELS {
        return None;
    }
    Some(FilePicture {
        media: media.to_owned(),
        base64: STANDARD.encode(&bytes),
        bytes: u32::try_from(bytes.len()).ok()?,
        width: u32::try_from(size.width).ok()?,
        height: u32::try_from(size.height).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a PNG of this size, which is all that is read of it.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0]);
        bytes
    }

    #[test]
    fn a_picture_is_told_by_its_beginning_and_a_huge_one_is_none() {
        let told = picture(png(3, 2)).unwrap();
        assert_eq!((&*told.media, told.width, told.height), ("image/png", 3, 2));
        assert_eq!(picture(png(40_000, 40_000)), None);
        for other in [&b"#!/bin/sh"[..], b"", b"\x89PNG", b"GIF89a", b"<svg/>"] {
            assert_eq!(picture(other.to_vec()), None, "{other:?}");
        }
    }
}
