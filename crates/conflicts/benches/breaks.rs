//! How often a warning that something breaks is right, and how often one is missed: real sources, with the compiler as
//! the judge.
//!
//! Sources are those of libraries that cargo has on this machine and that need no others. One worktree renames,
//! removes or gives one more parameter to a function that others can see; another one touches every line of other files
//! that has its name, whatever it means there. The compiler says which of those files no longer fit, and the room says
//! which it warns of. What the compiler leaves out, tests and other machines, is not touched: nobody could judge it. The
//! sources are real and the changes are made up: it measures who is meant by a name, not how
//! often people break one another's work.
//!
//! `CRATES` names the libraries, `CHANGES` (40) says how many changes of each.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and fails as a whole"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clock::Clock;
use conflicts::{ConflictFilter, WatchConfig, look};

const CRATES: &str = "aho-corasick base64 bytes fastrand httparse jiff memchr regex-syntax semver similar unicode-segmentation winnow";

/// How a function is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Rename,
    Parameter,
}

/// Warnings that are right, that are not, and those that are missing.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }

    fn row(&self, what: &str) {
        let part = |of: usize| match of {
            0 => "-".to_owned(),
            of => format!("{:.0} %", 100.0 * self.right as f64 / of as f64),
        };
        println!(
            "{what:<28} {:>6} {:>6} {:>6}   {:>7} {:>7}",
            self.right,
            self.wrong,
            self.missed,
            part(self.right + self.wrong),
            part(self.right + self.missed),
        );
    }
}

fn main() {
    // Cargo asks what there is before it runs it.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let wanted = std::env::var("CRATES").unwrap_or_else(|_| CRATES.to_owned());
    let changes = std::env::var("CHANGES").ok();
    let changes: usize = changes.and_then(|text| text.parse().ok()).unwrap_or(40);
    println!(
        "{:<28} {:>6} {:>6} {:>6}   {:>7} {:>7}",
        "files", "right", "wrong", "missed", "precise", "found"
    );
    let mut all = Count::default();
    let mut by_change = BTreeMap::<_, Count>::new();
    for name in wanted.split_whitespace() {
        let Some(sources) = sources_of(name) else {
            println!("{name:<28} is not here");
            continue;
        };
        let place = tempfile::tempdir().unwrap();
        let Some(library) = Library::lay_out(&sources, place.path()) else {
            println!("{name:<28} does not compile by itself");
            continue;
        };
        let mut count = Count::default();
        for (path, line, function) in library.functions(changes) {
            for change in [Change::Rename, Change::Parameter] {
                let Some(found) = library.compare(&path, line, &function, change) else {
                    continue;
                };
                by_change.entry(change).or_default().add(found);
                count.add(found);
            }
        }
        count.row(&sources.file_name().unwrap().to_string_lossy());
        all.add(count);
    }
    for (change, count) in by_change {
        count.row(&format!("{change:?}"));
    }
    all.row("all");
}

/// Where cargo has the newest sources of a library.
fn sources_of(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/src")).ok()?.flatten();
    let all = registries.flat_map(|registry| fs::read_dir(registry.path()).into_iter().flatten());
    let found = all.flatten().map(|entry| entry.path()).filter(|path| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let version = file
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('-'));
        version.is_some_and(|version| version.starts_with(|digit: char| digit.is_ascii_digit()))
    });
    found.max()
}

/// A library with two worktrees of it: `one` changes a function, `two` touches what has its name.
struct Library {
    main: PathBuf,
    edition: String,
    features: Vec<String>,
    /// The files that the compiler reads.
    compiled: BTreeSet<String>,
}

