//! The setting of an agent that lets it ask before it edits: put in, shown first, and taken out again exactly.

mod kept;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, BufRead as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use app::Paths;
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::cst::{CstInputValue, CstRootNode};
use jsonc_parser::json;

use self::kept::{Before, Kept};
use crate::failure::Failure;
use crate::output::Output;

/// What the agents run.
const COMMAND: &str = "switchyard conflicts hook";

/// The plugin by which opencode asks; it has no setting for it.
const PLUGIN: &str = include_str!("opencode-plugin.js");

/// An agent that can ask before it edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Agent {
    /// Claude Code
    Claude,
    /// Codex
    Codex,
    /// Gemini CLI
    Gemini,
    /// opencode
    Opencode,
}

/// Where a setting goes in a file of settings.
struct Place {
    event: &'static str,
    tools: &'static str,
    /// In the agent's own unit.
    timeout: &'static str,
}

impl Agent {
    const ALL: [Self; 4] = [Self::Claude, Self::Codex, Self::Gemini, Self::Opencode];

    /// What a repository has that this agent works in.
    fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &[".claude", "CLAUDE.md"],
            Self::Codex => &[".codex"],
            Self::Gemini => &[".gemini", "GEMINI.md"],
            Self::Opencode => &[".opencode", "opencode.json", "opencode.jsonc"],
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Claude => ".claude/settings.json",
            Self::Codex => ".codex/hooks.json",
            Self::Gemini => ".gemini/settings.json",
            Self::Opencode => ".opencode/plugins/switchyard-conflicts.js",
        }
    }

    /// None: it is a file of its own.
    fn place(self) -> Option<Place> {
        match self {
            Self::Claude => Some(Place {
                event: "PreToolUse",
                tools: "Edit|Write|MultiEdit|NotebookEdit",
                timeout: "5",
            }),
            Self::Codex => Some(Place {
                event: "PreToolUse",
                tools: "apply_patch",
                timeout: "5",
            }),
            // What it is told before an edit only the person reads; after it, the agent does.
            Self::Gemini => Some(Place {
                event: "AfterTool",
                tools: "replace|write_file",
                timeout: "5000",
            }),
            Self::Opencode => None,
        }
    }

    /// What a person has to know beside the change itself.
    fn hint(self) -> Option<&'static str> {
        match self {
            Self::Codex => Some("Codex runs it once you trust it: type /hooks there."),
            Self::Gemini => {
                Some("Gemini CLI tells its agent right after the edit: it has no form for before.")
            }
            Self::Claude | Self::Opencode => None,
        }
    }

    /// The file with the setting; the same when it has it already.
    fn with(self, text: Option<&str>) -> Result<String, String> {
        let Some(place) = self.place() else {
            return Ok(PLUGIN.to_owned());
        };
        let root = read(text.unwrap_or("{}\n"))?;
        if ours_in(text.unwrap_or("{}"), &place)?.is_some() {
            return Ok(root.to_string());
        }
        let no_object = || "it is not an object of settings".to_owned();
        let settings = root.object_value_or_create().ok_or_else(no_object)?;
        let hooks = settings.object_value_or_create("hooks");
        let hooks = hooks.ok_or("its `hooks` are not an object")?;
        let event = hooks.array_value_or_create(place.event);
        let event = event.ok_or_else(|| format!("its `hooks.{}` is not a list", place.event))?;
        let tools = place.tools;
        let timeout = CstInputValue::Number(place.timeout.to_owned());
        event.append(json!({
            "matcher": tools,
            "hooks": [{
                "type": "command",
                "command": COMMAND,
                "timeout": timeout
            }]
        }));
        Ok(root.to_string())
    }

    /// The file without the setting, as far as it can be told from the file alone; none: there was no file.
    fn without(self, text: &str) -> Result<Option<String>, String> {
        let was = |candidate: Option<&str>| self.with(candidate).is_ok_and(|with| with == text);
        if was(None) {
            return Ok(None);
        }
        let Some(place) = self.place() else {
            return Err("it was changed since; remove it by hand".to_owned());
        };
        let mut bare = text.to_owned();
        while let Some(at) = ours_in(&bare, &place)? {
            bare = at.cut(&bare);
        }
        if bare == text {
            return Ok(Some(bare));
        }
        // How much goes with it cannot be seen from the file: a list may have been there, and empty. That which
        // would become this very file is what was; of several, the one with nothing empty in it.
        let mut less = vec![bare];
        for path in [&["hooks", place.event][..], &["hooks"][..]] {
            let last = less.last().map_or("", String::as_str);
            let Some(at) = empty_in(last, path)? else {
                break;
            };
            less.push(at.cut(last));
        }
        less.reverse();
        let exact = less.iter().position(|candidate| was(Some(candidate)));
        Ok(Some(less.swap_remove(exact.unwrap_or(0))))
    }
}

fn read(text: &str) -> Result<CstRootNode, String> {
    CstRootNode::parse(text, &Default::default()).map_err(|error| error.to_string())
}

/// Where one of several members or elements stands in a text.
struct At {
    all: Vec<Range<usize>>,
    number: usize,
}

