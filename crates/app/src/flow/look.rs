//! What a person looks at: runs without their bulk, one step in full, output in pieces.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use ::flow::{RunView, RunsFollowed, StepDefinition, StepView};
use secrets::Secrets;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::world::AGAIN;
use crate::{App, Code, Error};

/// How much of an output one piece holds at most.
const PIECE: usize = 256 << 10;
/// One step of a run, in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct StepDetail {
    /// Where it stands, and its attempts; their outputs come in pieces, see [`App::step_output`].
    pub view: StepView,
    /// What the flow says of it.
    pub definition: StepDefinition,
    /// Why it is as it is, in sentences.
    pub why: String,
    /// The structured output of each attempt as text: a window would round its large numbers.
    pub data: Vec<Option<String>>,
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
        let mut data = Vec::new();
        for attempt in &mut view.attempts {
            attempt.output = None;
            data.push(attempt.data.take().map(|data| data.pretty()));
        }
        Ok(StepDetail {
            view,
            definition,
            why,
            data,
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
        let directory = self.0.paths.data().join("steps").join(run);
        let directory = directory.join(format!("{step}-{attempt}"));
        // Of an agent that was asked once more, what it says then.
        let again = attempt_view.asked_again.is_some();
        let again = again.then(|| directory.join(AGAIN).join("out"));
        let printed = directory.join("out");
        let kept = attempt_view.output_file.clone().map(PathBuf::from);
        let short = attempt_view.output.clone().unwrap_or_default();
        let grows = attempt_view.ended_at.is_none();
        let secrets = self.flows().secrets_of(run).await?;
        tokio::task::spawn_blocking(move || {
            for file in [again, Some(printed), kept].into_iter().flatten() {
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

    /// The text of a run's flow, as it was when the run began.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`], [`Code::Store`].
    pub async fn run_text(&self, run: &str) -> Result<String, Error> {
        Ok(self.flows().flow_of(run).await?.text().to_owned())
    }
}

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
}
