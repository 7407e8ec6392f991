use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::*;
use crate::imprint::Needs;
use crate::lines::PaneText;
use crate::styled::{Color, Style, StyleRun};
use crate::types::ReadLines;

struct Place {
    dir: TempDir,
    now: Arc<AtomicU64>,
    warned: Arc<Mutex<Vec<String>>>,
    budget: HistoryBudget,
}

impl Place {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            now: Arc::new(AtomicU64::new(1_000_000_000_000)),
            warned: Arc::default(),
            budget: HistoryBudget::default(),
        }
    }

    fn open(&self) -> History {
        let now = Arc::clone(&self.now);
        let warned = Arc::clone(&self.warned);
        History::open(
            &self.path(),
            self.budget,
            Clock::new(move || now.load(Ordering::Relaxed)),
            Box::new(move |_, message| warned.lock().push(message)),
        )
        .unwrap()
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("history")
    }

    /// The files of a pane, sorted.
    fn files(&self, pane: u64) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path().join(pane.to_string())) else {
            return Vec::new();
        };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn segments(&self, pane: u64) -> Vec<PathBuf> {
        let mut files = self.files(pane);
        files.retain(|file| file.extension().is_some_and(|end| end == "seg"));
        files
    }

    fn warned(&self) -> Vec<String> {
        self.warned.lock().clone()
    }
}

fn pane(id: u64) -> ClosedPane {
    ClosedPane {
        id: PaneId(id),
        program: vec!["bash".to_owned(), "-l".to_owned()],
        role: PaneRole::Shell,
        cwd: "/work".to_owned(),
        title: String::new(),
        name: Some("build".to_owned()),
        command: None,
        continues: None,
        opened_at: 5,
        ended_at: None,
    }
}

fn plain(text: &str) -> StyledLine {
    StyledLine {
        text: text.to_owned(),
        ..StyledLine::default()
    }
}

/// Appends lines numbered from `first` that do not compress well.
fn print(history: &PaneHistory, first: u64, count: u64) {
    let mut state = first | 1;
    for number in first..first + count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let line = plain(&format!(
            "line {number} {state:016x}{:016x}",
            state.rotate_left(29)
        ));
        history.append(LineId(number), &line);
    }
}

fn read(history: &History, pane: u64) -> Vec<String> {
    let Some(reader) = history.reader(PaneId(pane)) else {
        return Vec::new();
    };
    let lines = PaneText::closed(reader).read(ReadLines::Newest { count: 100_000 });
    lines.into_iter().map(|line| line.text).collect()
}

fn first_words(lines: &[String]) -> Vec<String> {
    let words = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    lines.iter().map(words).collect()
}

fn numbered(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|number| format!("line {number}")).collect()
}

/// Copies a history as a crash would leave it: what is in the files, and nothing else.
fn crashed(place: &Place) -> Place {
    let copy = Place::new();
    for pane in disk::panes(&place.path()) {
        let to = copy.path().join(pane.to_string());
        fs::create_dir_all(&to).unwrap();
        for file in place.files(pane.0) {
            fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
        }
    }
    copy
}

#[test]
fn a_pane_that_somebody_looks_at_is_not_taken_for_one_that_lives() {
    let place = Place::new();
    place.open().begin(pane(1)).close(&[plain("$ exit")]);
    let looking = fs::File::open(place.path().join("1/lock")).unwrap();
    looking.try_lock_shared().unwrap();
    assert_eq!(place.open().closed().len(), 1);

    let living = fs::File::open(place.path().join("1/lock")).unwrap();
    drop(looking);
    living.try_lock().unwrap();
    assert_eq!(place.open().closed().len(), 0);
}

