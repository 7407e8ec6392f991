//! Notices when a person saves `settings.json` or `keys.json`. The only file of this room that names notify.

use std::path::Path;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Editors save by several operations (write, rename, chmod): one save is told once.
const SETTLE: Duration = Duration::from_millis(60);

/// Watches the files of a directory; dropping it ends the watch.
pub(crate) struct ConfigWatch {
    watcher: notify::RecommendedWatcher,
    changes: mpsc::Receiver<()>,
}

impl ConfigWatch {
    /// Watches `directory`, not what is below it.
    pub(crate) fn new(directory: &Path) -> notify::Result<Self> {
        // One waiting message is enough: it says "read again", not what changed.
        let (sender, changes) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(
            move |event: notify::Result<notify::Event>| {
                let read_only = matches!(
                    event,
                    Ok(notify::Event { kind: notify::EventKind::Access(access), .. })
                        if access != notify::event::AccessKind::Close(notify::event::AccessMode::Write)
                );
                if !read_only {
                    let _ = sender.try_send(());
                }
            },
        )?;
        watcher.watch(directory, RecursiveMode::NonRecursive)?;
        Ok(Self { watcher, changes })
    }

    /// Watches another directory as well.
    pub(crate) fn and(mut self, directory: &Path) -> notify::Result<Self> {
        self.watcher.watch(directory, RecursiveMode::NonRecursive)?;
        Ok(self)
    }

    /// Waits until something was saved and has settled.
    pub(crate) async fn changed(&mut self) -> Option<()> {
        self.changes.recv().await?;
        while let Ok(Some(())) = tokio::time::timeout(SETTLE, self.changes.recv()).await {}
        Some(())
    }
}
