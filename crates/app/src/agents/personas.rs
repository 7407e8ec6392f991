//! Personas: who an agent is to be, in a file with a name. What it is told first, and which agent, model and mode it has.
//!
//! A persona is a Markdown file, `.switchyard/personas/NAME.md` in a repository or `personas/NAME.md` beside the settings,
//! with its fields between two lines of `---` before the text. It names an agent that the person has; it starts nothing
//! by itself, so one that comes with a repository can do no more than an agent of the person's own (decision 0074).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use agents::{AgentInfo, BackendId, NewAgent};
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::themes::yaml_mistake;
use crate::{App, Code, Error, Paths, worktrees};

/// Where they are in a repository, below its root.
const FOLDER: &str = ".switchyard/personas";
/// The largest file that is read as one.
const MOST_TEXT: u64 = 256 << 10;
/// How many are listed of one folder.
const MOST_FILES: usize = 500;
/// The label of an agent that was begun as one.
const LABEL: &str = "persona";

/// Who an agent is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Persona {
    /// What it is called: its file without the `.md`.
    pub name: String,
    /// What it is for, in its author's words.
    pub description: Option<String>,
    /// The agent that it is meant for; none: any.
    pub agent: Option<BackendId>,
    /// Which of a Paseo host's providers.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The mode: what it may do without asking.
    pub mode: Option<String>,
    /// What it is told before its first prompt; may be empty.
    pub instructions: String,
    /// Its file.
    pub file: String,
}

/// The personas of a place, and what is wrong with the files that are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Personas {
    /// By their names; those of the repository before those of the person.
    pub personas: Vec<Persona>,
    /// A sentence for each file that can't be used, with its line.
    pub problems: Vec<String>,
}

/// An agent that was begun as a persona.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct StartedAgent {
    /// The agent.
    pub agent: AgentInfo,
    /// What it is to be told first; may be empty.
    pub prompt: String,
}

/// What a persona chooses of its agent.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    pub(crate) provider: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) mode: Option<String>,
}

/// The fields above the text.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Fields {
    description: Option<String>,
    agent: Option<serde_saphyr::Spanned<String>>,
    provider: Option<String>,
    model: Option<String>,
    mode: Option<String>,
}

impl Persona {
    /// Reads the text of a persona's file; what is wrong with it, with its line.
    fn read(file: &Path, name: &str, text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        let (fields, instructions) = parts(text)?;
        let fields = if fields.trim().is_empty() {
            Fields::default()
        } else {
            let options = serde_saphyr::options! { with_snippet: false };
            serde_saphyr::from_str_with_options(&fields, options).map_err(|e| told(&e))?
        };
        if let Some(agent) = &fields.agent {
            let known = ["paseo", "acp", "opencode", "command"];
            let kind = agent
                .value
                .split_once(':')
                .filter(|(_, name)| !name.is_empty());
            if !kind.is_some_and(|(kind, _)| known.contains(&kind)) {
                return Err(format!(
                    "line {}: `agent` is `{}`, but must be a backend and its name, like `acp:gemini`; `switchyard agents \
                     health` lists them",
                    agent.referenced.line(),
                    agent.value
                ));
            }
        }
        let instructions = instructions.trim().to_owned();
        let persona = Self {
            name: name.to_owned(),
            description: said(fields.description),
            agent: fields.agent.map(|agent| BackendId(agent.value)),
            provider: said(fields.provider),
            model: said(fields.model),
            mode: said(fields.mode),
            instructions,
            file: file.display().to_string(),
        };
        let chooses = persona.agent.is_some() || persona.model.is_some() || persona.mode.is_some();
        if persona.instructions.is_empty() && !chooses {
            return Err("line 1: it says nothing: write what the agent is to be told".to_owned());
        }
        Ok(persona)
    }

