//! A screen without a program: for recordings, comparisons and measurements.

use crate::screen::{Colours, Going, Said, Screen, Sink};
use crate::scrollback::{Scrollback, ScrollbackLimits};
use crate::snapshot::{Snapshot, snapshot};
use crate::styled::StyledLine;
use crate::types::{LineId, PaneSize, ScreenText};

/// What a pane makes of bytes, without the pane: feed it what a program wrote, look at what is on screen.
pub struct Playback {
    screen: Screen,
    ring: Ring,
}

struct Ring(Scrollback);

impl Sink for Ring {
    fn line(&mut self, line: &StyledLine) {
        self.0.push(line);
    }

    fn said(&mut self, _: Said, _: u64) {}

    fn picture_goes(&mut self, _: Going, _: impl FnOnce() -> Vec<String>) {}
}

impl Playback {
    /// An empty screen with an empty scrollback.
    pub fn new(size: PaneSize, limits: ScrollbackLimits) -> Self {
        Self {
            screen: Screen::new(size, Colours::default()),
            ring: Ring(Scrollback::new(limits)),
        }
    }

    /// Takes in bytes, cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.screen.feed(bytes, &mut self.ring);
    }

    /// Gives the screen another size.
    pub fn resize(&mut self, size: PaneSize) {
        self.screen.resize(size, &mut self.ring);
    }

    /// What is on screen.
    pub fn text(&self) -> ScreenText {
        self.screen.text()
    }

    /// All lines: those that have left the screen and are still kept, then those that have not left it.
    pub fn lines(&self) -> Vec<StyledLine> {
        let ring = &self.ring.0;
        ring.styled_tail(ring.len())
            .chain(self.screen.lines())
            .collect()
    }

    /// What a window that attaches now would be sent.
    pub fn snapshot(&mut self, scrollback_rows: u32) -> Snapshot {
        snapshot(&mut self.screen, &self.ring.0, LineId(0), scrollback_rows)
    }
}
