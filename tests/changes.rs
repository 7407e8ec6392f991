//! Changes that are discarded and given back, while the program is killed in the middle: nothing is lost, and nothing is half.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use support::{DEADLINE, Home, git};

/// So many files are discarded at once.
const FILES: usize = 24;
/// In about so many places each command is killed.
const PLACES: usize = 12;

/// What a worktree holds: each file with its permissions and bytes.
type Tree = BTreeMap<String, (u32, Vec<u8>)>;

/// A repository, and what it holds before all of it is discarded, and after.
struct Spoiled {
    home: Home,
    root: PathBuf,
    before: Tree,
    after: Tree,
}

/// Who is killed.
#[derive(Clone, Copy, Debug)]
enum Killed {
    /// The program; the git that it has started comes to its own end.
    Program,
    /// All of it at once, as when the machine goes down.
    All,
}

impl Spoiled {
    fn new() -> Result<Self> {
        let home = Home::new()?;
        let root = home.path().join("shop");
        fs::create_dir_all(root.join("src"))?;
        git(&root, &["init", "-q", "-b", "main"])?;
        for at in 0..FILES {
            fs::write(name(&root, at), format!("{at}: as it was\n").repeat(40))?;
        }
        git(&root, &["add", "-A"])?;
        git(&root, &["commit", "-q", "-m", "x"])?;
        let after = tree(&root)?;
        for at in 0..FILES {
            let place = name(&root, at);
            match at % 4 {
                0 => fs::remove_file(&place)?,
                1 => fs::set_permissions(&place, fs::Permissions::from_mode(0o755))?,
                _ => fs::write(&place, format!("{at}: as it is\r\n").repeat(at))?,
            }
        }
        let before = tree(&root)?;
        Ok(Self {
            home,
            root,
            before,
            after,
        })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(Home::program());
        command
            .args(args)
            .current_dir(&self.root)
            .envs(self.home.environment())
            .stdin(Stdio::null());
        command
    }

    fn ok(&self, args: &[&str]) -> Result<String> {
        let ran = self.command(args).output()?;
        ensure!(ran.status.success(), "{args:?}: {ran:?}");
        Ok(String::from_utf8(ran.stdout)?)
    }

    /// The discards that can be taken back, the newest first.
    fn discards(&self) -> Result<Vec<String>> {
        let listed: Value = serde_json::from_str(&self.ok(&["changes", "snapshots", "--json"])?)?;
        let all = listed.as_array().context("a list")?.iter();
        let discards = all.filter(|one| one["reason"] == "discarded");
        Ok(discards
            .filter_map(|one| one["id"].as_str().map(str::to_owned))
            .collect())
    }

    /// How far a command has come, by what it left on the disk: a number that only grows.
    fn far(&self, inodes: &BTreeMap<String, u64>) -> usize {
        let scratch = entries(&self.root.join(".git"));
        let scratch = scratch.filter(|name| name.contains(".switchyard-"));
        let now = inodes_of(&self.root);
        let replaced = inodes
            .iter()
            .filter(|(name, at)| now.get(*name) != Some(at));
        let made = now.keys().filter(|name| !inodes.contains_key(*name));
        count(&self.home.path().join("data/snapshots"))
            + scratch.count()
            + replaced.count()
            + made.count()
    }

    /// Runs a command, and kills it as soon as it has come so far; says how far it came by itself when it was not.
    fn kill_at(&self, args: &[&str], place: usize, killed: Killed) -> Result<Option<usize>> {
        let inodes = inodes_of(&self.root);
        let begun = self.far(&inodes);
        let mut child = self
            .command(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let deadline = Instant::now() + DEADLINE;
        loop {
            let far = self.far(&inodes).saturating_sub(begun);
            if far >= place {
                break;
            }
            if child.try_wait()?.is_some() {
                return Ok(Some(self.far(&inodes).saturating_sub(begun)));
            }
            ensure!(Instant::now() < deadline, "{args:?} takes too long");
        }
        self.kill(&mut child, killed)?;
        Ok(None)
    }

    fn kill(&self, child: &mut Child, killed: Killed) -> Result<()> {
        child.kill()?;
        if let Killed::All = killed {
            self.home.all().into_iter().for_each(Home::kill);
        }
        child.wait()?;
        let deadline = Instant::now() + DEADLINE;
        while !self.home.all().is_empty() {
            ensure!(Instant::now() < deadline, "something goes on");
        }
        Ok(())
    }

    /// Every file is as before or as after, and there is none beside them; says whether all of them are still as before.
    fn is_whole(&self, at: &str) -> Result<bool> {
        let now = tree(&self.root)?;
        for (name, state) in &now {
            let known = [&self.before, &self.after].map(|tree| tree.get(name) == Some(state));
            ensure!(
                known.contains(&true),
                "{at}: `{name}` is neither: {state:?}"
            );
        }
        for name in self.after.keys().filter(|name| !now.contains_key(*name)) {
            ensure!(!self.before.contains_key(name), "{at}: `{name}` is gone");
        }
        Ok(now == self.before)
    }
}

fn name(root: &Path, at: usize) -> PathBuf {
    root.join(format!("src/file {at}"))
}

fn tree(root: &Path) -> Result<Tree> {
    let mut found = Tree::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_name() == ".git" {
                continue;
            }
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
                continue;
            }
            let mode = entry.metadata()?.permissions().mode();
            let name = entry.path().strip_prefix(root)?.display().to_string();
            found.insert(name, (mode, fs::read(entry.path())?));
        }
    }
    Ok(found)
}

