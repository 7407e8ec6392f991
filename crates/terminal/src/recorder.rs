//! What a program writes to a standard output of its own: kept in a file, and handed on as a terminal would show it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use secrets::CoveredStream;

use crate::pty::{self, Stdout};
use crate::types::{Held, PaneState, Recording};

/// How long after its program has ended an output may be open before it is said who has it.
const SHORTLY: Duration = Duration::from_millis(300);

/// The program itself, beside what it leaves behind.
enum Program {
    Runs,
    /// It ended with this status then.
    Ended(i32, Instant),
    /// It ended, and there is nothing more to say of it.
    Said,
}

/// The output of one program, and the files that it is kept in.
pub(crate) struct Recorder {
    recording: Recording,
    /// What the program writes to; none: nobody does any more.
    stdout: Option<Stdout>,
    program: Program,
    /// [`Recording::answer`], while it is in memory.
    answer: Option<File>,
    out: Option<File>,
    /// What of it may be kept.
    cover: CoveredStream,
    /// Why the rest is not kept.
    failed: Option<io::Error>,
}

impl Recorder {
    pub(crate) fn new(recording: Recording, stdout: Stdout, answer: Option<File>) -> Self {
        Self {
            cover: CoveredStream::new(recording.cover.clone()),
            recording,
            stdout: Some(stdout),
            program: Program::Runs,
            answer,
            out: None,
            failed: None,
        }
    }

    /// What can be polled for output, until there can't be any more.
    pub(crate) fn stdout(&self) -> Option<BorrowedFd<'_>> {
        self.stdout.as_ref().map(|stdout| stdout.pipe.as_fd())
    }

    /// What can be polled for the end of the program itself, until there can't be any more.
    pub(crate) fn leader(&self) -> Option<BorrowedFd<'_>> {
        let runs = matches!(self.program, Program::Runs);
        let stdout = self.stdout.as_ref().filter(|_| runs)?;
        Some(stdout.leader.as_fd())
    }

    /// Reads how the program itself ended.
    pub(crate) fn hear(&mut self) {
        let Some(stdout) = &mut self.stdout else {
            return;
        };
        // A number and a newline, written at once; nothing by a leader that was killed.
        let mut line = [0; 16];
        let count = stdout.leader.read(&mut line).unwrap_or(0);
        let status = std::str::from_utf8(&line[..count]);
        self.program = match status.map(|status| status.trim().parse()) {
            Ok(Ok(status)) => Program::Ended(status, Instant::now()),
            _ => Program::Said,
        };
    }

    /// In how long [`Recorder::held`] may have something to say.
    pub(crate) fn until_held(&self) -> Option<Duration> {
        match self.program {
            Program::Ended(_, at) if self.stdout.is_some() => {
                Some(SHORTLY.saturating_sub(at.elapsed()))
            }
            _ => None,
        }
    }

    /// What keeps the output open, once, when the program itself ended a while ago.
    pub(crate) fn held(&mut self) -> Option<Held> {
        let stdout = self.stdout.as_ref()?;
        match self.program {
            Program::Ended(status, at) if at.elapsed() >= SHORTLY => {
                self.program = Program::Said;
                let by = pty::writers(&stdout.pipe);
                Some(Held { status, by })
            }
            _ => None,
        }
    }

    /// Reads and keeps what the program wrote, and gives it with the carriage returns that a terminal adds.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Vec<u8> {
        let Some(stdout) = &mut self.stdout else {
            return Vec::new();
        };
        let count = match stdout.pipe.read(buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "a program's output can't be read");
                0
            }
        };
        if count == 0 {
            self.stdout = None;
            return Vec::new();
        }
        let kept = self.cover.push(&buffer[..count]);
        self.keep(&kept);
        let mut shown = Vec::with_capacity(count + count / 16);
        for line in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
            match line.split_last() {
                Some((b'\n', line)) => {
                    shown.extend_from_slice(line);
                    shown.extend_from_slice(b"\r\n");
                }
                _ => shown.extend_from_slice(line),
            }
        }
        shown
    }

    /// Covers what its program shows in its pane.
    pub(crate) fn covered(&self) -> CoveredStream {
        CoveredStream::new(self.recording.cover.clone())
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.failed.is_some() || bytes.is_empty() {
            return;
        }
        let mut write = || {
            let out = match &mut self.out {
                Some(out) => out,
                none => none.insert(create(&self.recording.out)?),
            };
            out.write_all(bytes)
        };
        self.failed = write().err();
    }

    /// Nobody waits for more of the output.
    pub(crate) fn give_up(&mut self) {
        self.stdout = None;
    }

    /// Keeps how the program ended: all of its output is kept by now.
    ///
    /// # Errors
    ///
    /// The first thing that could not be kept. No status is kept then.
    pub(crate) fn finish(&mut self, state: &PaneState) -> io::Result<()> {
        let rest = self.cover.finish();
        self.keep(&rest);
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.keep_answer()?;
        let PaneState::Exited { code, signal } = state else {
            return Ok(());
        };
        let by_signal = || Some(128 + pty::signal_number(signal.as_deref()?)?);
        match code.or_else(by_signal) {
            Some(status) => {
                create(&self.recording.status)?.write_all(format!("{status}\n").as_bytes())
            }
            None => Ok(()),
        }
    }

    fn keep_answer(&mut self) -> io::Result<()> {
        let (Some(mut file), Some(answer)) = (self.answer.take(), &self.recording.answer) else {
            return Ok(());
        };
        let mut written = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut written)?;
        if written.is_empty() {
            return Ok(());
        }
        let mut kept = create(&answer.kept)?;
        let mut cover = self.covered();
        kept.write_all(&cover.push(&written))?;
        kept.write_all(&cover.finish())
    }

    pub(crate) fn out(&self) -> &Path {
        &self.recording.out
    }
}

/// Makes a file that only its owner may read.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}
