//! What a program writes, on its way into its pane: the reader's thread.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use secrets::CoveredStream;

use super::keys_first::Pace;
use super::{Core, Pane, Running};
use crate::attach::Stream;
use crate::history::PaneHistory;
use crate::recorder::Recorder;
use crate::sample::Sampler;
use crate::screen::{Going, Said, Sink, View};
use crate::scrollback::Scrollback;
use crate::styled::StyledLine;
use crate::types::{Held, LineId, PaneEvent, PaneState};

/// What the reader reads at once.
const READ: usize = 64 * 1024;
/// What it hands on under one lock: others wait for so much at most.
const PIECE: usize = 8 * 1024;
/// So long after it came, output that has not left the emulator is noted in the history, which writes it at once: a host
/// that is killed loses no more than a second.
const NOTE: Duration = Duration::from_millis(600);
/// A pane this quiet gives memory back.
const QUIET: Duration = Duration::from_secs(3);
/// What ends a synchronized update.
const UPDATE_ENDS: &[u8] = b"\x1b[?2026l";
/// How long the last words of a program that has ended are waited for, when another process holds its terminal.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Whether output is over for now.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    output_at: Option<Instant>,
    /// Somebody will look whether it is over.
    looked_for: bool,
    /// Somebody will look whether the shell waits for keys.
    pub(super) looking: bool,
    /// Somebody will note in the history what is on screen.
    noting: bool,
}

impl Quiet {
    pub(super) fn came_within(&self, time: Duration) -> bool {
        self.output_at.is_some_and(|at| at.elapsed() < time)
    }
}

/// The screen's output, on its way into a pane.
pub(super) struct Taking<'a> {
    pub(super) ring: &'a mut Scrollback,
    /// Lines before this one are other panes', and kept as theirs.
    pub(super) own_from: LineId,
    pub(super) history: Option<&'a PaneHistory>,
    pub(super) sampler: &'a mut Sampler,
    /// The windows that follow row by row.
    pub(super) streams: &'a [Arc<Stream>],
    pub(super) now: Instant,
    pub(super) said: Vec<(Said, u64)>,
}

impl Sink for Taking<'_> {
    fn line(&mut self, line: &StyledLine) {
        let id = self.ring.push(line);
        if let Some(history) = self.history.filter(|_| id >= self.own_from) {
            history.append(id, line);
        }
    }

    fn said(&mut self, what: Said, line: u64) {
        self.said.push((what, line));
    }

    fn rows_leave(&mut self, view: &View<'_>) {
        for stream in self.streams {
            stream.rows_leave(view);
        }
    }

    fn picture_goes(&mut self, how: Going, rows: impl FnOnce() -> Vec<String>) {
        let Some(history) = self.history else { return };
        match how {
            Going::Next => {
                if self.sampler.is_due_amid(self.now) {
                    history.append_full_screen(&self.sampler.look(self.now, rows()));
                }
            }
            Going::Last => {
                history.append_full_screen(&self.sampler.look_for_all(self.now, rows()));
                self.sampler.end();
            }
        }
    }
}

impl Pane {
    /// Starts the thread that reads what the program writes and waits for its end. `ended_well` is called when a
    /// recorded program has ended with status 0 and its recording is whole.
    ///
    /// # Errors
    ///
    /// The system gives no more threads; the program was killed then.
    pub(crate) fn follow(
        self: &Arc<Self>,
        running: Running,
        ended_well: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let pane = Arc::clone(self);
        std::thread::Builder::new()
            .name(format!("pty-reader {}", self.id))
            .stack_size(256 * 1024)
            .spawn(move || pane.read(running, ended_well))
            .map(drop)
            .inspect_err(|_| {
                self.pty.signal(&[Signal::KILL]);
            })
    }

