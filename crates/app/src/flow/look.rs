//! What a person looks at: runs without their bulk, one step in full, output in pieces, the files of flows.

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use ::flow::{RunView, RunsFollowed, StepDefinition, StepView};
use secrets::Secrets;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{check_flow_text, read_file};
use crate::config_file::ConfigWatch;
use crate::{App, Code, Error};

/// How much of an output one piece holds at most.
const PIECE: usize = 256 << 10;
/// How deep flows are looked for below a directory.
const DEPTH: usize = 3;
/// How many files and directories a look for flows touches at most.
const MOST_ENTRIES: usize = 20_000;
/// How many flows a list holds at most.
const MOST_FILES: usize = 200;
/// The largest file that is taken for a flow.
const MOST_TEXT: u64 = 2 << 20;
/// How the name of a flow's file ends.
const FLOW_FILE: &str = ".flow.yaml";

/// The flows that come with the program, and what their files are called.
const SAMPLES: [(&str, &str); 6] = [
    (
        "triage.flow.yaml",
        include_str!("../../../../examples/triage.flow.yaml"),
    ),
    (
        "hello.flow.yaml",
        include_str!("../../../../examples/hello.flow.yaml"),
    ),
    (
        "build-and-test.flow.yaml",
        include_str!("../../../../examples/build-and-test.flow.yaml"),
    ),
    (
        "reviews.flow.yaml",
        include_str!("../../../../examples/reviews.flow.yaml"),
    ),
    (
        "retry.flow.yaml",
        include_str!("../../../../examples/retry.flow.yaml"),
    ),
    (
        "nested.flow.yaml",
        include_str!("../../../../examples/nested.flow.yaml"),
    ),
];

/// One step of a run, in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct StepDetail {
    /// Where it stands, and its attempts; their outputs come in pieces, see [`App::step_output`].
    pub view: StepView,
    /// What the flow says of it.
    pub definition: StepDefinition,
    /// Why it is as it is, in sentences.
    pub why: String,
}

/// A part of what an attempt printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OutputPiece {
    /// The text, with its colours as escape sequences.
    pub text: String,
    /// Where the next piece begins, in bytes.
    #[specta(type = u32)]
    pub next: u64,
    /// How many bytes there are by now.
    #[specta(type = u32)]
    pub total: u64,
}

/// A flow's file that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FlowFile {
    /// Where it is.
    pub path: String,
    /// What the flow is called; the file's name when it can't be read.
    pub name: String,
    /// What it does, in its author's words.
    pub description: Option<String>,
    /// What is wrong with it first, when it can't be run.
    pub problem: Option<String>,
}

/// Waits for changes of one flow's file; dropping it ends the watch.
pub struct FlowFileWatch {
    path: PathBuf,
    last: Option<String>,
    watch: ConfigWatch,
}

impl FlowFileWatch {
    /// Waits until the file has another text than before; none: it can't be watched any more.
    pub async fn changed(&mut self) -> Option<String> {
        loop {
            self.watch.changed().await?;
            // Between the two operations of a save there may be no file: the second one is told as well.
            let Ok(text) = tokio::fs::read_to_string(&self.path).await else {
                continue;
            };
            if self.last.as_ref() != Some(&text) {
                self.last = Some(text.clone());
                return Some(text);
            }
        }
    }
}

impl App {
    /// Follows what changes about runs, whichever process drives them.
    ///
    /// # Errors
    ///
    /// [`Code::Store`].
    pub async fn follow_runs(&self) -> Result<RunsFollowed, Error> {
        self.flows()
            .follow()
            .await
            .map_err(|error| Error::from_chain(Code::Store, &error))
    }

