//! What somebody outside of the windows wants of them: left as a file, and taken by who can do it, once.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config_file::ConfigWatch;
use crate::{App, Code, Error, Paths, whole_file};

/// What can be wanted of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// That it shows a layout.
    Layout,
    /// That there is another window.
    Window,
}

impl Wish {
    const ALL: [Self; 2] = [Self::Layout, Self::Window];

    fn file(self, paths: &Paths) -> PathBuf {
        paths.runtime().join(match self {
            Self::Layout => "layout.wish",
            Self::Window => "window.wish",
        })
    }

    /// Leaves it, in the place of one of the same kind that nobody has taken.
    pub(crate) fn leave(self, paths: &Paths, what: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(what).expect("texts and numbers are always JSON");
        let file = self.file(paths);
        whole_file::write(&file, &text).map_err(|error| {
            let message = format!("could not write `{}`: {error}", file.display());
            Error::new(Code::Failed, message)
        })
    }

    /// Takes the one that is there; nobody else gets it.
    pub(crate) fn take<T: DeserializeOwned>(self, paths: &Paths) -> Option<T> {
        let file = self.file(paths);
        let ours = file.with_extension(format!("{}.taken", std::process::id()));
        fs::rename(&file, &ours).ok()?;
        let text = fs::read_to_string(&ours);
        let _ = fs::remove_file(&ours);
        serde_json::from_str(&text.ok()?).ok()
    }

    /// Whether one waits to be taken.
    pub(crate) fn waits(self, paths: &Paths) -> bool {
        self.file(paths).exists()
    }
}

impl App {
    /// Calls `told` whenever a wish has come, until [`App::shutdown`].
    ///
    /// # Errors
    ///
    /// When the directory can't be watched.
    pub fn follow_wishes(&self, told: impl Fn(Wish) + Send + 'static) -> io::Result<()> {
        let mut watch = ConfigWatch::new(self.paths().runtime()).map_err(io::Error::other)?;
        let paths = self.paths().clone();
        self.spawn(async move {
            while watch.changed().await.is_some() {
                Wish::ALL
                    .into_iter()
                    .filter(|wish| wish.waits(&paths))
                    .for_each(&told);
            }
        });
        Ok(())
    }
}
