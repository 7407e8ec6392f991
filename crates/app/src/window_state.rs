//! How a person left the window, apart from its tabs: kept with everything else, so that another home knows nothing of
//! it and what is removed is gone. The page's own storage keeps nothing. Losing any of it costs little.

use serde::{Deserialize, Serialize};
use specta::Type;
use terminal::PaneId;
use terminal::ask::Purge;

use crate::{App, Code, Error};

const SEARCHES: &str = "window.searches";
const FOLDERS: &str = "window.folders";
const FRAME: &str = "window.frame";
const DRAWING: &str = "window.drawing";

/// So many patterns are offered again.
const SEARCHES_KEPT: usize = 30;
/// So many folders are offered again.
const FOLDERS_KEPT: usize = 20;
/// No path is longer.
const FOLDER_LIMIT: usize = 4 << 10;
/// Nobody goes back to a longer pattern with the arrow keys.
const SEARCH_LIMIT: usize = 4 << 10;
/// So many things stay folded, those that were folded last.
const FOLDED_KEPT: usize = 1_000;

/// How a person left the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
pub struct WindowState {
    /// The patterns that were searched for, newest first.
    pub searches: Vec<String>,
    /// The folders that were opened, newest first.
    pub folders: Vec<String>,
    /// What is around the tabs; none: as it is in a new window.
    pub frame: Option<FrameState>,
    /// What was measured of drawing; none: nothing yet.
    pub drawing: Option<MeasuredDrawing>,
}

/// What is around the tabs: what is open, and how wide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct FrameState {
    /// Whether the sidebar is open.
    pub sidebar: bool,
    /// Its width in pixels.
    pub sidebar_width: u32,
    /// The width of the right side in pixels.
    pub aside_width: u32,
    /// The repositories and worktrees that are folded in the sidebar, by their ids there.
    pub collapsed: Vec<String>,
}

/// What draws panes best on this machine, as it was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct MeasuredDrawing {
    /// The name of the graphics device that it was measured with: another one is measured anew.
    pub device: String,
    /// What draws from then on.
    pub drawn_by: DrawnBy,
}

/// What draws panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DrawnBy {
    /// The graphics device.
    Webgl,
    /// The page.
    Dom,
}

impl App {
    /// How a person left the window. What another version kept and this one can't read is as if nobody had kept it.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when the database can't be read.
    pub async fn window_state(&self) -> Result<WindowState, Error> {
        Ok(WindowState {
            searches: self.read_kept(SEARCHES).await?.unwrap_or_default(),
            folders: self.read_kept(FOLDERS).await?.unwrap_or_default(),
            frame: self.read_kept(FRAME).await?,
            drawing: self.read_kept(DRAWING).await?,
        })
    }

    /// Keeps a pattern that a person searched for, and returns all that are kept, newest first: at most 30, each once.
    /// An empty one, and one of more than 4 KiB, is not kept.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when it can't be written.
    pub async fn remember_search(&self, pattern: String) -> Result<Vec<String>, Error> {
        self.remember(SEARCHES, pattern, SEARCHES_KEPT, SEARCH_LIMIT)
            .await
    }

    /// Keeps a folder that a person opened, and returns all that are kept, newest first: at most 20, each once.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when it can't be written.
    pub async fn remember_folder(&self, path: String) -> Result<Vec<String>, Error> {
        self.remember(FOLDERS, path, FOLDERS_KEPT, FOLDER_LIMIT)
            .await
    }

    /// Puts `one` before what is kept under `key`; what is empty or longer than `limit` is not kept.
    async fn remember(
        &self,
        key: &str,
        one: String,
        most: usize,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let kept = self.0.store.change(key, move |kept| {
            json(&with_newest(read(kept), one, most, limit))
        });
        let kept = kept.await;
        let kept = kept.map_err(|error| Error::from_chain(Code::Store, &error))?;
        Ok(read(Some(kept)).unwrap_or_default())
    }

