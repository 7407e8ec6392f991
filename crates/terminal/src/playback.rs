//! A screen without a program: for recordings, comparisons and measurements.

use crate::ink::Ink;
use crate::screen::{Colours, Drawn, Face, Going, Said, Screen, Sink, View};
use crate::scrollback::{Scrollback, ScrollbackLimits};
use crate::snapshot::{Snapshot, snapshot};
use crate::styled::StyledLine;
use crate::types::{LineId, PaneSize, ScreenText};

/// What a pane makes of bytes, without the pane: feed it what a program wrote, look at what is on screen.
pub struct Playback {
    screen: Screen,
    taking: Taking,
}

/// What leaves the screen: lines to the scrollback, and rows to the window before they have gone.
struct Taking {
    ring: Scrollback,
    window: Option<(Drawn, Ink)>,
}

impl Sink for Taking {
    fn line(&mut self, line: &StyledLine) {
        self.ring.push(line);
    }

    fn rows_leave(&mut self, view: &View<'_>) {
        if let Some((drawn, ink)) = &mut self.window {
            view.draw(drawn, ink);
        }
    }

    fn said(&mut self, _: Said, _: u64) {}

    fn picture_goes(&mut self, _: Going, _: impl FnOnce() -> Vec<String>) {}
}

impl Playback {
    /// An empty screen with an empty scrollback.
    pub fn new(size: PaneSize, limits: ScrollbackLimits) -> Self {
        Self {
            screen: Screen::new(size, Colours::default()),
            taking: Taking {
                ring: Scrollback::new(limits),
                window: None,
            },
        }
    }

    /// Takes in bytes, cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.screen.feed(bytes, &mut self.taking);
    }

    /// Gives the screen another size.
    pub fn resize(&mut self, size: PaneSize) {
        self.screen.resize(size, &mut self.taking);
    }

    /// What is on screen.
    pub fn text(&self) -> ScreenText {
        self.screen.text()
    }

    /// What is on screen, with all that can be seen of it.
    pub fn face(&mut self) -> Face {
        self.screen.face()
    }

    /// All lines: those that have left the screen and are still kept, then those that have not left it.
    pub fn lines(&self) -> Vec<StyledLine> {
        let ring = &self.taking.ring;
        ring.styled_tail(ring.len())
            .chain(self.screen.lines())
            .collect()
    }

    /// What a window that attaches now would be sent.
    pub fn snapshot(&mut self, scrollback_rows: u32) -> Snapshot {
        let (ring, floor) = (&self.taking.ring, LineId(0));
        let (snapshot, drawn) = snapshot(&mut self.screen, ring, floor, scrollback_rows);
        self.taking.window = Some((drawn, Ink::default()));
        snapshot
    }

    /// What that window has to be told now to show what there is; nothing when it needs another snapshot.
    pub fn changes(&mut self) -> Option<Vec<u8>> {
        let (drawn, ink) = self.taking.window.as_mut()?;
        if self.screen.draw(drawn, ink) {
            Some(std::mem::take(&mut ink.out))
        } else {
            self.taking.window = None;
            None
        }
    }
}