    /// A prompt as it is told first: after what the persona is told.
    #[must_use]
    pub fn first_prompt(&self, prompt: &str) -> String {
        match (self.instructions.as_str(), prompt.trim()) {
            ("", _) => prompt.to_owned(),
            (instructions, "") => instructions.to_owned(),
            (instructions, _) => format!("{instructions}\n\n{prompt}"),
        }
    }

    /// What it chooses of an agent: nothing of one that it is not meant for, whose models are others.
    pub(crate) fn choices_at(&self, at: &BackendId) -> Choices {
        if self.agent.as_ref().is_some_and(|own| own != at) {
            return Choices::default();
        }
        Choices {
            provider: self.provider.clone(),
            model: self.model.clone(),
            mode: self.mode.clone(),
        }
    }

    /// A new agent as this persona; what it was asked for itself stays.
    fn dress(&self, at: &BackendId, mut new: NewAgent) -> NewAgent {
        let choices = self.choices_at(at);
        if new.provider.is_empty() {
            new.provider = choices.provider.unwrap_or_default();
        }
        new.model = new.model.or(choices.model);
        new.mode = new.mode.or(choices.mode);
        new.title = new.title.or_else(|| Some(self.name.clone()));
        new.labels.insert(LABEL.to_owned(), self.name.clone());
        new
    }
}

fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// The fields, at the lines where the file has them, and the text below.
fn parts(text: &str) -> Result<(String, &str), String> {
    let Some((first, rest)) = text.split_once('\n') else {
        return Ok((String::new(), text));
    };
    if first.trim_end() != "---" {
        return Ok((String::new(), text));
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Ok((format!("\n{}", &rest[..at]), &rest[at + line.len()..]));
        }
        at += line.len();
    }
    Err("line 1: its fields have no end: a second `---`, on a line of its own, comes before the text".to_owned())
}

fn told(error: &serde_saphyr::Error) -> String {
    let told = yaml_mistake(error);
    let told = told.split(" at line ").next().unwrap_or(&told);
    let list = "description, agent, provider, model, mode";
    told.replace(
        &format!("expected one of {list}"),
        "there are `description`, `agent`, `provider`, `model` and `mode`",
    )
}

/// Reads one file; none where there is none.
fn read_file(file: &Path, name: &str) -> Option<Result<Persona, String>> {
    // A link would let a repository name any file of the person's.
    let about = fs::symlink_metadata(file).ok()?;
    let read = || {
        if !about.is_file() {
            return Err("it is no plain file; a link is not followed".to_owned());
        }
        if about.len() > MOST_TEXT {
            return Err("it is larger than 256 kB".to_owned());
        }
        let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
        Persona::read(file, name, &text)
    };
    Some(read().map_err(|what| format!("`{}`: {what}", file.display())))
}

/// All personas of these folders; of two with one name the first counts.
fn list(folders: &[PathBuf]) -> Personas {
    let mut found = BTreeMap::new();
    let mut listed = Personas::default();
    for folder in folders {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.take(MOST_FILES) {
            let file = entry.path();
            if file.extension().is_none_or(|end| end != "md") {
                continue;
            }
            let Some(name) = file.file_stem().and_then(|name| name.to_str()) else {
                continue;
            };
            if found.contains_key(name) {
                continue;
            }
            if !::flow::is_persona_name(name) {
                listed.problems.push(format!(
                    "`{}`: a persona is called by letters, digits, `-` and `_` alone",
                    file.display()
                ));
                continue;
            }
            if let Some(read) = read_file(&file, name) {
                found.insert(name.to_owned(), read);
            }
        }
    }
    for read in found.into_values() {
        match read {
            Ok(persona) => listed.personas.push(persona),
            Err(problem) => listed.problems.push(problem),
        }
    }
    listed.problems.sort();
    listed
}

