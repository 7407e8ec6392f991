//! What a person looks at: runs without their bulk, one step in full, output in pieces.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use ::flow::{RunView, RunsFollowed, StepDefinition, StepView};
use secrets::Secrets;
use serde::{Deserialize, Serialize};
use specta::Type;
use terminal::{Span, Style, StyledLine, printed_lines};

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

/// A part of what an attempt printed: whole lines, unless one of them is longer than a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputPiece {
    /// The text, with its colours as escape sequences.
    pub text: String,
    /// Where the next piece begins, in bytes.
    pub next: u64,
    /// How many bytes there are by now.
    pub total: u64,
    /// The beginning of the line that is being printed; it is whole in a later piece.
    pub open: String,
}

/// How far the lines of an output were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OutputPlace {
    /// Where the next line begins, in bytes.
    #[specta(type = u32)]
    pub at: u64,
    /// What goes on from the line before.
    pub style: Style,
}

/// A part of what an attempt printed, as a terminal would show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OutputLines {
    /// The lines that are whole.
    pub lines: Vec<OutputLine>,
    /// The beginning of the line that is being printed, which comes whole later.
    pub open: Option<OutputLine>,
    /// Where the next part begins.
    pub next: OutputPlace,
    /// How many bytes there are by now.
    #[specta(type = u32)]
    pub total: u64,
}

/// One line of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct OutputLine {
    /// Its text.
    pub text: String,
    /// What its text looks like, from its start to its end; nothing: plain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
}

impl From<StyledLine> for OutputLine {
    fn from(line: StyledLine) -> Self {
        Self {
            spans: line.spans(),
            text: line.text,
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

    /// [`App::run_outline`] for who waits until a run has ended: a run whose database was deleted would go on for ever.
    ///
    /// # Errors
    ///
    /// As for [`App::run_outline`]; [`Code::Store`] when the database is gone.
    pub async fn awaited_outline(&self, run: &str) -> Result<RunView, Error> {
        let database = self.paths().database();
        // What is open is read on, whatever became of its name.
        if let Err(error) = tokio::fs::metadata(&database).await
            && error.kind() == std::io::ErrorKind::NotFound
        {
            return Err(Error::new(
                Code::Store,
                format!(
                    "could not follow the run `{run}`: `{}` is gone",
                    database.display()
                ),
            ));
        }
        self.run_outline(run).await
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
                open: String::new(),
            })
        })
        .await
        .map_err(|error| Error::new(Code::Failed, error.to_string()))?
    }

    /// The lines that an attempt printed, from a place on: a part of them, as a terminal would show them.
    ///
    /// # Errors
    ///
    /// As for [`App::step_output`].
    pub async fn step_lines(
        &self,
        run: &str,
        step: &str,
        attempt: u32,
        from: OutputPlace,
    ) -> Result<OutputLines, Error> {
        let piece = self.step_output(run, step, attempt, from.at).await?;
        tokio::task::spawn_blocking(move || lines_of(&piece, from.style))
            .await
            .map_err(|error| Error::new(Code::Failed, error.to_string()))
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

fn lines_of(piece: &OutputPiece, style: Style) -> OutputLines {
    let (lines, style) = printed_lines(piece.text.as_bytes(), style);
    let (open, _) = printed_lines(piece.open.as_bytes(), style);
    OutputLines {
        lines: lines.into_iter().map(OutputLine::from).collect(),
        open: open.into_iter().next_back().map(OutputLine::from),
        next: OutputPlace {
            at: piece.next,
            style,
        },
        total: piece.total,
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
    let to_the_end = from + (end - start) as u64 >= total;
    if !to_the_end {
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
    let line = around[start..end].iter().rposition(|byte| *byte == b'\n');
    let whole = if grows && to_the_end {
        line.map_or(start, |line| start + line + 1)
    } else {
        end
    };
    let text = |range| String::from_utf8_lossy(&secrets.cover_piece(&around, range)).into_owned();
    Ok(OutputPiece {
        next: from + (whole - start) as u64,
        text: text(start..whole),
        total,
        open: text(whole..end),
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
        assert_eq!((piece.text.as_str(), piece.open.as_str()), ("", "caf"));
        assert_eq!(piece.next, 0);
        std::fs::write(&path, b"caf\xc3\xa9\nau").expect("written");
        let piece = file_piece(&path, 0, true, &none).expect("read");
        assert_eq!((piece.text.as_str(), piece.open.as_str()), ("café\n", "au"));
        // Nothing more comes: what is there is all of it.
        let piece = file_piece(&path, 0, false, &none).expect("read");
        assert_eq!((piece.text.as_str(), piece.next), ("café\nau", 8));
    }

    #[test]
    fn a_line_without_an_end_comes_in_pieces() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("out");
        let none = Secrets::new([]);
        std::fs::write(&path, "é".repeat(PIECE)).expect("written");
        let (mut from, mut pieces) = (0, 0);
        while from < 2 * PIECE as u64 && pieces < 9 {
            let piece = file_piece(&path, from, from == 0, &none).expect("read");
            from = piece.next;
            pieces += 1;
        }
        assert_eq!((from, pieces), (2 * PIECE as u64, 2));
    }

    #[test]
    fn lines_look_as_a_terminal_shows_them_whatever_the_piece() {
        let piece = |text: &str, open: &str| OutputPiece {
            text: text.to_owned(),
            next: 7,
            total: 9,
            open: open.to_owned(),
        };
        let first = lines_of(&piece("\x1b[31mred\n", ""), Style::default());
        assert_eq!(first.lines[0].text, "red");
        assert_eq!(first.open, None);
        let next = lines_of(&piece("", "10%\r20%"), first.next.style);
        let open = next.open.expect("a line is open");
        assert_eq!((next.lines.len(), open.text.as_str()), (0, "20%"));
        assert_eq!(open.spans[0].style.fg, terminal::Color::Indexed(1));
    }

    #[test]
    fn a_secret_that_is_half_written_is_shown_when_nothing_more_comes() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("out");
        std::fs::write(&path, b"it is hunter").expect("written");
        let secrets = Secrets::new(["hunter2-secret".to_owned()]);
        let shown = |grows| file_piece(&path, 0, grows, &secrets).expect("read");
        assert_eq!(shown(true).open, "it is ");
        assert_eq!(shown(false).text, "it is hunter");
    }
}
