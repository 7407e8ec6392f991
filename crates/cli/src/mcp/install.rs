//! The entry by which an agent starts `switchyard mcp`: put into the settings of a repository's agents, and taken out again.

#[cfg(test)]
mod tests;

use std::path::Path;

use app::Paths;
use jsonc_parser::ast::Value;
use jsonc_parser::cst::CstInputValue;
use jsonc_parser::json;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::agent_files::jsonc::{self, At};
use crate::agent_files::{Doing, Setting, change};
use crate::failure::Failure;
use crate::output::Output;

/// What the entry is called.
const NAME: &str = "switchyard";

/// An agent that speaks the Model Context Protocol.
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
    /// Qwen Code
    Qwen,
}

impl Agent {
    const ALL: [Self; 5] = [
        Self::Claude,
        Self::Codex,
        Self::Gemini,
        Self::Opencode,
        Self::Qwen,
    ];

    /// What a repository has that this agent works in.
    fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &[".mcp.json", ".claude", "CLAUDE.md"],
            Self::Codex => &[".codex"],
            Self::Gemini => &[".gemini", "GEMINI.md"],
            Self::Opencode => &["opencode.json", "opencode.jsonc", ".opencode"],
            Self::Qwen => &[".qwen", "QWEN.md"],
        }
    }
}

/// The entry in the settings of one agent.
struct Entry {
    agent: Agent,
    file: &'static str,
    /// What the agent starts it with, behind the program's name.
    arguments: &'static [&'static str],
}

impl Entry {
    fn new(agent: Agent, root: &Path, write: bool) -> Self {
        let file = match agent {
            Agent::Claude => ".mcp.json",
            Agent::Codex => ".codex/config.toml",
            Agent::Gemini => ".gemini/settings.json",
            Agent::Opencode if root.join("opencode.jsonc").exists() => "opencode.jsonc",
            Agent::Opencode => "opencode.json",
            Agent::Qwen => ".qwen/settings.json",
        };
        let arguments: &[&str] = match write {
            true => &["mcp", "--allow", "write"],
            false => &["mcp"],
        };
        Self {
            agent,
            file,
            arguments,
        }
    }

    /// The member that holds all servers.
    fn servers(&self) -> &'static str {
        match self.agent {
            Agent::Codex => "mcp_servers",
            Agent::Opencode => "mcp",
            Agent::Claude | Agent::Gemini | Agent::Qwen => "mcpServers",
        }
    }

    fn in_json(&self) -> CstInputValue {
        let text = |word: &&str| CstInputValue::String((*word).to_owned());
        let arguments = self.arguments.iter().map(text);
        match self.agent {
            Agent::Opencode => {
                let words = std::iter::once(text(&NAME)).chain(arguments);
                let command = CstInputValue::Array(words.collect());
                json!({ "type": "local", "command": command })
            }
            _ => {
                let arguments = CstInputValue::Array(arguments.collect());
                json!({ "command": NAME, "args": arguments })
            }
        }
    }

    fn with_json(&self, text: Option<&str>) -> Result<String, String> {
        let text = text.unwrap_or("{}\n");
        let root = jsonc::read(text)?;
        if self.in_text(text)?.is_some() {
            return Ok(root.to_string());
        }
        let no_object = || "it is not an object of settings".to_owned();
        let settings = root.object_value_or_create().ok_or_else(no_object)?;
        let name = self.servers();
        let servers = settings.object_value_or_create(name);
        let servers = servers.ok_or_else(|| format!("its `{name}` are not an object"))?;
        if servers.get(NAME).is_some() {
            return Err(self.taken());
        }
        servers.append(NAME, self.in_json());
        Ok(root.to_string())
    }

    fn taken(&self) -> String {
        format!(
            "its `{}.{NAME}` starts something else; remove or rename that entry first",
            self.servers()
        )
    }

    /// Finds the entry, whatever it may do: one that only reads is replaced by taking it out first.
    fn in_text(&self, text: &str) -> Result<Option<At>, String> {
        let parsed = jsonc::parse(text)?;
        let found = || {
            let servers = parsed.as_ref()?.as_object()?.get_object(self.servers())?;
            let mut members = servers.properties.iter();
            let number = members
                .position(|member| member.name.as_str() == NAME && starts_us(&member.value))?;
            let all = jsonc::members(servers).into_iter();
            Some(At::new(all, number))
        };
        Ok(found())
    }

    fn with_toml(&self, text: &str) -> Result<String, String> {
        let mut settings: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
        let servers = settings.entry(self.servers()).or_insert_with(|| {
            // Its own heading would say nothing.
            let mut servers = Table::new();
            servers.set_implicit(true);
            Item::Table(servers)
        });
        let no_table = || format!("its `{}` is not a table", self.servers());
        let servers = servers.as_table_mut().ok_or_else(no_table)?;
        match servers.get(NAME) {
            Some(entry) if entry.get("command").and_then(Item::as_str) == Some(NAME) => {
                return Ok(text.to_owned());
            }
            Some(_) => return Err(self.taken()),
            None => {}
        }
        let mut entry = Table::new();
        entry.insert("command", value(NAME));
        entry.insert(
            "args",
            value(Array::from_iter(self.arguments.iter().copied())),
        );
        servers.insert(NAME, Item::Table(entry));
        Ok(settings.to_string())
    }

    fn without_toml(&self, text: &str) -> Result<Option<String>, String> {
        let mut settings: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
        let Some(servers) = settings.get_mut(self.servers()) else {
            return Ok(Some(text.to_owned()));
        };
        let ours = servers.get(NAME).and_then(|entry| entry.get("command"));
        if ours.and_then(Item::as_str) != Some(NAME) {
            return Ok(Some(text.to_owned()));
        }
        let alone = servers.as_table_mut().is_some_and(|servers| {
            servers.remove(NAME);
            servers.is_empty() && servers.is_implicit()
        });
        if alone {
            settings.remove(self.servers());
        }
        let rest = settings.to_string();
        Ok((!rest.is_empty()).then_some(rest))
    }
}