fn inodes_of(root: &Path) -> BTreeMap<String, u64> {
    let files = fs::read_dir(root.join("src")).into_iter().flatten();
    let about = |entry: fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        entry.metadata().ok().map(|about| (name, about.ino()))
    };
    files.flatten().filter_map(about).collect()
}

fn entries(directory: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

/// So many files and directories are below.
fn count(directory: &Path) -> usize {
    let below = entries(directory).map(|name| 1 + count(&directory.join(name)));
    below.sum()
}

/// Where a command is killed that comes so far by itself.
fn places(far: usize) -> impl Iterator<Item = usize> {
    (0..=far).step_by((far / PLACES).max(1))
}

const DISCARD: [&str; 3] = ["changes", "discard", "."];

fn discard_is_killed(killed: Killed) -> Result<()> {
    let spoiled = Spoiled::new()?;
    let Some(far) = spoiled.kill_at(&DISCARD, usize::MAX, killed)? else {
        bail!("nobody killed it");
    };
    ensure!(far > FILES, "it is followed while it works: {far}");
    ensure!(tree(&spoiled.root)? == spoiled.after);
    let mut seen = spoiled.discards()?;
    ensure!(seen.len() == 1);
    spoiled.ok(&["changes", "undo", &seen[0]])?;
    ensure!(tree(&spoiled.root)? == spoiled.before);

    let mut in_between = 0;
    for place in places(far) {
        let at = format!("{killed:?} killed at {place} of {far}");
        if spoiled.kill_at(&DISCARD, place, killed)?.is_none() && !spoiled.is_whole(&at)? {
            in_between += 1;
        }
        // It can be done to its end, and all of it be taken back: nothing holds a lock, and nothing is missing.
        if tree(&spoiled.root)? != spoiled.after {
            spoiled.ok(&DISCARD).context(at.clone())?;
        }
        ensure!(tree(&spoiled.root)? == spoiled.after, "{at}");
        let mut new = spoiled.discards()?;
        new.retain(|id| !seen.contains(id));
        ensure!(!new.is_empty(), "{at}: the undo is not there");
        for id in &new {
            spoiled.ok(&["changes", "undo", id]).context(at.clone())?;
        }
        let now = tree(&spoiled.root)?;
        ensure!(now == spoiled.before, "{at}: not all came back");
        seen.extend(new);
    }
    ensure!(in_between > 0, "none was killed while files were replaced");
    Ok(())
}

#[test]
fn a_discard_that_is_killed_loses_nothing() -> Result<()> {
    discard_is_killed(Killed::Program)
}

#[test]
fn a_discard_that_ends_with_the_machine_loses_nothing() -> Result<()> {
    discard_is_killed(Killed::All)
}

#[test]
fn an_undo_that_is_killed_is_done_again() -> Result<()> {
    let spoiled = Spoiled::new()?;
    spoiled.ok(&DISCARD)?;
    let ids = spoiled.discards()?;
    is_done_again(&spoiled, &["changes", "undo", &ids[0]])
}

#[test]
fn a_way_back_to_a_moment_that_is_killed_is_gone_again() -> Result<()> {
    let spoiled = Spoiled::new()?;
    spoiled.ok(&["changes", "remember"])?;
    spoiled.ok(&DISCARD)?;
    is_done_again(&spoiled, &["changes", "restore", "--since", "last", "."])
}

/// Kills what gives all of it back, in many places, and does it again.
fn is_done_again(spoiled: &Spoiled, back: &[&str]) -> Result<()> {
    let Some(far) = spoiled.kill_at(back, usize::MAX, Killed::All)? else {
        bail!("nobody killed it");
    };
    ensure!(tree(&spoiled.root)? == spoiled.before);
    let mut in_between = 0;
    for (turn, place) in places(far).enumerate() {
        let killed = [Killed::Program, Killed::All][turn % 2];
        let at = format!("{killed:?} killed at {place} of {far}");
        spoiled.ok(&DISCARD)?;
        if spoiled.kill_at(back, place, killed)?.is_none() {
            spoiled.is_whole(&at)?;
            let now = tree(&spoiled.root)?;
            in_between += usize::from(now != spoiled.before && now != spoiled.after);
        }
        spoiled.ok(back).context(at.clone())?;
        ensure!(tree(&spoiled.root)? == spoiled.before, "{at}");
    }
    ensure!(in_between > 0, "none was killed while files were replaced");
    Ok(())
}

#[test]
fn what_was_looked_at_is_said_by_one_command_and_known_to_the_next() -> Result<()> {
    let spoiled = Spoiled::new()?;
    let looked = |args: &[&str]| spoiled.ok(&[&["changes", "looked"], args].concat());
    ensure!(looked(&[])?.contains("No file of this worktree was looked at"));
    looked(&["."])?;
    ensure!(!looked(&[])?.contains("changed"));
    let place = name(&spoiled.root, 2);
    fs::write(&place, "another\n")?;
    let file = place.strip_prefix(&spoiled.root)?.display().to_string();
    let told = looked(&[])?;
    let line = told.lines().find(|line| line.starts_with(&file));
    ensure!(line.is_some_and(|line| line.contains("changed")), "{told}");
    looked(&["--not", "."])?;
    ensure!(looked(&[])?.contains("No file of this worktree was looked at"));
    Ok(())
}
