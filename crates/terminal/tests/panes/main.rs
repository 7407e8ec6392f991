//! Panes with real programs in real PTYs, entered by the room's door.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod bench;
mod earlier;
mod shells;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use secrets::Secrets;
use terminal::{
    AnswerFile, AttachOptions, Attention, Changes, Frame, LineId, OpenPane, OpenPaneError,
    PaneError, PaneEvent, PaneId, PaneInfo, PaneSize, PaneState, Panes, PanesConfig, Progress,
    ProgressState, ReadLines, Recording,
};

use crate::bench::{Bench, DEADLINE, script_request, wait_for};

/// The next frame, within the deadline.
async fn next(attachment: &mut terminal::Attachment) -> Option<Frame> {
    tokio::time::timeout(DEADLINE, attachment.next())
        .await
        .expect("a frame came in time")
}

#[test]
fn a_program_runs_prints_and_ends() {
    let bench = Bench::new();
    let pane = bench.run("printf 'hello\\nworld\\n'; exit 3");
    assert_eq!(pane.program[0], "/bin/sh");
    assert_eq!(
        bench.wait_exit(pane.id),
        PaneState::Exited {
            code: Some(3),
            signal: None
        }
    );
    assert_eq!(bench.lines(pane.id), ["hello", "world"]);
    let info = bench.panes.info(pane.id).unwrap();
    assert_eq!(info.attention, Attention::Failed);
    assert!(!info.busy);
    assert!(info.ended_at >= Some(info.opened_at));
}

#[tokio::test]
async fn an_update_that_does_not_end_is_shown_as_it_is() {
    let bench = Bench::new();
    let pane = bench.run(r"printf '\033[?2026hhalf\n'; read go");
    bench.wait_text(pane.id, "half");
    let mut window = bench
        .panes
        .attach(pane.id, AttachOptions::default())
        .unwrap();
    let Some(Frame::Snapshot(snapshot)) = next(&mut window).await else {
        panic!("a snapshot comes first");
    };
    let text = String::from_utf8_lossy(&snapshot.bytes).into_owned();
    assert!(text.contains("half"), "{text}");
}

#[test]
fn the_program_knows_its_terminal_and_its_pane() {
    let bench = Bench::new();
    let mut request =
        script_request("echo \"$TERM,$COLORTERM,$TERM_PROGRAM,$SWITCHYARD_PANE,$MINE\"; stty size");
    request.env = BTreeMap::from([("MINE".to_owned(), "yes".to_owned())]);
    request.size = PaneSize { cols: 91, rows: 17 };
    let pane = bench.panes.open(request).unwrap().id;
    bench.wait_exit(pane);
    assert_eq!(
        bench.lines(pane),
        [
            format!("xterm-256color,truecolor,switchyard,{pane},yes"),
            "17 91".to_owned()
        ]
    );
}

#[test]
fn what_is_typed_reaches_the_program_and_a_resize_too() {
    let bench = Bench::new();
    let pane = bench
        .run("trap 'stty size' WINCH; echo ready; read line; echo \"got $line\"; while :; do read x; done")
        .id;
    bench.wait_text(pane, "ready");
    bench.panes.write(pane, b"some text\n".to_vec()).unwrap();
    bench.wait_text(pane, "got some text");
    let size = PaneSize {
        cols: 100,
        rows: 30,
    };
    bench.panes.resize(pane, size).unwrap();
    bench.wait_text(pane, "30 100");
    assert_eq!(bench.panes.info(pane).unwrap().size, size);
}

#[test]
fn lines_that_left_the_screen_keep_their_ids() {
    let bench = Bench::new();
    let pane = bench.run("seq 1 3000; echo end; read x; echo more").id;
    bench.wait_text(pane, "end");
    let lines = bench.read(pane, ReadLines::Newest { count: 100_000 });
    assert_eq!(lines.len(), 3_001);
    for (at, line) in lines.iter().enumerate().take(3_000) {
        assert_eq!(line.id, LineId(at as u64));
        assert_eq!(line.text, (at + 1).to_string());
    }
    bench.panes.write(pane, b"\n".to_vec()).unwrap();
    bench.wait_text(pane, "more");
    let again = bench.read(
        pane,
        ReadLines::After {
            line: LineId(2_990),
            count: 3,
        },
    );
    assert_eq!(again, lines[2_990..2_993]);
    let before = bench.read(
        pane,
        ReadLines::Before {
            line: LineId(2),
            count: 10,
        },
    );
    assert_eq!(before, lines[..2]);
}

