//! What a window shows is what the backend has: after any bytes, any cuts, any resizes. The window is xterm.js itself,
//! set up as the frontend sets it up (`ui/picture.mjs`, run by node), and told what every window is told.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use terminal::{Face, PaneSize, Playback, ScrollbackLimits, Snapshot};

include!("support/grammar.rs");

/// What happens to a pane.
#[derive(Debug, Clone)]
enum Step {
    /// Its program writes; the window is told afterwards.
    Writes(Vec<u8>),
    /// It gets another size.
    Resizes(PaneSize),
}

/// What a window is sent.
struct Told {
    size: Option<PaneSize>,
    bytes: Vec<u8>,
}

impl From<Snapshot> for Told {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            size: Some(snapshot.size),
            bytes: snapshot.bytes,
        }
    }
}

/// The windows: a process of node, asked one case after another.
struct Windows {
    node: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Windows {
    fn start() -> Self {
        let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui");
        assert!(
            ui.join("node_modules/@xterm/headless").exists(),
            "`make setup` installs what the frontend is made of"
        );
        let mut node = Command::new("node")
            .arg("picture.mjs")
            .current_dir(ui)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: node.stdin.take().unwrap(),
            output: BufReader::new(node.stdout.take().unwrap()),
            node,
        }
    }

    /// What a new window shows after each of `told`.
    fn show(&mut self, told: &[Told]) -> Vec<Face> {
        let frames: Vec<_> = told
            .iter()
            .map(|told| {
                serde_json::json!({
                    "size": told.size.map(|size| [size.cols, size.rows]),
                    "bytes": STANDARD.encode(&told.bytes),
                })
            })
            .collect();
        writeln!(self.input, "{}", serde_json::json!({ "frames": frames })).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

/// Plays `steps`: what a window is told at each, and what there is to be seen then. Rows above the screen that have left
/// the emulator are counted by neither.
fn played(size: PaneSize, steps: &[Step]) -> (Vec<Told>, Vec<Face>) {
    let mut pane = Playback::new(size, ScrollbackLimits::default());
    let mut told = vec![Told::from(pane.snapshot(1_000))];
    let mut faces = vec![pane.face()];
    for step in steps {
        match step {
            Step::Writes(bytes) => pane.feed(bytes),
            Step::Resizes(size) => pane.resize(*size),
        }
        told.push(match pane.changes() {
            Some(bytes) => Told { size: None, bytes },
            None => pane.snapshot(1_000).into(),
        });
        faces.push(pane.face());
    }
    // A window that is opened now.
    told.push(pane.snapshot(1_000).into());
    faces.push(pane.face());
    (told, faces)
}

/// Compares what the window shows with what there is, after each step.
fn same(windows: &mut Windows, size: PaneSize, steps: &[Step]) -> Result<(), TestCaseError> {
    let (told, faces) = played(size, steps);
    let shown = windows.show(&told);
    for (at, (mut shown, mut face)) in shown.into_iter().zip(faces).enumerate() {
        if at < steps.len() {
            shown.above.clear();
            face.above.clear();
        }
        // What has left the emulator is still above the window's screen.
        let older = shown.above.len().saturating_sub(face.above.len());
        shown.above.drain(..older);
        // Whether its oldest row goes on with another, the emulator no longer knows.
        let oldest = |face: &mut Face| {
            let first = face.above.first_mut().or(face.screen.first_mut());
            first.unwrap().replace_range(..1, " ");
        };
        oldest(&mut shown);
        oldest(&mut face);
        let step = at.checked_sub(1).and_then(|at| steps.get(at));
        let sent = String::from_utf8_lossy(&told[at].bytes).into_owned();
        prop_assert_eq!(
            &shown,
            &face,
            "after step {} ({:?}), told {:?}",
            at,
            step,
            sent
        );
    }
    Ok(())
}

/// As many cases as `SWITCHYARD_CASES` says, chosen anew each time; else a few, the same each time.
fn runner() -> TestRunner {
    let cases = std::env::var("SWITCHYARD_CASES").ok();
    TestRunner::new(Config {
        cases: cases.as_ref().map_or(200, |cases| cases.parse().unwrap()),
        rng_seed: cases.map_or(RngSeed::Fixed(20), |_| RngSeed::Random),
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn a_window_shows_what_there_is_after_any_output_any_cuts_and_any_sizes() {
    let mut windows = Windows::start();
    let step = prop_oneof![
        5 => output_bytes().prop_map(Step::Writes),
        1 => sizes().prop_map(Step::Resizes),
    ];
    let windows = std::cell::RefCell::new(&mut windows);
    runner()
        .run(
            &(sizes(), prop::collection::vec(step, 1..6)),
            |(size, steps)| same(&mut windows.borrow_mut(), size, &steps),
        )
        .unwrap();
}

/// What real programs wrote.
fn recordings() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
    let mut all: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "bytes"))
        .collect();
    all.sort();
    assert!(!all.is_empty());
    all
}

#[test]
fn a_window_shows_what_there_is_of_real_programs_at_any_size() {
    let mut windows = Windows::start();
    for path in recordings() {
        let bytes = std::fs::read(&path).unwrap();
        for (cols, rows) in [(80, 24), (132, 43), (37, 11)] {
            let size = PaneSize { cols, rows };
            let mut steps: Vec<_> = bytes
                .chunks(bytes.len() / 16 + 1)
                .map(|part| Step::Writes(part.to_vec()))
                .collect();
            let other = PaneSize {
                cols: cols - 9,
                rows: rows + 3,
            };
            steps.insert(steps.len() / 2, Step::Resizes(other));
            if let Err(error) = same(&mut windows, size, &steps) {
                panic!("{} at {cols}x{rows}: {error}", path.display());
            }
        }
    }
}
