//! Panes: each one PTY, the screen that a terminal emulator makes of its output, and everything it ever printed.
//!
//! Three names to know: [`Panes`] is the door; an [`Attachment`] streams a pane to one window, [`Frame`] by
//! [`Frame`]; a [`LineId`] names a line for good.
//!
//! Promised here: a pane's program is read at full speed, however slow a window is; what it printed is kept in
//! bounded memory as lines with ids that stay true; no input, however hostile or cut, ends in a panic or in
//! unbounded memory. Left to others: who may ask (the host's socket) and what it looks like (the window).

mod attach;
mod attention;
#[allow(
    dead_code,
    reason = "read by the search and the history, which come next"
)]
mod block;
mod clock;
mod ids;
mod input;
mod osc;
mod pane;
mod panes;
mod playback;
mod pty;
mod screen;
mod scrollback;
mod shell_integration;
mod snapshot;
mod styled;
mod timer;
mod types;

pub use attach::{AckHandle, AttachOptions, Attachment, Frame, FrameError};
pub use clock::Clock;
pub use panes::{OpenPaneError, PaneError, Panes, PanesConfig, StartError};
pub use playback::Playback;
pub use scrollback::{LineRef, Scrollback, ScrollbackLimits};
pub use snapshot::Snapshot;
pub use styled::{Color, Style, StyleRun, StyledLine};
pub use types::{
    Attention, CommandMark, Line, LineId, OpenPane, PaneEvent, PaneId, PaneInfo, PaneRole,
    PaneSize, PaneState, PanesHealth, ReadLines, ScreenText, Source,
};
