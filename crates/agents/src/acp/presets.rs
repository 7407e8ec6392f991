//! The well-known agents.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::program;

/// A well-known agent that speaks the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcpPreset {
    /// Its name here.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The program that was found.
    pub program: PathBuf,
    /// The arguments that make it speak the protocol.
    pub args: &'static [&'static str],
}

const KNOWN: [(&str, &str, &str, &[&str]); 8] = [
    ("claude", "Claude Code", "claude-agent-acp", &[]),
    ("claude", "Claude Code", "claude-code-acp", &[]),
    ("codex", "Codex", "codex-acp", &[]),
    ("gemini", "Gemini CLI", "gemini", &["--acp"]),
    ("opencode", "OpenCode", "opencode", &["acp"]),
    ("goose", "Goose", "goose", &["acp"]),
    ("qwen", "Qwen Code", "qwen", &["--acp"]),
    ("copilot", "GitHub Copilot", "copilot", &["--acp"]),
];

/// The well-known agents whose programs are on `path`. None is required.
pub fn presets(path: &OsStr) -> Vec<AcpPreset> {
    let mut found: Vec<AcpPreset> = Vec::new();
    for (name, title, program, args) in KNOWN {
        if found.iter().any(|preset| preset.name == name) {
            continue;
        }
        if let Some(program) = program::find(Path::new(program), path) {
            found.push(AcpPreset {
                name,
                title,
                program,
                args,
            });
        }
    }
    found
}
