//! Waiting for one pane: whoever does is woken by what happens to that pane, and by nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use terminal::{Held, PaneEvent, PaneId, PaneInfo, PaneState};
use tokio::sync::watch;

/// The panes that are waited for, by the names that they were opened with; what happens to panes is told here first.
#[derive(Default)]
pub(crate) struct Awaited(Mutex<Names>);

#[derive(Default)]
struct Names {
    panes: HashMap<String, watch::Sender<Seen>>,
    ids: HashMap<PaneId, String>,
}

/// What was told of a pane since it is waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Which pane it is, once that is known.
    pub(crate) pane: Option<PaneId>,
    /// How its program ended.
    pub(crate) ended: Option<PaneState>,
    /// What keeps it open although its program has ended.
    pub(crate) held: Option<Held>,
    pub(crate) closed: bool,
    /// Grows when something may have been missed: then the pane is to be asked for.
    pub(crate) missed: u64,
}

/// A pane that is waited for. Dropped, nobody waits.
pub(crate) struct OnePane {
    awaited: Arc<Awaited>,
    name: String,
    seen: watch::Receiver<Seen>,
}

impl Awaited {
    /// Waits for the pane with this name from now on, whether it is open or will be.
    pub(crate) fn wait_for(self: &Arc<Self>, name: &str) -> OnePane {
        let mut names = self.0.lock();
        let sender = names.panes.entry(name.to_owned()).or_default();
        OnePane {
            awaited: Arc::clone(self),
            name: name.to_owned(),
            seen: sender.subscribe(),
        }
    }

    /// Something happened to a pane.
    pub(crate) fn heard(&self, event: &PaneEvent) {
        let mut names = self.0.lock();
        match event {
            PaneEvent::Opened { pane } | PaneEvent::Changed { pane } => names.heard_of(pane),
            PaneEvent::Closed { id } => {
                if let Some(name) = names.ids.remove(id)
                    && let Some(waiting) = names.panes.get(&name)
                {
                    waiting.send_modify(|seen| seen.closed = true);
                }
            }
            PaneEvent::Lagged => names.missed(),
            PaneEvent::Notified { .. }
            | PaneEvent::ClipboardWrite { .. }
            | PaneEvent::Warned { .. } => {}
        }
    }

    /// Whatever happened to panes may have been missed.
    pub(crate) fn missed(&self) {
        self.0.lock().missed();
    }
}

impl Names {
    fn heard_of(&mut self, pane: &PaneInfo) {
        // A person may have given it another name since it was opened.
        let known = self.ids.get(&pane.id).or(pane.name.as_ref());
        let Some(name) = known.filter(|name| self.panes.contains_key(*name)).cloned() else {
            return;
        };
        let waiting = &self.panes[&name];
        self.ids.insert(pane.id, name);
        waiting.send_if_modified(|seen| {
            let before = seen.clone();
            seen.pane = Some(pane.id);
            seen.held.clone_from(&pane.held);
            if matches!(pane.state, PaneState::Exited { .. }) {
                seen.ended = Some(pane.state.clone());
            }
            *seen != before
        });
    }

    fn missed(&mut self) {
        for waiting in self.panes.values() {
            waiting.send_modify(|seen| seen.missed += 1);
        }
    }
}

impl OnePane {
    /// It is known which pane it is.
    pub(crate) fn is(&self, pane: PaneId) {
        let mut names = self.awaited.0.lock();
        names.ids.insert(pane, self.name.clone());
    }

    /// What was told by now.
    pub(crate) fn seen(&mut self) -> Seen {
        self.seen.borrow_and_update().clone()
    }

    /// Waits until more is told.
    pub(crate) async fn changed(&mut self) {
        if self.seen.changed().await.is_err() {
            // Its sender goes only after it.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for OnePane {
    fn drop(&mut self) {
        let mut names = self.awaited.0.lock();
        let others = names
            .panes
            .get(&self.name)
            .is_some_and(|waiting| waiting.receiver_count() > 1);
        if !others {
            names.panes.remove(&self.name);
            names.ids.retain(|_, name| *name != self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pane(id: u32, name: &str, state: PaneState) -> PaneInfo {
        serde_json::from_value(serde_json::json!({
            "id": id, "program": [], "role": "step", "cwd": "/", "title": "", "name": name,
            "size": { "cols": 80, "rows": 24 }, "private": false, "state": state, "busy": false, "attention": "idle",
            "attention_message": null, "command": null, "last_exit": null, "opened_at": 0, "ended_at": null,
        }))
        .expect("a pane")
    }

    const RUNNING: PaneState = PaneState::Running { pid: 1 };

    #[test]
    fn whoever_waits_is_woken_by_its_own_pane_alone() {
        let awaited = Arc::new(Awaited::default());
        let mut ours = awaited.wait_for("ours");
        awaited.heard(&PaneEvent::Opened {
            pane: pane(7, "theirs", RUNNING),
        });
        awaited.heard(&PaneEvent::Closed { id: PaneId(7) });
        assert!(!ours.seen.has_changed().expect("it is held"));
        awaited.heard(&PaneEvent::Opened {
            pane: pane(8, "ours", RUNNING),
        });
        assert_eq!(ours.seen().pane, Some(PaneId(8)));
        // Output changes what is known of it, and not what is waited for.
        awaited.heard(&PaneEvent::Changed {
            pane: pane(8, "renamed", RUNNING),
        });
        assert!(!ours.seen.has_changed().expect("it is held"));
        let exited = PaneState::Exited {
            code: Some(0),
            signal: None,
        };
        awaited.heard(&PaneEvent::Changed {
            pane: pane(8, "renamed", exited.clone()),
        });
        awaited.heard(&PaneEvent::Closed { id: PaneId(8) });
        let seen = ours.seen();
        assert_eq!((seen.ended, seen.closed), (Some(exited), true));
    }

    #[test]
    fn whoever_waits_is_told_when_something_may_have_been_missed_and_is_forgotten_when_it_goes() {
        let awaited = Arc::new(Awaited::default());
        let (mut one, two) = (awaited.wait_for("it"), awaited.wait_for("it"));
        one.is(PaneId(3));
        drop(two);
        awaited.heard(&PaneEvent::Lagged);
        assert_eq!(one.seen().missed, 1);
        drop(one);
        let names = awaited.0.lock();
        assert!(names.panes.is_empty() && names.ids.is_empty());
    }
}
