//! Panes that open in the place of those that a host had, which is gone.

use std::path::Path;
use std::time::Duration;

use terminal::{
    AttachOptions, Attachment, Cancel, Frame, LineId, OpenPane, PaneId, PaneSize, PanesConfig,
    Playback, ReadLines, Scope, ScrollbackLimits, SearchRequest, Snapshot, Style,
};

use crate::bench::{Bench, script_request, wait_for};
use crate::next;

fn host(dir: &Path) -> Bench {
    Bench::with(PanesConfig {
        history_dir: Some(dir.to_owned()),
        grace: Duration::from_millis(500),
        ..PanesConfig::default()
    })
}

fn instead_of(pane: PaneId, script: &str) -> OpenPane {
    OpenPane {
        continues: Some(pane),
        ..script_request(script)
    }
}

async fn snapshot(attachment: &mut Attachment) -> Snapshot {
    loop {
        match next(attachment).await {
            Some(Frame::Snapshot(snapshot)) => {
                attachment.ack(snapshot.bytes.len() as u64);
                return snapshot;
            }
            Some(Frame::Changes(changes)) => attachment.ack(changes.bytes.len() as u64),
            other => panic!("expected a snapshot, got {other:?}"),
        }
    }
}

/// The lines that a window shows after a snapshot: dimmed ones behind a `~`.
fn shows(snapshot: &Snapshot) -> Vec<String> {
    let mut window = Playback::new(PaneSize::default(), ScrollbackLimits::default());
    window.feed(&snapshot.bytes);
    let lines = window.lines().into_iter().map(|line| {
        let dim = |style: Style| style.flags & Style::DIM != 0;
        let all = line.runs.first().is_some_and(|run| run.start == 0)
            && line.runs.iter().all(|run| dim(run.style));
        format!("{}{}", if all { "~" } else { "" }, line.text)
    });
    lines.collect()
}

/// The panes and the lines in which a search within a pane finds a text, newest first.
fn found(bench: &Bench, pane: PaneId, pattern: &str) -> Vec<(PaneId, u64)> {
    let request = SearchRequest::new(pattern, Scope::Pane { id: pane });
    let answer = bench
        .panes
        .search(&request, &Cancel::default(), &mut |_| {});
    let matches = answer.unwrap().matches.into_iter();
    matches.map(|found| (found.pane, found.line.0)).collect()
}

/// A host has a pane that prints, and ends.
fn printed(dir: &Path, request: OpenPane, last: &str) -> PaneId {
    let bench = host(dir);
    let pane = bench.panes.open(request).unwrap().id;
    bench.wait_line(pane, last);
    pane
}

#[tokio::test]
async fn what_a_pane_printed_that_is_gone_stands_dimmed_above_the_one_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let script = r"printf '\033[32mgreen\033[0m and plain\n'; seq 1 3; read x";
    let old = printed(dir.path(), script_request(script), "3");
    let bench = host(dir.path());
    let request = instead_of(
        old,
        "echo new; read x; printf '\\033[H\\033[2J\\033[3J'; echo later; read x",
    );
    let pane = bench.panes.open(request).unwrap();
    let [end] = pane.earlier[..] else {
        panic!("one pane is gone, not {:?}", pane.earlier);
    };
    assert_eq!((end.pane, end.line, end.next), (old, LineId(4), LineId(4)));
    assert!(end.until <= Some(pane.opened_at), "{end:?}");
    bench.wait_line(pane.id, "new");
    let mut window = bench
        .panes
        .attach(pane.id, AttachOptions::default())
        .unwrap();
    let first = snapshot(&mut window).await;
    insta::assert_debug_snapshot!(shows(&first), @r#"
    [
        "~green and plain",
        "~1",
        "~2",
        "~3",
        "",
        "new",
    ]
    "#);
    assert_eq!(first.first_line.0, 0);
    // It is nothing that the pane printed, and found with that all the same.
    assert_eq!(bench.lines(pane.id), ["new"]);
    assert_eq!(found(&bench, pane.id, "e"), [(pane.id, 5), (old, 0)]);
    // Whoever clears the scrollback clears it too.
    bench.panes.write(pane.id, b"\n".to_vec()).unwrap();
    bench.wait_line(pane.id, "later");
    assert_eq!(bench.panes.info(pane.id).unwrap().earlier, []);
    assert_eq!(found(&bench, pane.id, "green"), []);
    let mut window = bench
        .panes
        .attach(pane.id, AttachOptions::default())
        .unwrap();
    let text = shows(&snapshot(&mut window).await).concat();
    assert!(text.contains("later") && !text.contains("green"), "{text}");
}

