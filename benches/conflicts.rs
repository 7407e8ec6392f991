//! Measures conflicts in the real window: from an edit on disk until its verdict is drawn, at rest and in a burst of
//! edits; and a check before an edit, answered by that window and without one.
//!
//! Prints a table and asserts nothing. `benches/conflicts.sh` builds the optimised program and runs this under a
//! display; figures from a machine without a GPU are upper bounds. `WORKTREES` (9), `FILES` (2000) and `ROUNDS` (100)
//! say how large.

#![allow(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use support::{Home, Window, git, wait_for};

#[tokio::main]
async fn main() -> Result<()> {
    let rounds = number("ROUNDS", 100);
    let home = Home::new()?;
    let desk = Arc::new(Desk::new(
        home.path(),
        number("WORKTREES", 9),
        number("FILES", 2000),
    )?);
    println!("{:<44} {:>9} {:>9} {:>9}", "ms", "p50", "p95", "most");
    let mut alone = checks(&home, &desk, rounds)?;
    row("check before an edit, nothing runs", &mut alone);

    let window = Window::open(&home).await?;
    window.first_pane().await?;
    let given = vec![json!(desk.roots[0])];
    let add = "const [path, done] = arguments;
         window.__TAURI_INTERNALS__.invoke('add_repository', { path }).then(done, done);";
    window.client.execute_async(add, given).await?;
    window.chord(&['\u{e009}', '\u{e008}'], 'x').await?;
    window.find("[data-testid=conflicts-none]").await?;
    window.script(include_str!("conflicts.js")).await?;

    let mut idle = edits(&window, &desk, 0, rounds).await?;
    row("edit to verdict on screen, idle", &mut idle);
    let mut asked = checks(&home, &desk, rounds)?;
    row("check before an edit, the window answers", &mut asked);

    let ended = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicUsize::new(0));
    let writer = burst(desk.clone(), ended.clone(), count.clone())?;
    let begin = Instant::now();
    let mut busy = edits(&window, &desk, rounds, rounds).await?;
    let rate = count.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64() * 60.0;
    ended.store(true, Ordering::Relaxed);
    writer.join().ok().context("the burst failed")??;
    row(
        &format!("edit to verdict on screen, {rate:.0} edits/min"),
        &mut busy,
    );
    window.close().await
}

/// Edits the same line of a file in two worktrees, `rounds` times, each undone before the next: milliseconds from the
/// second edit until the row of the verdict was drawn.
async fn edits(window: &Window, desk: &Desk, from: usize, rounds: usize) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for round in from..from + rounds {
        let file = Desk::file(round);
        let pair = [round, round + 1].map(|at| desk.roots[at % desk.roots.len()].join(&file));
        edit(&pair[0], "one")?;
        edit(&pair[1], "two")?;
        let edited = now();
        let drawn = wait_for(&file, || async {
            let script = format!("return window.drawn[{file:?}] ?? null;");
            let drawn = window.script(&script).await;
            let drawn = drawn.map_err(|error| error.to_string())?;
            drawn.as_f64().ok_or_else(|| "nothing".to_owned())
        })
        .await?;
        times.push(drawn - edited);
        for file in &pair {
            std::fs::write(file, text(None))?;
        }
        wait_for("the end of it", || async {
            let script = format!("return window.listed.has({file:?});");
            match window.script(&script).await {
                Ok(listed) if listed == false => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
    }
    Ok(times)
}

/// 2,000 edits a minute in all worktrees, of files that nobody waits for.
fn burst(
    desk: Arc<Desk>,
    ended: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
) -> Result<std::thread::JoinHandle<Result<()>>> {
    let writer = std::thread::Builder::new().name("burst".to_owned());
    Ok(writer.spawn(move || {
        let mut next = Instant::now();
        while !ended.load(Ordering::Relaxed) {
            let at = count.fetch_add(1, Ordering::Relaxed);
            let file = Desk::file(desk.files / 2 + at % (desk.files / 2));
            let root = &desk.roots[at % desk.roots.len()];
            edit(&root.join(file), &format!("burst {at}"))?;
            next += Duration::from_millis(30);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        Ok(())
    })?)
}

/// Milliseconds from the start of `switchyard conflicts check` to its end.
fn checks(home: &Home, desk: &Desk, rounds: usize) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for round in 0..rounds {
        let target = format!("{}:9", Desk::file(round * 7 % desk.files));
        let worktree = desk.roots[round % desk.roots.len()].display().to_string();
        let begin = Instant::now();
        let arguments = [
            "conflicts",
            "check",
            &target,
            "--worktree",
            &worktree,
            "--json",
        ];
        let output = home.run(&arguments)?;
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
        ensure!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    }
    Ok(times)
}

/// A repository, and its worktrees beside it.
struct Desk {
    roots: Vec<PathBuf>,
    files: usize,
}

impl Desk {
    fn new(place: &Path, worktrees: usize, files: usize) -> Result<Self> {
        let main = place.join("main");
        std::fs::create_dir(&main)?;
        git(&main, &["init", "-q", "-b", "main"])?;
        for file in 0..files {
            let file = main.join(Self::file(file));
            std::fs::create_dir_all(file.parent().context("a directory")?)?;
            std::fs::write(file, text(None))?;
        }
        git(&main, &["add", "-A"])?;
        git(&main, &["commit", "-q", "-m", "x"])?;
        let mut roots = vec![main.clone()];
        for name in (1..worktrees).map(|number| format!("tree-{number}")) {
            let aside = format!("../{name}");
            git(&main, &["worktree", "add", "-q", "-b", &name, &aside])?;
            roots.push(place.join(name));
        }
        Ok(Self { roots, files })
    }

    fn file(number: usize) -> String {
        format!("part-{}/file-{number}.txt", number % 100)
    }
}

/// Sixty lines; the ninth, as told.
fn text(ninth: Option<&str>) -> String {
    (1..=60)
        .map(|line| match ninth {
            Some(ninth) if line == 9 => format!("{ninth}\n"),
            _ => format!("line {line}\n"),
        })
        .collect()
}

fn edit(file: &Path, ninth: &str) -> Result<()> {
    Ok(std::fs::write(file, text(Some(ninth)))?)
}

/// By the clock that the page's `Date.now()` shows, too.
#[expect(
    clippy::disallowed_methods,
    reason = "two processes compare their clocks"
)]
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1000.0
}

fn row(label: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
    println!(
        "{label:<44} {:>9.1} {:>9.1} {:>9.1}",
        at(0.5),
        at(0.95),
        at(1.0)
    );
}

fn number(name: &str, usual: usize) -> usize {
    let told = std::env::var(name).ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(usual)
}
