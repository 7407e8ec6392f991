//! Panes: each one PTY, the screen that a terminal emulator makes of its output, and everything it ever printed.
//!
//! Three names to know: [`Panes`] is the door, and [`ask`] the questions that other processes ask at it; an [`Attachment`] streams a pane to one window, [`Frame`] by
//! [`Frame`]; a [`LineId`] names a line for good.
//!
//! Promised here: a pane's program is read at full speed, however slow a window is; what it printed is kept in
//! bounded memory as lines with ids that stay true; no input, however hostile or cut, ends in a panic or in
//! unbounded memory. Left to others: who may ask (the host's socket) and what it looks like (the window).

pub mod ask;
mod attach;
mod attachment;
mod attention;
mod block;
mod control;
mod earlier;
mod environment;
mod history;
mod ids;
mod image;
mod imprint;
mod ink;
mod input;
mod lines;
mod naming;
mod osc;
mod pane;
mod panes;
mod playback;
mod printed;
mod pty;
mod recorder;
mod refusal;
mod sample;
mod screen;
mod scrollback;
mod search;
mod shell_integration;
mod shells;
mod snapshot;
mod styled;
mod timer;
mod types;

pub use attach::{AttachOptions, Changes, Frame, FrameError};
pub use attachment::{AckHandle, Attachment};
pub use environment::Environment;
pub use history::{ClosedPane, History, HistoryBudget, HistoryError, HistoryReader, PaneHistory};
pub use image::{ImageArea, PlacedImage};
pub use lines::PaneText;
pub use naming::NamesPanes;
pub use panes::{OpenPaneError, PaneError, Panes, PanesConfig, StartError};
pub use playback::Playback;
pub use printed::printed_lines;
pub use refusal::Refusal;
pub use screen::{Colours, Face};
pub use scrollback::{LineRef, RingSnapshot, Scrollback, ScrollbackLimits};
pub use search::{
    Cancel, Case, LineRange, Match, Order, Query, Range, Scope, SearchAnswer, SearchCursor,
    SearchError, SearchProgress, SearchRequest, search,
};
pub use snapshot::Snapshot;
pub use styled::{Color, Link, LinkRun, Span, Style, StyleRun, StyledLine};
pub use types::{
    AnswerFile, Attention, CellSize, CommandMark, CommandOutput, EarlierEnd, Held, Holder, Line,
    LineId, OpenPane, PaneEvent, PaneId, PaneInfo, PaneRole, PaneSize, PaneState, PanesHealth,
    Progress, ProgressState, ReadLines, Recording, ScreenText, Source,
};
