use super::*;

/// A screen whose time is the test's, in milliseconds, and what was kept of it.
struct Shown {
    sampler: Sampler,
    start: Instant,
    picture: Vec<String>,
    kept: Vec<String>,
    looks: usize,
}

impl Shown {
    fn new() -> Self {
        Self {
            sampler: Sampler::default(),
            start: Instant::now(),
            picture: Vec::new(),
            kept: Vec::new(),
            looks: 0,
        }
    }

    /// The program's next picture, which comes in at `ms`.
    fn at(&mut self, ms: u64, rows: &[&str]) {
        let now = self.start + Duration::from_millis(ms);
        if self.sampler.is_due(now) {
            self.looks += 1;
            let keep = self.sampler.look(now, self.picture.clone());
            self.keep(keep);
        }
        self.picture = rows.iter().map(|row| (*row).to_owned()).collect();
        self.sampler.wrote(now);
    }

    /// Pictures that come in at once, each but the last wiped by the next.
    fn at_once(&mut self, ms: u64, pictures: &[&[&str]]) {
        let now = self.start + Duration::from_millis(ms);
        if self.sampler.is_due(now) {
            let keep = self.sampler.look(now, self.picture.clone());
            self.keep(keep);
        }
        for (nth, rows) in pictures.iter().enumerate() {
            if nth > 0 && self.sampler.is_due_amid(now) {
                self.looks += 1;
                let keep = self.sampler.look(now, self.picture.clone());
                self.keep(keep);
            }
            self.picture = rows.iter().map(|row| (*row).to_owned()).collect();
        }
        self.sampler.wrote(now);
    }

    fn search(&mut self, ms: u64) {
        let now = self.start + Duration::from_millis(ms);
        let keep = self.sampler.look_for_all(now, self.picture.clone());
        self.keep(keep);
    }

    fn keep(&mut self, lines: Vec<StyledLine>) {
        self.kept.extend(lines.into_iter().map(|line| line.text));
    }

    /// What is kept once the program has ended.
    fn end(mut self, ms: u64) -> Vec<String> {
        self.search(ms);
        self.kept
    }
}

#[test]
fn what_stood_for_a_tenth_of_a_second_is_kept_whatever_moves_beside_it() {
    // The program writes every 3 ms, as one does that animates; the message comes and goes at any moment of that.
    for begins in 500..600 {
        for every in [3, 7, 20, 45, 60, 90] {
            let mut shown = Shown::new();
            let mut written = 0;
            let mut write = |shown: &mut Shown, ms: u64| {
                written += 1;
                let moving = format!("frame {written}");
                if (begins..begins + 100).contains(&ms) {
                    shown.at(ms, &[&moving, "the message"]);
                } else {
                    shown.at(ms, &[&moving, ""]);
                }
            };
            let mut times: Vec<u64> = (0..1000).step_by(every).collect();
            times.extend([begins, begins + 100]);
            times.sort_unstable();
            for ms in times {
                write(&mut shown, ms);
            }
            let kept = shown.end(1000);
            let found = kept.iter().filter(|row| *row == "the message").count();
            assert_eq!(found, 1, "from {begins}, a frame every {every} ms");
        }
    }
}

#[test]
fn a_redraw_and_a_scroll_give_only_what_is_new() {
    let mut shown = Shown::new();
    shown.at(0, &["one", "two", "─────", ""]);
    shown.at(200, &["one", "two", "─────", ""]);
    shown.at(400, &["two", "  three  "]);
    shown.at(600, &["one", "two"]);
    assert_eq!(shown.end(800), ["one", "  three", "two"]);
}

#[test]
fn a_picture_half_drawn_is_not_kept() {
    let mut shown = Shown::new();
    let mut frame = 0;
    for ms in (0..3000).step_by(100) {
        frame += 1;
        let (top, bottom) = (format!("top {frame}"), format!("bottom {frame}"));
        shown.at(ms, &[&top[..2], ""]);
        shown.at(ms + 10, &[&top, &bottom[..3]]);
        shown.at(ms + 30, &[&top, &bottom]);
    }
    let kept = shown.end(4000);
    assert_eq!(kept.len(), 60, "{kept:?}");
    assert!(kept.iter().all(|row| row.contains(' ')), "{kept:?}");
}

#[test]
fn what_is_typed_is_kept_as_it_ends_and_where_it_rests() {
    let mut shown = Shown::new();
    let typed = "a line that somebody types";
    for (nth, end) in (1..=typed.len()).enumerate() {
        let pause = if end > 6 { 1500 } else { 0 };
        let row = format!("│ > {:<30} │", &typed[..end]);
        shown.at(nth as u64 * 120 + pause, &[&row]);
    }
    shown.at(8000, &["sent"]);
    let kept: Vec<_> = shown
        .end(8100)
        .into_iter()
        .map(|row| row.trim_matches(['│', ' ']).to_owned())
        .collect();
    assert_eq!(kept, ["> a line", "> a line that somebody types", "sent"]);
}

