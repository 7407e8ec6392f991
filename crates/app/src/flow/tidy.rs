//! What runs leave on disk beside the journal: a directory per run in `steps` and in `outputs`.

use std::path::Path;
use std::time::Duration;

/// What was touched so recently may belong to a run that is just being begun.
const YOUNG: Duration = Duration::from_secs(60 * 60);

/// The moment so long ago, in milliseconds since 1970.
pub(super) fn ago(age: Duration) -> u64 {
    let now = clock::Clock::system().now_ms();
    now.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}

/// Removes a directory with all that is in it; what can't be removed stays, and is said.
pub(super) fn remove(directory: &Path) {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, path = %directory.display(), "could not be removed");
        }
        _ => {}
    }
}

/// Removes the directories of runs in `directory` that are not to be kept.
pub(super) fn tidy(directory: &Path, keep: impl Fn(&str) -> bool) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(run) = name.to_str() else { continue };
        let young = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age < YOUNG));
        if !young && !keep(run) {
            remove(&entry.path());
        }
    }
}