#[test]
fn a_closed_pane_is_listed_and_read_after_a_restart() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(7));
    print(&kept, 0, 3_000);
    kept.describe(|meta| meta.cwd = "/elsewhere".to_owned());
    assert!(history.closed().is_empty());
    kept.close(&[plain("$ exit")]);
    drop(history);

    let history = place.open();
    let closed = history.closed();
    insta::assert_json_snapshot!(closed, @r#"
    [
      {
        "id": 7,
        "program": [
          "bash",
          "-l"
        ],
        "role": "shell",
        "cwd": "/elsewhere",
        "title": "",
        "name": "build",
        "command": null,
        "opened_at": 5,
        "ended_at": 1000000000000
      }
    ]
    "#);
    let lines = read(&history, 7);
    assert_eq!(lines.len(), 3_001);
    assert_eq!(first_words(&lines[..3_000]), numbered(0..3_000));
    assert_eq!(lines[3_000], "$ exit");
}

#[test]
fn only_the_owner_may_look() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    print(&kept, 0, 10_000);
    history.flush().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.path()), 0o700);
    assert_eq!(mode(&place.path().join("1")), 0o700);
    let files = place.files(1);
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_crash_loses_only_what_was_not_written_yet() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    print(&kept, 0, 5_000);
    kept.append_full_screen(&[plain("shown one"), plain("shown two")]);
    print(&kept, 5_000, 10);
    history.flush().unwrap();
    print(&kept, 5_010, 10);
    history.flush().unwrap();
    print(&kept, 5_020, 10);

    let copy = crashed(&place);
    let history = copy.open();
    let lines = read(&history, 1);
    let mut expected = numbered(0..5_000);
    expected.extend(["shown one".to_owned(), "shown two".to_owned()]);
    expected.extend(numbered(5_000..5_020));
    // The thread may have written what came after the last flush, too.
    let read_once = first_words(&lines);
    let more = read_once.len().saturating_sub(expected.len()) as u64;
    expected.extend(numbered(5_020..5_020 + more));
    assert!(read_once == expected, "{:?}", &read_once[4_990..]);
    assert_eq!(history.closed()[0].ended_at, None);
    // The tail has become a segment, and is not taken in twice.
    drop(history);
    assert!(first_words(&read(&copy.open(), 1)) == expected);
    assert!(!copy.files(1).iter().any(|file| file.ends_with("tail")));
}

#[test]
fn after_a_crash_the_history_ends_with_what_was_on_screen() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    let on_screen: Vec<_> = (10..15)
        .map(|number| plain(&format!("line {number}")))
        .collect();
    print(&kept, 0, 10);
    kept.note_screen(LineId(10), &on_screen);
    history.flush().unwrap();
    // Two of them leave it before the crash.
    print(&kept, 10, 2);
    history.flush().unwrap();
    let copy = crashed(&place);
    assert_eq!(first_words(&read(&copy.open(), 1)), numbered(0..15));
    assert_eq!(first_words(&read(&copy.open(), 1)), numbered(0..15));

    // A pane that has not printed a screenful.
    let other = history.begin(pane(2));
    other.note_screen(LineId(0), &[plain("$ make")]);
    history.flush().unwrap();
    assert_eq!(read(&crashed(&place).open(), 2), ["$ make"]);

    // One that was closed has it from its screen, once.
    kept.close(&on_screen[2..]);
    assert_eq!(first_words(&read(&place.open(), 1)), numbered(0..15));
}

/// A line whose number is in a colour of its own.
fn coloured(number: u64) -> StyledLine {
    let style = Style {
        fg: Color::Indexed((number % 200) as u8),
        flags: Style::BOLD,
        ..Style::default()
    };
    let mut line = plain(&format!("line {number} is printed"));
    let end = line.text.find(" is").unwrap() as u32;
    line.runs = vec![
        StyleRun { start: 5, style },
        StyleRun {
            start: end,
            style: Style::default(),
        },
    ];
    line
}

/// The lines of a pane that look otherwise than they were printed.
fn discoloured(history: &History, count: u64) -> Vec<String> {
    let reader = history.reader(PaneId(1)).unwrap();
    let lines = PaneText::closed(reader).read(ReadLines::Newest { count: 100_000 });
    let numbers: Vec<_> = lines.iter().map(|line| line.id.0).collect();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
    let mut wrong = lines;
    wrong.retain(|line| line.spans != coloured(line.id.0).spans());
    wrong.into_iter().map(|line| line.text).collect()
}