    /// The reader's thread.
    fn read(&self, running: Running, ended_well: impl FnOnce()) {
        let Running {
            child,
            mut recorder,
        } = running;
        let mut buffer = Vec::new();
        let mut pace = Pace::new(Instant::now());
        let mut cover = recorder.as_ref().map(Recorder::covered);
        // The terminal, as long as somebody has it, and the program's end.
        let (mut open, mut ended) = (true, None);
        let mut last_words = None;
        let state = loop {
            let stdout = recorder.as_ref().and_then(Recorder::stdout);
            let leader = recorder.as_ref().and_then(Recorder::leader);
            let mut wait = recorder.as_ref().and_then(Recorder::until_held);
            if let Some(state) = &ended {
                let mut left = LAST_WORDS;
                if stdout.is_none() {
                    let until = *last_words.get_or_insert_with(|| Instant::now() + LAST_WORDS);
                    left = until.saturating_duration_since(Instant::now());
                    if !open || left.is_zero() {
                        break PaneState::clone(state);
                    }
                }
                wait = Some(left);
            }
            let terminal = open.then(|| self.pty.file().as_fd());
            let program = ended.is_none().then(|| child.as_fd());
            let [printed, written, said, gone] =
                readable([terminal, stdout, leader, program], wait);
            if let Some(recorder) = &mut recorder {
                if said {
                    recorder.hear();
                }
                if written {
                    self.show(&recorder.read(room(&mut buffer)), &mut cover);
                } else if ended.is_some() && self.core.lock().closed {
                    // Another session may hold it for ever.
                    recorder.give_up();
                }
                if let Some(held) = recorder.held() {
                    self.held(held);
                }
            }
            if printed {
                open = self.read_terminal(room(&mut buffer), &mut cover, &mut pace);
            }
            if gone {
                ended = Some(child.wait());
                self.pty.reaped();
            }
        };
        drop(child);
        if let Some(cover) = &mut cover {
            self.take_all(&cover.finish());
        }
        if self.end(state, recorder) {
            ended_well();
        }
        // What it left behind may write on.
        while open {
            open = self.read_terminal(room(&mut buffer), &mut cover, &mut pace);
        }
        if let Some(cover) = &mut cover {
            self.take_all(&cover.finish());
        }
    }

    /// Takes in what was printed, once something was. Says whether there may be more.
    fn read_terminal(
        &self,
        buffer: &mut [u8],
        cover: &mut Option<CoveredStream>,
        pace: &mut Pace,
    ) -> bool {
        match self.pty.read(buffer) {
            Ok(count) => {
                self.show(&buffer[..count], cover);
                let last_key = &self.common.last_key;
                if let Some(pause) = pace.read(self.id, count, last_key, Instant::now()) {
                    std::thread::sleep(pause);
                }
                count > 0
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) => {
                tracing::debug!(pane = %self.id, %error, "reading ended");
                false
            }
        }
    }

    /// The program has ended, and something that it left behind has not: others are told.
    fn held(&self, held: Held) {
        let mut core = self.core.lock();
        core.about.held = Some(held);
        if !core.closed {
            self.tell_now(&mut core);
        }
    }

    /// The program has ended: others are told. Says whether it did well and is recorded.
    fn end(&self, state: PaneState, recorder: Option<Recorder>) -> bool {
        let well = matches!(state, PaneState::Exited { code: Some(0), .. });
        let mut recorded = false;
        if let Some(mut recorder) = recorder
            && !self.core.lock().closed
        {
            match recorder.finish(&state) {
                Ok(()) => recorded = true,
                Err(error) => {
                    let out = recorder.out().display();
                    self.send(PaneEvent::Warned {
                        id: Some(self.id),
                        message: format!("what it printed could not be kept in `{out}`: {error}"),
                    });
                }
            }
        }
        {
            let mut core = self.core.lock();
            core.about.state = state;
            core.about.held = None;
            core.about.progress = None;
            core.about.ended_at = Some(self.common.clock.now_ms());
            core.watch.exited(well);
            for stream in &core.streams {
                stream.ended();
            }
            // At once: somebody may wait for nothing but this, as the next step of a flow does.
            if !core.closed {
                self.tell_now(&mut core);
            }
        }
        self.input.close();
        self.ended.notify_all();
        recorded && well
    }

    /// Takes in what the program wrote, but for what is to be covered.
    fn show(&self, bytes: &[u8], cover: &mut Option<CoveredStream>) {
        match cover {
            Some(cover) => self.take_all(&cover.push(bytes)),
            None => self.take_all(bytes),
        }
    }