impl At {
    /// The text without it, its comma and the space before it; comments stay.
    fn cut(&self, text: &str) -> String {
        let own = &self.all[self.number];
        let before = self
            .number
            .checked_sub(1)
            .map(|number| self.all[number].end);
        let next = self.all.get(self.number + 1);
        let comma = match (before, next) {
            (Some(before), None) => comma(text, before),
            _ => comma(text, own.end),
        };
        let start = text[..own.start].trim_end().len();
        let gap = &text[before.unwrap_or(0)..start];
        // A comment that ends with its line must not go on into what follows.
        let end_of_line = gap.contains("//").then_some("\n");
        // What has nothing in it any more has no lines either.
        let rest = &text[own.end..];
        let space = rest.len() - rest.trim_start().len();
        let alone = text[..start].ends_with(['{', '[']) && rest[space..].starts_with(['}', ']']);
        let end = own.end + if alone { space } else { 0 };
        let mut gone = vec![(start..end, end_of_line.unwrap_or_default())];
        gone.extend(comma.map(|at| (at..at + 1, "")));
        gone.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        let mut text = text.to_owned();
        for (range, instead) in gone {
            text.replace_range(range, instead);
        }
        text
    }
}

/// The comma that comes next, behind whatever comments there are.
fn comma(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        let comment = match rest.get(..2) {
            Some("//") => rest.find('\n'),
            Some("/*") => rest.find("*/").map(|end| end + 2),
            _ => return rest.starts_with(',').then_some(at),
        };
        at += comment?;
    }
}

/// The members of an object, in a text.
fn members(object: &Object<'_>) -> Vec<Range<usize>> {
    let members = object.properties.iter();
    members.map(|member| member.start()..member.end()).collect()
}

/// Finds an entry that runs our command.
fn ours_in(text: &str, place: &Place) -> Result<Option<At>, String> {
    let parsed = parse(text)?;
    let found = || {
        let hooks = parsed.as_ref()?.as_object()?.get_object("hooks")?;
        let entries = &hooks.get_array(place.event)?.elements;
        let number = entries
            .iter()
            .position(|entry| runs_us(entry) == Some(true))?;
        let all = entries.iter().map(|entry| entry.start()..entry.end());
        Some(At {
            all: all.collect(),
            number,
        })
    };
    Ok(found())
}

fn runs_us(entry: &Value<'_>) -> Option<bool> {
    let hooks = &entry.as_object()?.get_array("hooks")?.elements;
    let command =
        |hook: &Value<'_>| Some(hook.as_object()?.get_string("command")?.value.to_string());
    let commands: Vec<_> = hooks.iter().filter_map(command).collect();
    Some(commands == [COMMAND])
}

/// Finds a member with nothing in it, not even a comment: the last name of `path`, inside of the others.
fn empty_in(text: &str, path: &[&str]) -> Result<Option<At>, String> {
    let parsed = parse(text)?;
    let found = || {
        let (name, outer) = path.split_last()?;
        let mut object = parsed.as_ref()?.as_object()?;
        for name in outer {
            object = object.get_object(name)?;
        }
        let mut all = object.properties.iter();
        let number = all.position(|member| member.name.as_str() == *name)?;
        let value = &object.properties[number].value;
        let bare: String = text[value.start()..value.end()]
            .split_whitespace()
            .collect();
        matches!(bare.as_str(), "[]" | "{}").then(|| At {
            all: members(object),
            number,
        })
    };
    Ok(found())
}

fn parse(text: &str) -> Result<Option<Value<'_>>, String> {
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default());
    Ok(parsed.map_err(|error| error.to_string())?.value)
}

/// Shows what will change in the settings of the repository's agents, and changes it when the person agrees.
///
/// `paths`: where it is kept what they were before.
pub(super) fn run(
    root: &Path,
    agent: Option<Agent>,
    remove: bool,
    yes: bool,
    paths: Option<&Paths>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let found = |agent: &Agent| agent.marks().iter().any(|mark| root.join(mark).exists());
    let agents: Vec<_> = match agent {
        Some(agent) => vec![agent],
        None => Agent::ALL.into_iter().filter(found).collect(),
    };
    if agents.is_empty() {
        return Err(Failure::usage(format!(
            "no agent has settings in `{}`; name one: --agent claude, codex, gemini or opencode",
            root.display()
        )));
    }
    let mut kept = Kept::read(paths);
    let mut changes = Vec::new();
    for agent in agents {
        let change = Change::of(root, agent, remove, &kept)?;
        if change.before == change.after {
            let state = if remove {
                "has no setting for it"
            } else {
                "has it already"
            };
            out.line(&format!("{} {state}.", agent.file()))?;
            continue;
        }
        change.show(agent.file(), out)?;
        if let Some(hint) = agent.hint().filter(|_| !remove) {
            out.line(hint)?;
        }
        changes.push(change);
    }
    if changes.is_empty() {
        return Ok(());
    }
    if !yes && !agreed(out)? {
        out.line("Nothing was written.")?;
        return Err(Failure::silent());
    }
    let keep = |kept: &Kept| {
        kept.write(paths).map_err(|error| {
            Failure::usage(format!(
                "what the settings were before could not be kept: {error}"
            ))
        })
    };
    if remove {
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
    fn of(root: &Path, agent: Agent, remove: bool, kept: &Kept) -> Result<Self, Failure> {
        let file = root.join(agent.file());
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
        let after = match (remove, &before) {
            (true, None) => Ok(None),
            (true, Some(text)) => match kept.of(&file, text) {
                Some(before) => Ok(before.text.clone()),
                None => agent.without(text),
            },
            (false, text) => agent.with(text.as_deref()).map(Some),
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
