//! From an edit on disk to its verdict, at rest and in a burst; one look at one file; beside `git merge-tree`.
//!
//! `WORKTREES` (9), `FILES` (2000), `ROUNDS` (200) and `PICTURES` (5) say how large and how often; `CLASH` names a `clash` program to measure beside.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and fails as a whole"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clock::Clock;
use conflicts::{
    ConflictEvent, ConflictFilter, ConflictWatcher, ProposedChange, WatchConfig, look, look_at,
};

fn main() {
    // Cargo asks what there is before it runs it.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let worktrees = number("WORKTREES", 9);
    let files = number("FILES", 2000);
    let rounds = number("ROUNDS", 200);
    println!("{worktrees} worktrees of {files} files");
    let place = tempfile::tempdir().unwrap();
    let desk = Desk::new(place.path(), worktrees, files);

    let memory = resident();
    let started = Instant::now();
    let watcher = ConflictWatcher::open(&desk.roots[0], config()).unwrap();
    row("first picture", &[started.elapsed()]);
    println!(
        "  watches                        {}",
        watcher.health().watches
    );
    let held = (resident() - memory) / 1024 / 1024;
    println!("  memory for it                  {held} MiB");
    drop(watcher);
    // As often as not what was read before is still at hand: both in turns.
    let (mut pictures, mut statuses) = (Vec::new(), Vec::new());
    for _ in 0..number("PICTURES", 5) {
        statuses.push(status_of_all(&desk));
        let started = Instant::now();
        drop(ConflictWatcher::open(&desk.roots[0], config()).unwrap());
        pictures.push(started.elapsed());
    }
    row("first picture, again", &pictures);
    row("`git status` of each, in turn", &statuses);
    let watcher = ConflictWatcher::open(&desk.roots[0], config()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut events = watcher.events();
    let mut measure = |offset: usize| {
        let mut times = Vec::new();
        for round in 0..rounds {
            let file = desk.file((offset + round) % files);
            let (one, two) = (round % worktrees, (round + 1) % worktrees);
            let [one, two] = [one, two].map(|tree| desk.roots[tree].join(&file));
            let before = fs::read_to_string(&one).unwrap();
            edit(&one, "one");
            let started = Instant::now();
            edit(&two, "two");
            runtime.block_on(async {
                let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
                loop {
                    match tokio::time::timeout_at(deadline, events.recv()).await {
                        Ok(Ok(ConflictEvent::Verdict { verdict }))
                            if Path::new(&verdict.path.to_string()) == file =>
                        {
                            break;
                        }
                        Ok(_) => {}
                        Err(_) => panic!("no verdict on {} in 20 s", file.display()),
                    }
                }
            });
            times.push(started.elapsed());
            fs::write(&one, &before).unwrap();
            fs::write(&two, &before).unwrap();
            runtime.block_on(async {
                let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
                loop {
                    match tokio::time::timeout_at(deadline, events.recv()).await {
                        Ok(Ok(ConflictEvent::Resolved { key }))
                            if Path::new(&key.path.to_string()) == file =>
                        {
                            break;
                        }
                        Ok(_) => {}
                        Err(_) => panic!("{} was not resolved in 20 s", file.display()),
                    }
                }
            });
        }
        times
    };
    row("edit to verdict, idle", &measure(0));

    let ended = Arc::new(AtomicBool::new(false));
    let edits = Arc::new(AtomicU64::new(0));
    let writer = {
        let (ended, edits, desk) = (ended.clone(), edits.clone(), desk.clone());
        std::thread::Builder::new()
            .name("burst".to_owned())
            .spawn(move || {
                // 2,000 a minute; far files, so that they don't disturb what is waited for.
                let mut next = Instant::now();
                let mut at = 0_usize;
                while !ended.load(Ordering::Relaxed) {
                    let file = desk.file(files / 2 + at % (files / 2));
                    edit(
                        &desk.roots[at % desk.roots.len()].join(file),
                        &format!("burst {at}"),
                    );
                    at += 1;
                    edits.fetch_add(1, Ordering::Relaxed);
                    next += Duration::from_millis(30);
                    std::thread::sleep(next.saturating_duration_since(Instant::now()));
                }
            })
            .unwrap()
    };
    let started = Instant::now();
    let before = cpu();
    let times = measure(1);
    let share = (cpu() - before).as_secs_f64() / started.elapsed().as_secs_f64();
    let rate = edits.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64() * 60.0;
    ended.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    row(&format!("edit to verdict, {rate:.0}/min"), &times);
    println!(
        "  processor in the burst   {:.1} % of one core",
        share * 100.0
    );
    println!("  verdicts then            {}", watcher.verdicts().len());

    // At rest: nothing is edited for a while.
    std::thread::sleep(Duration::from_secs(2));
    let before = cpu();
    let started = Instant::now();
    std::thread::sleep(Duration::from_secs(10));
    let share = (cpu() - before).as_secs_f64() / started.elapsed().as_secs_f64();
    println!(
        "  processor at rest        {:.2} % of one core",
        share * 100.0
    );
    println!(
        "  memory for all of it     {} MiB",
        (resident() - memory) / 1024 / 1024
    );
    drop(watcher);

    let mut times = Vec::new();
    for round in 0..50 {
        let change = ProposedChange {
            file: desk.file(round * 7 % files).to_string_lossy().into_owned(),
            lines: Vec::new(),
            worktree: desk.roots[1].to_string_lossy().into_owned(),
            new_text: None,
        };
        let started = Instant::now();
        look_at(&desk.roots[1], &config(), &change).unwrap();
        times.push(started.elapsed());
    }
    row("one look at one file", &times);
    let started = Instant::now();
    look(&desk.roots[0], &config(), &ConflictFilter::default()).unwrap();
    row("one look at everything", &[started.elapsed()]);
    peers(&desk);
}

/// How long git takes to look through all worktrees, one after the other, without writing what it found out.
fn status_of_all(desk: &Desk) -> Duration {
    let started = Instant::now();
    for root in &desk.roots {
        git(root, &["--no-optional-locks", "status", "--porcelain"]);
    }
    started.elapsed()
}

/// What others say, and how soon, of 20 files that two worktrees change in the same line, and 20 that they change far
/// from one another: as they lie there first, then with everything committed.
fn peers(desk: &Desk) {
    for root in &desk.roots {
        git(root, &["checkout", "-q", "--", "."]);
    }
    for number in 0..20 {
        let pair = [number, number + 1].map(|at| &desk.roots[1 + at % (desk.roots.len() - 1)]);
        for (at, root) in pair.iter().enumerate() {
            edit_line(&root.join(desk.file(number)), 9, &format!("side {at}"));
            edit_line(&root.join(desk.file(100 + number)), 9 + 40 * at, "far");
        }
    }
    let clash = std::env::var_os("CLASH").map(PathBuf::from);
    if clash.is_none() {
        println!("  clash                    not measured: CLASH names no program");
    }
    for committed in [false, true] {
        if committed {
            for root in &desk.roots {
                git(root, &["add", "-A"]);
                git(root, &["commit", "-q", "--allow-empty", "-m", "x"]);
            }
        }
        println!(
            "20 files in conflict, {}",
            if committed {
                "committed"
            } else {
                "not committed"
            }
        );
        let started = Instant::now();
        let picture = look(&desk.roots[0], &config(), &ConflictFilter::default()).unwrap();
        let stop = picture
            .verdicts
            .iter()
            .filter(|verdict| verdict.would_conflict);
        found("one look at everything", stop.count(), &[started.elapsed()]);
        if committed {
            let started = Instant::now();
            let files = merge_trees(desk);
            found("git merge-tree, all pairs", files, &[started.elapsed()]);
        }
        if let Some(clash) = &clash {
            let (files, times) = clash_status(clash, &desk.roots[0]);
            found("clash status", files, &times);
            let times: Vec<_> = (0..5)
                .map(|number| {
                    let started = Instant::now();
                    let mut check = Command::new(clash);
                    check
                        .current_dir(&desk.roots[1])
                        .arg("check")
                        .arg(desk.file(number));
                    check.output().unwrap();
                    started.elapsed()
                })
                .collect();
            row("clash check", &times);
        }
    }
}

/// Asks git for a merge of all pairs; it knows commits alone.
fn merge_trees(desk: &Desk) -> usize {
    let mut files = 0;
    for (at, one) in desk.roots.iter().enumerate() {
        for two in &desk.roots[at + 1..] {
            let [one, two] = [one, two].map(|root| root.file_name().unwrap().to_str().unwrap());
            let output = Command::new("git")
                .current_dir(&desk.roots[0])
                .args([
                    "merge-tree",
                    "--write-tree",
                    "--name-only",
                    "--no-messages",
                    one,
                    two,
                ])
                .output()
                .unwrap();
            assert!(matches!(output.status.code(), Some(0 | 1)));
            // The first line names the tree.
            files += String::from_utf8_lossy(&output.stdout)
                .lines()
                .skip(1)
                .count();
        }
    }
    files
}

fn clash_status(clash: &Path, root: &Path) -> (usize, Vec<Duration>) {
    let mut files = 0;
    let ask = |_| {
        let started = Instant::now();
        let output = Command::new(clash)
            .current_dir(root)
            .args(["status", "--json"])
            .output()
            .unwrap();
        let took = started.elapsed();
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let pairs = said["conflicts"].as_array().into_iter().flatten();
        files = pairs
            .filter_map(|pair| pair["conflicting_files"].as_array())
            .map(Vec::len)
            .sum();
        took
    };
    let times = (0..5).map(ask).collect();
    (files, times)
}

#[derive(Clone)]
struct Desk {
    roots: Vec<PathBuf>,
}

impl Desk {
    fn new(place: &Path, worktrees: usize, files: usize) -> Self {
        let main = place.join("main");
        fs::create_dir(&main).unwrap();
        git(&main, &["init", "-q", "-b", "main"]);
        let desk = Self {
            roots: vec![main.clone()],
        };
        for file in 0..files {
            let file = main.join(desk.file(file));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            let lines: String = (1..=60).map(|line| format!("line {line}\n")).collect();
            fs::write(file, lines).unwrap();
        }
        git(&main, &["add", "-A"]);
        git(&main, &["commit", "-q", "-m", "x"]);
        let mut roots = vec![main.clone()];
        for name in (1..worktrees).map(|n| format!("tree-{n}")) {
            let root = place.join(&name);
            git(
                &main,
                &["worktree", "add", "-q", "-b", &name, root.to_str().unwrap()],
            );
            roots.push(root);
        }
        Self { roots }
    }

    fn file(&self, number: usize) -> PathBuf {
        PathBuf::from(format!("part-{}/file-{number}.txt", number % 100))
    }
}

fn edit(file: &Path, text: &str) {
    edit_line(file, 9, text);
}

fn edit_line(file: &Path, at: usize, text: &str) {
    let line = |line| match line == at {
        true => format!("{text}\n"),
        false => format!("line {line}\n"),
    };
    fs::write(file, (1..=60).map(line).collect::<String>()).unwrap();
}

fn git(dir: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
}

fn config() -> WatchConfig {
    let ticks = AtomicU64::new(1);
    WatchConfig::new(Clock::new(move || ticks.fetch_add(1, Ordering::Relaxed)))
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}

fn found(what: &str, files: usize, times: &[Duration]) {
    row(&format!("{what}: {files}"), times);
}

fn row(what: &str, times: &[Duration]) {
    let mut times = times.to_vec();
    times.sort();
    let at = |part: f64| {
        times[((times.len() - 1) as f64 * part).round() as usize].as_secs_f64() * 1000.0
    };
    if times.len() == 1 {
        println!("  {what:<30} {:.1} ms", at(0.0));
    } else {
        println!(
            "  {what:<30} p50 {:.1} ms, p95 {:.1} ms, max {:.1} ms",
            at(0.5),
            at(0.95),
            at(1.0)
        );
    }
}

/// What this process used of the processors so far.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    // A tick is 10 ms on every Linux that is measured here.
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// The memory that this process holds, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}
