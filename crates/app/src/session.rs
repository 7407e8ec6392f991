//! The session: the tabs, panes and directories that each window restores at launch.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{App, Code, Error, WindowId};

/// Under which key the layout of a window is kept.
fn layout_of(window: WindowId) -> String {
    match window {
        WindowId::FIRST => "session.layout".to_owned(),
        WindowId(number) => format!("session.layout.{number}"),
    }
}

/// A layout is some kilobytes; what is larger is a mistake.
const LAYOUT_LIMIT: usize = 4 << 20;

impl App {
    /// The layout that a window saved last, as it wrote it.
    ///
    /// # Errors
    ///
    /// [`Code::Store`] when the database can't be read.
    pub async fn load_session(&self, window: WindowId) -> Result<Option<String>, Error> {
        self.0
            .store
            .get(&layout_of(window))
            .await
            .map_err(|error| Error::from_chain(Code::Store, &error))
    }

    /// Keeps the layout of a window for the next start.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when `json` is no JSON or larger than 4 MiB, [`Code::Store`] when it
    /// can't be written.
    pub async fn save_session(&self, window: WindowId, json: String) -> Result<(), Error> {
        if json.len() > LAYOUT_LIMIT {
            return Err(Error::new(
                Code::BadParams,
                format!(
                    "`json` has {} bytes, at most {LAYOUT_LIMIT} are kept",
                    json.len()
                ),
            ));
        }
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&json) {
            return Err(Error::new(
                Code::BadParams,
                format!("`json` is not JSON: {error}"),
            ));
        }
        self.0
            .store
            .put(&layout_of(window), &json)
            .await
            .map_err(|error| Error::from_chain(Code::Store, &error))
    }

    /// Forgets the layout of a window.
    pub(crate) async fn forget_session(&self, window: WindowId) -> Result<(), Error> {
        let forgotten = self.0.store.remove(&layout_of(window)).await;
        forgotten
            .map(drop)
            .map_err(|error| Error::from_chain(Code::Store, &error))
    }

    /// Saves `text` as a new file in the person's downloads directory and returns its path.
    ///
    /// # Errors
    ///
    /// [`Code::BadParams`] when `name` is not a plain file name, [`Code::Failed`] when the file
    /// can't be written.
    pub async fn save_text(&self, name: &str, text: String) -> Result<String, Error> {
        self.save_file(name, text.into_bytes()).await
    }

    /// Saves `bytes` as [`App::save_text`] saves text.
    ///
    /// # Errors
    ///
    /// As [`App::save_text`].
    pub async fn save_file(&self, name: &str, bytes: Vec<u8>) -> Result<String, Error> {
        let directory = directories::UserDirs::new()
            .and_then(|dirs| dirs.download_dir().map(Path::to_owned))
            .filter(|dir| dir.is_dir())
            .or_else(|| std::env::var_os("HOME").map(PathBuf::from))
            .unwrap_or_else(|| self.0.paths.data().to_owned());
        let name = plain_name(name)?;
        tokio::task::spawn_blocking(move || write_new(&directory, &name, &bytes))
            .await
            .map_err(|error| Error::new(Code::Failed, error.to_string()))?
    }
}

/// Checks that `name` names a file in a directory, not a way out of it.
fn plain_name(name: &str) -> Result<String, Error> {
    let plain = Path::new(name).file_name().and_then(|name| name.to_str());
    match plain {
        Some(plain) if plain == name && !name.starts_with('.') => Ok(plain.to_owned()),
        _ => Err(Error::new(
            Code::BadParams,
            format!("`name` is `{name}`, but must be a file name without a directory"),
        )),
    }
}

/// Writes a file that was not there before: `name`, else `name-2`, `name-3` and so on.
fn write_new(directory: &Path, name: &str, bytes: &[u8]) -> Result<String, Error> {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "txt"));
    for number in 1..1000 {
        let path = match number {
            1 => directory.join(format!("{stem}.{extension}")),
            _ => directory.join(format!("{stem}-{number}.{extension}")),
        };
        let failed = |error: std::io::Error| {
            Error::new(
                Code::Failed,
                format!("`{}` was not written: {error}", path.display()),
            )
        };
        match std::fs::File::create_new(&path) {
            Ok(mut file) => {
                file.write_all(bytes).map_err(failed)?;
                return Ok(path.display().to_string());
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(Error::new(
        Code::Refused,
        format!(
            "`{}` holds a thousand files named `{name}`",
            directory.display()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_file_never_replaces_another() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let first = write_new(directory.path(), "pane 3.txt", b"one").expect("written");
        let second = write_new(directory.path(), "pane 3.txt", b"two").expect("written");
        assert!(second.ends_with("pane 3-2.txt"), "{second}");
        assert_eq!(std::fs::read_to_string(first).expect("readable"), "one");
    }

    #[test]
    fn a_name_with_a_directory_is_refused() {
        for name in ["../x", "/etc/x", "a/b", "", ".", "..", ".profile"] {
            assert!(plain_name(name).is_err(), "{name}");
        }
        assert!(plain_name("pane 3.txt").is_ok());
    }
}
