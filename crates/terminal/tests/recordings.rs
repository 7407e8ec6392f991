//! What real programs wrote, and the screen that it should give: the one that xterm.js makes of the same bytes, which
//! `ui/src/terminal/recordings.test.ts` checks on its side.

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
fn a_recording_gives_the_screen_that_xterm_js_makes_of_it() {
    for (name, bytes, expected) in recordings() {
        let expected = std::fs::read_to_string(expected).unwrap();
        let expected: ScreenText = serde_json::from_str(&expected).unwrap();
        assert_eq!(trimmed(played(&bytes).text()), expected, "{name}");
    }
}

#[test]
fn a_snapshot_taken_anywhere_in_a_recording_goes_on_to_the_same_screen() {
    for (name, bytes, _) in recordings() {
        let whole = trimmed(played(&bytes).text());
        for part in 0..16 {
            // Where a chunk may end: anywhere; a snapshot shows what came before, output goes on after it.
            let (before, after) = bytes.split_at(bytes.len() * part / 16);
            let escape = before.iter().rposition(|byte| *byte == 0x1b);
            let cut = escape
                .filter(|at| before.len() - at < 16)
                .unwrap_or(before.len());
            let (before, rest) = before.split_at(cut);
            let Ok(before) = std::str::from_utf8(before) else {
                continue;
            };
            let mut window = played(&played(before.as_bytes()).snapshot(1_000).bytes);
            window.feed(rest);
            window.feed(after);
            assert_eq!(trimmed(window.text()), whole, "{name}, part {part}");
        }
    }
}
