//! The setting of an agent that lets it ask before it edits: put in, shown first, and taken out again exactly.

#[cfg(test)]
mod tests;

use std::path::Path;

use app::Paths;
use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::cst::CstInputValue;
use jsonc_parser::json;

use crate::agent_files::jsonc::{self, At};
use crate::agent_files::{Doing, Setting, change};
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
}

impl Setting for Agent {
    fn file(&self) -> &'static str {
        match self {
            Self::Claude => ".claude/settings.json",
            Self::Codex => ".codex/hooks.json",
            Self::Gemini => ".gemini/settings.json",
            Self::Opencode => ".opencode/plugins/switchyard-conflicts.js",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Codex => Some("Codex runs it once you trust it: type /hooks there."),
            Self::Gemini => {
                Some("Gemini CLI tells its agent right after the edit: it has no form for before.")
            }
            Self::Claude | Self::Opencode => None,
        }
    }

    fn with(&self, text: Option<&str>) -> Result<String, String> {
        let Some(place) = self.place() else {
            return Ok(PLUGIN.to_owned());
        };
        let root = jsonc::read(text.unwrap_or("{}\n"))?;
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

    fn without(&self, text: &str) -> Result<Option<String>, String> {
        let Some(place) = self.place() else {
            if text == PLUGIN {
                return Ok(None);
            }
            return Err("it was changed since; remove it by hand".to_owned());
        };
        let made = [&["hooks", place.event][..], &["hooks"][..]];
        jsonc::without(
            text,
            |was| self.with(was),
            |text| ours_in(text, &place),
            &made,
        )
    }
}

/// Finds an entry that runs our command.
fn ours_in(text: &str, place: &Place) -> Result<Option<At>, String> {
    let parsed = jsonc::parse(text)?;
    let found = || {
        let hooks = parsed.as_ref()?.as_object()?.get_object("hooks")?;
        let entries = &hooks.get_array(place.event)?.elements;
        let number = entries
            .iter()
            .position(|entry| runs_us(entry) == Some(true))?;
        let all = entries.iter().map(|entry| entry.start()..entry.end());
        Some(At::new(all, number))
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

/// Changes the settings of the repository's agents: see [`change`].
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
    let doing = Doing {
        root,
        remove,
        yes,
        paths,
        kept_as: "hooks.json",
    };
    change(&agents, &doing, out)
}
