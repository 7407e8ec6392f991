//! Searches over conversations that agents wrote down, beside ripgrep on the same files.
//!
//! `MEGABYTES=1000 cargo bench -p transcripts --bench search` writes a gigabyte into the temporary directory, and gives it back. ripgrep
//! finds lines of JSON, and we find lines of what was said: the counts differ, the bytes that are looked through do not. All figures are
//! from one run on one machine, with the files in the page cache: compare them with each other.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use secrets::Secrets;
use serde_json::json;
use transcripts::{Places, Stop, TranscriptRequest, search};

const ROUNDS: usize = 7;
/// The conversations, of different lengths.
const FILES: u64 = 40;

/// What is looked for, and whether it is a regular expression.
const PATTERNS: [(&str, &str, bool); 6] = [
    ("a rare word", "needle-in-hay", false),
    ("a word that is not there", "Nowhere-to-be-found", false),
    ("a common word", "error", false),
    ("a regex with a literal", r"timeout after \d+ ms", true),
    (
        "a regex with few literals",
        r"\b(GET|PUT) /\w+/\d{4}\b",
        true,
    ),
    ("what JSON escapes", r#"said "no" to \w+"#, true),
];

const WORDS: [&str; 24] = [
    "the", "yard", "is", "quiet", "and", "rails", "run", "past", "signal", "box", "function",
    "returns", "test", "result", "passed", "building", "target", "release", "warning", "unused",
    "import", "crate", "module", "naïve",
];

struct Text(u64);

impl Text {
    fn random(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// So many lines, as people, agents and tools write them.
    fn lines(&mut self, count: u64) -> String {
        let mut text = String::new();
        for _ in 0..count {
            match self.random(1000) {
                0..=3 => text.push_str("error: the build failed: "),
                4..=9 => text.push_str(&format!("timeout after {} ms ", self.random(9000))),
                10..=30 => {
                    text.push_str(&format!("GET /items/{} 200 ", 1000 + self.random(9000)));
                }
                31..=32 => text.push_str("it said \"no\" to everything "),
                33 if self.random(3000) == 0 => text.push_str("a needle-in-hay "),
                _ => {}
            }
            for _ in 0..4 + self.random(10) {
                text.push_str(WORDS[self.random(24) as usize]);
                text.push(' ');
            }
            text.push('\n');
        }
        text
    }
}

/// Writes conversations as Claude Code does, so many bytes in all.
fn write(home: &Path, bytes: u64) -> Result<()> {
    let directory = home.join(".claude/projects/-work-yard");
    fs::create_dir_all(&directory)?;
    let mut text = Text(0x9E37_79B9_7F4A_7C15);
    let shares = FILES * (FILES + 1) / 2;
    for file in 0..FILES {
        let session = format!("session-{file}");
        let path = directory.join(format!("{session}.jsonl"));
        let mut out = BufWriter::new(fs::File::create(path)?);
        let (mut written, mut number) = (0, 0);
        while written < bytes * (file + 1) / shares {
            let (role, content) = match number % 4 {
                0 => ("user", json!([{ "type": "text", "text": text.lines(2) }])),
                1 => {
                    let said = text.lines(12);
                    ("assistant", json!([{ "type": "text", "text": said }]))
                }
                2 => {
                    let input = json!({ "command": text.lines(1), "description": text.lines(1) });
                    let call =
                        json!({ "type": "tool_use", "id": number, "name": "Bash", "input": input });
                    ("assistant", json!([call]))
                }
                _ => {
                    let count = 20 + text.random(120);
                    let output = text.lines(count);
                    let result = json!({ "type": "tool_result", "tool_use_id": number - 1, "content": output });
                    ("user", json!([result]))
                }
            };
            let line = json!({
                "parentUuid": null,
                "isSidechain": false,
                "type": role,
                "message": { "role": role, "content": content },
                "uuid": format!("{session}-{number}"),
                "timestamp": "2026-11-29T07:05:35.132Z",
                "cwd": "/work/yard",
                "sessionId": session,
                "version": "2.1.318",
                "gitBranch": "main",
            })
            .to_string();
            written += line.len() as u64 + 1;
            number += 1;
            writeln!(out, "{line}")?;
        }
        out.flush()?;
    }
    Ok(())
}

fn ripgrep(pattern: &str, regex: bool, home: &Path) -> Result<Duration> {
    let mut command = Command::new("rg");
    command.args([
        "--no-config",
        "--hidden",
        "--no-messages",
        "--smart-case",
        "--count",
    ]);
    if !regex {
        command.arg("--fixed-strings");
    }
    let escaped = pattern.replace('"', r#"\\""#);
    command.arg("-e").arg(escaped).arg(home).current_dir("/");
    let start = Instant::now();
    command.output().context("ripgrep is not installed")?;
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn main() -> Result<()> {
    // `cargo test` builds benches, and may run them; there is nothing to assert here.
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        return Ok(());
    }
    let megabytes: u64 = std::env::var("MEGABYTES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100);
    let home = tempfile::tempdir()?;
    write(home.path(), megabytes * 1_000_000)?;
    let places = Places::new(home.path(), |_| None);
    let mut out = std::io::stdout();
    writeln!(out, "\n{megabytes} MB of conversations in {FILES} files")?;
    writeln!(
        out,
        "{:<28} {:>9} {:>9} {:>9} {:>9} {:>6}",
        "", "first ms", "all ms", "rg ms", "lines", "ratio"
    )?;
    for (name, pattern, regex) in PATTERNS {
        let (mut first, mut all, mut rg) = (Vec::new(), Vec::new(), Vec::new());
        let mut total = 0;
        for _ in 0..ROUNDS {
            let request = TranscriptRequest {
                regex,
                limit: 500,
                ..TranscriptRequest::new(pattern)
            };
            let start = Instant::now();
            let mut told = None;
            let answer = search(
                &places,
                &request,
                &Secrets::default(),
                &Stop::default(),
                &mut |_| {
                    told.get_or_insert(start.elapsed());
                },
            )?;
            all.push(start.elapsed());
            first.extend(told);
            total = answer.total;
            match ripgrep(pattern, regex, home.path()) {
                Ok(time) => rg.push(time),
                Err(error) => writeln!(out, "{error:#}")?,
            }
        }
        let figure = |times: Vec<Duration>| {
            if times.is_empty() {
                "-".to_owned()
            } else {
                format!("{:.1}", median(times))
            }
        };
        let ratio = if rg.is_empty() {
            "-".to_owned()
        } else {
            format!("{:.2}", median(all.clone()) / median(rg.clone()))
        };
        let (first, all, rg) = (figure(first), figure(all), figure(rg));
        writeln!(
            out,
            "{name:<28} {first:>9} {all:>9} {rg:>9} {total:>9} {ratio:>6}"
        )?;
    }
    Ok(())
}
