//! The setting of an agent that lets it ask before it edits: put in, shown first, and taken out again exactly.

use std::fs;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};

use jsonc_parser::cst::{CstInputValue, CstNode, CstRootNode};
use jsonc_parser::json;

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
        if !ours(&root, &place).is_empty() {
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

    /// The file without the setting, as it was before it was put in; none: there was no file.
    fn without(self, text: &str) -> Result<Option<String>, String> {
        let was = |candidate: Option<&str>| self.with(candidate).is_ok_and(|with| with == text);
        if was(None) {
            return Ok(None);
        }
        let Some(place) = self.place() else {
            return Err("it was changed since; remove it by hand".to_owned());
        };
        // How much goes with it cannot be seen from the file: a list may have been there, and empty. That which
        // would become this very file is what was; of several, the one with nothing empty in it.
        let mut less = Vec::new();
        for depth in [2, 1, 0] {
            let root = read(text)?;
            let found = ours(&root, &place);
            if found.is_empty() {
                return Ok(Some(text.to_owned()));
            }
            found.into_iter().for_each(CstNode::remove);
            let hooks = root.object_value().and_then(|root| root.get("hooks"));
            let event = hooks
                .as_ref()
                .and_then(|hooks| hooks.object_value()?.get(place.event));
            let is_empty = |value: Option<CstNode>| {
                let inside = value.map(|value| value.children_exclude_trivia_and_tokens());
                inside.is_some_and(|inside| inside.is_empty())
            };
            if depth > 0
                && let Some(event) = event
                && is_empty(event.value())
            {
                event.remove();
            }
            if depth > 1
                && let Some(hooks) = hooks
                && is_empty(hooks.value())
            {
                hooks.remove();
            }
            less.push(root.to_string());
        }
        let exact = less.iter().position(|candidate| was(Some(candidate)));
        Ok(Some(less.swap_remove(exact.unwrap_or(0))))
    }
}

fn read(text: &str) -> Result<CstRootNode, String> {
    CstRootNode::parse(text, &Default::default()).map_err(|error| error.to_string())
}

/// The entries that run our command.
fn ours(root: &CstRootNode, place: &Place) -> Vec<CstNode> {
    let entries = || {
        let hooks = root.object_value()?.object_value("hooks")?;
        Some(hooks.array_value(place.event)?.elements())
    };
    let runs_us = |entry: &CstNode| {
        let hooks = entry.as_object()?.array_value("hooks")?.elements();
        let command = |hook: &CstNode| {
            let command = hook.as_object()?.get("command")?.value()?;
            command.as_string_lit()?.decoded_value().ok()
        };
        let commands: Vec<_> = hooks.iter().filter_map(command).collect();
        Some(commands == [COMMAND])
    };
    let entries = entries().unwrap_or_default();
    entries
        .into_iter()
        .filter(|entry| runs_us(entry) == Some(true))
        .collect()
}

/// Shows what will change in the settings of the repository's agents, and changes it when the person agrees.
pub(super) fn run(
    root: &Path,
    agent: Option<Agent>,
    remove: bool,
    yes: bool,
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
    let mut changes = Vec::new();
    for agent in agents {
        let change = Change::of(root, agent, remove)?;
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
    for change in changes {
        change.write()?;
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
    fn of(root: &Path, agent: Agent, remove: bool) -> Result<Self, Failure> {
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
            (true, Some(text)) => agent.without(text),
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

    fn write(&self) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            Failure::usage(format!(
                "`{}` can't be written: {error}",
                self.file.display()
            ))
        };
        let Some(text) = &self.after else {
            return fs::remove_file(&self.file).map_err(failed);
        };
        if let Some(dir) = self.file.parent() {
            fs::create_dir_all(dir).map_err(failed)?;
        }
        fs::write(&self.file, text).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_taken_out_exactly() {
        let files = [
            "{}",
            "{\n  // mine\n  \"model\": \"x\",\n}\n",
            "{\n\t\"model\": \"x\"\n}",
            "{\n  \"model\": \"x\"\n}\n",
            "{\n  \"hooks\": {\n    \"PreToolUse\": [\n      { \"matcher\": \"Bash\", \"hooks\": [] }\n    ]\n  }\n}\n",
            "{\n  \"hooks\": {\n    \"Stop\": []\n  },\n  \"permissions\": { \"allow\": [] }\n}\n",
        ];
        // What cannot be told from a file that had nothing.
        let empty = [
            "{}\n",
            "{\n  \"hooks\": {}\n}\n",
            "{ \"hooks\": { \"PreToolUse\": [] } }\n",
        ];
        for agent in [Agent::Claude, Agent::Codex, Agent::Gemini] {
            for text in files.into_iter().chain(empty) {
                let with = agent.with(Some(text)).unwrap();
                assert_ne!(with, text);
                assert_eq!(agent.with(Some(&with)).unwrap(), with, "put in once");
                let without = agent.without(&with).unwrap();
                assert_eq!(agent.with(without.as_deref()).unwrap(), with);
                if files.contains(&text) {
                    assert_eq!(without.as_deref(), Some(text), "{with}");
                }
                assert_eq!(agent.without(text).unwrap().as_deref(), Some(text));
            }
        }
        for agent in Agent::ALL {
            let with = agent.with(None).unwrap();
            assert_eq!(agent.without(&with).unwrap(), None);
        }
    }

    #[test]
    fn what_is_no_settings_is_left_alone() {
        let with = |text: &str| Agent::Claude.with(Some(text)).unwrap_err();
        insta::assert_snapshot!(with("[]"), @"it is not an object of settings");
        insta::assert_snapshot!(with(r#"{ "hooks": [] }"#), @"its `hooks` are not an object");
        insta::assert_snapshot!(with(r#"{ "hooks": { "PreToolUse": {} } }"#), @"its `hooks.PreToolUse` is not a list");
    }
}
