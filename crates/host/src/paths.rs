//! Where a host and its clients meet: the socket, the lock, and the note that says who serves.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The longest path that a Unix socket can have, in bytes, on every system we run on.
const LONGEST_SOCKET_PATH: usize = 103;

/// The directory in which a host listens, and the one in which it keeps its lock, its note and its log.
///
/// The two are apart because the first may go while the host runs: a runtime directory is removed
/// when its user logs out, and made anew at the next login. The lock must outlive that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPaths {
    runtime: PathBuf,
    state: PathBuf,
}

/// Who serves: the note that a host leaves beside its socket, readable whatever protocol it speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFile {
    /// The host's process id.
    pub pid: u32,
    /// When it began to serve, in milliseconds since 1970.
    pub started_at: u64,
    /// The version of the program.
    pub version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u32,
}

impl HostPaths {
    /// A host that listens in `runtime` and keeps the rest in `state`, which must last.
    pub fn new(runtime: impl Into<PathBuf>, state: impl Into<PathBuf>) -> Self {
        Self {
            runtime: runtime.into(),
            state: state.into(),
        }
    }

    /// The socket that clients connect to.
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("host.sock")
    }

    /// What a host that was started in the background has to say.
    pub fn log(&self) -> PathBuf {
        self.state.join("host.log")
    }

    /// The note that the running host left, if there is one that can be read.
    pub fn note(&self) -> Option<HostFile> {
        let text = std::fs::read(self.note_path()).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn note_path(&self) -> PathBuf {
        self.state.join("host.json")
    }

    /// Makes sure that the directories are there, ours, and closed to everyone else; and that the
    /// socket's path is one that the system accepts.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let socket = self.socket();
        let length = socket.as_os_str().len();
        if length > LONGEST_SOCKET_PATH {
            return Err(io::Error::new(
                io::ErrorKind::InvalidFilename,
                format!(
                    "the socket's path `{}` has {length} bytes and may have {LONGEST_SOCKET_PATH}: \
                     choose a shorter runtime directory",
                    socket.display()
                ),
            ));
        }
        private(&self.state)?;
        private(&self.runtime)
    }

    /// Takes the lock that one host at a time can hold; `None` when another holds it.
    ///
    /// The lock goes with the process, however it ends, so there is never a stale one.
    pub(crate) fn lock(&self) -> io::Result<Option<File>> {
        let path = self.state.join("host.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| named(error, "could not open", &path))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(named(error.into(), "could not lock", &path)),
        }
    }

    /// Leaves the note, in one step, so that nobody reads half of it.
    pub(crate) fn write_note(&self, note: &HostFile) -> io::Result<()> {
        let path = self.note_path();
        let draft = path.with_extension("json.new");
        let write = || {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(&serde_json::to_vec(note)?)?;
            std::fs::rename(&draft, &path)
        };
        write().map_err(|error| named(error, "could not write", &path))
    }

    /// Removes socket and note. Only for the holder of the lock.
    pub(crate) fn remove(&self) {
        for path in [self.socket(), self.note_path()] {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "could not remove");
            }
        }
    }

    /// Opens the log for a host that starts, emptied when it has grown beyond a megabyte.
    pub(crate) fn open_log(&self) -> io::Result<File> {
        let log = self.log();
        let grown = std::fs::metadata(&log).is_ok_and(|about| about.len() > 1 << 20);
        if grown {
            let _ = std::fs::rename(&log, log.with_extension("log.old"));
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&log)
            .map_err(|error| named(error, "could not open", &log))
    }

    /// What the log gained since it had `from` bytes, a few lines at most; empty if nothing can be read.
    pub(crate) fn log_since(&self, from: u64) -> String {
        use std::io::Seek as _;
        let mut text = Vec::new();
        let read = File::open(self.log()).and_then(|mut file| {
            file.seek(io::SeekFrom::Start(from))?;
            file.take(64 * 1024).read_to_end(&mut text)
        });
        if read.is_err() {
            return String::new();
        }
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(5)..].join("; ")
    }
}

/// Makes sure that a directory is there, ours, and closed to everyone else.
fn private(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| named(error, "could not create", directory))?;
    let about = std::fs::metadata(directory)
        .map_err(|error| named(error, "could not look at", directory))?;
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "the directory `{}` belongs to another user",
                directory.display()
            ),
        ));
    }
    if about.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(directory, Permissions::from_mode(0o700))
            .map_err(|error| named(error, "could not close to others", directory))?;
    }
    Ok(())
}

fn named(error: io::Error, what: &str, path: &Path) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("{what} `{}`: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_open_to_others_is_closed() {
        let home = tempfile::tempdir().unwrap();
        let runtime = home.path().join("run");
        std::fs::create_dir(&runtime).unwrap();
        std::fs::set_permissions(&runtime, Permissions::from_mode(0o755)).unwrap();
        HostPaths::new(&runtime, home.path()).prepare().unwrap();
        let mode = std::fs::metadata(&runtime).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_refused_with_its_length() {
        let runtime = PathBuf::from("/tmp").join("x".repeat(120));
        let error = HostPaths::new(&runtime, "/tmp").prepare().unwrap_err();
        assert!(
            error.to_string().contains("has 135 bytes and may have 103"),
            "{error}"
        );
        assert!(!runtime.exists());
    }

    #[test]
    fn the_lock_is_given_once_and_again_when_its_holder_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let paths = HostPaths::new(home.path(), home.path());
        let held = paths.lock().unwrap();
        assert!(held.is_some());
        assert!(paths.lock().unwrap().is_none());
        drop(held);
        assert!(paths.lock().unwrap().is_some());
    }

    #[test]
    fn a_note_is_read_back_and_half_a_note_is_none() {
        let home = tempfile::tempdir().unwrap();
        let paths = HostPaths::new(home.path(), home.path());
        assert_eq!(paths.note(), None);
        let note = HostFile {
            pid: 7,
            started_at: 5,
            version: "1.2.3".into(),
            protocol: 1,
        };
        paths.write_note(&note).unwrap();
        assert_eq!(paths.note(), Some(note));
        std::fs::write(home.path().join("host.json"), b"{\"pid\": 7").unwrap();
        assert_eq!(paths.note(), None);
    }
}
