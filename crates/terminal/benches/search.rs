//! Searches over memory and over history, beside ripgrep on the same text.
//!
//! `MEGABYTES=1000 cargo bench -p terminal --bench search` searches a gigabyte of history; it needs about one and a
//! half times as much room in the temporary directory, and gives it back. All figures are from one run on one
//! machine, with the files in the page cache: compare them with each other.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clock::Clock;
use terminal::{
    Cancel, ClosedPane, History, HistoryBudget, LineId, PaneHistory, PaneId, PaneRole, PaneText,
    Query, Scope, Scrollback, ScrollbackLimits, SearchProgress, SearchRequest, StyledLine, search,
};

const ROUNDS: usize = 7;
/// ripgrep gets the text in so many files, so that it can use all cores.
const FILES: usize = 16;

struct Pattern {
    name: &'static str,
    pattern: &'static str,
    regex: bool,
}

const PATTERNS: [Pattern; 6] = [
    Pattern {
        name: "a rare word",
        pattern: "needle-in-hay",
        regex: false,
    },
    Pattern {
        name: "a word that is not there",
        pattern: "Nowhere-to-be-found",
        regex: false,
    },
    Pattern {
        name: "a common word",
        pattern: "error",
        regex: false,
    },
    Pattern {
        name: "a regex with a literal",
        pattern: r"timeout after \d+ ms",
        regex: true,
    },
    Pattern {
        name: "a regex with few literals",
        pattern: r"\b(GET|PUT) /\w+/\d{4}\b",
        regex: true,
    },
    Pattern {
        name: "a regex without literals",
        pattern: r"[a-f0-9]{8}-[a-f0-9]{4}$",
        regex: true,
    },
];

/// Lines as tools and servers print them.
struct Text {
    state: u64,
    number: u64,
}

