//! Where the programs of agents are.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where `program` is: the path itself if it has a directory, else the first on `path`.
///
/// Directories that `path` names relative to wherever we are do not count.
pub fn find(program: &Path, path: &OsStr) -> Option<PathBuf> {
    let runs = |at: &Path| {
        at.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return runs(program).then(|| program.to_owned());
    }
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(program))
        .find(|at| runs(at))
}

/// Why `program` can't be started, in words for a person; none when it is there.
pub(crate) fn missing(program: &Path) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    find(program, &path).is_none().then(|| {
        format!(
            "`{}` is not on the PATH; install it, or say in the settings where it is",
            program.display()
        )
    })
}