    /// One run with its steps and their attempts, without what may be long: prompts, outputs, data.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn run_outline(&self, run: &str) -> Result<RunView, Error> {
        Ok(self.flows().outline(run).await?)
    }

    /// One step of a run, with its prompt and data; its output comes from [`App::step_output`].
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn run_step(&self, run: &str, step: &str) -> Result<StepDetail, Error> {
        let unknown = || Error::new(Code::BadId, format!("the flow has no step `{step}`"));
        let definition = self
            .flows()
            .flow_of(run)
            .await?
            .step_definition(step)
            .ok_or_else(unknown)?;
        let why = self.why(run, step).await?;
        let mut view = self
            .show_run(run)
            .await?
            .step_list
            .into_iter()
            .find(|known| known.id == step)
            .ok_or_else(unknown)?;
        for attempt in &mut view.attempts {
            attempt.output = None;
        }
        Ok(StepDetail {
            view,
            definition,
            why,
        })
    }

    /// What an attempt printed, from the byte `from` on: a piece of it, with its colours. While it runs,
    /// what it has printed so far.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`], [`Code::Failed`] when a file can't be read.
    pub async fn step_output(
        &self,
        run: &str,
        step: &str,
        attempt: u32,
        from: u64,
    ) -> Result<OutputPiece, Error> {
        let view = self.show_run(run).await?;
        let attempt_view = view
            .step_list
            .iter()
            .find(|known| known.id == step)
            .and_then(|step| step.attempts.iter().find(|known| known.attempt == attempt))
            .ok_or_else(|| {
                Error::new(
                    Code::BadId,
                    format!("`{step}` has no attempt {attempt} in the run `{run}`"),
                )
            })?;
        // Both names are known to be of a run and a step: they lead to no other directory.
        let printed = self
            .0
            .paths
            .data()
            .join("steps")
            .join(run)
            .join(format!("{step}-{attempt}"))
            .join("out");
        let kept = attempt_view.output_file.clone().map(PathBuf::from);
        let short = attempt_view.output.clone().unwrap_or_default();
        let grows = attempt_view.ended_at.is_none();
        let secrets = self.flows().secrets_of(run).await?;
        tokio::task::spawn_blocking(move || {
            for file in [Some(printed), kept].into_iter().flatten() {
                match file_piece(&file, from, grows, &secrets) {
                    Ok(piece) => return Ok(piece),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => {
                        return Err(Error::new(
                            Code::Failed,
                            format!("could not read `{}`: {error}", file.display()),
                        ));
                    }
                }
            }
            let text = secrets.cover(short);
            let total = text.len() as u64;
            let start = usize::try_from(from).unwrap_or(usize::MAX);
            Ok(OutputPiece {
                text: text.get(start..).unwrap_or_default().to_owned(),
                next: total,
                total,
            })
        })
        .await
        .map_err(|error| Error::new(Code::Failed, error.to_string()))?
    }

    /// Looks for flows' files in these directories, a few levels deep; what is hidden or made by tools is
    /// left out.
    pub async fn flow_files(&self, directories: Vec<String>) -> Vec<FlowFile> {
        let mut roots: Vec<PathBuf> = directories.into_iter().map(PathBuf::from).collect();
        roots.push(samples_directory(&self.home()));
        tokio::task::spawn_blocking(move || find_flows(&roots))
            .await
            .unwrap_or_default()
    }

    /// Writes the sample flows where the person finds them, unless they are there, and returns the
    /// path of the one to begin with. A file that was edited stays as it is.
    ///
    /// # Errors
    ///
    /// [`Code::Failed`] when they can't be written.
    pub async fn write_samples(&self) -> Result<String, Error> {
        let directory = samples_directory(&self.home());
        tokio::task::spawn_blocking(move || {
            let failed = |path: &Path, error: std::io::Error| {
                Error::new(
                    Code::Failed,
                    format!("could not write `{}`: {error}", path.display()),
                )
            };
            std::fs::create_dir_all(&directory).map_err(|error| failed(&directory, error))?;
            for (name, text) in SAMPLES {
                let path = directory.join(name);
                // The schema lies beside the samples of the project, not beside these.
                let text = text
                    .split_once('\n')
                    .filter(|(first, _)| first.starts_with("# yaml-language-server"))
                    .map_or(text, |(_, rest)| rest);
                match std::fs::File::create_new(&path) {
                    Ok(mut file) => std::io::Write::write_all(&mut file, text.as_bytes())
                        .map_err(|error| failed(&path, error))?,
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(failed(&path, error)),
                }
            }
            Ok(directory.join(SAMPLES[0].0).display().to_string())
        })
        .await
        .map_err(|error| Error::new(Code::Failed, error.to_string()))?
    }

    /// The text of a flow's file.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when it can't be read, or is no flow's file by its name or size.
    pub async fn read_flow(&self, path: &str) -> Result<String, Error> {
        flow_path(path)?;
        read_file(path).await
    }

    /// Writes the text of a flow's file as a whole: whoever reads it sees the old text or the new one.
    /// It is written when its text is still `expected`, the one that the person began from.
    ///
    /// # Errors
    ///
    /// [`Code::Refused`] when it was changed meanwhile, [`Code::BadFile`] when it can't be read or written.
    pub async fn write_flow(&self, path: &str, text: &str, expected: &str) -> Result<(), Error> {
        let file = flow_path(path)?.to_owned();
        if read_file(path).await? != expected {
            return Err(Error::new(
                Code::Refused,
                format!("`{path}` was changed by another program meanwhile; it was not written"),
            ));
        }
        let text = text.to_owned();
        tokio::task::spawn_blocking(move || {
            let written = std::fs::canonicalize(&file).and_then(|file| {
                let beside = file.with_extension("yaml.new");
                let permissions = std::fs::metadata(&file)?.permissions();
                std::fs::write(&beside, text)?;
                std::fs::set_permissions(&beside, permissions)?;
                std::fs::rename(&beside, &file)
            });
            written.map_err(|error| {
                Error::new(
                    Code::BadFile,
                    format!("could not write `{}`: {error}", file.display()),
                )
            })
        })
        .await
        .map_err(|error| Error::new(Code::Failed, error.to_string()))?
    }

    /// Follows the text of a flow's file.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when it can't be watched.
    pub async fn follow_flow_file(&self, path: &str) -> Result<FlowFileWatch, Error> {
        let file = flow_path(path)?.to_owned();
        let directory = file.parent().unwrap_or_else(|| Path::new("."));
        let watch = ConfigWatch::new(directory).map_err(|error| {
            Error::new(Code::BadFile, format!("could not watch `{path}`: {error}"))
        })?;
        Ok(FlowFileWatch {
            last: tokio::fs::read_to_string(&file).await.ok(),
            path: file,
            watch,
        })
    }

    /// The text of a run's flow, as it was when the run began.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn run_text(&self, run: &str) -> Result<String, Error> {
        Ok(self.flows().flow_of(run).await?.text().to_owned())
    }

    fn home(&self) -> PathBuf {
        std::env::var_os("HOME").map_or_else(|| self.0.paths.data().to_owned(), PathBuf::from)
    }
}