impl Text {
    fn new() -> Self {
        Self {
            state: 0x9E37_79B9_7F4A_7C15,
            number: 0,
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % below
    }

    fn line(&mut self, line: &mut String) {
        const WORDS: [&str; 24] = [
            "the",
            "yard",
            "is",
            "quiet",
            "and",
            "rails",
            "run",
            "past",
            "signal",
            "box",
            "Compiling",
            "Finished",
            "test",
            "result",
            "ok",
            "passed",
            "building",
            "target",
            "release",
            "warning",
            "unused",
            "import",
            "crate",
            "module",
        ];
        line.clear();
        let number = self.number;
        self.number += 1;
        let _ = write!(
            line,
            "2026-11-23T{:02}:{:02}:{:02}Z ",
            number / 3600 % 24,
            number / 60 % 60,
            number % 60
        );
        match self.random(1000) {
            0..=4 => {
                let _ = write!(line, "error: build {number} failed: ");
            }
            5..=14 => {
                let _ = write!(line, "timeout after {} ms ", self.random(9000));
            }
            15..=60 => {
                let _ = write!(line, "GET /items/{} 200 ", 1000 + self.random(9000));
            }
            61..=80 => {
                let _ = write!(
                    line,
                    "{:08x}-{:04x}",
                    self.random(1 << 32),
                    self.random(1 << 16)
                );
                return;
            }
            _ => {}
        }
        if number % 1_000_003 == 500_000 {
            line.push_str("a needle-in-hay ");
        }
        for _ in 0..4 + self.random(10) {
            line.push_str(WORDS[self.random(24) as usize]);
            line.push(' ');
        }
        let _ = write!(line, "{}", self.random(1_000_000));
    }
}

fn styled(text: &str) -> StyledLine {
    StyledLine {
        text: text.to_owned(),
        ..StyledLine::default()
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn p95(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[(times.len() * 95).div_ceil(100) - 1].as_secs_f64() * 1000.0
}

/// Searches and returns the time to the first match, the whole time, and how many matches there are.
fn once(
    pattern: &Pattern,
    panes: Vec<PaneText>,
    limit: u32,
) -> Result<(Option<Duration>, Duration, u64)> {
    let request = SearchRequest {
        regex: pattern.regex,
        limit,
        ..SearchRequest::new(pattern.pattern, Scope::All)
    };
    let start = Instant::now();
    let query = Query::new(&request)?;
    let mut first = None;
    let answer = search(&query, panes, &Cancel::default(), &mut |progress| {
        if let SearchProgress::Found { .. } = progress {
            first.get_or_insert(start.elapsed());
        }
    });
    Ok((first, start.elapsed(), answer.total))
}

fn ring(lines: u64) -> (Scrollback, u64) {
    let mut ring = Scrollback::new(ScrollbackLimits {
        lines: lines as u32,
        bytes: u32::MAX,
    });
    let mut text = Text::new();
    let (mut line, mut bytes) = (String::new(), 0);
    for _ in 0..lines {
        text.line(&mut line);
        bytes += line.len() as u64;
        ring.push(&styled(&line));
    }
    (ring, bytes)
}

fn in_memory(panes: u32, lines: u64, out: &mut impl std::io::Write) -> Result<()> {
    let (ring, bytes) = ring(lines);
    writeln!(
        out,
        "\n{panes} pane(s) of {lines} lines, {:.1} MB each; memory {:.3} bytes a byte, {:.1} bytes a line",
        bytes as f64 / 1e6,
        ring.memory() as f64 / bytes as f64,
        ring.memory() as f64 / lines as f64,
    )?;
    writeln!(
        out,
        "{:<28} {:>9} {:>9} {:>9}",
        "", "p50 ms", "p95 ms", "matches"
    )?;
    for pattern in &PATTERNS {
        let mut times = Vec::new();
        let mut total = 0;
        for _ in 0..60 {
            let content = (1..=panes)
                .map(|id| PaneText {
                    pane: PaneId(id.into()),
                    ring: ring.snapshot(),
                    screen: Vec::new(),
                    history: None,
                })
                .collect();
            let (_, time, matches) = once(pattern, content, 50)?;
            times.push(time);
            total = matches;
        }
        let (p50, p95) = (median(times.clone()), p95(times));
        writeln!(out, "{:<28} {p50:>9.2} {p95:>9.2} {total:>9}", pattern.name)?;
    }
    Ok(())
}

fn keep(dir: &Path, megabytes: u64) -> Result<(History, u64)> {
    let budget = HistoryBudget {
        max_bytes: u64::MAX,
        ..HistoryBudget::default()
    };
    let history = History::open(
        &dir.join("history"),
        budget,
        Clock::system(),
        Box::new(|_, message| {
            tracing::warn!(message);
        }),
    )?;
    let pane = history.begin(ClosedPane {
        id: PaneId(1),
        program: vec!["bench".to_owned()],
        role: PaneRole::Shell,
        cwd: "/".to_owned(),
        title: String::new(),
        name: None,
        command: None,
        continues: None,
        opened_at: Clock::system().now_ms(),
        ended_at: None,
    });
    let texts = dir.join("text");
    fs::create_dir(&texts)?;
    let mut text = Text::new();
    let (mut line, mut bytes, mut number) = (String::new(), 0, 0);
    for file in 0..FILES as u64 {
        let mut plain = BufWriter::new(fs::File::create(texts.join(format!("{file:02}.txt")))?);
        while bytes < (file + 1) * megabytes * 1_000_000 / FILES as u64 {
            text.line(&mut line);
            bytes += line.len() as u64 + 1;
            writeln!(plain, "{line}")?;
            pane.append(LineId(number), &styled(&line));
            number += 1;
            if number % 100_000 == 0 {
                // The disk may be slower than this loop, and what waits is bounded.
                history.flush()?;
            }
        }
        plain.flush()?;
    }
    PaneHistory::close(pane, &[]);
    Ok((history, bytes))
}

fn size(dir: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        total += if meta.is_dir() {
            size(&entry.path())?
        } else {
            meta.len()
        };
    }
    Ok(total)
}

/// The time that ripgrep takes to count the matching lines, and how many it counts.
fn ripgrep(pattern: &Pattern, texts: &Path) -> Result<(Duration, u64)> {
    let mut command = Command::new("rg");
    command.args([
        "--no-config",
        "--no-filename",
        "--no-messages",
        "--smart-case",
        "--count",
    ]);
    if !pattern.regex {
        command.arg("--fixed-strings");
    }
    command
        .arg("-e")
        .arg(pattern.pattern)
        .arg(texts)
        .current_dir("/");
    let start = Instant::now();
    let out = command.output().context("ripgrep is not installed")?;
    let time = start.elapsed();
    let counts = String::from_utf8_lossy(&out.stdout);
    Ok((
        time,
        counts
            .lines()
            .filter_map(|line| line.parse::<u64>().ok())
            .sum(),
    ))
}

fn on_disk(megabytes: u64, out: &mut impl std::io::Write) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let start = Instant::now();
    let (history, bytes) = keep(dir.path(), megabytes)?;
    let made = start.elapsed();
    writeln!(
        out,
        "\nhistory of {:.0} MB of text, {:.0} MB on disk (made in {:.1} s)",
        bytes as f64 / 1e6,
        size(&dir.path().join("history"))? as f64 / 1e6,
        made.as_secs_f64(),
    )?;
    writeln!(
        out,
        "{:<28} {:>9} {:>9} {:>9} {:>9} {:>6}",
        "", "first ms", "all ms", "rg ms", "matches", "ratio"
    )?;
    let texts = dir.path().join("text");
    for pattern in &PATTERNS {
        let (mut first, mut all, mut rg) = (Vec::new(), Vec::new(), Vec::new());
        let mut total = 0;
        for _ in 0..ROUNDS {
            let reader = history.reader(PaneId(1)).context("the history is gone")?;
            // The limit is the greatest, so that ten matches or a million take the same way.
            let (told, time, matches) = once(pattern, vec![PaneText::closed(reader)], 500)?;
            first.extend(told);
            all.push(time);
            total = matches;
            match ripgrep(pattern, &texts) {
                Ok((time, count)) => {
                    anyhow::ensure!(
                        count == matches,
                        "ripgrep found {count}, we {matches}: {}",
                        pattern.name
                    );
                    rg.push(time);
                }
                Err(error) => writeln!(out, "{error:#}")?,
            }
        }
        let first = if first.is_empty() {
            "-".to_owned()
        } else {
            format!("{:.1}", median(first))
        };
        let all = median(all);
        let (rg, ratio) = if rg.is_empty() {
            ("-".to_owned(), "-".to_owned())
        } else {
            let rg = median(rg);
            (format!("{rg:.1}"), format!("{:.2}", all / rg))
        };
        writeln!(
            out,
            "{:<28} {first:>9} {all:>9.1} {rg:>9} {total:>9} {ratio:>6}",
            pattern.name
        )?;
    }
    Ok(())
}

fn main() -> Result<()> {
    // `cargo test` builds benches, and may run them; there is nothing to assert here.
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        return Ok(());
    }
    let megabytes = std::env::var("MEGABYTES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100);
    let mut out = std::io::stdout();
    in_memory(1, 50_000, &mut out)?;
    in_memory(20, 5_000, &mut out)?;
    on_disk(megabytes, &mut out)
}