impl Setting for Entry {
    fn file(&self) -> &'static str {
        self.file
    }

    fn hint(&self) -> Option<&'static str> {
        match self.agent {
            Agent::Claude => Some("Claude Code asks once whether you trust it."),
            Agent::Codex => Some("Codex reads it in projects that you trust."),
            Agent::Gemini => Some("Gemini CLI starts it in folders that you trust."),
            Agent::Opencode | Agent::Qwen => None,
        }
    }

    fn with(&self, text: Option<&str>) -> Result<String, String> {
        match self.agent {
            Agent::Codex => self.with_toml(text.unwrap_or_default()),
            _ => self.with_json(text),
        }
    }

    fn without(&self, text: &str) -> Result<Option<String>, String> {
        match self.agent {
            Agent::Codex => self.without_toml(text),
            _ => {
                let find = |text: &str| self.in_text(text);
                jsonc::without(text, |was| self.with(was), find, &[&[self.servers()]])
            }
        }
    }
}

/// Whether an entry starts this program.
fn starts_us(entry: &Value<'_>) -> bool {
    let command = entry.as_object().and_then(|entry| entry.get("command"));
    match command.map(|command| &command.value) {
        Some(Value::StringLit(program)) => program.value == NAME,
        Some(Value::Array(words)) => words
            .elements
            .first()
            .and_then(Value::as_string_lit)
            .is_some_and(|program| program.value == NAME),
        _ => false,
    }
}

/// What to put where.
pub(super) struct Wanted {
    /// Only this agent's settings; none: of all that the repository has something of.
    pub(super) agent: Option<Agent>,
    /// The tools may change something, too.
    pub(super) write: bool,
    pub(super) remove: bool,
    pub(super) yes: bool,
}

/// Changes the settings of the repository's agents: see [`change`].
pub(super) fn run(
    root: &Path,
    wanted: &Wanted,
    paths: Option<&Paths>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let found = |agent: &Agent| agent.marks().iter().any(|mark| root.join(mark).exists());
    let agents: Vec<_> = match wanted.agent {
        Some(agent) => vec![agent],
        None => Agent::ALL.into_iter().filter(found).collect(),
    };
    if agents.is_empty() {
        return Err(Failure::usage(format!(
            "no agent has settings in `{}`; name one: --agent claude, codex, gemini, opencode or qwen",
            root.display()
        )));
    }
    let entries: Vec<_> = agents
        .into_iter()
        .map(|agent| Entry::new(agent, root, wanted.write))
        .collect();
    let doing = Doing {
        root,
        remove: wanted.remove,
        yes: wanted.yes,
        paths,
        kept_as: "mcp.json",
    };
    change(&entries, &doing, out)
}