fn samples_directory(home: &Path) -> PathBuf {
    home.join("switchyard-samples")
}

/// Checks that a path names a flow's file.
fn flow_path(path: &str) -> Result<&Path, Error> {
    let file = Path::new(path);
    let named = path.ends_with(".yaml") || path.ends_with(".yml");
    let small = std::fs::metadata(file).is_ok_and(|file| file.is_file() && file.len() <= MOST_TEXT);
    if named && small {
        Ok(file)
    } else {
        Err(Error::new(
            Code::BadFile,
            format!(
                "`{path}` is not the file of a flow: it must be there, end in `{FLOW_FILE}` and be smaller than 2 MB"
            ),
        ))
    }
}

/// A piece of a file, cut behind a whole line where there is one, else behind a whole character.
/// The piece of a file that begins at `from`: up to the end of a line or a character, without secrets, and without
/// what may become one while the file `grows`.
fn file_piece(
    path: &Path,
    from: u64,
    grows: bool,
    secrets: &Secrets,
) -> std::io::Result<OutputPiece> {
    let mut file = std::fs::File::open(path)?;
    let total = file.metadata()?.len();
    let from = from.min(total);
    let reach = secrets.reach();
    // What is before the piece is read as well: a secret may begin there.
    let before = usize::try_from(from).map_or(reach, |from| from.min(reach));
    file.seek(SeekFrom::Start(from - before as u64))?;
    let mut around = Vec::new();
    file.take((before + PIECE + reach) as u64)
        .read_to_end(&mut around)?;
    let start = before.min(around.len());
    let mut end = around.len().min(start + PIECE);
    if from + ((end - start) as u64) < total {
        let line = around[start..end].iter().rposition(|byte| *byte == b'\n');
        end = line.map_or(end, |line| start + line + 1);
    }
    if grows {
        end = end.min(secrets.settled(&around)).max(start);
    }
    if let Err(error) = std::str::from_utf8(&around[start..end])
        && error.error_len().is_none()
        && error.valid_up_to() > 0
    {
        end = start + error.valid_up_to();
    }
    let text = secrets.cover_piece(&around, start..end);
    Ok(OutputPiece {
        next: from + (end - start) as u64,
        text: String::from_utf8_lossy(&text).into_owned(),
        total,
    })
}

