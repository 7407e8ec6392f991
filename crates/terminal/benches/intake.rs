//! What it costs to take in output, and to show it to a window that attaches.

use std::thread::JoinHandle;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use terminal::{
    AttachOptions, OpenPane, PaneEvent, PaneId, PaneSize, Panes, PanesConfig, Playback,
    ScrollbackLimits,
};

const SIZE: PaneSize = PaneSize {
    cols: 120,
    rows: 40,
};
const BYTES: usize = 100_000_000;

fn main() {
    divan::main();
}

/// Lines of words, as a build or a log prints them.
fn plain(bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 200);
    let mut line = 0_usize;
    while text.len() < bytes {
        line += 1;
        text.extend_from_slice(format!("{line:>8} ").as_bytes());
        for word in 0..line % 13 + 2 {
            text.extend_from_slice(
                ["compiling ", "crate ", "warning ", "src/main.rs "][(line + word) % 4].as_bytes(),
            );
        }
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// The same, with every word in a colour of its own.
fn coloured(bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 400);
    let mut line = 0_usize;
    while text.len() < bytes {
        line += 1;
        for word in 0..line % 9 + 2 {
            let colour = 31 + (line + word) % 6;
            let word = ["compiling", "crate", "warning", "src/main.rs"][(line + word) % 4];
            text.extend_from_slice(format!("\x1b[{colour}m{word}\x1b[0m ").as_bytes());
        }
        text.extend_from_slice(b"\r\n");
    }
    text
}

fn intake(bencher: Bencher<'_, '_>, bytes: &[u8]) {
    bencher
        .counter(BytesCount::of_slice(bytes))
        .bench_local(|| {
            let mut playback = Playback::new(SIZE, ScrollbackLimits::default());
            for chunk in bytes.chunks(8 * 1024) {
                playback.feed(black_box(chunk));
            }
            playback
        });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn plain_text(bencher: Bencher<'_, '_>) {
    intake(bencher, &plain(BYTES));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn coloured_text(bencher: Bencher<'_, '_>) {
    intake(bencher, &coloured(BYTES));
}

/// From the program to its end, through a real PTY, with history on disk as it is by default.
fn through_a_pty(bencher: Bencher<'_, '_>, bytes: &[u8], private: bool, watched: bool) {
    let dir = tempfile::tempdir().expect("a directory for the file");
    let file = dir.path().join("text");
    std::fs::write(&file, bytes).expect("room for the file");
    let panes = Panes::new(PanesConfig {
        history_dir: Some(dir.path().join("history")),
        ..PanesConfig::default()
    })
    .expect("panes");
    bencher
        .counter(BytesCount::of_slice(bytes))
        .bench_local(|| {
            let mut events = panes.events();
            let request = OpenPane {
                program: Some("cat".into()),
                args: vec![file.display().to_string()],
                size: SIZE,
                private,
                ..OpenPane::default()
            };
            let pane = panes.open(request).expect("cat").id;
            let window = watched.then(|| watch(&panes, pane));
            while let Ok(event) = events.blocking_recv() {
                if matches!(event, PaneEvent::Changed { pane } if pane.ended_at.is_some()) {
                    break;
                }
            }
            panes.close(pane).expect("the pane is there");
            if let Some(window) = window {
                window.join().expect("a window takes what it is sent");
            }
        });
}

/// A window that is done with everything as soon as it is there, until the pane is closed.
fn watch(panes: &Panes, pane: PaneId) -> JoinHandle<()> {
    let mut attachment = panes
        .attach(pane, AttachOptions::default())
        .expect("the pane is there");
    std::thread::Builder::new()
        .name("window".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a timer");
            runtime.block_on(async {
                while let Some(frame) = attachment.next().await {
                    attachment.ack(black_box(frame).payload());
                }
            });
        })
        .expect("a thread")
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn plain_cat(bencher: Bencher<'_, '_>) {
    through_a_pty(bencher, &plain(BYTES), false, false);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn coloured_cat(bencher: Bencher<'_, '_>) {
    through_a_pty(bencher, &coloured(BYTES), false, false);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn plain_cat_watched(bencher: Bencher<'_, '_>) {
    through_a_pty(bencher, &plain(BYTES), false, true);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn coloured_cat_watched(bencher: Bencher<'_, '_>) {
    through_a_pty(bencher, &coloured(BYTES), false, true);
}

/// Frames of a full-screen program, each drawn anew as fast as it can.
fn redraws(bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 8 * 1024);
    let mut frame = 0_usize;
    while text.len() < bytes {
        frame += 1;
        text.extend_from_slice(b"\x1b[?1049h\x1b[H\x1b[2J");
        for row in 0..usize::from(SIZE.rows) {
            let busy = (frame * 31 + row * 17) % 1000;
            text.extend_from_slice(
                format!(
                    "\x1b[{};1H{row:>5} user \x1b[32m{busy:>6}\x1b[0m kB  {:>5}.{} %  a program with arguments --row {row} --frame {frame}",
                    row + 1,
                    busy / 10,
                    busy % 10
                )
                .as_bytes(),
            );
        }
    }
    text
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn redraws_cat(bencher: Bencher<'_, '_>) {
    through_a_pty(bencher, &redraws(BYTES), false, false);
}

/// Nothing of this is kept: what keeping costs is the difference.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn redraws_cat_private(bencher: Bencher<'_, '_>) {
    through_a_pty(bencher, &redraws(BYTES), true, false);
}

#[divan::bench(args = [0, 1_000, 5_000])]
fn snapshot(bencher: Bencher<'_, '_>, rows: u32) {
    let mut playback = Playback::new(SIZE, ScrollbackLimits::default());
    playback.feed(&coloured(2_000_000));
    bencher.bench_local(|| playback.snapshot(rows));
}