#[test]
fn a_line_that_went_on_and_was_wiped_at_once_is_kept() {
    let mut shown = Shown::new();
    shown.at(0, &["the beginning"]);
    shown.at(200, &["the beginning and the end"]);
    shown.at(230, &["other"]);
    assert_eq!(shown.end(300), ["the beginning and the end", "other"]);
}

#[test]
fn a_spinner_is_one_row_and_its_seconds_are_one_each() {
    let mut shown = Shown::new();
    for ms in (0..10_000).step_by(80) {
        let turn = ['⠋', '⠙', '⠹', '⠸'][ms as usize / 80 % 4];
        shown.at(ms, &[&format!("{turn} Working ({}s)", ms / 1000)]);
    }
    assert_eq!(shown.end(10_000).len(), 10);
}

#[test]
fn an_hour_of_a_spinner_is_a_line_for_each_time_that_its_words_change() {
    let mut shown = Shown::new();
    for ms in (0..3_600_000).step_by(80) {
        let turn = ['✢', '✳', '✶', '✻', '✽', '·'][ms as usize / 80 % 6];
        let row = format!(
            "{turn} Thinking… ({}s · ↑ {:.1}k tokens · esc to interrupt)",
            ms / 1000,
            ms as f64 / 10_000.0
        );
        shown.at(ms, &["> a question", "", &row, "╭───╮", "│ > │", "╰───╯"]);
    }
    let kept = shown.end(3_600_000);
    let bytes: usize = kept.iter().map(String::len).sum();
    // The tokens change once a second, too, but not when the seconds do.
    assert_eq!(kept.len(), 2 * 3_600 + 1);
    assert!(bytes < 500_000, "{bytes}");
}

#[test]
fn pictures_that_come_in_at_once_are_looked_at_as_many_as_can_have_stood() {
    let mut shown = Shown::new();
    shown.at_once(0, &[&["before"]]);
    // The host read late: each of these may have stood for a while.
    shown.at_once(200, &[&["first"], &["second"], &["third"]]);
    shown.at(220, &["other"]);
    assert_eq!(
        shown.end(300),
        ["before", "first", "second", "other"],
        "the third stood for 20 ms"
    );

    let mut shown = Shown::new();
    shown.at_once(0, &[&["before"]]);
    let frames: Vec<_> = (0..1000).map(|n| format!("frame {n}")).collect();
    let rows: Vec<_> = frames.iter().map(|frame| [frame.as_str()]).collect();
    let pictures: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    shown.at_once(10_000, &pictures);
    assert!(shown.looks <= 8, "{}", shown.looks);
}

#[test]
fn what_somebody_searches_for_is_there_at_once_and_not_kept_again() {
    let mut shown = Shown::new();
    shown.at(0, &["just shown"]);
    shown.search(1);
    assert_eq!(shown.kept, ["just shown"]);
    shown.at(500, &["just shown", "and more"]);
    assert_eq!(shown.end(600), ["just shown", "and more"]);
}

#[test]
fn what_stands_is_kept_while_it_stands() {
    let mut shown = Shown::new();
    for ms in (0..1500).step_by(100) {
        shown.at(ms, &["standing", &format!("{ms} moves")]);
    }
    assert!(shown.kept.contains(&"standing".to_owned()));
}

#[test]
fn a_flood_of_new_text_is_looked_at_sparingly_and_what_stands_in_it_is_kept() {
    let mut shown = Shown::new();
    let mut last_second = 0;
    for ms in (0..120_000).step_by(5) {
        // Each second other rows, of 20,000 characters together; in the last minute, one that stands for three.
        let second = ms / 60;
        let row = format!("{second} {}", "noise ".repeat(4000));
        let standing = if (100_000..103_000).contains(&ms) {
            "it stood for three seconds"
        } else {
            ""
        };
        if ms == 110_000 {
            last_second = shown.looks;
        }
        shown.at(ms, &[&row, standing]);
    }
    let looks = (shown.looks - last_second) / 10;
    assert!(looks <= 2, "{looks} looks a second");
    let kept = shown.end(120_000);
    let bytes: usize = kept.iter().map(String::len).sum();
    assert!(
        (bytes as i64) < ALLOWANCE + 120 * (EARNED + 24_000),
        "{bytes}"
    );
    assert!(kept.iter().any(|row| row == "it stood for three seconds"));
}

#[test]
fn what_was_kept_long_ago_is_new_again_and_memory_is_bounded() {
    let mut shown = Shown::new();
    shown.at(0, &["first"]);
    for n in 0..SEEN as u64 {
        shown.at((n + 1) * 1000, &[&format!("line {n}")]);
    }
    shown.at((SEEN as u64 + 1) * 1000, &["first"]);
    let seen = shown.sampler.seen.hashes.len();
    assert!(seen <= SEEN, "{seen}");
    let kept = shown.end((SEEN as u64 + 2) * 1000);
    assert_eq!(kept.iter().filter(|row| *row == "first").count(), 2);
}