fn find_flows(roots: &[PathBuf]) -> Vec<FlowFile> {
    let mut found = BTreeSet::new();
    let mut entries = 0;
    for root in roots {
        let mut waiting = std::collections::VecDeque::from([(root.clone(), 0)]);
        while let Some((directory, depth)) = waiting.pop_front() {
            let Ok(listed) = std::fs::read_dir(&directory) else {
                continue;
            };
            for entry in listed.flatten() {
                entries += 1;
                if entries > MOST_ENTRIES || found.len() >= MOST_FILES {
                    break;
                }
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                if kind.is_dir() {
                    let made_by_tools =
                        matches!(&*name, "node_modules" | "target" | "dist" | "vendor");
                    let ours = name == ".switchyard";
                    if depth < DEPTH && !made_by_tools && (ours || !name.starts_with('.')) {
                        waiting.push_back((entry.path(), depth + 1));
                    }
                } else if name.ends_with(FLOW_FILE)
                    && entry
                        .metadata()
                        .is_ok_and(|file| file.is_file() && file.len() <= MOST_TEXT)
                {
                    found.insert(entry.path());
                }
            }
        }
    }
    found
        .into_iter()
        .map(|path| {
            let file_name = path
                .file_name()
                .map(|name| {
                    name.to_string_lossy()
                        .trim_end_matches(FLOW_FILE)
                        .to_owned()
                })
                .unwrap_or_default();
            let shown = path.display().to_string();
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let checked = check_flow_text(&text);
                    let problem = (!checked.good)
                        .then(|| checked.findings.first().map(ToString::to_string))
                        .flatten();
                    let flow = checked.flow;
                    FlowFile {
                        path: shown,
                        name: flow.as_ref().map_or(file_name, |flow| flow.name.clone()),
                        description: flow.and_then(|flow| flow.description),
                        problem,
                    }
                }
                Err(error) => FlowFile {
                    path: shown,
                    name: file_name,
                    description: None,
                    problem: Some(error.to_string()),
                },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_comes_in_pieces_of_whole_lines_and_characters() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("out");
        let none = Secrets::new([]);
        let line = "\u{1b}[32mgrün\u{1b}[0m und rot\n";
        std::fs::write(&path, line.repeat(20_000)).expect("written");
        let (mut from, mut text, mut pieces) = (0, String::new(), 0);
        loop {
            let piece = file_piece(&path, from, true, &none).expect("read");
            assert!(piece.text.is_empty() || piece.text.ends_with('\n'));
            if piece.next == from {
                break;
            }
            from = piece.next;
            text.push_str(&piece.text);
            pieces += 1;
        }
        assert_eq!(text, line.repeat(20_000));
        assert!(pieces > 1);
        // The first bytes of a character that is not written whole yet wait for the rest of it.
        std::fs::write(&path, b"caf\xc3").expect("written");
        let piece = file_piece(&path, 0, true, &none).expect("read");
        assert_eq!(piece.text, "caf");
    }

    #[test]
    fn a_secret_that_is_half_written_is_shown_when_nothing_more_comes() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("out");
        std::fs::write(&path, b"it is hunter").expect("written");
        let secrets = Secrets::new(["hunter2-secret".to_owned()]);
        let shown = |grows| file_piece(&path, 0, grows, &secrets).expect("read").text;
        assert_eq!(shown(true), "it is ");
        assert_eq!(shown(false), "it is hunter");
    }

    #[test]
    fn flows_are_found_below_a_directory_with_what_is_wrong_with_them() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let write = |path: &str, text: &str| {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        let good = "name: good\ndescription: it works\nsteps:\n  - { id: a, run: 'true' }\n";
        write("flows/good.flow.yaml", good);
        write(".switchyard/own.flow.yaml", good);
        write("flows/bad.flow.yaml", "steps: 3\n");
        write("node_modules/x/not.flow.yaml", good);
        write(".git/not.flow.yaml", good);
        write("other.yaml", good);
        let found = find_flows(&[directory.path().to_owned(), directory.path().join("flows")]);
        let told: Vec<_> = found
            .iter()
            .map(|file| (file.name.as_str(), file.problem.is_some()))
            .collect();
        assert_eq!(told, [("good", false), ("bad", true), ("good", false)]);
        assert_eq!(found[0].description.as_deref(), Some("it works"));
    }
}
