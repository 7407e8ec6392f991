//! What is kept of an attempt in its directory, for its owner only, and what it says of how the attempt ended.

use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use ::flow::{ActionError, Ended, Finished, plain_text};
use terminal::PaneState;

/// The longest output that is kept; of a longer one, its beginning and its end.
const MOST_OUTPUT: u64 = 4 << 20;

/// What became of the pane of a step.
pub(super) enum Over {
    /// Its program has ended.
    Exited(PaneState),
    /// It was closed.
    Closed,
    /// The pane host does not know it: it closed long ago, or another pane host had it.
    Gone,
}

pub(super) fn failed(what: &str, path: &Path, error: &io::Error) -> ActionError {
    ActionError::new(format!("could not {what} `{}`: {error}", path.display()))
}

pub(super) fn private_dir(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

pub(super) fn private_file(path: &Path, mode: u32, text: &str) -> Result<(), ActionError> {
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| failed("write", path, &error))
}

fn read_status(directory: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(directory.join("status")).ok()?;
    text.trim().parse().ok()
}

/// How a program ended, from what was kept of it and what became of its pane.
pub(super) fn came_to(directory: &Path, over: Over) -> Ended {
    let status = read_status(directory);
    let (exit_code, error) = match (status, over) {
        (Some(127), _) => (
            status,
            Some("exit code 127: a program was not found".to_owned()),
        ),
        (Some(code), _) if code > 128 => {
            let signal = code - 128;
            let error = format!("exit code {code}: signal {signal} ended it");
            (status, Some(error))
        }
        (Some(_), _) => (status, None),
        (None, Over::Gone) => return Ended::Gone,
        (None, Over::Closed) => (
            None,
            Some("its pane was closed before it had ended".to_owned()),
        ),
        (
            None,
            Over::Exited(PaneState::Exited {
                signal: Some(signal),
                ..
            }),
        ) => (None, Some(format!("{signal} ended it"))),
        (None, Over::Exited(_)) => (
            None,
            Some("what it printed and how it ended could not be kept".to_owned()),
        ),
    };
    let (output, left_out) = read_output(&directory.join("out"));
    Ended::Finished(Finished {
        exit_code,
        error,
        output,
        left_out,
        structured: read_structured(&directory.join("structured")),
    })
}

/// What a program wrote as its structured output.
fn read_structured(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text).filter(|text| !text.trim().is_empty())
}

/// What was printed; of more than is kept, the beginning and the end.
fn read_output(path: &Path) -> (String, u64) {
    let read = || -> io::Result<(String, u64)> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let mut bytes = Vec::new();
        if length <= MOST_OUTPUT {
            file.read_to_end(&mut bytes)?;
            return Ok((plain_text(&bytes), 0));
        }
        let half = MOST_OUTPUT / 2 - 100;
        (&mut file).take(half).read_to_end(&mut bytes)?;
        let beginning = plain_text(&bytes);
        bytes.clear();
        file.seek(io::SeekFrom::Start(length - half))?;
        file.take(half).read_to_end(&mut bytes)?;
        let left_out = length - 2 * half;
        let kept = format!(
            "{beginning}\n[… {left_out} bytes were left out …]\n{}",
            plain_text(&bytes)
        );
        // The rest is of no more use, and may be gigabytes.
        let new = path.with_extension("new");
        if private_file(&new, 0o600, &kept).is_ok() {
            let _ = std::fs::rename(&new, path);
        }
        Ok((kept, left_out))
    };
    // Nothing printed, nothing there.
    read().unwrap_or_default()
}
