//! Writes a file that a person may have open elsewhere: whoever reads it sees the old text or the new one.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Puts `text` in the place of what `file` holds, all of it or nothing, with the permissions that it had. Where it is a
/// link, what it leads to is written. A file that is not there is made.
pub(crate) fn write(file: &Path, text: &str) -> io::Result<()> {
    let there = match fs::canonicalize(file) {
        // Of a link that leads nowhere, the file that it names is made.
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::read_link(file)
            .map(|named| file.parent().unwrap_or(file).join(named))
            .unwrap_or_else(|_| file.to_owned()),
        found => found?,
    };
    let beside = beside(&there);
    let write = || {
        fs::write(&beside, text)?;
        match fs::metadata(&there) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            before => fs::set_permissions(&beside, before?.permissions())?,
        }
        fs::rename(&beside, &there)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

/// `settings.json.new`
fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".new");
    file.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_a_link_leads_to_is_written_and_keeps_its_permissions() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (real, link) = (directory.path().join("real"), directory.path().join("link"));
        fs::write(&real, "old").expect("written");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("set");
        std::os::unix::fs::symlink("real", &link).expect("linked");
        write(&link, "new").expect("written");
        assert_eq!(fs::read_to_string(&real).expect("read"), "new");
        let mode = fs::metadata(&real).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        let names = fs::read_dir(directory.path()).expect("read").count();
        assert_eq!(names, 2, "nothing is left beside them");
    }

    #[test]
    fn a_file_that_is_not_there_is_made_also_where_a_link_leads_to_it() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (file, link) = (directory.path().join("real"), directory.path().join("link"));
        std::os::unix::fs::symlink("real", &link).expect("linked");
        write(&link, "{}").expect("written");
        assert_eq!(fs::read_to_string(&file).expect("read"), "{}");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    }

    #[test]
    fn what_can_not_be_written_leaves_what_was_and_nothing_beside_it() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        // A directory in the file's place: the text is written, and can't get there.
        let file = directory.path().join("settings.json");
        fs::create_dir_all(file.join("inside")).expect("made");
        write(&file, "{}").unwrap_err();
        assert!(file.join("inside").is_dir());
        assert_eq!(fs::read_dir(directory.path()).expect("read").count(), 1);
    }
}
