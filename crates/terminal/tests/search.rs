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
        std::thread::park_timeout(Duration::from_millis(2));
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
fn a_search_is_narrowed_to_a_time_and_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let panes = panes(dir.path());
    let pane = open(&panes, "echo needle; exec sleep 100", false);
    let hidden = open(&panes, "echo needle; exec sleep 100", true);
    wait_for("both needles", || {
        find(&panes, "needle", Scope::Live).unwrap().total == 2
    });
    let narrowed = |change: fn(&mut SearchRequest, u64)| {
        let mut request = SearchRequest::new("needle", Scope::All);
        change(&mut request, pane.opened_at);
        let answer = panes.search(&request, &Cancel::default(), &mut |_| {});
        let mut found: Vec<_> = answer.unwrap().matches.iter().map(|it| it.pane).collect();
        found.sort();
        found
    };
    let both = [pane.id, hidden.id];
    assert_eq!(narrowed(|it, now| it.since = Some(now - 60_000)), both);
    // Nothing is kept of a private pane, nor when its lines came.
    assert_eq!(
        narrowed(|it, now| it.before = Some(now - 60_000)),
        both[1..]
    );
    assert_eq!(narrowed(|it, _| it.directory = Some("/".to_owned())), both);
    assert_eq!(narrowed(|it, _| it.directory = Some("/usr".to_owned())), []);
    panes.close(pane.id).unwrap();
    panes.close(hidden.id).unwrap();
    assert_eq!(
        narrowed(|it, _| it.directory = Some("/".to_owned())),
        both[..1]
    );
    assert_eq!(narrowed(|it, _| it.directory = Some("/usr".to_owned())), []);
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

/// Runs a script on the alternate screen to its end and closes the pane; nobody searches before. Returns the lines
/// that are kept of what it showed.
fn shown_by(script: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let panes = panes(dir.path());
    let script = format!(r"printf '\033[?1049h\033[H'; {script}; printf '\033[?1049l'; echo over");
    let pane = open(&panes, &script, false);
    ended(&panes, pane.id);
    panes.close(pane.id).unwrap();
    let lines = ReadLines::Newest { count: 100_000 };
    let mut lines: Vec<_> = panes
        .read(pane.id, lines)
        .unwrap()
        .into_iter()
        .filter(|line| line.id.is_full_screen())
        .map(|line| line.text)
        .collect();
    lines.retain(|line| !line.is_empty());
    lines
}

#[test]
fn what_a_full_screen_program_showed_for_a_tenth_of_a_second_is_found_however_it_went() {
    for clear in [
        r"\033[2J",
        r"\033[H\033[J",
        r"\033[H\033[2K",
        r"\033[50S",
        r"\r                    ",
        r"\033[?2026h\033[2J\033[?2026l",
        r"\033c\033[?1049h",
    ] {
        let shown = shown_by(&format!(
            r"printf 'plan: buy milk'; sleep 0.1; printf '{clear}'; printf '\033[5Hdone'; sleep 0.1"
        ));
        assert_eq!(shown, ["plan: buy milk", "done"], "{clear:?}");
    }
}

#[test]
fn text_that_stands_beside_an_animation_is_found_and_the_frames_are_not_repeated() {
    let frames = r"for n in 1 2 3 4 5 6 7 8 9 10; do
        for turn in ⠋ ⠙ ⠹ ⠸; do printf '\033[1;1H%s Working\033[K' $turn; sleep 0.01; done";
    let shown = shown_by(&format!(
        r"{frames}
            [ $n = 3 ] && printf '\033[3Hpermission needed'
            [ $n = 7 ] && printf '\033[3H\033[2K'
            :
        done"
    ));
    let found = |row: &str| shown.iter().filter(|line| line.contains(row)).count();
    assert_eq!(found("permission needed"), 1, "{shown:?}");
    assert_eq!(found("Working"), 1, "{shown:?}");
}

#[test]
fn a_pager_and_an_editor_leave_every_line_that_they_scrolled_through_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("text");
    let lines: Vec<_> = (1..=300)
        .map(|n| format!("number {n} of the lines"))
        .collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    for (program, page, quit) in [
        (&["less", "-R"][..], &b" "[..], &b"q"[..]),
        (
            &["vim", "-u", "NONE", "-i", "NONE", "-n"],
            b"\x06",
            b":q!\r",
        ),
    ] {
        let panes = panes(dir.path());
        let pane = panes
            .open(OpenPane {
                program: Some(program[0].to_owned()),
                args: program[1..]
                    .iter()
                    .map(|arg| (*arg).to_owned())
                    .chain([file.display().to_string()])
                    .collect(),
                cwd: Some("/".to_owned()),
                size: PaneSize { cols: 80, rows: 24 },
                ..OpenPane::default()
            })
            .unwrap();
        let screen = || panes.screen_text(pane.id).unwrap().rows.join("\n");
        wait_for("the first page", || screen().contains("number 10 of"));
        // A page may come in pieces: it stands from the last of them on.
        let page_stands = || {
            let (mut seen, mut since) = (screen(), Instant::now());
            wait_for("a page that stands for a tenth of a second", || {
                let now = screen();
                if now != seen {
                    (seen, since) = (now, Instant::now());
                }
                since.elapsed() >= Duration::from_millis(100)
            });
        };
        page_stands();
        while !screen().contains("number 300 of") {
            let before = screen();
            panes.write(pane.id, page.to_vec()).unwrap();
            wait_for("the next page", || screen() != before);
            page_stands();
        }
        panes.write(pane.id, quit.to_vec()).unwrap();
        ended(&panes, pane.id);
        let found = find(&panes, "of the lines", Scope::Pane { id: pane.id }).unwrap();
        let missing: Vec<_> = lines
            .iter()
            .filter(|line| !found.matches.iter().any(|found| found.content == **line))
            .collect();
        assert!(missing.is_empty(), "{program:?}: {missing:?}");
        assert_eq!(found.total, 300, "{program:?}");
        panes.close(pane.id).unwrap();
        panes.purge(Some(pane.id)).unwrap();
    }
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
