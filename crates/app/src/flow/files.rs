//! The files of flows: found, read, written, followed; and those that come with the program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{check_flow_text, read_file};
use crate::config_file::ConfigWatch;
use crate::{App, Code, Error, whole_file};

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
const SAMPLES: [(&str, &str); 8] = [
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
    (
        "each-part.flow.yaml",
        include_str!("../../../../examples/each-part.flow.yaml"),
    ),
    (
        "until-green.flow.yaml",
        include_str!("../../../../examples/until-green.flow.yaml"),
    ),
];

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
            let written = whole_file::write(&file, &text);
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
