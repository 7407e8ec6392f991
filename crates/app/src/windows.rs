//! Windows: which are open, so that the next start opens them again, and what is to be done in one. All windows of a
//! home live in one process; which tabs each has is its layout, see [`App::load_session`].

use std::fs::File;
use std::io;

use serde::{Deserialize, Serialize};
use specta::Type;
use terminal::PaneId;

use crate::window_state::{json, read};
use crate::wishes::Wish;
use crate::{App, Code, Error, Paths};

const WINDOWS: &str = "session.windows";
/// So many windows that were closed can be brought back.
const CLOSED_KEPT: usize = 10;

/// A window, by a number that it keeps until it is forgotten.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type,
)]
#[serde(transparent)]
pub struct WindowId(pub u32);

impl WindowId {
    /// The window of a home that has had no other.
    pub const FIRST: Self = Self(1);
}

/// What is to be done in a window, as another window or the command line asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum Errand {
    /// Open a terminal.
    Terminal {
        /// Where; none: at home.
        cwd: Option<String>,
    },
    /// Show a pane.
    Pane {
        /// Which.
        pane: PaneId,
        /// What in it is looked for, as the page wrote it.
        found: Option<String>,
    },
    /// Take over a tab of another window.
    Tab {
        /// What it shows, as the page wrote it.
        tab: String,
    },
    /// Nothing but to come to the front.
    Come,
}

/// Which windows there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SavedWindows {
    /// In the order in which they were opened.
    open: Vec<WindowId>,
    /// What can be brought back, the one closed last at the end.
    closed: Vec<WindowId>,
}

impl SavedWindows {
    fn read(kept: Option<String>) -> Self {
        let mut windows: Self = read(kept).unwrap_or_default();
        if windows.open.is_empty() {
            windows.open.push(WindowId::FIRST);
        }
        windows
    }

    /// The lowest number that nobody has.
    fn free(&self) -> WindowId {
        (1..)
            .map(WindowId)
            .find(|id| !self.open.contains(id) && !self.closed.contains(id))
            .expect("there are more numbers than windows")
    }

    fn close(&mut self, id: WindowId, empty: bool) {
        let open = self.open.len();
        self.open.retain(|one| *one != id);
        // The last one is what the next start opens.
        if self.open.is_empty() {
            self.open.push(id);
        } else if self.open.len() < open && !empty {
            self.closed.push(id);
        }
    }

    fn bring_back(&mut self, id: WindowId) {
        let closed = self.closed.len();
        self.closed.retain(|one| *one != id);
        if self.closed.len() < closed {
            self.open.push(id);
        }
    }
}

impl App {
    /// The windows that were open when the last one was closed, or the program ended: at least one.
    pub async fn windows_to_open(&self) -> Vec<WindowId> {
        let kept = self.0.store.get(WINDOWS).await;
        let kept = kept.unwrap_or_else(|error| {
            tracing::warn!("which windows were open is not known: {error}");
            None
        });
        SavedWindows::read(kept).open
    }

    /// A number for a window that is about to be opened, without any tabs.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when it can't be written.
    pub async fn add_window(&self) -> Result<WindowId, Error> {
        let windows = self.change_windows(|windows| {
            let id = windows.free();
            windows.open.push(id);
        });
        let id = windows.await?.open.pop().expect("one was added");
        self.forget_session(id).await?;
        Ok(id)
    }

    /// Notes that a person closed a window while others are open. Its tabs are kept for [`App::reopen_window`], unless it
    /// was `empty`; of more than ten such windows the oldest is forgotten.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when it can't be written.
    pub async fn window_closed(&self, id: WindowId, empty: bool) -> Result<(), Error> {
        let windows = self.change_windows(move |windows| windows.close(id, empty));
        let closed = windows.await?.closed;
        let Some(surplus) = closed.len().checked_sub(CLOSED_KEPT) else {
            return Ok(());
        };
        for forgotten in closed.into_iter().take(surplus) {
            self.forget_session(forgotten).await?;
            let forget = move |windows: &mut SavedWindows| {
                windows.closed.retain(|one| *one != forgotten);
            };
            self.change_windows(forget).await?;
        }
        Ok(())
    }

    /// The window that was closed last, which is open again from now on; none when there is none.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when the database can't be used.
    pub async fn reopen_window(&self) -> Result<Option<WindowId>, Error> {
        let kept = self.0.store.get(WINDOWS).await;
        let kept = kept.map_err(|error| Error::from_chain(Code::Store, &error))?;
        let Some(last) = SavedWindows::read(kept).closed.pop() else {
            return Ok(None);
        };
        self.reopen_windows(vec![last]).await?;
        Ok(Some(last))
    }

    /// Takes back that these windows were closed.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when it can't be written.
    pub async fn reopen_windows(&self, ids: Vec<WindowId>) -> Result<(), Error> {
        let back = move |windows: &mut SavedWindows| {
            ids.into_iter().for_each(|id| windows.bring_back(id));
        };
        self.change_windows(back).await.map(drop)
    }

    async fn change_windows(
        &self,
        change: impl FnOnce(&mut SavedWindows) + Send + 'static,
    ) -> Result<SavedWindows, Error> {
        let changed = self.0.store.change(WINDOWS, move |kept| {
            let mut windows = SavedWindows::read(kept);
            change(&mut windows);
            json(&windows)
        });
        let changed = changed.await;
        let changed = changed.map_err(|error| Error::from_chain(Code::Store, &error))?;
        Ok(SavedWindows::read(Some(changed)))
    }

