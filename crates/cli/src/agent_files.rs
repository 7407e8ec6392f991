//! Settings of agents that a command changes: shown first, written when the person agrees, and given back byte by byte.

pub(crate) mod jsonc;
mod kept;

use std::fs;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};

use app::Paths;
use clap::Args;
use conflicts::worktree_at;

use self::kept::{Before, Kept};
use crate::conflicts::worktree;
use crate::failure::Failure;
use crate::output::Output;

/// One file of settings, and what of ours belongs in it.
pub(crate) trait Setting {
    /// The file, below the repository's root.
    fn file(&self) -> &'static str;

    /// What a person has to know beside the change itself.
    fn hint(&self) -> Option<&'static str>;

    /// The file with ours; the same when it has it already. None: there is no file yet.
    ///
    /// # Errors
    ///
    /// Why it can't be put in, in words that go on with `can't be changed:`.
    fn with(&self, text: Option<&str>) -> Result<String, String>;

    /// The file without ours, as far as it can be told from the file alone; none: there was no file.
    ///
    /// # Errors
    ///
    /// Why it can't be taken out.
    fn without(&self, text: &str) -> Result<Option<String>, String>;
}

/// What is said on the command line of settings that are to be changed.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// Put it into the settings of this repository's agents: shows the change, and writes it
    #[arg(long, conflicts_with = "uninstall")]
    pub(crate) install: bool,

    /// Take out of their settings what --install put in
    #[arg(long)]
    pub(crate) uninstall: bool,

    /// Write without asking
    #[arg(long)]
    pub(crate) yes: bool,

    /// Any directory in the repository; the current one if not given
    #[arg(long, value_name = "DIR")]
    pub(crate) repository: Option<PathBuf>,
}

impl Asked {
    /// Whether settings are to be changed at all.
    pub(crate) fn changes(&self) -> bool {
        self.install || self.uninstall
    }

    /// The root of the repository whose agents are meant.
    ///
    /// # Errors
    ///
    /// When the directory is in no worktree.
    pub(crate) fn root(&self) -> Result<PathBuf, Failure> {
        let directory = self.repository.clone();
        let directory = directory.map_or_else(std::env::current_dir, Ok)?;
        worktree(&directory, worktree_at(&directory))
    }
}

/// What to do with settings, and how.
pub(crate) struct Doing<'a> {
    /// The repository's root.
    pub(crate) root: &'a Path,
    /// Takes ours out, instead of putting it in.
    pub(crate) remove: bool,
    /// Writes without asking.
    pub(crate) yes: bool,
    /// Where it is kept what the settings were before; none: nowhere.
    pub(crate) paths: Option<&'a Paths>,
    /// The name of that file.
    pub(crate) kept_as: &'static str,
}

/// Shows what will change, and changes it when the person agrees.
///
/// # Errors
///
/// A file that can't be read, changed or written; and silently, when the person does not agree.
pub(crate) fn change(
    settings: &[impl Setting],
    doing: &Doing<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut kept = Kept::read(doing.paths, doing.kept_as);
    let mut changes = Vec::new();
    for setting in settings {
        let change = Change::of(setting, doing, &kept)?;
        if change.before == change.after {
            let state = if doing.remove {
                "has no setting for it"
            } else {
                "has it already"
            };
            out.line(&format!("{} {state}.", setting.file()))?;
            continue;
        }
        change.show(setting.file(), out)?;
        if let Some(hint) = setting.hint().filter(|_| !doing.remove) {
            out.line(hint)?;
        }
        changes.push(change);
    }
    if changes.is_empty() {
        return Ok(());
    }
    if !doing.yes && !agreed(out)? {
        out.line("Nothing was written.")?;
        return Err(Failure::silent());
    }
    let keep = |kept: &Kept| {
        kept.write(doing.paths).map_err(|error| {
            Failure::usage(format!(
                "what the settings were before could not be kept: {error}"
            ))
        })
    };
    if doing.remove {
        for change in &changes {
            change.write(&kept)?;
            kept.forget(&change.file);
        }
        keep(&kept)?;
    } else {
        // First: whoever is stopped in between can still have them back.
        for change in &changes {
            change.keep(&mut kept);
        }
        keep(&kept)?;
        for change in &changes {
            change.write(&kept)?;
        }
    }
    out.line("Done.")?;
    Ok(())
}