#[test]
fn a_line_keeps_its_looks_wherever_it_is_and_after_a_crash() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    let print = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            kept.append(LineId(number), &coloured(number));
        }
        history.flush().unwrap();
    };
    print(0..9_000);
    print(9_000..9_100);
    kept.note_screen(LineId(9_100), &[coloured(9_100), coloured(9_101)]);
    history.flush().unwrap();
    assert_eq!(discoloured(&history, 9_100), [""; 0], "waiting and written");
    let copy = crashed(&place);
    assert_eq!(discoloured(&copy.open(), 9_102), [""; 0], "after a crash");
    kept.close(&[coloured(9_100), coloured(9_101)]);
    assert_eq!(discoloured(&place.open(), 9_102), [""; 0], "closed");
}

#[test]
fn damaged_looks_cost_no_text() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    for number in 0..100 {
        kept.append(LineId(number), &coloured(number));
    }
    kept.close(&[]);
    let segment = &place.segments(1)[0];
    let mut bytes = fs::read(segment).unwrap();
    // What a block's lines look like is the last of it.
    let last = bytes.len() - 1;
    bytes[last] ^= 0xff;
    fs::write(segment, &bytes).unwrap();
    assert_eq!(first_words(&read(&history, 1)), numbered(0..100));
    assert_eq!(discoloured(&history, 100).len(), 100, "plain, all of them");
}

#[test]
fn plain_lines_lie_on_disk_as_before_there_were_looks() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    print(&kept, 0, 20_000);
    kept.close(&[]);
    let bytes = fs::read(&place.segments(1)[0]).unwrap();
    assert_eq!(&bytes[..4], b"SWB2");
    assert!(memchr::memmem::find(&bytes, b"SWB3").is_none());
}

#[test]
fn a_crash_between_a_segment_and_its_tail_repeats_no_line() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    print(&kept, 0, 10);
    history.flush().unwrap();
    let tail = fs::read(place.path().join("1/tail")).unwrap();
    print(&kept, 10, 5_000);
    history.flush().unwrap();
    let copy = crashed(&place);
    let after = fs::read(copy.path().join("1/tail")).unwrap();
    fs::write(copy.path().join("1/tail"), [tail, after].concat()).unwrap();
    assert_eq!(first_words(&read(&copy.open(), 1)), numbered(0..5_010));
}

#[test]
fn a_segment_that_was_cut_off_or_damaged_gives_what_is_whole() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    print(&kept, 0, 20_000);
    kept.close(&[]);
    let segment = &place.segments(1)[0];
    let whole = fs::read(segment).unwrap();
    let all = read(&history, 1).len();
    assert_eq!(all, 20_000);
    let spoil = |at: usize| {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        fs::write(segment, &damaged).unwrap();
        first_words(&read(&history, 1))
    };
    // An imprint holds no line.
    assert_eq!(spoil(57).len(), all);
    for at in [0, 1, 40, 5_000, whole.len() / 2, whole.len() - 1] {
        fs::write(segment, &whole[..at]).unwrap();
        let cut = first_words(&read(&history, 1));
        assert!(cut.len() < all, "cut at {at}");
        let spoiled = spoil(at);
        assert!(
            spoiled.len() < all && !spoiled.is_empty(),
            "spoiled at {at}"
        );
        // Nothing is read as another line than it was.
        for line in cut.iter().chain(&spoiled) {
            assert!(line.starts_with("line "), "{line}");
        }
    }
}

#[test]
fn a_damaged_imprint_hides_nothing() {
    use crate::search::{Cancel, Query, Scope, SearchRequest, search};
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    print(&kept, 0, 20_000);
    kept.close(&[]);
    let find = |pattern: &str| {
        let query = Query::new(&SearchRequest::new(pattern, Scope::Closed)).unwrap();
        let text = PaneText::closed(history.reader(PaneId(1)).unwrap());
        search(&query, vec![text], &Cancel::default(), &mut |_| {}).total
    };
    let segment = &place.segments(1)[0];
    let whole = fs::read(segment).unwrap();
    // Every bit of the first one is taken out.
    let mut damaged = whole.clone();
    damaged[56..56 + 4096].fill(0);
    fs::write(segment, &damaged).unwrap();
    assert_eq!(find("line 77 "), 1);
    assert_eq!(find("line"), 20_000);
    assert_eq!(find("nowhere"), 0);
}

