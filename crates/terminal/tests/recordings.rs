//! What real programs wrote, and the screen that it should give. That a window shows the same is checked in `drawn.rs`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::{Path, PathBuf};

use terminal::{PaneSize, Playback, ScreenText, ScrollbackLimits};

const SIZE: PaneSize = PaneSize { cols: 80, rows: 24 };

/// The recordings, by name.
fn recordings() -> Vec<(String, Vec<u8>, PathBuf)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
    let mut all: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "bytes"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            (name, bytes, path.with_extension("screen.json"))
        })
        .collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

fn played(bytes: &[u8]) -> Playback {
    let mut playback = Playback::new(SIZE, ScrollbackLimits::default());
    playback.feed(bytes);
    playback
}

fn trimmed(mut screen: ScreenText) -> ScreenText {
    for row in &mut screen.rows {
        row.truncate(row.trim_end().len());
    }
    screen
}

#[test]
fn a_recording_gives_the_screen_that_is_written_down() {
    for (name, bytes, expected) in recordings() {
        let expected = std::fs::read_to_string(expected).unwrap();
        let expected: ScreenText = serde_json::from_str(&expected).unwrap();
        assert_eq!(trimmed(played(&bytes).text()), expected, "{name}");
    }
}
