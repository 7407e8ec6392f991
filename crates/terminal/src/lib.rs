//! Panes: each one PTY, the screen that a terminal emulator makes of its output, and everything it ever printed.

mod styled;
mod types;

pub use styled::{Color, Style, StyleRun, StyledLine};
pub use types::{
    Attention, Line, LineId, OpenPane, PaneEvent, PaneId, PaneInfo, PaneRole, PaneSize, PaneState,
    ReadLines, Source,
};
