//! The system's clipboard. The only file that names arboard.

use std::sync::Mutex;

use app::{Code, Error};

/// The clipboard, opened when it is first needed and kept: on X11 its owner must live for others to paste.
#[derive(Default)]
pub(crate) struct Clipboard(Mutex<Option<arboard::Clipboard>>);

impl Clipboard {
    /// The text on the clipboard; empty when it holds none.
    pub(crate) fn read(&self) -> Result<String, Error> {
        self.with(|clipboard| match clipboard.get_text() {
            Err(arboard::Error::ContentNotAvailable) => Ok(String::new()),
            other => other,
        })
    }

    /// Puts `text` on the clipboard.
    pub(crate) fn write(&self, text: String) -> Result<(), Error> {
        self.with(|clipboard| clipboard.set_text(text))
    }

    fn with<T>(
        &self,
        act: impl FnOnce(&mut arboard::Clipboard) -> Result<T, arboard::Error>,
    ) -> Result<T, Error> {
        let mut slot = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        let failed = |error: arboard::Error| {
            Error::new(
                Code::Failed,
                format!("the clipboard can't be used: {error}"),
            )
        };
        let clipboard = match &mut *slot {
            Some(clipboard) => clipboard,
            none => none.insert(arboard::Clipboard::new().map_err(failed)?),
        };
        act(clipboard).map_err(failed)
    }
}