#[test]
fn closing_ends_everything_that_the_program_started_even_what_does_not_want_to() {
    let mut bench = Bench::new();
    // One child ignores the hang-up, in a process group of its own as a shell's jobs are.
    let pane = bench
        .run("set -m; (trap '' HUP; while :; do sleep 0.1; done) & echo child $!; cat")
        .id;
    let lines = bench.wait_text(pane, "child ");
    let child = lines
        .iter()
        .find_map(|line| line.strip_prefix("child "))
        .unwrap()
        .to_owned();
    let alive = || std::path::Path::new("/proc").join(&child).exists();
    assert!(alive());
    bench.panes.close(pane).unwrap();
    bench.wait_event(|event| (event == PaneEvent::Closed { id: pane }).then_some(()));
    assert_eq!(bench.panes.list(), []);
    assert_eq!(bench.panes.info(pane), Err(PaneError::Unknown { pane }));
    wait_for("the child's end", || {
        // It is nobody's child now, and whoever reaps it here may take their time.
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        (!alive() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn a_program_says_how_far_it_is_until_it_ends() {
    let bench = Bench::new();
    let pane = bench
        .run("printf '\\033]9;4;1;40\\007'; read x; printf '\\033]9;4;2\\007'; read x")
        .id;
    let info = || bench.panes.info(pane).unwrap();
    let says = |state, percent| {
        let progress = Some(Progress { state, percent });
        wait_for("progress", || (info().progress == progress).then_some(()));
    };
    says(ProgressState::Running, Some(40));
    assert_eq!(info().attention, Attention::Working);
    bench.panes.write(pane, b"\r".to_vec()).unwrap();
    says(ProgressState::Failed, None);
    assert_eq!(info().attention, Attention::Idle);
    bench.panes.write(pane, b"\r".to_vec()).unwrap();
    wait_for("the end", || info().ended_at);
    assert_eq!(info().progress, None);
}

#[test]
fn events_tell_of_opening_titles_notifications_and_the_end() {
    let mut bench = Bench::new();
    let pane = bench
        .run("printf '\\033]2;a title\\007'; printf '\\033]777;notify;agent;may I?\\007'; read x")
        .id;
    bench.wait_event(|event| match event {
        PaneEvent::Opened { pane: info } => (info.id == pane).then_some(()),
        _ => None,
    });
    let (mut titled, mut notified) = (false, false);
    bench.wait_event(|event| {
        match event {
            PaneEvent::Changed { pane } => {
                titled |= pane.title == "a title" && pane.attention == Attention::NeedsYou;
            }
            PaneEvent::Notified { title, body, .. } => {
                notified |= title == "agent" && body == "may I?";
            }
            _ => {}
        }
        (titled && notified).then_some(())
    });
    // Typing answers.
    bench.panes.write(pane, b"yes\n".to_vec()).unwrap();
    bench.wait_event(|event| match event {
        PaneEvent::Changed { pane } => (pane.attention == Attention::Done).then_some(()),
        _ => None,
    });
    bench.panes.seen(pane).unwrap();
    assert_eq!(bench.panes.info(pane).unwrap().attention, Attention::Idle);
}

#[test]
fn a_missing_program_a_missing_directory_and_a_bad_size_are_refused_with_what_would_be_right() {
    let bench = Bench::new();
    let refused = |request: OpenPane| -> OpenPaneError { bench.panes.open(request).unwrap_err() };
    insta::assert_snapshot!(
        refused(OpenPane { program: Some("no-such-shell".into()), ..OpenPane::default() }),
        @"`program`: found no program `no-such-shell`; give the path of an executable file, or the name of one on the PATH"
    );
    insta::assert_snapshot!(
        refused(OpenPane { program: Some("/etc/passwd".into()), ..OpenPane::default() }),
        @"`program`: found no program `/etc/passwd`; give the path of an executable file, or the name of one on the PATH"
    );
    insta::assert_snapshot!(
        refused(OpenPane { cwd: Some("/no/such/directory".into()), ..OpenPane::default() }),
        @"`cwd`: `/no/such/directory` is not a directory; name one that exists"
    );
    insta::assert_snapshot!(
        refused(OpenPane { cwd: Some("src".into()), ..OpenPane::default() }),
        @"bad `cwd`: `src` is relative; give a path that begins with `/`"
    );
    insta::assert_snapshot!(
        refused(OpenPane { size: PaneSize { cols: 1, rows: 24 }, ..OpenPane::default() }),
        @"bad `size.cols`: 1; it must be from 2 to 1000"
    );
    insta::assert_snapshot!(
        refused(OpenPane { args: vec!["a\0b".into()], ..OpenPane::default() }),
        @"bad `args`: none may hold a NUL character"
    );
    assert_eq!(
        bench.panes.list(),
        [],
        "nothing is left of what was refused"
    );
    let pane = bench.run("read x").id;
    insta::assert_snapshot!(
        bench.panes.resize(pane, PaneSize { cols: 80, rows: 0 }).unwrap_err(),
        @"bad `rows`: 0; it must be from 1 to 500"
    );
}

#[test]
fn an_unknown_pane_is_refused_by_every_method() {
    let bench = Bench::new();
    let pane = PaneId(4_000);
    let unknown = PaneError::Unknown { pane };
    let panes = &bench.panes;
    assert_eq!(panes.info(pane).unwrap_err(), unknown);
    assert_eq!(panes.write(pane, vec![]).unwrap_err(), unknown);
    assert_eq!(
        panes.resize(pane, PaneSize::default()).unwrap_err(),
        unknown
    );
    assert_eq!(panes.rename(pane, None).unwrap_err(), unknown);
    assert_eq!(panes.seen(pane).unwrap_err(), unknown);
    assert_eq!(panes.close(pane).unwrap_err(), unknown);
    assert_eq!(panes.marks(pane).unwrap_err(), unknown);
    assert!(panes.attach(pane, AttachOptions::default()).is_err());
    insta::assert_snapshot!(unknown, @"there is no pane `4000`");
}

#[test]
fn a_program_that_never_reads_fills_its_queue_and_blocks_nobody() {
    let bench = Bench::new();
    let pane = bench.run("stty raw -echo; echo ready; exec sleep 1000").id;
    bench.wait_text(pane, "ready");
    let error = wait_for("a full queue", || {
        bench.panes.write(pane, vec![b'x'; 64 * 1024]).err()
    });
    assert!(matches!(error, PaneError::WriteQueueFull { .. }), "{error}");
    assert_eq!(bench.panes.health().stuck_writers, [pane]);
    // Others go on, and so does this one's end.
    let other = bench.run("echo fine").id;
    bench.wait_text(other, "fine");
    bench.panes.close(pane).unwrap();
}

#[test]
fn ten_megabytes_without_a_newline_are_kept_in_pieces_and_in_bounds() {
    let bench = Bench::new();
    let pane = bench
        .run("head -c 10000000 /dev/zero | tr '\\0' x; echo; echo end")
        .id;
    bench.wait_text(pane, "end");
    let lines = bench.lines(pane);
    assert!(lines.len() > 1);
    assert!(lines.iter().all(|line| line.len() <= 1024 * 1024 + 200));
}

#[test]
fn invalid_utf_8_is_shown_as_such_and_harms_nothing() {
    let bench = Bench::new();
    let pane = bench.run("printf 'a\\377b\\303(c\\n'; echo end").id;
    let lines = bench.wait_text(pane, "end");
    insta::assert_debug_snapshot!(lines, @r#"
    [
        "a�b�(c",
        "end",
    ]
    "#);
}

#[tokio::test]
async fn a_window_gets_a_snapshot_then_output_then_the_end() {
    let bench = Bench::new();
    let pane = bench.run("echo before; read x; echo after; read x").id;
    bench.wait_text(pane, "before");
    let mut attachment = bench.panes.attach(pane, AttachOptions::default()).unwrap();
    let Some(Frame::Snapshot(snapshot)) = next(&mut attachment).await else {
        panic!("the first frame is a snapshot");
    };
    assert_eq!(snapshot.size, PaneSize::default());
    assert_eq!(snapshot.first_line, LineId(0));
    assert!(String::from_utf8_lossy(&snapshot.bytes).contains("before"));
    attachment.ack(snapshot.bytes.len() as u64);
    bench.panes.write(pane, b"\n".to_vec()).unwrap();
    let mut output = Vec::new();
    while !String::from_utf8_lossy(&output).contains("after") {
        match next(&mut attachment).await {
            Some(Frame::Changes(Changes { bytes, .. })) => {
                attachment.ack(bytes.len() as u64);
                output.extend(bytes);
            }
            other => panic!("expected output, got {other:?}"),
        }
    }
    bench.panes.write(pane, b"\n".to_vec()).unwrap();
    loop {
        match next(&mut attachment).await {
            Some(Frame::Changes(_)) => {}
            Some(Frame::Ended) => break,
            other => panic!("expected the end, got {other:?}"),
        }
    }
    bench.panes.close(pane).unwrap();
    assert_eq!(next(&mut attachment).await, None);
}

#[tokio::test]
async fn a_window_that_does_not_keep_up_gets_a_snapshot_instead_of_the_backlog() {
    let bench = Bench::new();
    let pane = bench.run("read x; seq 1 200000; echo the end; read x").id;
    let options = AttachOptions {
        scrollback_rows: 100,
        high_water: 16 * 1024,
    };
    let mut slow = bench.panes.attach(pane, options).unwrap();
    let Some(Frame::Snapshot(first)) = next(&mut slow).await else {
        panic!("the first frame is a snapshot");
    };
    bench.panes.write(pane, b"\n".to_vec()).unwrap();
    // The program is read to its end, though the window takes nothing.
    bench.wait_text(pane, "the end");
    let mut unacknowledged = first.bytes.len() as u64;
    let mut sent = 0;
    slow.ack(unacknowledged);
    let snapshot = loop {
        match next(&mut slow).await {
            Some(Frame::Changes(Changes { bytes, .. })) => {
                unacknowledged = bytes.len() as u64;
                sent += unacknowledged;
                slow.ack(unacknowledged);
            }
            Some(Frame::Snapshot(snapshot)) => break snapshot,
            other => panic!("expected a snapshot, got {other:?}"),
        }
    };
    assert!(sent <= 16 * 1024, "{sent} bytes of backlog were sent");
    let text = String::from_utf8_lossy(&snapshot.bytes);
    assert!(text.contains("199999") && text.contains("the end"));
    assert!(!text.contains("\n1000\r"));
}

#[tokio::test]
async fn after_a_flood_the_whole_scrollback_comes_back() {
    let bench = Bench::new();
    let pane = bench.run("read x; seq 1 300000; echo the end; read x").id;
    let options = AttachOptions {
        scrollback_rows: 3_000,
        high_water: 16 * 1024,
    };
    let mut window = bench.panes.attach(pane, options).unwrap();
    bench.panes.write(pane, b"\n".to_vec()).unwrap();
    // What the window holds: a snapshot is all of it, output comes on top. A flood that pauses is over, and what comes
    // then may be slow enough to be followed.
    let (mut held, mut snapshots) = (String::new(), 0);
    while !(held.contains("297500") && held.contains("the end")) {
        let frame = next(&mut window).await.unwrap();
        window.ack(frame.payload());
        match frame {
            Frame::Snapshot(snapshot) => {
                held = String::from_utf8_lossy(&snapshot.bytes).into();
                snapshots += 1;
            }
            Frame::Changes(Changes { bytes, .. }) => {
                held.push_str(&String::from_utf8_lossy(&bytes))
            }
            Frame::Ended => panic!("it waits to be ended"),
        }
    }
    assert!(snapshots > 1, "the flood was shown while it lasted");
}

#[tokio::test]
async fn several_windows_see_the_same_and_a_dead_one_stops_nobody() {
    let bench = Bench::new();
    let pane = bench.run("read x; seq 1 50000; echo the end; read x").id;
    let mut dead = bench.panes.attach(pane, AttachOptions::default()).unwrap();
    let mut live = bench.panes.attach(pane, AttachOptions::default()).unwrap();
    assert!(matches!(next(&mut dead).await, Some(Frame::Snapshot(_))));
    bench.panes.write(pane, b"\n".to_vec()).unwrap();
    let mut tail = String::new();
    while !tail.contains("the end") {
        let frame = next(&mut live).await.unwrap();
        live.ack(frame.payload());
        match frame {
            Frame::Snapshot(snapshot) => tail = String::from_utf8_lossy(&snapshot.bytes).into(),
            Frame::Changes(Changes { bytes, .. }) => {
                tail.push_str(&String::from_utf8_lossy(&bytes))
            }
            Frame::Ended => panic!("it runs"),
        }
    }
    drop(dead);
}

#[test]
fn ids_are_not_reused_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = || PanesConfig {
        history_dir: Some(dir.path().join("history")),
        ..PanesConfig::default()
    };
    let first = Bench::with(config());
    let id = first.run("true").id;
    drop(first);
    let second = Bench::with(config());
    assert!(second.run("true").id > id);
}

#[test]
fn terminal_queries_are_answered_by_the_pane_itself() {
    let bench = Bench::new();
    // Asks for the cursor's position and the device's attributes, and shows the answers.
    let pane = bench
        .run(
            "stty raw -echo; printf '\\033[6n\\033[c'; head -c 20 | od -An -c; stty sane; echo end",
        )
        .id;
    let lines = bench.wait_text(pane, "end");
    let answer = lines.join(" ");
    assert!(
        answer
            .split_whitespace()
            .collect::<String>()
            .contains("033[1;1R033[?62;4;22;52c"),
        "{answer}"
    );
}

#[test]
fn the_clipboard_can_be_offered_to_but_not_read_and_not_by_agents() {
    let mut bench = Bench::new();
    let write = "printf '\\033]52;c;?\\007\\033]52;c;aGVsbG8=\\007'; echo end";
    let agent = bench
        .panes
        .open(OpenPane {
            role: terminal::PaneRole::Agent,
            ..script_request(write)
        })
        .unwrap()
        .id;
    bench.wait_text(agent, "end");
    let person = bench.run(write).id;
    let (id, text) = bench.wait_event(|event| match event {
        PaneEvent::ClipboardWrite { id, text } => Some((id, text)),
        _ => None,
    });
    assert_eq!((id, text.as_str()), (person, "hello"));
}

/// A bench, and a directory in which what a program prints and how it ends is kept.
struct Recorded {
    bench: Bench,
    dir: tempfile::TempDir,
}

impl Recorded {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bench = Bench::with(PanesConfig {
            history_dir: Some(dir.path().join("history")),
            grace: Duration::from_millis(500),
            ..PanesConfig::default()
        });
        Self { bench, dir }
    }

    fn run(&self, script: &str) -> PaneInfo {
        self.run_with(script, None)
    }

    fn run_with(&self, script: &str, stdin: Option<&str>) -> PaneInfo {
        let stdin = stdin.map(|text| {
            let path = self.dir.path().join("stdin");
            std::fs::write(&path, text).unwrap();
            path
        });
        let recording = Recording {
            cover: Secrets::new(["a secret".to_owned()]),
            answer: Some(AnswerFile {
                variable: "ANSWER".to_owned(),
                kept: self.dir.path().join("answer"),
            }),
            out: self.dir.path().join("out"),
            status: self.dir.path().join("status"),
            stdin,
        };
        let panes = &self.bench.panes;
        panes
            .open_recorded(script_request(script), recording)
            .unwrap()
    }

    fn kept(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.dir.path().join(file)).ok()
    }

    /// Waits until the pane has closed itself; all that was told of it before is how it ended.
    fn wait_closed(&mut self, pane: PaneId) -> PaneState {
        let mut ended = None;
        self.bench.wait_event(|event| match event {
            PaneEvent::Changed { pane: info } if info.id == pane => {
                ended = Some(info.state);
                None
            }
            PaneEvent::Closed { id } if id == pane => Some(()),
            _ => None,
        });
        ended.expect("the end is told before the pane is closed")
    }
}

#[test]
fn a_recorded_program_is_kept_as_it_wrote_and_its_pane_closes_itself() {
    let mut recorded = Recorded::new();
    let pane = recorded.run(
        "test -t 1 && echo terminal; echo aside >&2; test -t 2 && printf 'a\\nb\\n'; sh -c 'echo c'",
    );
    let state = recorded.wait_closed(pane.id);
    assert_eq!(
        state,
        PaneState::Exited {
            code: Some(0),
            signal: None
        }
    );
    assert_eq!(recorded.kept("out").as_deref(), Some("a\nb\nc\n"));
    assert_eq!(recorded.kept("status").as_deref(), Some("0\n"));
    let mut shown = recorded.bench.lines(pane.id);
    shown.sort();
    assert_eq!(shown, ["a", "aside", "b", "c"], "the history has both");
}

#[test]
fn all_that_a_recorded_program_wrote_just_before_its_end_is_kept_when_its_end_is_told() {
    let mut recorded = Recorded::new();
    let pane = recorded.run("head -c 3000000 /dev/zero | tr '\\0' x; printf end");
    recorded.wait_closed(pane.id);
    let out = recorded.kept("out").unwrap();
    assert_eq!((out.len(), out.ends_with("xend")), (3_000_003, true));
}

#[test]
fn a_recorded_program_has_ended_when_nobody_writes_to_its_output_any_more() {
    let mut recorded = Recorded::new();
    let go = recorded.dir.path().join("go");
    let script = format!(
        "(until [ -e {} ]; do sleep 0.05; done; echo late) & echo early",
        go.display()
    );
    let pane = recorded.run(&script);
    recorded.bench.wait_text(pane.id, "early");
    assert_eq!(recorded.kept("status"), None);
    std::fs::write(go, "").unwrap();
    recorded.wait_closed(pane.id);
    assert_eq!(recorded.kept("out").as_deref(), Some("early\nlate\n"));
}

#[test]
fn what_a_recorded_program_answers_is_on_no_disk_before_it_is_covered() {
    let mut recorded = Recorded::new();
    let go = recorded.dir.path().join("go");
    let script = format!(
        "echo before > $ANSWER; printf 'it is a sec' > $ANSWER; sh -c 'printf ret >> $ANSWER'; cat $ANSWER; mkfifo {0}; cat {0}",
        go.display()
    );
    let pane = recorded.run(&script);
    wait_for("its pipe", || go.exists().then_some(()));
    assert_eq!(recorded.kept("answer"), None);
    std::fs::write(go, "").unwrap();
    recorded.wait_closed(pane.id);
    assert_eq!(recorded.kept("answer").as_deref(), Some("it is •••"));
    assert_eq!(recorded.kept("out").as_deref(), Some("it is •••"));

    let pane = recorded.run("cat $ANSWER");
    recorded.wait_closed(pane.id);
    assert_eq!(recorded.kept("status").as_deref(), Some("0\n"));
}

#[test]
fn a_recorded_program_that_has_ended_says_what_holds_its_output_open() {
    let mut recorded = Recorded::new();
    let go = recorded.dir.path().join("go");
    let script = format!("mkfifo {0}; cat {0} & echo $!; exit 3", go.display());
    let pane = recorded.run(&script);
    assert_eq!(pane.held, None);
    let held = recorded.bench.wait_event(|event| match event {
        PaneEvent::Changed { pane: info } if info.id == pane.id => info.held,
        _ => None,
    });
    let out = recorded.kept("out").unwrap();
    let by: Vec<_> = held
        .by
        .iter()
        .map(|holder| holder.pid.to_string())
        .collect();
    assert_eq!((held.status, by), (3, vec![out.trim().to_owned()]));
    assert_eq!(held.by[0].name, "cat");
    std::fs::write(go, "").unwrap();
    recorded.bench.wait_exit(pane.id);
    let info = recorded.bench.panes.info(pane.id).unwrap();
    assert_eq!(
        (info.held, recorded.kept("status").as_deref()),
        (None, Some("3\n"))
    );
}

#[test]
fn a_recorded_program_that_fails_stays_open_and_says_how() {
    for (script, status) in [("exit 3", "3\n"), ("kill -TERM $$", "143\n")] {
        let recorded = Recorded::new();
        let pane = recorded.run(script);
        recorded.bench.wait_exit(pane.id);
        assert_eq!(recorded.kept("status").as_deref(), Some(status), "{script}");
        assert_eq!(recorded.kept("out"), None, "nothing was written");
    }
}

#[test]
fn a_recorded_program_reads_the_file_that_it_was_given() {
    let mut recorded = Recorded::new();
    let pane = recorded.run_with("cat", Some("one\ntwo"));
    recorded.wait_closed(pane.id);
    assert_eq!(recorded.kept("out").as_deref(), Some("one\ntwo"));
}

#[test]
fn a_recorded_program_whose_pane_is_closed_leaves_no_status_and_nothing_that_runs() {
    let recorded = Recorded::new();
    let script = "trap '' HUP; echo $$; setsid sleep 5 & sleep 600";
    let pane = recorded.run(script);
    let pid = wait_for("its process", || {
        recorded.kept("out").filter(|out| out.ends_with('\n'))
    });
    recorded.bench.panes.close(pane.id).unwrap();
    let process = std::path::Path::new("/proc").join(pid.trim());
    wait_for("the end of the program", || {
        (!process.exists()).then_some(())
    });
    assert_eq!(recorded.kept("status"), None);
}

#[test]
fn output_that_can_t_be_kept_is_warned_of_and_leaves_no_status() {
    let mut recorded = Recorded::new();
    std::fs::create_dir(recorded.dir.path().join("out")).unwrap();
    let pane = recorded.run("echo lost");
    let message = recorded.bench.wait_event(|event| match event {
        PaneEvent::Warned { id, message } if id == Some(pane.id) => Some(message),
        _ => None,
    });
    assert!(message.contains("could not be kept"), "{message}");
    recorded.bench.wait_exit(pane.id);
    assert_eq!(recorded.kept("status"), None);
}

#[test]
fn a_program_finds_its_terminal_its_directory_and_nothing_that_others_left_open() {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    let mut request = script_request(
        "exec 3>/dev/tty && echo has a terminal; exec 3>&-; pwd; ls /proc/self/fd | wc -l; ps -o sid= -p $$ | tr -d ' '; trap; kill -PIPE $$",
    );
    let place = dir.path().canonicalize().unwrap().display().to_string();
    request.cwd = Some(place.clone());
    let pane = bench.panes.open(request).unwrap();
    let PaneState::Running { pid } = pane.state else {
        panic!("{pane:?}");
    };
    let end = bench.wait_exit(pane.id);
    let lines: Vec<_> = bench.lines(pane.id);
    // Its own three, and the one by which `ls` reads them.
    let wanted = ["has a terminal", &place, "4", &pid.to_string()].map(str::to_owned);
    assert_eq!(lines, wanted);
    let broken_pipe = PaneState::Exited {
        code: None,
        signal: Some("SIGPIPE".to_owned()),
    };
    assert_eq!(
        end, broken_pipe,
        "a signal that this process ignores is at its default"
    );
}

/// A copy of `from` and all that is in it, as it is now: what is left of it when its host is killed.
fn copied(from: &std::path::Path) -> tempfile::TempDir {
    fn copy(from: &std::path::Path, to: &std::path::Path) {
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                std::fs::create_dir(&to).unwrap();
                copy(&entry.path(), &to);
            } else {
                // It may be renamed meanwhile.
                let _ = std::fs::copy(entry.path(), to);
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    copy(from, dir.path());
    dir
}

#[test]
fn what_scrolled_away_survives_a_kill_a_second_later_however_busy_its_program_is() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("history");
    let with = |dir: &std::path::Path| PanesConfig {
        history_dir: Some(dir.to_owned()),
        ..PanesConfig::default()
    };
    let bench = Bench::with(with(&dir));
    // Some hundred lines are still the emulator's then, and it is never quiet.
    let pane = bench
        .run("seq 300; while :; do printf .; sleep 0.1; done")
        .id;
    bench.wait_line(pane, "300");
    let printed = Instant::now();
    let held = wait_for("the lines that scrolled away", || {
        let left = copied(&dir);
        let again = Panes::new(with(left.path())).unwrap();
        let lines = again.read(pane, ReadLines::Newest { count: 1_000 }).ok()?;
        let numbers: Vec<_> = lines
            .iter()
            .map_while(|line| line.text.parse::<u32>().ok())
            .collect();
        (numbers.len() > 270).then_some(numbers)
    });
    // The reader looks every few milliseconds; a second, and what a busy machine adds to it.
    assert!(printed.elapsed() < Duration::from_millis(2_500));
    assert_eq!(held[..270], (1..=270).collect::<Vec<u32>>());
}