#[test]
fn a_search_reports_what_is_damaged_or_gone() {
    use crate::search::{Cancel, Query, Scope, SearchRequest, search};
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    print(&kept, 0, 20_000);
    kept.close(&[]);
    let query = Query::new(&SearchRequest::new("line", Scope::Closed)).unwrap();
    let find = || {
        let text = PaneText::closed(history.reader(PaneId(1)).unwrap());
        search(&query, vec![text], &Cancel::default(), &mut |_| {})
    };
    assert_eq!(find().total, 20_000);
    let segment = place.segments(1)[0].clone();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let answer = find();
    assert!(answer.total < 20_000 && answer.total > 0);
    assert!(answer.truncated);
    let reason = answer.reason.unwrap();
    assert!(
        reason.contains("history of pane 1") && reason.contains("is damaged"),
        "{reason}"
    );

    // A segment that goes after the search has listed it, and before it reads it.
    let whole = read(&history, 1).len();
    let gone = std::sync::Once::new();
    let text = PaneText::closed(history.reader(PaneId(1)).unwrap());
    let chunks = history.reader(PaneId(1)).unwrap().chunks(&Filter {
        printed: 0..u64::MAX,
        full_screen: 0..u64::MAX,
    });
    gone.call_once(|| fs::remove_file(&segment).unwrap());
    let (chunk, filter) = &chunks[0];
    let wanted = Wanted {
        lines: filter,
        needs: &Needs::default(),
        newest_first: true,
    };
    let lost = chunk.read(&wanted, &mut Scratch::default(), |_| true);
    assert_eq!(
        lost,
        Err(Damage(
            "a part was removed while it was searched".to_owned()
        ))
    );
    assert!(text.read(ReadLines::Newest { count: 100_000 }).len() < whole);
}

#[test]
fn a_full_disk_is_told_of_once_and_nothing_is_lost_when_there_is_room_again() {
    let place = Place::new();
    let history = place.open();
    let dir = place.path().join("1");
    let kept = history.begin(pane(1));
    // Makes the directory and holds it: one that nobody holds is tidied away at the start.
    history.flush().unwrap();
    symlink("/dev/full", dir.join("tail")).unwrap();
    print(&kept, 0, 10);
    assert!(history.flush().is_err());
    print(&kept, 10, 10);
    assert!(history.flush().is_err());
    let warned = place.warned();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("No space left on device"), "{warned:?}");
    // What waits can be read all the same.
    assert_eq!(first_words(&read(&history, 1)), numbered(0..20));

    fs::remove_file(dir.join("tail")).unwrap();
    history.flush().unwrap();
    assert_eq!(place.warned()[1..], ["history is being written again"]);
    let copy = crashed(&place);
    assert_eq!(first_words(&read(&copy.open(), 1)), numbered(0..20));
}

#[test]
fn what_waits_for_a_full_disk_is_bounded() {
    let place = Place::new();
    let history = place.open();
    // A file where the pane's directory should be: nothing can be written.
    fs::write(place.path().join("1"), "").unwrap();
    let kept = history.begin(pane(1));
    let long = "x".repeat(64 * 1024);
    for number in 0..1_000 {
        kept.append(LineId(number), &plain(&long));
    }
    assert!(kept.log.pending.lock().waiting <= MAX_WAITING);
    let lost: Vec<_> = place
        .warned()
        .into_iter()
        .filter(|message| message.contains("lost"))
        .collect();
    assert_eq!(lost.len(), 1);
    fs::remove_file(place.path().join("1")).unwrap();
    history.flush().unwrap();
    assert!(read(&history, 1).len() > 100);
}

