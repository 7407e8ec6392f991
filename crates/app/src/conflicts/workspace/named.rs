//! Which agent works in which worktree, as far as the panes tell.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::conflicts::ConflictWatcher;
use terminal::{PaneInfo, PaneRole};

/// Programs that are coding agents, by which a worktree is said to have one.
const AGENTS: [&str; 14] = [
    "aider",
    "amp",
    "auggie",
    "claude",
    "codex",
    "copilot",
    "crush",
    "cursor-agent",
    "droid",
    "gemini",
    "goose",
    "opencode",
    "paseo",
    "qwen",
];

/// Lists the agents that run in panes, each with its directory.
pub(super) fn at_work(panes: &[PaneInfo]) -> Vec<(PathBuf, String)> {
    let found = panes
        .iter()
        .filter_map(|pane| Some((PathBuf::from(&pane.cwd), agent_of(pane)?)));
    found.collect()
}

/// The agent that runs in a pane: the pane's own name, else its program.
fn agent_of(pane: &PaneInfo) -> Option<String> {
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let program = pane.program.first().map(|program| base(program));
    let command = pane.command.as_deref().filter(|_| pane.busy);
    let command = command
        .and_then(|command| command.split_whitespace().next())
        .map(base);
    let known = |name: &Option<String>| name.clone().filter(|name| AGENTS.contains(&name.as_str()));
    let name = match pane.role {
        PaneRole::Agent => program,
        PaneRole::Shell | PaneRole::Step => known(&program).or_else(|| known(&command)),
    };
    name.map(|name| pane.name.clone().unwrap_or(name))
}

/// Names the agents of these panes in the worktrees they work in; gives the names given, by worktree.
pub(super) fn name_agents(
    watchers: &[Arc<ConflictWatcher>],
    working: &[(PathBuf, String)],
    before: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for watcher in watchers {
        let worktrees = watcher.worktrees();
        for worktree in &worktrees {
            let root = Path::new(&worktree.id.0);
            // A worktree may lie inside another one: the innermost counts.
            let innermost = |place: &Path| {
                let roots = worktrees.iter().map(|other| Path::new(&other.id.0));
                roots
                    .filter(|other| place.starts_with(other))
                    .max_by_key(|other| other.components().count())
                    == Some(root)
            };
            let agent = working.iter().find(|(place, _)| innermost(place));
            let agent = agent.map(|(_, agent)| agent.clone());
            let ours = before.get(&worktree.id.0);
            let told_otherwise = worktree.agent.is_some() && worktree.agent.as_ref() != ours;
            if told_otherwise {
                continue;
            }
            if worktree.agent != agent {
                // It went away meanwhile: there is nobody to name.
                let _ = watcher.set_agent(&worktree.id.0, agent.clone());
            }
            if let Some(agent) = agent {
                named.insert(worktree.id.0.clone(), agent);
            }
        }
    }
    named
}