    /// Takes in what the program wrote.
    fn take_all(&self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            let mut core = self.core.lock();
            self.take(&mut core, piece);
            // Somebody who waits for the lock is next, not this thread again.
            MutexGuard::unlock_fair(core);
        }
        self.tell();
    }

    fn take(&self, core: &mut Core, bytes: &[u8]) {
        if !awaited(core) {
            self.take_in(core, bytes);
            return;
        }
        // Somebody waits for the end of an update: looked at where it is, for the next may begin right behind it.
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr::memmem::find(rest, UPDATE_ENDS)
                .map_or(rest.len(), |at| at + UPDATE_ENDS.len());
            self.take_in(core, &rest[..end]);
            rest = &rest[end..];
            if core.update.is_over() {
                for stream in core.streams.clone() {
                    if let Some(what) = stream.awaits_picture() {
                        stream.picture_is_whole(core.draw(&stream, what));
                    }
                }
            }
        }
    }

    fn take_in(&self, core: &mut Core, bytes: &[u8]) {
        let now = Instant::now();
        if core.sampler.is_due(now) && core.update.left(now).is_none() {
            core.sample(now, Sampler::look);
        }
        let mut taking = Taking {
            ring: &mut core.ring,
            own_from: core.own_from,
            history: core.history.as_ref(),
            sampler: &mut core.sampler,
            streams: &core.streams,
            now,
            said: Vec::new(),
        };
        core.screen.feed(bytes, &mut taking);
        let said = taking.said;
        core.update.follow(core.screen.update(), now);
        if core.history.is_some() && core.screen.full_screen() {
            core.sampler.wrote(now);
        }
        for stream in &core.streams {
            stream.output_came(bytes.len());
        }
        for (what, line) in said {
            self.heard(core, what, LineId(line));
        }
        core.quiet.output_at = Some(Instant::now());
        if !core.quiet.looked_for {
            core.quiet.looked_for = true;
            self.trim_later();
        }
        if !core.quiet.looking && core.watch.claims_work() {
            core.quiet.looking = true;
            self.look_later();
        }
        if core.history.is_some() && !core.quiet.noting {
            core.quiet.noting = true;
            self.note_later();
        }
    }

    /// Notes what the emulator still holds, a little after it came. The emulator keeps some hundred rows that have scrolled
    /// away, for a window that grows: they are lines of the history only once it lets go of them.
    fn note_later(&self) {
        let me = self.me.clone();
        self.common.timer.after(NOTE, move || {
            let Some(pane) = me.upgrade() else { return };
            let mut core = pane.core.lock();
            core.quiet.noting = false;
            if let Some(history) = &core.history {
                let (first, lines) = core.own_screen();
                history.note_screen(first, &lines);
            }
        });
    }

    /// Gives memory back once the pane has been quiet for a while; until then, and then, others are
    /// told if it works elsewhere than they think.
    fn trim_later(&self) {
        let me = self.me.clone();
        self.common.timer.after(QUIET, move || {
            let Some(pane) = me.upgrade() else { return };
            let mut core = pane.core.lock();
            if core.sampler.has_unseen() {
                core.sample(Instant::now(), Sampler::look);
            }
            if core.quiet.came_within(QUIET) {
                pane.trim_later();
            } else {
                core.quiet.looked_for = false;
                core.screen.trim();
            }
            // Nothing tells when a program begins or goes elsewhere; its output is the occasion to look.
            core.telling.changed |= pane.works_in(&core) != core.telling.told;
            drop(core);
            pane.tell();
        });
    }
}

/// Whether a window waits for the end of a synchronized update.
fn awaited(core: &Core) -> bool {
    core.streams
        .iter()
        .any(|stream| stream.awaits_picture().is_some())
}

/// Waits until something can be read, and says what of it; nothing once `wait` is over.
fn readable<const N: usize>(
    from: [Option<BorrowedFd<'_>>; N],
    wait: Option<Duration>,
) -> [bool; N] {
    let mut polled: Vec<_> = from
        .iter()
        .flatten()
        .map(|descriptor| PollFd::from_borrowed_fd(*descriptor, PollFlags::IN))
        .collect();
    let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
    match poll(&mut polled, wait.as_ref()) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return [false; N],
        Err(error) => {
            // Then they are read one after another, each for as long as it takes.
            tracing::warn!(%error, "could not wait for a program");
            return from.map(|descriptor| descriptor.is_some());
        }
    }
    let mut ready = polled.iter().map(|polled| !polled.revents().is_empty());
    from.map(|descriptor| descriptor.is_some() && ready.next().unwrap_or(false))
}

/// A buffer to read into, made when there is something to read.
fn room(buffer: &mut Vec<u8>) -> &mut [u8] {
    if buffer.is_empty() {
        buffer.resize(READ, 0);
    }
    buffer
}
