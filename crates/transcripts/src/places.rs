//! Where agents keep their transcripts.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::contract::TranscriptAgent;

/// More files than this are not looked at: the oldest are left out.
const MAX_FILES: usize = 100_000;

/// The directories in which agents keep their transcripts.
#[derive(Debug, Clone)]
pub struct Places {
    claude: PathBuf,
    codex: PathBuf,
    gemini: PathBuf,
    qwen: PathBuf,
    opencode: PathBuf,
}

/// A transcript.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) agent: TranscriptAgent,
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) written: SystemTime,
}

impl Places {
    /// Where they are below a home directory, when `variable` says nothing else: agents go by `CLAUDE_CONFIG_DIR`,
    /// `CODEX_HOME` and `XDG_DATA_HOME`.
    pub fn new(home: &Path, variable: impl Fn(&str) -> Option<PathBuf>) -> Self {
        let or = |name: &str, usual: &str| {
            variable(name)
                .filter(|path| path.is_absolute())
                .unwrap_or_else(|| home.join(usual))
        };
        Self {
            claude: or("CLAUDE_CONFIG_DIR", ".claude").join("projects"),
            codex: or("CODEX_HOME", ".codex").join("sessions"),
            gemini: home.join(".gemini/tmp"),
            qwen: home.join(".qwen/projects"),
            opencode: or("XDG_DATA_HOME", ".local/share").join("opencode"),
        }
    }

    /// All transcripts, and those that are of a kind which is not known: JSON in one piece.
    pub(crate) fn files(&self) -> (Vec<File>, Vec<(TranscriptAgent, PathBuf)>) {
        let mut found = Found::default();
        found.below(TranscriptAgent::Claude, &self.claude, 4, &|path| {
            known_by(path, "jsonl", None)
        });
        found.below(TranscriptAgent::Codex, &self.codex, 4, &|path| {
            let rollout = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("rollout-"));
            rollout.then(|| known_by(path, "jsonl", Some("json")))?
        });
        let in_chats = |path: &Path| {
            path.parent()
                .is_some_and(|folder| folder.ends_with("chats"))
                .then(|| known_by(path, "jsonl", Some("json")))?
        };
        found.below(TranscriptAgent::Gemini, &self.gemini, 3, &in_chats);
        found.below(TranscriptAgent::Qwen, &self.qwen, 3, &in_chats);
        found.below(TranscriptAgent::Opencode, &self.opencode, 0, &|path| {
            let database = path.file_name().is_some_and(|name| {
                let name = name.to_string_lossy();
                name.starts_with("opencode") && name.ends_with(".db")
            });
            database.then_some(true)
        });
        let old = self.opencode.join("storage/part");
        if found
            .files
            .iter()
            .all(|file| file.agent != TranscriptAgent::Opencode)
            && old.is_dir()
        {
            found.unknown.push((TranscriptAgent::Opencode, old));
        }
        // Of two that were written at the same moment, the order is the same each time.
        found
            .files
            .sort_by(|a, b| (b.written, &b.path).cmp(&(a.written, &a.path)));
        found.files.truncate(MAX_FILES);
        (found.files, found.unknown)
    }

    /// The transcript of this name.
    pub(crate) fn file(&self, agent: TranscriptAgent, path: &Path) -> Option<File> {
        let (files, _) = self.files();
        files
            .into_iter()
            .find(|file| file.agent == agent && file.path == path)
    }
}

fn known_by(path: &Path, known: &str, unknown: Option<&str>) -> Option<bool> {
    let ending = path.extension()?;
    if ending == known {
        Some(true)
    } else if unknown.is_some_and(|unknown| ending == unknown) {
        Some(false)
    } else {
        None
    }
}

#[derive(Default)]
struct Found {
    files: Vec<File>,
    unknown: Vec<(TranscriptAgent, PathBuf)>,
}

impl Found {
    /// Takes the files below `folder`, so many folders deep, of which `known` says whether they are transcripts that can be read.
    /// Links are not followed: they may lead anywhere, and round.
    fn below(
        &mut self,
        agent: TranscriptAgent,
        folder: &Path,
        deep: usize,
        known: &dyn Fn(&Path) -> Option<bool>,
    ) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let path = entry.path();
            if kind.is_dir() {
                if deep > 0 {
                    self.below(agent, &path, deep - 1, known);
                }
            } else if kind.is_file()
                && let Some(known) = known(&path)
                && let Ok(about) = entry.metadata()
            {
                if known {
                    self.add(agent, path, &about);
                } else {
                    self.unknown.push((agent, path));
                }
            }
        }
    }

    fn add(&mut self, agent: TranscriptAgent, path: PathBuf, about: &Metadata) {
        let mut written = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut size = about.len();
        if agent == TranscriptAgent::Opencode {
            // What was written last may be beside the database.
            let mut beside = path.clone().into_os_string();
            beside.push("-wal");
            if let Ok(about) = fs::metadata(beside) {
                written = written.max(about.modified().unwrap_or(SystemTime::UNIX_EPOCH));
                size += about.len();
            }
        }
        if size > 0 {
            self.files.push(File {
                agent,
                path,
                size,
                written,
            });
        }
    }
}