impl Library {
    fn lay_out(sources: &Path, place: &Path) -> Option<Self> {
        let main = place.join("main");
        copy(&sources.join("src"), &main.join("src"));
        let manifest = fs::read_to_string(sources.join("Cargo.toml")).unwrap();
        let field = |name: &str| {
            let mut lines = manifest.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.trim().strip_prefix('='));
            line.map(|value| value.trim().trim_matches('"').to_owned())
        };
        let mut library = Self {
            main,
            edition: field("edition").unwrap_or_else(|| "2015".to_owned()),
            features: ["std", "alloc", "unicode", "text", "inline"]
                .map(str::to_owned)
                .to_vec(),
            compiled: BTreeSet::new(),
        };
        git(&library.main, &["init", "-q", "-b", "main"]);
        git(&library.main, &["add", "-A"]);
        git(&library.main, &["commit", "-q", "-m", "x"]);
        for name in ["one", "two"] {
            let aside = format!("../{name}");
            git(
                &library.main,
                &["worktree", "add", "-q", "-b", name, &aside],
            );
        }
        if !library.broken(&library.main)?.is_empty() {
            return None;
        }
        // `../libchecked.rmeta: src/lib.rs src/alphabet.rs …`
        let read = fs::read_to_string(place.join("checked.d")).ok()?;
        let names = read.split_whitespace().filter(|name| name.ends_with(".rs"));
        library.compiled = names.map(str::to_owned).collect();
        Some(library)
    }

    fn tree(&self, name: &str) -> PathBuf {
        self.main.parent().unwrap().join(name)
    }

    /// Functions that other files can see: the file, the line from 0, and the name; spread over all of them.
    fn functions(&self, most: usize) -> Vec<(PathBuf, usize, String)> {
        let mut found = Vec::new();
        for path in files(&self.main.join("src")) {
            let text = fs::read_to_string(&path).unwrap();
            for (at, line) in text.lines().enumerate() {
                let line = line.trim_start();
                let Some(rest) = line.strip_prefix("pub") else {
                    continue;
                };
                let rest = rest.strip_prefix("(crate)").unwrap_or(rest);
                let Some((_, rest)) = rest
                    .split_once("fn ")
                    .filter(|(before, _)| before.len() < 20)
                else {
                    continue;
                };
                let end = rest.find(|symbol: char| !symbol.is_alphanumeric() && symbol != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                let inside = path.strip_prefix(&self.main).unwrap().to_owned();
                found.push((inside, at, name.to_owned()));
            }
        }
        let every = found.len().div_ceil(most).max(1);
        found.into_iter().step_by(every).collect()
    }

    /// Makes one change, and says how the warnings compare with what the compiler says; none when it says nothing that
    /// can be compared.
    fn compare(&self, path: &Path, line: usize, name: &str, change: Change) -> Option<Count> {
        let (one, two) = (self.tree("one"), self.tree("two"));
        for root in [&one, &two] {
            git(root, &["checkout", "-q", "--", "."]);
        }
        let text = fs::read_to_string(one.join(path)).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let at = lines[line].find(&format!("fn {name}")).unwrap() + 3;
        match change {
            Change::Rename => lines[line].insert_str(at + name.len(), "_now"),
            Change::Parameter => {
                let open = lines[line][at..].find('(')? + at + 1;
                let rest = lines[line][open..].trim_start();
                let own = rest.find("self").filter(|at| *at < 6);
                let behind = match own {
                    None => open,
                    Some(_) => {
                        let end = lines[line][open..].find([',', ')'])? + open;
                        match lines[line].as_bytes()[end] {
                            b',' => end + 1,
                            _ => end,
                        }
                    }
                };
                let new = match own {
                    Some(_) if lines[line].as_bytes()[behind - 1] != b',' => ", _now: ()",
                    Some(_) => " _now: (),",
                    None if rest.starts_with(')') => "_now: ()",
                    None => "_now: (), ",
                };
                lines[line].insert_str(behind, new);
            }
        }
        fs::write(one.join(path), lines.join("\n") + "\n").unwrap();
        let mut touched = BTreeSet::new();
        for file in files(&two.join("src")) {
            let inside = file.strip_prefix(&two).unwrap();
            if inside == path || !self.compiled.contains(&*inside.to_string_lossy()) {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let tests = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
            let tests = text[..tests].lines().count();
            let new = text.lines().enumerate();
            let new = new.map(|(at, line)| match at < tests && has_word(line, name) {
                true => format!("{line} //\n"),
                false => format!("{line}\n"),
            });
            let new: String = new.collect();
            if new.len() > text.len() + 2 {
                touched.insert(inside.to_string_lossy().into_owned());
                fs::write(&file, new).unwrap();
            }
        }
        if touched.is_empty() {
            return None;
        }
        let broken = self.broken(&one)?;
        let broken: BTreeSet<_> = broken.intersection(&touched).cloned().collect();
        let config = WatchConfig {
            breaks: true,
            ..WatchConfig::new(Clock::new(|| 1))
        };
        let picture = look(&self.main, &config, &ConflictFilter::default()).unwrap();
        let breaking = picture
            .verdicts
            .iter()
            .filter(|verdict| !verdict.breaks.is_empty());
        let told: BTreeSet<_> = breaking.map(|verdict| verdict.path.to_string()).collect();
        if std::env::var_os("SHOW").is_some() {
            for file in told.difference(&broken) {
                println!(
                    "  wrong: {change:?} of {name} in {}: {file}",
                    path.display()
                );
            }
            for file in broken.difference(&told) {
                println!(
                    "  missed: {change:?} of {name} in {}: {file}",
                    path.display()
                );
            }
        }
        Some(Count {
            right: told.intersection(&broken).count(),
            wrong: told.difference(&broken).count(),
            missed: broken.difference(&told).count(),
        })
    }

    /// The files in which the compiler finds a mistake; none when it can't say.
    fn broken(&self, root: &Path) -> Option<BTreeSet<String>> {
        let mut compile = Command::new("rustc");
        compile.current_dir(root).args([
            "src/lib.rs",
            "--crate-type=lib",
            "--emit=metadata,dep-info",
            "--error-format=json",
            "--cap-lints=allow",
            "--out-dir=..",
            "--crate-name=checked",
            "--edition",
            &self.edition,
        ]);
        for feature in &self.features {
            compile.arg(format!("--cfg=feature=\"{feature}\""));
        }
        let output = compile.output().ok()?;
        let mut found = BTreeSet::new();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            let Ok(said) = serde_json::from_str::<serde_json::Value>(line) else {
                continue;
            };
            if said["level"] != "error" {
                continue;
            }
            for span in said["spans"].as_array().into_iter().flatten() {
                // Where it is used: what is shown beside, such as the definition, is no mistake.
                if span["is_primary"] == true {
                    found.extend(span["file_name"].as_str().map(str::to_owned));
                }
            }
        }
        (output.status.success() || !found.is_empty()).then_some(found)
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let is_name = |symbol: char| symbol.is_alphanumeric() || symbol == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_name) && !line[at + word.len()..].starts_with(is_name)
    })
}

/// The sources below a directory, in order.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => waiting.push(path),
                false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(fs::copy(from, to).unwrap()),
        }
    }
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