fn agreed(out: &mut Output<'_>) -> Result<bool, Failure> {
    out.line("Write this? [y/N]")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// A file as it is and as it will be; none: it is not there.
struct Change {
    file: PathBuf,
    before: Option<String>,
    after: Option<String>,
}

impl Change {
    fn of(setting: &impl Setting, doing: &Doing<'_>, kept: &Kept) -> Result<Self, Failure> {
        let file = doing.root.join(setting.file());
        let before = match fs::read_to_string(&file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(Failure::usage(format!(
                    "`{}` can't be read: {error}",
                    file.display()
                )));
            }
        };
        let after = match (doing.remove, &before) {
            (true, None) => Ok(None),
            (true, Some(text)) => match kept.of(&file, text) {
                Some(before) => Ok(before.text.clone()),
                None => setting.without(text),
            },
            (false, text) => setting.with(text.as_deref()).map(Some),
        };
        let after = after.map_err(|why| {
            Failure::usage(format!("`{}` can't be changed: {why}", file.display()))
        })?;
        Ok(Self {
            file,
            before,
            after,
        })
    }

    /// Shows what goes and what comes, with the line before and the one behind it.
    fn show(&self, name: &str, out: &mut Output<'_>) -> Result<(), Failure> {
        let lines = |text: &Option<String>| -> Vec<String> {
            text.iter()
                .flat_map(|text| text.lines())
                .map(str::to_owned)
                .collect()
        };
        let (before, after) = (lines(&self.before), lines(&self.after));
        let same = before
            .iter()
            .zip(&after)
            .take_while(|(one, two)| one == two)
            .count();
        let rest = before.len().min(after.len()) - same;
        let ends = before.iter().rev().zip(after.iter().rev());
        let same_end = ends.take_while(|(one, two)| one == two).count().min(rest);
        let what = match (&self.before, &self.after) {
            (None, _) => " (new)",
            (_, None) => " (removed)",
            _ => "",
        };
        out.line(&format!("{name}{what}"))?;
        for line in &before[same.saturating_sub(1)..same] {
            out.line(&format!("  {line}"))?;
        }
        for line in &before[same..before.len() - same_end] {
            out.line(&format!("- {line}"))?;
        }
        for line in &after[same..after.len() - same_end] {
            out.line(&format!("+ {line}"))?;
        }
        for line in after[after.len() - same_end..].iter().take(1) {
            out.line(&format!("  {line}"))?;
        }
        Ok(())
    }

    /// Keeps what there is now, for the day when it is to be as it was.
    fn keep(&self, kept: &mut Kept) {
        let above = self.directory().ancestors();
        let missing = above.take_while(|directory| !directory.exists());
        let mut directories: Vec<_> = missing.map(Path::to_owned).collect();
        directories.reverse();
        let before = Before {
            text: self.before.clone(),
            made: self.after.clone().unwrap_or_default(),
            directories,
        };
        kept.keep(&self.file, before);
    }

    fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }

    fn write(&self, kept: &Kept) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            Failure::usage(format!(
                "`{}` can't be written: {error}",
                self.file.display()
            ))
        };
        let Some(text) = &self.after else {
            fs::remove_file(&self.file).map_err(failed)?;
            let now = self.before.as_deref();
            let before = now.and_then(|now| kept.of(&self.file, now));
            for directory in before
                .iter()
                .flat_map(|before| before.directories.iter().rev())
            {
                // One that has something else by now stays.
                let _ = fs::remove_dir(directory);
            }
            return Ok(());
        };
        fs::create_dir_all(self.directory()).map_err(failed)?;
        fs::write(&self.file, text).map_err(failed)
    }
}