#[tokio::test]
async fn panes_that_went_on_for_one_another_stand_above_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let first = printed(dir.path(), script_request("echo one; read x"), "one");
    let second = printed(dir.path(), instead_of(first, "echo two; read x"), "two");
    let bench = host(dir.path());
    let third = bench.panes.open(instead_of(second, "read x")).unwrap().id;
    let mut window = bench.panes.attach(third, AttachOptions::default()).unwrap();
    let whole = ["~one", "", "~two", ""];
    assert_eq!(shows(&snapshot(&mut window).await)[..4], whole);
    let ends = bench.panes.info(third).unwrap().earlier;
    let places: Vec<_> = ends.iter().map(|end| (end.pane, end.line.0)).collect();
    assert_eq!(places, [(first, 1), (second, 3)]);
    // What is removed from disk stands above no pane that opens from then on.
    bench.panes.close(third).unwrap();
    bench.panes.purge(Some(second)).unwrap();
    let fourth = bench.panes.open(instead_of(third, "read x")).unwrap();
    assert_eq!(fourth.earlier, []);
}

#[test]
fn only_what_a_pane_printed_itself_is_kept_as_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let old = printed(dir.path(), script_request("seq 1 900; read x"), "900");
    // More than the emulator holds scrolls through, so that lines of both leave it.
    let script = "seq 2001 2900; echo last; read x";
    let new = printed(dir.path(), instead_of(old, script), "last");
    let bench = host(dir.path());
    let mut wanted: Vec<String> = (2_001..=2_900).map(|number| number.to_string()).collect();
    wanted.push("last".to_owned());
    assert_eq!(bench.lines(new), wanted);
    // As was one that printed nothing.
    let silent = printed_nothing(dir.path(), new);
    assert_eq!(
        host(dir.path())
            .panes
            .read(silent, ReadLines::Newest { count: 9 })
            .unwrap(),
        []
    );
}

/// A host has a pane that opens in the place of another one, and ends without a word.
fn printed_nothing(dir: &Path, pane: PaneId) -> PaneId {
    let bench = host(dir);
    let opened = bench.panes.open(instead_of(pane, "exit 0")).unwrap();
    assert_eq!(opened.earlier.len(), 2);
    bench.wait_exit(opened.id);
    opened.id
}

#[tokio::test]
async fn much_that_was_printed_is_shown_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let old = printed(
        dir.path(),
        script_request("seq 1 5000; echo end; read x"),
        "end",
    );
    let bench = host(dir.path());
    let pane = bench.panes.open(instead_of(old, "read x")).unwrap().id;
    let mut window = bench.panes.attach(pane, AttachOptions::default()).unwrap();
    let shown = shows(&snapshot(&mut window).await);
    assert_eq!(shown[0], "~4002");
    assert_eq!(shown[998..1_001], ["~5000", "~end", ""]);
}

#[test]
fn a_pane_that_lives_or_is_not_known_is_gone_on_for_by_none() {
    let dir = tempfile::tempdir().unwrap();
    let bench = host(dir.path());
    let live = bench.run("echo live; read x").id;
    bench.wait_line(live, "live");
    for pane in [live, PaneId(7_000)] {
        let opened = bench.panes.open(instead_of(pane, "read x")).unwrap();
        assert_eq!(opened.earlier, []);
    }
    // One that keeps nothing on disk leaves nothing to be shown.
    let private = OpenPane {
        private: true,
        ..script_request("echo secret; read x")
    };
    let private = bench.panes.open(private).unwrap().id;
    bench.wait_line(private, "secret");
    bench.panes.close(private).unwrap();
    wait_for("the pane to be gone", || {
        bench.panes.info(private).is_err().then_some(())
    });
    let opened = bench.panes.open(instead_of(private, "read x")).unwrap();
    assert_eq!(opened.earlier, []);
}