/// Where the personas of a directory are: its worktree's, its repository's, the person's own.
async fn folders(paths: &Paths, cwd: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(top) = worktrees::git(cwd, ["rev-parse", "--show-toplevel"]).await {
        folders.push(Path::new(top.trim_end()).join(FOLDER));
        let listed = worktrees::git(cwd, ["worktree", "list", "--porcelain", "-z"]).await;
        let listed = listed.unwrap_or_default();
        folders.extend(worktrees::main_of(&listed).map(|main| main.join(FOLDER)));
    } else {
        folders.push(cwd.join(FOLDER));
    }
    folders.push(paths.personas());
    folders.dedup();
    folders
}

/// The persona of this name in `cwd`.
///
/// # Errors
///
/// [`Code::BadParams`] with those that there are, [`Code::BadFile`] with the line of what is wrong.
pub(crate) async fn persona(paths: &Paths, cwd: &Path, name: &str) -> Result<Persona, Error> {
    let folders = folders(paths, cwd).await;
    if ::flow::is_persona_name(name) {
        for folder in &folders {
            if let Some(read) = read_file(&folder.join(format!("{name}.md")), name) {
                return read.map_err(|problem| Error::new(Code::BadFile, problem));
            }
        }
    }
    let known: Vec<_> = list(&folders)
        .personas
        .iter()
        .map(|one| format!("`{}`", one.name))
        .collect();
    let there = if known.is_empty() {
        format!(
            "there are none: they are files like `{FOLDER}/reviewer.md` in a repository, or in `{}`",
            paths.personas().display()
        )
    } else {
        format!("there are {}", known.join(", "))
    };
    let message = format!("there is no persona `{name}`; {there}");
    Err(Error::new(Code::BadParams, message))
}

impl App {
    /// The personas that an agent in `cwd` can be: of its repository, and the person's own. A file that can't be used is
    /// a problem of its own; the others are there.
    pub async fn personas(&self, cwd: &str) -> Personas {
        let folders = folders(&self.0.paths, Path::new(cwd)).await;
        let listed = tokio::task::spawn_blocking(move || list(&folders));
        listed.await.unwrap_or_default()
    }

    /// The persona of this name in `cwd`.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] with those that there are, [`Code::BadFile`] with the line of what is wrong.
    pub async fn persona(&self, cwd: &str, name: &str) -> Result<Persona, Error> {
        persona(&self.0.paths, Path::new(cwd), name).await
    }

