//! Where things are kept: data, configuration, and what only lives while the host runs.

use std::io;
use std::path::{Path, PathBuf};

/// The directories and files of one user's Switchyard.
///
/// With `SWITCHYARD_HOME` set, all of it lives below that directory; otherwise where the XDG base
/// directory specification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    data: PathBuf,
    config: PathBuf,
    runtime: PathBuf,
    /// Below which agents keep their transcripts; none: nobody knows.
    transcripts: Option<PathBuf>,
}

impl Paths {
    /// Finds the directories of the current user.
    ///
    /// # Errors
    ///
    /// When there is no home directory to put them into.
    pub fn of_user() -> io::Result<Self> {
        if let Some(home) = std::env::var_os("SWITCHYARD_HOME").filter(|home| !home.is_empty()) {
            let mut paths = Self::below(home);
            paths.transcripts = std::env::home_dir();
            return Ok(paths);
        }
        let dirs =
            directories::ProjectDirs::from("dev", "switchyard", "switchyard").ok_or_else(|| {
                io::Error::other("there is no home directory: set `HOME` or `SWITCHYARD_HOME`")
            })?;
        let data = dirs.data_dir().to_owned();
        Ok(Self {
            runtime: dirs
                .runtime_dir()
                .map_or_else(|| data.join("run"), Path::to_owned),
            config: dirs.config_dir().to_owned(),
            data,
            transcripts: std::env::home_dir(),
        })
    }

    /// Puts everything below one directory.
    pub fn below(home: impl Into<PathBuf>) -> Self {
        let home = home.into();
        Self {
            data: home.join("data"),
            config: home.join("config"),
            runtime: home.join("run"),
            transcripts: None,
        }
    }

    /// With the transcripts of agents below this home directory.
    #[must_use]
    pub fn with_transcripts(mut self, home: impl Into<PathBuf>) -> Self {
        self.transcripts = Some(home.into());
        self
    }

    /// Where agents keep their transcripts.
    pub(crate) fn transcripts(&self) -> Option<transcripts::Places> {
        let home = self.transcripts.as_deref()?;
        Some(transcripts::Places::new(home, |name| {
            std::env::var_os(name).map(PathBuf::from)
        }))
    }

    /// Creates the directories that are missing, for their owner only.
    ///
    /// # Errors
    ///
    /// When one can't be created; the error names it.
    pub fn create(&self) -> io::Result<()> {
        for directory in [&self.data, &self.config, &self.themes(), &self.runtime] {
            create_private(directory).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("could not create `{}`: {error}", directory.display()),
                )
            })?;
        }
        Ok(())
    }

    /// What is kept: the database, the history, outputs.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The history of every pane.
    pub fn history(&self) -> PathBuf {
        self.data.join("history")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("switchyard.db")
    }

    /// What the web view keeps for itself, whatever that is: nothing of ours.
    pub fn webview(&self) -> PathBuf {
        self.data.join("webview")
    }

    /// Where `settings.json` and `keys.json` are.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The settings that a person edits.
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.json")
    }

    /// The hosts and programs that drive agents, as a person writes them.
    pub fn agents_file(&self) -> PathBuf {
        self.config().join("agents.json")
    }

    /// The other machines, as a person writes them.
    pub fn machines_file(&self) -> PathBuf {
        self.config().join("machines.json")
    }

    /// Where programs for other systems lie, which are put on machines of those.
    pub fn programs(&self) -> PathBuf {
        self.data.join("programs")
    }

    /// The keys that a person edits.
    pub fn keys_file(&self) -> PathBuf {
        self.config.join("keys.json")
    }

    /// Where the themes are that a person made or imported, a file each.
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }

    /// Where the personas are that a person made for all repositories, a file each.
    pub fn personas(&self) -> PathBuf {
        self.config.join("personas")
    }

    /// Where the host's socket is.
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }
}

fn create_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_lives_below_a_home_that_was_named() {
        let paths = Paths::below("/somewhere");
        assert_eq!(paths.database(), Path::new("/somewhere/data/switchyard.db"));
        assert_eq!(
            paths.settings_file(),
            Path::new("/somewhere/config/settings.json")
        );
        assert_eq!(paths.runtime(), Path::new("/somewhere/run"));
    }

    #[test]
    fn directories_are_for_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::below(home.path().join("deep/er"));
        paths.create().expect("created");
        paths.create().expect("created again, without complaint");
        for directory in [paths.data(), paths.config(), paths.runtime()] {
            let mode = std::fs::metadata(directory)
                .expect("it exists")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700, "{}", directory.display());
        }
    }
}