    /// Keeps what is around the tabs for the next start.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when it can't be written.
    pub async fn save_frame(&self, mut frame: FrameState) -> Result<(), Error> {
        let surplus = frame.collapsed.len().saturating_sub(FOLDED_KEPT);
        frame.collapsed.drain(..surplus);
        self.write_kept(FRAME, &frame).await
    }

    /// Keeps what was measured of drawing.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when it can't be written.
    pub async fn save_drawing(&self, drawing: MeasuredDrawing) -> Result<(), Error> {
        self.write_kept(DRAWING, &drawing).await
    }

    /// Removes what panes printed from disk, at once: of one pane, or of all; with all of it go the patterns that were
    /// searched for in it.
    ///
    /// # Errors
    ///
    /// [`Code::HostDown`]; [`Code::Failed`] for a file that can't be removed, [`Code::Store`].
    pub async fn purge_history(&self, pane: Option<PaneId>) -> Result<(), Error> {
        let purged = self.ask(Purge(pane)).await;
        // On a full disk nothing can be written, and mostly nothing has to be.
        if pane.is_none() {
            let failed = |error| Error::from_chain(Code::Store, &error);
            if self.0.store.get(SEARCHES).await.map_err(failed)?.is_some() {
                self.0.store.remove(SEARCHES).await.map_err(failed)?;
            }
        }
        purged
    }

    /// What is kept under `key`. What another version kept and this one can't read is as if nobody had kept it.
    pub(crate) async fn read_kept<T: serde::de::DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<T>, Error> {
        let kept = self.0.store.get(key).await;
        Ok(read(
            kept.map_err(|error| Error::from_chain(Code::Store, &error))?,
        ))
    }

    async fn write_kept(&self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        let kept = self.0.store.put(key, &json(value)).await;
        kept.map_err(|error| Error::from_chain(Code::Store, &error))
    }
}

