//! The plain values that cross the room's door: what is asked of [`Panes`](crate::Panes), and what it tells.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrets::Secrets;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::environment::Environment;
use crate::styled::{Span, StyledLine};

/// Names one pane, for ever: an id is never given twice, not even after a restart of the host.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(transparent)]
pub struct PaneId(#[specta(type = u32)] pub u64);

impl fmt::Display for PaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Names one line that a pane printed, counted from 0 in the order in which lines left the screen.
///
/// It stays true while output keeps arriving; an id whose line has been dropped resolves to
/// nothing, never to a different line.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(transparent)]
pub struct LineId(#[specta(type = u32)] pub u64);

impl LineId {
    /// Lines that were sampled from full-screen programs are counted from here, in a sequence of their own:
    /// they never left the screen, so no number among those that did is theirs.
    pub const FULL_SCREEN: u64 = 1 << 52;

    /// Whether the line was sampled from a full-screen program.
    pub fn is_full_screen(self) -> bool {
        self.0 >= Self::FULL_SCREEN
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The size of a pane in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PaneSize {
    /// Columns, 2 to 1,000.
    pub cols: u16,
    /// Rows, 1 to 500.
    pub rows: u16,
}

/// How large a window draws a character cell, in pixels of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CellSize {
    /// Its width.
    pub width: u16,
    /// Its height.
    pub height: u16,
}

impl Default for CellSize {
    /// What programs are told before a window shows the pane.
    fn default() -> Self {
        Self {
            width: 9,
            height: 18,
        }
    }
}

impl Default for PaneSize {
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}

/// What a pane is used for; decides what its program may do to the clipboard, and what it is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PaneRole {
    /// A person types into it.
    #[default]
    Shell,
    /// A coding agent runs in it: it may not write to the clipboard.
    Agent,
    /// A step of a flow runs in it.
    Step,
}

/// What to open. Everything has a default: the user's login shell, at home, 80 × 24.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(default)]
pub struct OpenPane {
    /// The program; none: the user's login shell.
    pub program: Option<String>,
    /// The program's arguments.
    pub args: Vec<String>,
    /// The directory to start in; none: the user's home.
    pub cwd: Option<String>,
    /// The environment of whoever opens the pane, which its program gets; the host's own is not handed on.
    #[specta(skip)]
    pub environment: Environment,
    /// Added to the environment of the program.
    pub env: BTreeMap<String, String>,
    /// The size to start with.
    pub size: PaneSize,
    /// A name that a person gave; shown instead of the program's own title.
    pub name: Option<String>,
    /// What the pane is used for.
    pub role: PaneRole,
    /// Keeps nothing on disk.
    pub private: bool,
    /// Does not teach the shell to mark its prompts and commands.
    pub no_shell_integration: bool,
    /// How many lines to keep in memory; none: 5,000.
    pub scrollback_lines: Option<u32>,
    /// The closed pane in whose place it opens: the newest lines of that one stand above its own, dimmed, as what
    /// was: they are read, searched and kept as that one's alone. Of a pane that still lives, or of which nothing is
    /// kept, there are none.
    pub continues: Option<PaneId>,
    /// The name of a profile, kept with the pane for whoever shows it.
    pub profile: Option<String>,
}

/// What is kept of a program beside its pane, in files that can be read when the pane, and whoever kept it, are gone.
///
/// The program's standard output is no terminal then: it is shown in the pane, and kept as it was written. The pane
/// closes itself once the program has ended well and nothing writes to that output any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// What it wrote to its standard output; there is no such file when that was nothing.
    pub out: PathBuf,
    /// Its exit status, in decimal, once it has ended by itself; after a signal, 128 and the signal's number. `out`
    /// is complete by then. A program whose pane was closed, or lost its host, leaves none.
    pub status: PathBuf,
    /// The file that is its standard input; none: the terminal.
    pub stdin: Option<PathBuf>,
    /// Values that stand nowhere: they are covered in `out`, and in all that the pane shows and keeps. What may be the
    /// beginning of one is held back until more is printed.
    pub cover: Secrets,
    /// A file that the program may write to.
    pub answer: Option<AnswerFile>,
}

/// A file that lies in memory while a recorded program and what it started write to it: what it holds in the end is
/// covered, and only then kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerFile {
    /// The variable by which programs find it.
    pub variable: String,
    /// Where it is kept; there is no such file when nothing was written.
    pub kept: PathBuf,
}

/// Whether the program of a pane runs, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PaneState {
    /// It runs.
    Running {
        /// The id of the process that the pane started.
        pid: u32,
    },
    /// It ended; the pane stays until it is closed.
    Exited {
        /// Its exit status, when it ended by itself.
        code: Option<i32>,
        /// The name of the signal that ended it, when one did: `SIGKILL`.
        signal: Option<String>,
    },
}