    /// Makes a new agent as a persona, at `backend`, which need not be the one that the persona is meant for.
    ///
    /// # Errors
    ///
    /// As [`App::persona`] and [`App::start_agent`].
    pub async fn start_persona(
        &self,
        backend: &BackendId,
        persona: &str,
        agent: NewAgent,
        prompt: &str,
    ) -> Result<StartedAgent, Error> {
        let persona = self.persona(&agent.cwd, persona).await?;
        let agent = self
            .start_agent(backend, persona.dress(backend, agent))
            .await?;
        Ok(StartedAgent {
            agent,
            prompt: persona.first_prompt(prompt),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Persona, String> {
        Persona::read(Path::new("/p/reviewer.md"), "reviewer", text)
    }

    #[test]
    fn a_persona_is_its_fields_and_its_text() {
        let text = "---\nagent: acp:gemini\nmodel: pro\nmode: plan\ndescription: Reads changes\n---\n\nYou review.\n\n---\nBe brief.\n";
        let persona = read(text).expect("it is right");
        assert_eq!(persona.agent, Some(BackendId("acp:gemini".to_owned())));
        assert_eq!(persona.model.as_deref(), Some("pro"));
        assert_eq!(persona.mode.as_deref(), Some("plan"));
        assert_eq!(persona.instructions, "You review.\n\n---\nBe brief.");
        assert_eq!(
            read("You review.\r\n").map(|persona| persona.instructions),
            Ok("You review.".to_owned())
        );
        let windows = read("---\r\nmodel: pro\r\n---\r\nYou review.\r\n").expect("it is right");
        assert_eq!(windows.model.as_deref(), Some("pro"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let told = [
            "",
            "---\nmodel: pro\nYou review.",
            "---\nmodel: pro\nmodle: x\n---\nYou review.",
            "---\n# who\nagent: gemini\n---\nYou review.",
            "---\nagent: acp:\n---\nYou review.",
            "---\ndescription: it reads\nmodel: [a]\n---\nYou review.",
            "---\ndescription: it reads\n---\n",
        ]
        .map(|text| read(text).expect_err("refused"));
        insta::assert_snapshot!(told.join("\n"), @r"
        line 1: it says nothing: write what the agent is to be told
        line 1: its fields have no end: a second `---`, on a line of its own, comes before the text
        line 3: unknown field `modle`, there are `description`, `agent`, `provider`, `model` and `mode`
        line 3: `agent` is `gemini`, but must be a backend and its name, like `acp:gemini`; `switchyard agents health` lists them
        line 2: mapping values are not allowed in this context
        line 3: expected string scalar
        line 1: it says nothing: write what the agent is to be told
        ");
    }

    #[test]
    fn a_prompt_comes_after_what_the_persona_is_told() {
        let persona = read("You review.").expect("it is right");
        assert_eq!(persona.first_prompt("Look."), "You review.\n\nLook.");
        assert_eq!(persona.first_prompt(" "), "You review.");
        let quiet = read("---\nmodel: pro\n---\n").expect("it is right");
        assert_eq!(quiet.first_prompt("Look."), "Look.");
    }

    #[test]
    fn what_was_asked_for_goes_before_what_the_persona_has() {
        let text = "---\nagent: acp:gemini\nmodel: pro\nmode: plan\n---\nYou review.";
        let persona = read(text).expect("it is right");
        let small = || NewAgent {
            model: Some("small".to_owned()),
            ..NewAgent::default()
        };
        let new = persona.dress(&BackendId("acp:gemini".to_owned()), small());
        assert_eq!(new.model.as_deref(), Some("small"));
        assert_eq!(new.mode.as_deref(), Some("plan"));
        assert_eq!(new.title.as_deref(), Some("reviewer"));
        assert_eq!(new.labels["persona"], "reviewer");
        // Another agent has other models and modes.
        let new = persona.dress(&BackendId("acp:codex".to_owned()), small());
        assert_eq!((new.mode, new.labels.len()), (None, 1));
    }

    #[test]
    fn a_bad_file_leaves_the_others_and_a_repository_goes_before_the_person() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let (ours, mine) = (home.path().join("ours"), home.path().join("mine"));
        for (folder, name, text) in [
            (&ours, "reviewer.md", "Ours."),
            (&mine, "reviewer.md", "Mine."),
            (&mine, "writer.md", "I write."),
            (&mine, "bad.md", "---\nmodle: x\n---\n"),
            (&mine, "not good.md", "A blank."),
            (&mine, "notes.txt", "None."),
        ] {
            fs::create_dir_all(folder).expect("made");
            fs::write(folder.join(name), text).expect("written");
        }
        fs::write(home.path().join("secret"), "a key").expect("written");
        std::os::unix::fs::symlink(home.path().join("secret"), ours.join("link.md")).expect("made");
        let listed = list(&[ours, mine, home.path().join("none")]);
        let names: Vec<_> = listed
            .personas
            .iter()
            .map(|one| (one.name.as_str(), one.instructions.as_str()))
            .collect();
        assert_eq!(names, [("reviewer", "Ours."), ("writer", "I write.")]);
        let problems = listed.problems.join("\n");
        let problems = problems.replace(&home.path().display().to_string(), "");
        insta::assert_snapshot!(problems, @r"
        `/mine/bad.md`: line 2: unknown field `modle`, there are `description`, `agent`, `provider`, `model` and `mode`
        `/mine/not good.md`: a persona is called by letters, digits, `-` and `_` alone
        `/ours/link.md`: it is no plain file; a link is not followed
        ");
    }
}
