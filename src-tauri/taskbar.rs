//! How far programs are, on the icon in the taskbar: what panes tell by OSC 9;4, together. The only file that names gio.
//!
//! Docks and taskbars (KDE, Dash to Dock, Plank, Unity) listen to one signal of the session's bus. GNOME without an extension
//! shows nothing.

use std::collections::{BTreeMap, HashMap};

use gio::glib::variant::ToVariant as _;
use terminal::{PaneEvent, PaneId, PaneInfo, Progress, ProgressState};

/// The desktop file of the package, as a taskbar calls it.
const DESKTOP_FILE: &str = "application://Switchyard.desktop";

/// What the icon shows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Shown {
    /// How much is done, from 0 to 1.
    done: Option<f64>,
    /// Something went wrong.
    urgent: bool,
}

/// The progress of all panes, and what the taskbar was told of it.
#[derive(Debug, Default)]
pub(crate) struct Taskbar {
    panes: BTreeMap<PaneId, Progress>,
    told: Shown,
    bus: Option<gio::DBusConnection>,
}

impl Taskbar {
    /// Shows what is other since something happened to a pane.
    pub(crate) fn follow(&mut self, event: &PaneEvent) {
        match event {
            PaneEvent::Opened { pane } | PaneEvent::Changed { pane } => self.note(pane),
            PaneEvent::Closed { id } => {
                self.panes.remove(id);
            }
            PaneEvent::Notified { .. }
            | PaneEvent::ClipboardWrite { .. }
            | PaneEvent::Warned { .. }
            | PaneEvent::Lagged => return,
        }
        self.show();
    }

    /// Shows how all panes are, after something was missed.
    pub(crate) fn begin_anew(&mut self, panes: &[PaneInfo]) {
        self.panes.clear();
        for pane in panes {
            self.note(pane);
        }
        self.show();
    }

    fn note(&mut self, pane: &PaneInfo) {
        match pane.progress {
            Some(progress) => self.panes.insert(pane.id, progress),
            None => self.panes.remove(&pane.id),
        };
    }

    fn show(&mut self) {
        let shown = shown(self.panes.values());
        if shown == self.told {
            return;
        }
        self.told = shown;
        if let Err(error) = self.tell(shown) {
            tracing::debug!("the taskbar was not told: {error}");
        }
    }

    fn tell(&mut self, Shown { done, urgent }: Shown) -> Result<(), gio::glib::Error> {
        let bus = match &mut self.bus {
            Some(bus) => bus,
            none => none.insert(gio::bus_get_sync(
                gio::BusType::Session,
                gio::Cancellable::NONE,
            )?),
        };
        let properties = HashMap::from([
            ("progress", done.unwrap_or(0.0).to_variant()),
            ("progress-visible", done.is_some().to_variant()),
            ("urgent", urgent.to_variant()),
        ]);
        bus.emit_signal(
            None,
            "/com/canonical/unity/launcherentry/switchyard",
            "com.canonical.Unity.LauncherEntry",
            "Update",
            Some(&(DESKTOP_FILE, properties).to_variant()),
        )
    }
}

/// What one icon shows of many: the mean of what says how far it is, and whether anything went wrong.
fn shown<'a>(all: impl Iterator<Item = &'a Progress>) -> Shown {
    let mut urgent = false;
    let (mut sum, mut count) = (0.0, 0.0);
    for progress in all {
        urgent |= progress.state == ProgressState::Failed;
        if let Some(percent) = progress.percent {
            sum += f64::from(percent) / 100.0;
            count += 1.0;
        }
    }
    Shown {
        done: (count > 0.0).then(|| sum / count),
        urgent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the icon shows of panes that are so far.
    fn icon(all: &[(ProgressState, Option<u8>)]) -> String {
        let all: Vec<_> = all
            .iter()
            .map(|&(state, percent)| Progress { state, percent })
            .collect();
        let Shown { done, urgent } = shown(all.iter());
        let done = done.map_or("nothing".into(), |done| format!("{done:.2}"));
        format!("{done}{}", if urgent { ", urgent" } else { "" })
    }

    #[test]
    fn one_icon_shows_how_far_all_panes_are() {
        use ProgressState::{Failed, Paused, Running};
        assert_eq!(icon(&[]), "nothing");
        assert_eq!(icon(&[(Running, None)]), "nothing");
        assert_eq!(icon(&[(Running, Some(40))]), "0.40");
        assert_eq!(
            icon(&[(Running, Some(40)), (Paused, Some(80)), (Running, None)]),
            "0.60"
        );
        assert_eq!(icon(&[(Running, Some(40)), (Failed, None)]), "0.40, urgent");
    }
}