/// What a pane wants from the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Nothing: a shell at its prompt, or a program whose state is not known.
    #[default]
    Idle,
    /// A command or an agent is at work.
    Working,
    /// It waits for an answer.
    NeedsYou,
    /// A command or the program ended well since a person last looked.
    Done,
    /// A command or the program ended badly since a person last looked.
    Failed,
}

/// A recorded program has ended, and what it left behind still has its output open: more may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Held {
    /// The exit status of the program; after a signal, 128 and the signal's number.
    pub status: i32,
    /// Who had its output open a little after that; nobody: processes of another user, which can't be seen.
    pub by: Vec<Holder>,
}

/// A process that keeps the output of a program open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Holder {
    /// Its id.
    pub pid: u32,
    /// What it is called.
    pub name: String,
}

/// How far a program says that it is (OSC 9;4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Progress {
    /// How it goes.
    pub state: ProgressState,
    /// How much is done, in percent; none: it is at work, and does not say how long.
    pub percent: Option<u8>,
}

/// How it goes with what a program is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ProgressState {
    /// It is at work.
    Running,
    /// Something went wrong.
    Failed,
    /// It waits.
    Paused,
}

/// Everything that is known of one pane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PaneInfo {
    /// Which pane.
    pub id: PaneId,
    /// The program and its arguments, as started.
    pub program: Vec<String>,
    /// What the pane is used for.
    pub role: PaneRole,
    /// The directory that its program works in, as far as is known.
    pub cwd: String,
    /// The title that the program set, cleaned of control characters and capped; empty if none.
    pub title: String,
    /// The name that a person gave.
    pub name: Option<String>,
    /// Its size.
    pub size: PaneSize,
    /// Keeps nothing on disk.
    pub private: bool,
    /// Whether its program runs, and how it ended.
    pub state: PaneState,
    /// What keeps it open, when its recorded program has ended and only that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Whether a program other than the shell runs in the foreground, so that closing would end it.
    pub busy: bool,
    /// What it wants from the person.
    pub attention: Attention,
    /// The words that came with the attention, if any.
    pub attention_message: Option<String>,
    /// How far its program says that it is, while it does.
    #[serde(default)]
    pub progress: Option<Progress>,
    /// The command that runs or ran last, if the shell told.
    pub command: Option<String>,
    /// The exit status of the command that ended last, if the shell told.
    pub last_exit: Option<i32>,
    /// Grows when its shell marks that a command begins, and that it ends: then there are other marks to be read.
    #[serde(default)]
    pub marked: u32,
    /// The closed panes whose lines stand above its own, oldest first: see [`OpenPane::continues`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierEnd>,
    /// The name of the profile that it was opened by, as whoever opened it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// When it was opened, in milliseconds since 1970.
    #[specta(type = u32)]
    pub opened_at: u64,
    /// When its program ended, in milliseconds since 1970.
    #[specta(type = Option<u32>)]
    pub ended_at: Option<u64>,
}

impl PaneInfo {
    /// Says in a word or two what a person wants to know first of it: `needs you`, `working`, `ended 1`, `idle`.
    pub fn state_in_words(&self) -> String {
        match (&self.state, self.attention) {
            (
                PaneState::Exited {
                    signal: Some(signal),
                    ..
                },
                _,
            ) => return format!("ended {signal}"),
            (
                PaneState::Exited {
                    code: Some(code), ..
                },
                _,
            ) => return format!("ended {code}"),
            (PaneState::Exited { .. }, _) => "ended",
            (PaneState::Running { .. }, Attention::NeedsYou) => "needs you",
            (PaneState::Running { .. }, Attention::Working) => "working",
            (PaneState::Running { .. }, Attention::Done) => "done",
            (PaneState::Running { .. }, Attention::Failed) => "failed",
            (PaneState::Running { .. }, Attention::Idle) if self.busy => "running",
            (PaneState::Running { .. }, Attention::Idle) => "idle",
        }
        .to_owned()
    }
}

