//! What the tests of panes stand on: panes, and the events since they were made.

use std::time::{Duration, Instant};

use terminal::{
    Environment, Line, OpenPane, PaneEvent, PaneId, PaneInfo, PaneState, Panes, PanesConfig,
    ReadLines,
};
use tokio::sync::broadcast;

/// However slow the machine is, what is waited for comes before this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Panes, and the events since they were made.
pub(crate) struct Bench {
    pub(crate) panes: Panes,
    pub(crate) events: broadcast::Receiver<PaneEvent>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(PanesConfig {
            grace: Duration::from_millis(500),
            ..PanesConfig::default()
        })
    }

    pub(crate) fn with(config: PanesConfig) -> Self {
        let panes = Panes::new(config).unwrap();
        let events = panes.events();
        Self { panes, events }
    }

    /// Opens a pane that runs `script` in `sh`.
    pub(crate) fn run(&self, script: &str) -> PaneInfo {
        self.panes.open(script_request(script)).unwrap()
    }

    /// Waits until the pane's text holds `text`, and gives all of its lines.
    pub(crate) fn wait_text(&self, pane: PaneId, text: &str) -> Vec<String> {
        wait_for(&format!("{text:?} in pane {pane}"), || {
            let lines = self.lines(pane);
            lines
                .iter()
                .any(|line| line.contains(text))
                .then_some(lines)
        })
    }

    /// Waits until the pane has a line that is `text` and nothing else: printed, not only typed.
    pub(crate) fn wait_line(&self, pane: PaneId, text: &str) {
        wait_for(&format!("the line {text:?} in pane {pane}"), || {
            self.lines(pane)
                .iter()
                .any(|line| line == text)
                .then_some(())
        });
    }

    pub(crate) fn lines(&self, pane: PaneId) -> Vec<String> {
        self.read(pane, ReadLines::Newest { count: 100_000 })
            .into_iter()
            .map(|line| line.text)
            .collect()
    }

    pub(crate) fn read(&self, pane: PaneId, lines: ReadLines) -> Vec<Line> {
        self.panes.read(pane, lines).unwrap()
    }

    pub(crate) fn wait_exit(&self, pane: PaneId) -> PaneState {
        wait_for(&format!("the end of pane {pane}"), || {
            let state = self.panes.info(pane).unwrap().state;
            matches!(state, PaneState::Exited { .. }).then_some(state)
        })
    }

    /// Waits for an event that `wanted` takes.
    pub(crate) fn wait_event<T>(&mut self, mut wanted: impl FnMut(PaneEvent) -> Option<T>) -> T {
        wait_for("an event", || {
            while let Ok(event) = self.events.try_recv() {
                if let Some(found) = wanted(event) {
                    return Some(found);
                }
            }
            None
        })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.panes.shutdown();
    }
}

pub(crate) fn script_request(script: &str) -> OpenPane {
    OpenPane {
        program: Some("/bin/sh".into()),
        args: vec!["-c".into(), script.into()],
        cwd: Some("/".into()),
        environment: Environment::here(),
        ..OpenPane::default()
    }
}

/// Asks until there is an answer. Fails when the deadline passes.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