fn with_newest(kept: Option<Vec<String>>, one: String, most: usize, limit: usize) -> Vec<String> {
    let mut all = kept.unwrap_or_default();
    if !one.is_empty() && one.len() <= limit {
        all.retain(|other| *other != one);
        all.insert(0, one);
        all.truncate(most);
    }
    all
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(kept: Option<String>) -> Option<T> {
    serde_json::from_str(&kept?).ok()
}

pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Paths;
    use crate::testing::opened;

    #[tokio::test]
    async fn a_window_is_as_it_was_left_and_another_home_knows_nothing_of_it() {
        let (one, other) = (home(), home());
        let frame = FrameState {
            sidebar: false,
            sidebar_width: 300,
            aside_width: 500,
            collapsed: vec!["/repo".to_owned()],
        };
        let drawing = MeasuredDrawing {
            device: "llvmpipe".to_owned(),
            drawn_by: DrawnBy::Dom,
        };
        let app = opened(one.path()).await;
        assert_eq!(app.window_state().await, Ok(WindowState::default()));
        app.save_frame(frame.clone()).await.expect("kept");
        app.save_drawing(drawing.clone()).await.expect("kept");
        app.remember_search("error".to_owned()).await.expect("kept");
        for folder in ["/repo", "/other", "/repo"] {
            app.remember_folder(folder.to_owned()).await.expect("kept");
        }
        app.shutdown().await;
        drop(app);

        let again = opened(one.path()).await;
        let state = again.window_state().await.expect("read");
        assert_eq!(state.searches, ["error"]);
        assert_eq!(state.folders, ["/repo", "/other"]);
        assert_eq!((state.frame, state.drawing), (Some(frame), Some(drawing)));
        let stranger = opened(other.path()).await;
        assert_eq!(stranger.window_state().await, Ok(WindowState::default()));
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_as_if_nobody_had_kept_it() {
        let home = home();
        let app = opened(home.path()).await;
        for (key, value) in [
            (SEARCHES, "{"),
            (FOLDERS, "{}"),
            (FRAME, "[1]"),
            (DRAWING, r#"{"device":3}"#),
        ] {
            app.0.store.put(key, value).await.expect("written");
        }
        assert_eq!(app.window_state().await, Ok(WindowState::default()));
        assert_eq!(
            app.remember_search("a".to_owned()).await,
            Ok(vec!["a".to_owned()])
        );
    }

    #[tokio::test]
    async fn a_database_that_can_t_be_opened_is_told_of_and_read_as_it_is() {
        let home = home();
        let app = opened(home.path()).await;
        app.remember_search("before".to_owned())
            .await
            .expect("kept");
        assert_eq!(app.notices().await.expect("opened").others, [""; 0]);
        app.shutdown().await;
        drop(app);
        // What SQLite wants to make beside the file, as on a full disk, it can't.
        let in_the_way = Paths::below(home.path())
            .database()
            .with_extension("db-shm");
        std::fs::create_dir(&in_the_way).expect("made");
        let app = opened(home.path()).await;
        let notices = app.notices().await.expect("it passes").others;
        assert!(
            notices[0].contains("the database can't be used: could not use")
                && notices[0].contains("Terminals work all the same"),
            "{notices:?}"
        );
        let searches = || async { app.window_state().await.map(|state| state.searches) };
        assert_eq!(searches().await, Ok(vec!["before".to_owned()]));
        let refused = app.remember_search("lost".to_owned()).await;
        assert_eq!(refused.expect_err("not kept").code, Code::Store);
        std::fs::remove_dir(&in_the_way).expect("removed");
        app.remember_search("after".to_owned()).await.expect("kept");
        assert_eq!(
            searches().await,
            Ok(vec!["after".to_owned(), "before".to_owned()])
        );
        app.shutdown().await;
    }

    #[tokio::test]
    async fn searches_go_with_the_whole_history_and_not_with_one_pane() {
        let home = home();
        let app = opened(home.path()).await;
        app.remember_search("my password".to_owned())
            .await
            .expect("kept");
        app.purge_history(Some(PaneId(1))).await.expect("purged");
        assert_eq!(
            app.window_state().await.map(|state| state.searches.len()),
            Ok(1)
        );
        app.purge_history(None).await.expect("purged");
        assert_eq!(app.window_state().await, Ok(WindowState::default()));
        // A window that still shows the earlier ones brings none of them back.
        assert_eq!(
            app.remember_search("next".to_owned()).await,
            Ok(vec!["next".to_owned()])
        );
    }

    #[test]
    fn the_newest_searches_are_kept_each_once() {
        let with_search = |kept, one| with_newest(kept, one, SEARCHES_KEPT, SEARCH_LIMIT);
        let kept = |searches: &[&str]| Some(searches.iter().map(|one| (*one).to_owned()).collect());
        assert_eq!(with_search(None, "a".to_owned()), ["a"]);
        assert_eq!(
            with_search(kept(&["a", "b", "c"]), "c".to_owned()),
            ["c", "a", "b"]
        );
        assert_eq!(with_search(kept(&["a"]), String::new()), ["a"]);
        assert_eq!(
            with_search(kept(&["a"]), "x".repeat(SEARCH_LIMIT + 1)),
            ["a"]
        );
        let many = (0..100).fold(None, |kept, number| {
            Some(with_search(kept, number.to_string()))
        });
        let many = many.expect("some were kept");
        assert_eq!((many.len(), many[0].as_str()), (SEARCHES_KEPT, "99"));
    }

    #[tokio::test]
    async fn of_what_is_folded_the_last_is_kept() {
        let home = home();
        let app = opened(home.path()).await;
        let frame = FrameState {
            sidebar: true,
            sidebar_width: 232,
            aside_width: 400,
            collapsed: (0..=FOLDED_KEPT).map(|number| number.to_string()).collect(),
        };
        app.save_frame(frame).await.expect("kept");
        let frame = app.window_state().await.expect("read").frame.expect("kept");
        assert_eq!(
            (frame.collapsed.len(), frame.collapsed[0].as_str()),
            (FOLDED_KEPT, "1")
        );
    }

    fn home() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary directory")
    }
}
