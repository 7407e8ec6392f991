//! Panes: each one PTY, the screen that a terminal emulator makes of its output, and everything it ever printed.

#[allow(
    dead_code,
    reason = "read by the search and the history, which come next"
)]
mod block;
mod scrollback;
mod styled;
mod types;

pub use scrollback::{LineRef, Scrollback, ScrollbackLimits, Snapshot};
pub use styled::{Color, Style, StyleRun, StyledLine};
pub use types::{
    Attention, Line, LineId, OpenPane, PaneEvent, PaneId, PaneInfo, PaneRole, PaneSize, PaneState,
    ReadLines, Source,
};