    /// Leaves the wish for another window, in which something is to be done.
    ///
    /// # Errors
    ///
    /// [`Code::Failed`] when it can't be written.
    pub fn want_window(&self, errand: &Errand) -> Result<(), Error> {
        Wish::Window.leave(self.paths(), errand)
    }

    /// Takes the wish for another window that is there; nobody else gets it.
    pub fn take_wanted_window(&self) -> Option<Errand> {
        Wish::Window.take(self.paths())
    }

    /// Whether a wish for another window waits.
    pub fn window_is_wanted(&self) -> bool {
        Wish::Window.waits(self.paths())
    }
}

/// The right to open the windows of a home; it ends with this, or with the process.
#[derive(Debug)]
pub struct WindowsClaim {
    _lock: File,
}

impl WindowsClaim {
    /// Takes it; none when another process has it.
    ///
    /// # Errors
    ///
    /// When the directory of `paths` can't be written to.
    pub fn take(paths: &Paths) -> io::Result<Option<Self>> {
        let file = paths.runtime().join("windows.lock");
        // Who follows wishes would be woken by each look that is one for writing.
        let lock = match File::open(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&file)?,
            opened => opened?,
        };
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { _lock: lock })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Leaves the wish for another window to the process that has the right to open it.
    ///
    /// # Errors
    ///
    /// [`Code::Failed`] when it can't be written.
    pub fn hand_over(paths: &Paths, errand: &Errand) -> Result<(), Error> {
        Wish::Window.leave(paths, errand)
    }

    /// Takes back what was handed over.
    pub fn take_back(paths: &Paths) {
        let _: Option<Errand> = Wish::Window.take(paths);
    }

    /// Whether the wish that was handed over still waits.
    pub fn is_waiting(paths: &Paths) -> bool {
        Wish::Window.waits(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::opened;

    fn numbers(windows: &[WindowId]) -> Vec<u32> {
        windows.iter().map(|id| id.0).collect()
    }

    #[tokio::test]
    async fn the_next_start_opens_the_windows_that_were_open() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        assert_eq!(numbers(&app.windows_to_open().await), [1]);
        assert_eq!(app.add_window().await, Ok(WindowId(2)));
        assert_eq!(app.add_window().await, Ok(WindowId(3)));
        app.save_session(WindowId(2), "[2]".to_owned())
            .await
            .expect("saved");
        app.window_closed(WindowId(1), false).await.expect("closed");
        app.shutdown().await;
        drop(app);

        let app = opened(home.path()).await;
        assert_eq!(numbers(&app.windows_to_open().await), [2, 3]);
        let two = app.load_session(WindowId(2)).await;
        assert_eq!(two, Ok(Some("[2]".to_owned())));
        assert_eq!(app.load_session(WindowId(3)).await, Ok(None));
        // The last one is closed to end, not to be gone.
        app.window_closed(WindowId(2), false).await.expect("closed");
        app.window_closed(WindowId(3), false).await.expect("closed");
        assert_eq!(numbers(&app.windows_to_open().await), [3]);
    }

    #[tokio::test]
    async fn a_closed_window_comes_back_with_its_tabs_and_a_new_one_has_none() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let two = app.add_window().await.expect("added");
        app.save_session(two, "[2]".to_owned())
            .await
            .expect("saved");
        app.window_closed(two, false).await.expect("closed");
        let three = app.add_window().await.expect("added");
        assert_eq!(three, WindowId(3), "what can come back keeps its number");
        assert_eq!(app.reopen_window().await, Ok(Some(two)));
        let back = app.load_session(two).await;
        assert_eq!(back, Ok(Some("[2]".to_owned())));
        assert_eq!(app.reopen_window().await, Ok(None));
        let empty = app.add_window().await.expect("added");
        app.window_closed(empty, true).await.expect("closed");
        assert_eq!(app.reopen_window().await, Ok(None), "nothing was in it");
        app.window_closed(three, false).await.expect("closed");
        app.reopen_windows(vec![three, WindowId(9)])
            .await
            .expect("back");
        assert_eq!(numbers(&app.windows_to_open().await), [1, 2, 3]);
    }

    #[tokio::test]
    async fn of_many_closed_windows_the_oldest_is_forgotten_with_its_tabs() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        for number in 2..=12 {
            let id = app.add_window().await.expect("added");
            assert_eq!(id, WindowId(number));
            app.save_session(id, format!("[{number}]"))
                .await
                .expect("saved");
            app.window_closed(id, false).await.expect("closed");
        }
        assert_eq!(app.load_session(WindowId(2)).await, Ok(None));
        let third = app.load_session(WindowId(3)).await;
        assert_eq!(third, Ok(Some("[3]".to_owned())));
        assert_eq!(app.add_window().await, Ok(WindowId(2)));
    }

    #[tokio::test]
    async fn one_process_has_the_windows_and_others_hand_it_their_wish() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let app = opened(home.path()).await;
        let claim = WindowsClaim::take(app.paths()).expect("a lock");
        assert!(claim.is_some());
        let other = WindowsClaim::take(app.paths()).expect("a lock");
        assert!(other.is_none());
        let errand = Errand::Terminal {
            cwd: Some("/repo".to_owned()),
        };
        WindowsClaim::hand_over(app.paths(), &errand).expect("left");
        assert!(app.window_is_wanted());
        assert_eq!(app.take_wanted_window(), Some(errand));
        assert_eq!(app.take_wanted_window(), None);
        drop(claim);
        assert!(WindowsClaim::take(app.paths()).expect("a lock").is_some());
    }
}