#[test]
fn a_purge_removes_everything_at_once_and_what_comes_later_is_kept() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    let closed = history.begin(pane(2));
    print(&kept, 0, 10_000);
    print(&closed, 0, 10);
    closed.close(&[]);
    history.flush().unwrap();
    history.purge(None).unwrap();
    assert!(place.segments(1).is_empty());
    assert!(read(&history, 1).is_empty());
    assert!(!place.path().join("2").exists());
    assert!(history.closed().is_empty());
    print(&kept, 10_000, 5);
    kept.close(&[]);
    assert_eq!(first_words(&read(&history, 1)), numbered(10_000..10_005));
}

#[test]
fn a_purge_while_lines_arrive_leaves_none_of_the_older_ones() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    std::thread::scope(|scope| {
        scope.spawn(|| print(&kept, 0, 60_000));
        for _ in 0..20 {
            let before = kept.log.pending.lock().next;
            history.purge(Some(PaneId(1))).unwrap();
            let left = first_words(&read(&history, 1));
            if let Some(first) = left.first() {
                let first: u64 = first["line ".len()..].parse().unwrap();
                assert!(first >= before, "{first} was printed before {before}");
            }
        }
    });
}

#[test]
fn what_is_too_old_goes_and_what_is_new_stays() {
    let mut place = Place::new();
    place.budget.max_age = Duration::from_secs(3600);
    let history = place.open();
    let old = history.begin(pane(1));
    print(&old, 0, 100);
    old.close(&[]);
    place.now.fetch_add(3_000_000, Ordering::Relaxed);
    let new = history.begin(pane(2));
    print(&new, 0, 100);
    new.close(&[]);
    history.flush().unwrap();
    assert_eq!(history.closed().len(), 2);
    place.now.fetch_add(1_000_000, Ordering::Relaxed);
    history.flush().unwrap();
    let closed: Vec<_> = history.closed().into_iter().map(|pane| pane.id).collect();
    assert_eq!(closed, [PaneId(2)]);
    assert!(!place.path().join("1").exists());
}

#[test]
fn the_oldest_goes_when_there_is_too_much() {
    let mut place = Place::new();
    place.budget.max_bytes = 3 * 1024 * 1024;
    let history = place.open();
    let kept = history.begin(pane(1));
    for round in 0..10 {
        print(&kept, round * 20_000, 20_000);
        place.now.fetch_add(1_000, Ordering::Relaxed);
        history.flush().unwrap();
    }
    let size: u64 = place
        .files(1)
        .iter()
        .map(|file| fs::metadata(file).unwrap().len())
        .sum();
    assert!(size <= 4 * 1024 * 1024, "{size}");
    let lines = first_words(&read(&history, 1));
    assert!(lines.len() > 20_000);
    assert_eq!(lines.last().unwrap(), "line 199999");
    // What was dropped is gone from the start, not from between.
    let first = 200_000 - lines.len() as u64;
    assert_eq!(lines, numbered(first..200_000));
}

#[test]
fn a_live_pane_of_another_host_is_left_alone() {
    let place = Place::new();
    let first = place.open();
    let kept = first.begin(pane(1));
    print(&kept, 0, 10);
    first.flush().unwrap();
    let second = place.open();
    assert!(second.closed().is_empty());
    assert!(place.path().join("1/tail").exists());
    print(&kept, 10, 10);
    kept.close(&[]);
    assert_eq!(first_words(&read(&second, 1)), numbered(0..20));
    assert_eq!(second.closed().len(), 1);
}

#[test]
fn the_thread_writes_by_itself_and_ends_with_its_owner() {
    let place = Place::new();
    let history = place.open();
    let kept = history.begin(pane(1));
    print(&kept, 0, 10);
    let deadline = Instant::now() + Duration::from_secs(20);
    while fs::metadata(place.path().join("1/tail")).map_or(0, |tail| tail.len()) == 0 {
        assert!(Instant::now() < deadline, "nothing was written");
        std::thread::yield_now();
    }
    drop(kept);
    let shared = Arc::downgrade(&history.shared);
    drop(history);
    assert!(shared.upgrade().is_none(), "the thread has ended");
}