/// What happened to a pane. A reader that fell behind is told to list anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PaneEvent {
    /// A pane was opened.
    Opened {
        /// What is known of it.
        pane: PaneInfo,
    },
    /// Something in a pane's [`PaneInfo`] changed: title, cwd, size, state, attention.
    Changed {
        /// What is known of it now.
        pane: PaneInfo,
    },
    /// A pane was closed: it is gone from the list; its history stays searchable until it expires.
    Closed {
        /// Which pane.
        id: PaneId,
    },
    /// A program asked for a desktop notification (OSC 9, 777, 99).
    Notified {
        /// Which pane.
        id: PaneId,
        /// The notification's title; may be empty.
        title: String,
        /// Its text.
        body: String,
    },
    /// A program asked to put text on the clipboard (OSC 52); the window asks the person.
    ClipboardWrite {
        /// Which pane.
        id: PaneId,
        /// The text, decoded and capped.
        text: String,
    },
    /// Something that a person should know: the disk is full, history is not being written.
    Warned {
        /// Which pane; none: all of them.
        id: Option<PaneId>,
        /// What is wrong and what follows from it.
        message: String,
    },
    /// The reader missed events: list the panes anew.
    Lagged,
}

/// One line as it is read back: by the history view, by `switchyard read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Line {
    /// Which line.
    pub id: LineId,
    /// Its text, without the newline.
    pub text: String,
    /// What its text looks like, from its start to its end; nothing: plain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    /// Where it was found.
    pub source: Source,
}

impl Line {
    pub(crate) fn of(id: LineId, line: StyledLine, source: Source) -> Self {
        Self {
            id,
            spans: line.spans(),
            text: line.text,
            source,
        }
    }
}

/// Where a line was found.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In memory: it has left the screen and the ring holds it.
    Ring,
    /// On the screen now.
    Screen,
    /// On disk.
    History,
}

/// Which lines to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum ReadLines {
    /// The newest `count` lines, the screen's included.
    Newest {
        /// At most so many.
        count: u32,
    },
    /// `count` lines before `line`, oldest first, without it.
    Before {
        /// Where to start.
        line: LineId,
        /// At most so many.
        count: u32,
    },
    /// `count` lines from `line` on, with it.
    After {
        /// Where to start.
        line: LineId,
        /// At most so many.
        count: u32,
    },
}

/// One command, as the shell marked it (OSC 133, OSC 633).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CommandMark {
    /// The line of its prompt.
    pub prompt: LineId,
    /// The command as it was typed, if the shell told.
    pub command: Option<String>,
    /// The first line of its output, once it runs.
    pub output_from: Option<LineId>,
    /// The line after its output, once it has ended.
    pub output_to: Option<LineId>,
    /// How many characters of that line are its output too: a program need not end its last line.
    #[serde(default)]
    pub output_rest: u32,
    /// The directory that it was started in.
    #[serde(default)]
    pub cwd: Option<String>,
    /// Its exit status, once it has ended.
    pub exit: Option<i32>,
    /// When it was started, in milliseconds since 1970.
    #[specta(type = Option<u32>)]
    pub started_at: Option<u64>,
    /// When it ended, in milliseconds since 1970.
    #[specta(type = Option<u32>)]
    pub ended_at: Option<u64>,
}

impl CommandMark {
    /// A command of which only the prompt is known.
    pub fn at(prompt: LineId) -> Self {
        Self {
            prompt,
            command: None,
            output_from: None,
            output_to: None,
            output_rest: 0,
            cwd: None,
            exit: None,
            started_at: None,
            ended_at: None,
        }
    }
}

/// Where the lines of a closed pane end that stand above those of the one in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct EarlierEnd {
    /// The closed pane.
    pub pane: PaneId,
    /// The line behind them, which is empty.
    pub line: LineId,
    /// The number that the closed pane would have given its next line: those before it stand above `line` in their order.
    pub next: LineId,
    /// When that pane ended, in milliseconds since 1970, as far as is known.
    #[specta(type = Option<u32>)]
    pub until: Option<u64>,
}

/// A command with what it printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CommandOutput {
    /// The command, as the shell marked it.
    pub mark: CommandMark,
    /// What it has printed so far, without colours; what full-screen programs showed is no part of it.
    pub text: String,
    /// Some of it is missing: it is kept no longer, or it is too long to be told.
    pub cut: bool,
}

/// How the panes are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct PanesHealth {
    /// How many panes there are.
    pub panes: u32,
    /// The panes whose programs do not read what was written to them.
    pub stuck_writers: Vec<PaneId>,
    /// Bytes that scrollback takes in memory.
    #[specta(type = u32)]
    pub scrollback_bytes: u64,
}

/// What is on a pane's screen, as plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ScreenText {
    /// Its rows from the top, without trailing blanks.
    pub rows: Vec<String>,
    /// The cursor's row, from 0.
    pub cursor_row: u16,
    /// The cursor's column, from 0.
    pub cursor_col: u16,
    /// The cursor stands on the last column, and the next character goes to the next row.
    pub cursor_waits: bool,
    /// A full-screen program has the screen.
    pub full_screen: bool,
}
