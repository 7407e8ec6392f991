//! Search and history through the room's door: real programs on real terminals.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use terminal::{
    Cancel, OpenPane, PaneId, PaneInfo, PaneSize, Panes, PanesConfig, ReadLines, Scope,
    ScrollbackLimits, SearchAnswer, SearchError, SearchRequest, Source,
};

fn panes(dir: &Path) -> Panes {
    Panes::new(PanesConfig {
        history_dir: Some(dir.join("history")),
        scrollback: ScrollbackLimits {
            lines: 100,
            ..ScrollbackLimits::default()
        },
        grace: Duration::from_millis(500),
        ..PanesConfig::default()
    })
    .unwrap()
}

fn open(panes: &Panes, script: &str, private: bool) -> PaneInfo {
    panes
        .open(OpenPane {
            program: Some("sh".to_owned()),
            args: vec!["-c".to_owned(), script.to_owned()],
            cwd: Some("/".to_owned()),
            size: PaneSize { cols: 80, rows: 24 },
            private,
            ..OpenPane::default()
        })
        .unwrap()
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::yield_now();
    }
}

fn find(panes: &Panes, pattern: &str, scope: Scope) -> Result<SearchAnswer, SearchError> {
    let request = SearchRequest {
        limit: 500,
        ..SearchRequest::new(pattern, scope)
    };
    panes.search(&request, &Cancel::default(), &mut |_| {})
}

fn ended(panes: &Panes, pane: PaneId) {
    wait_for("the program's end", || {
        panes.info(pane).unwrap().ended_at.is_some()
    });
}

#[test]
fn what_a_pane_printed_is_found_in_memory_on_screen_and_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let panes = panes(dir.path());
    let pane = open(&panes, "seq -f 'number %g.' 1 5000", false);
    ended(&panes, pane.id);
    let answer = find(&panes, "number 4999.", Scope::Live).unwrap();
    assert_eq!((answer.total, answer.panes), (1, 1));
    assert_eq!(answer.matches[0].source, Source::Screen);
    let answer = find(&panes, "number 3.", Scope::Live).unwrap();
    let found = &answer.matches[0];
    assert_eq!((found.source, found.line_number), (Source::History, 3));
    let around = panes
        .read(
            pane.id,
            ReadLines::After {
                line: found.line,
                count: 2,
            },
        )
        .unwrap();
    let texts: Vec<_> = around.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["number 3.", "number 4."]);
    let all = find(&panes, "number", Scope::Pane { id: pane.id }).unwrap();
    assert_eq!(all.total, 5000);
}

#[test]
fn a_closed_pane_is_found_until_it_is_purged_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = panes(dir.path());
    let pane = open(&first, "echo needle; sleep 100", false);
    wait_for("the needle", || {
        find(&first, "needle", Scope::Live).unwrap().total == 1
    });
    assert_eq!(find(&first, "needle", Scope::Closed).unwrap().total, 0);
    first.close(pane.id).unwrap();
    assert_eq!(find(&first, "needle", Scope::Live).unwrap().total, 0);
    assert_eq!(find(&first, "needle", Scope::Closed).unwrap().total, 1);
    drop(first);

    let again = panes(dir.path());
    let closed = again.closed();
    assert_eq!(closed.len(), 1);
    assert_eq!((closed[0].id, closed[0].cwd.as_str()), (pane.id, "/"));
    assert!(closed[0].ended_at.is_some());
    let answer = find(&again, "needle", Scope::All).unwrap();
    assert_eq!(answer.matches[0].content, "needle");
    assert_eq!(answer.matches[0].source, Source::History);
    let lines = again
        .read(pane.id, ReadLines::Newest { count: 10 })
        .unwrap();
    assert_eq!(lines.len(), 1);
    again.purge(Some(pane.id)).unwrap();
    assert!(again.closed().is_empty());
    assert_eq!(
        find(&again, "needle", Scope::Pane { id: pane.id }),
        Err(SearchError::BadId { pane: pane.id })
    );
}

#[test]
fn a_private_pane_leaves_nothing_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let panes = panes(dir.path());
    let pane = open(&panes, "seq 1 3000; echo secret", true);
    ended(&panes, pane.id);
    assert_eq!(find(&panes, "secret", Scope::Live).unwrap().total, 1);
    panes.close(pane.id).unwrap();
    assert!(panes.closed().is_empty());
    assert!(
        !dir.path()
            .join("history")
            .join(pane.id.to_string())
            .exists()
    );
}

#[test]
fn what_a_full_screen_program_showed_and_cleared_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let panes = panes(dir.path());
    let script = r"printf '\033[?1049h\033[Hplan: buy milk\r\n'; read wait; printf '\033[2J\033[Hdone'; read wait; printf '\033[?1049l'; echo after; read wait";
    let pane = open(&panes, script, false);
    wait_for("the plan", || {
        find(&panes, "buy milk", Scope::Live).unwrap().total == 1
    });
    let screen = || panes.screen_text(pane.id).unwrap();
    panes.write(pane.id, b"\n".to_vec()).unwrap();
    wait_for("the end", || {
        screen().rows.iter().any(|row| row.contains("done"))
    });
    panes.write(pane.id, b"\n".to_vec()).unwrap();
    wait_for("the shell's screen", || {
        screen().rows.iter().any(|row| row.contains("after"))
    });
    let answer = find(&panes, "buy milk", Scope::Live).unwrap();
    assert_eq!(answer.total, 1);
    assert!(answer.matches[0].full_screen);
    panes.close(pane.id).unwrap();
    assert_eq!(find(&panes, "buy milk", Scope::All).unwrap().total, 1);
}

#[test]
fn a_pattern_or_pane_that_can_not_be_searched_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let panes = panes(dir.path());
    let unknown = PaneId(99);
    assert_eq!(
        find(&panes, "x", Scope::Pane { id: unknown }),
        Err(SearchError::BadId { pane: unknown })
    );
    let request = SearchRequest {
        regex: true,
        ..SearchRequest::new("a(?=b)", Scope::All)
    };
    let refused = panes.search(&request, &Cancel::default(), &mut |_| {});
    assert!(
        matches!(
            &refused,
            Err(SearchError::BadQuery {
                position: Some(1),
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn what_was_on_screen_is_on_disk_before_the_pane_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let panes = panes(dir.path());
    let pane = open(&panes, "echo on screen only; sleep 100", false);
    let noted = dir
        .path()
        .join("history")
        .join(pane.id.to_string())
        .join("screen");
    wait_for("the note of the screen", || noted.exists());
    panes.close(pane.id).unwrap();
    assert!(!noted.exists());
    assert_eq!(find(&panes, "screen only", Scope::All).unwrap().total, 1);
}
