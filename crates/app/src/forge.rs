//! The page of a branch at its forge, opened by the person's own program, which knows who they are there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::blocking::blocking;
use crate::changes::open;
use crate::{App, Error};

/// The command line that opens the page of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ForgePage {
    /// The program: `gh`, `glab` or `tea`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// The branch is there, as far as was fetched or pushed.
    pub pushed: bool,
}

impl App {
    /// Tells how the page of a worktree's branch is opened; none where no program is there for its forge, or it has none.
    ///
    /// Nothing is asked over the network.
    ///
    /// # Errors
    ///
    /// [`Code::BadId`](crate::Code::BadId) when `worktree` is in none.
    pub async fn forge_page(&self, worktree: PathBuf) -> Result<Option<ForgePage>, Error> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        blocking(move || {
            let remote = open(&worktree)?.remote();
            Ok(remote.and_then(|(branch, url, pushed)| page_of(&branch, &url, pushed, &path)))
        })
        .await
    }
}

fn page_of(branch: &str, url: &str, pushed: bool, path: &OsStr) -> Option<ForgePage> {
    let host = host_of(url)?;
    let is = |names: &[&str]| names.iter().any(|name| host.contains(name));
    let (program, args) = if is(&["github"]) {
        ("gh", vec!["browse", "--branch", branch])
    } else if is(&["gitlab"]) {
        ("glab", vec!["repo", "view", "--web", "--branch", branch])
    } else if is(&["gitea", "forgejo", "codeberg"]) {
        ("tea", vec!["open", "branches"])
    } else {
        return None;
    };
    agents::find_program(Path::new(program), path)?;
    Some(ForgePage {
        program: program.to_owned(),
        args: args.into_iter().map(str::to_owned).collect(),
        pushed,
    })
}

/// The host of a remote, in lower case: `ssh://git@host:22/path`, `https://host/path`, `git@host:path`.
fn host_of(url: &str) -> Option<String> {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest,
        // A path of this machine has no host.
        None if url.starts_with(['/', '.']) || !url.contains(':') => return None,
        None => url,
    };
    let authority = rest.split('/').next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.to_lowercase();
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_host_of_a_remote_is_found_however_it_is_written() {
        for (url, host) in [
            ("https://github.com/o/r.git", Some("github.com")),
            ("https://me:secret@GitHub.com:8443/o/r", Some("github.com")),
            (
                "ssh://git@gitlab.example.org:22/o/r",
                Some("gitlab.example.org"),
            ),
            ("git@codeberg.org:o/r.git", Some("codeberg.org")),
            ("/srv/git/r.git", None),
            ("../r", None),
            ("file:///srv/git/r.git", None),
            ("", None),
        ] {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn a_page_is_opened_by_the_program_of_its_forge_when_that_is_there() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let gh = home.path().join("gh");
        fs::write(&gh, "").expect("written");
        fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).expect("made executable");
        let told = |url: &str| {
            let page = page_of("topic", url, true, home.path().as_os_str());
            page.map(|page| format!("{} {}", page.program, page.args.join(" ")))
        };
        assert_eq!(
            told("git@github.com:o/r.git").as_deref(),
            Some("gh browse --branch topic")
        );
        assert_eq!(told("https://gitlab.com/o/r"), None, "glab is not there");
        assert_eq!(
            told("https://example.org/o/r"),
            None,
            "nobody knows that one"
        );
    }
}
