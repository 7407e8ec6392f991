//! Panes of a kind, by name: what runs in them, where, with which environment, and what they look like.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;
use terminal::OpenPane;

use crate::settings::Settings;
use crate::{Code, Error};

/// What a pane of a kind is opened with, and looks like. What is left out is as for any other pane.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// The program; null: the usual shell.
    pub program: Option<String>,
    /// The program's arguments.
    pub args: Vec<String>,
    /// The directory that it starts in, in full or from `~` on; null: where the pane in front is.
    pub cwd: Option<String>,
    /// Added to the environment of the program.
    pub env: BTreeMap<String, String>,
    /// The theme of its panes, by its name in the gallery; null: that of all.
    pub theme: Option<String>,
    /// What its tabs show before their titles: a letter or two, or a picture.
    pub icon: Option<String>,
}

impl Profile {
    /// Says what a request does not say itself.
    fn complete(&self, request: &mut OpenPane, home: &Path) {
        if request.program.is_none() {
            request.program.clone_from(&self.program);
            if request.args.is_empty() {
                request.args.clone_from(&self.args);
            }
        }
        if request.cwd.is_none() {
            request.cwd = self.cwd.as_deref().map(|cwd| from_home(cwd, home));
        }
        for (name, value) in &self.env {
            let env = &mut request.env;
            env.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// Completes a request that names a profile.
///
/// # Errors
///
/// [`Code::BadParams`] when there is no profile of that name; the message names those that there are.
pub(crate) fn complete(
    request: &mut OpenPane,
    settings: &Settings,
    home: &Path,
) -> Result<(), Error> {
    let Some(name) = &request.profile else {
        return Ok(());
    };
    let Some(profile) = settings.profiles.get(name) else {
        let names: Vec<String> = settings
            .profiles
            .keys()
            .map(|name| format!("`{name}`"))
            .collect();
        let known = if names.is_empty() {
            "`profiles` in `settings.json` has none".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        let message = format!("there is no profile `{name}`; {known}");
        return Err(Error::new(Code::BadParams, message));
    };
    profile.complete(request, home);
    Ok(())
}

fn from_home(path: &str, home: &Path) -> String {
    match path.strip_prefix('~') {
        Some("") => home.display().to_string(),
        Some(rest) if rest.starts_with('/') => format!("{}{rest}", home.display()),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let database = Profile {
            program: Some("psql".to_owned()),
            args: vec!["shop".to_owned()],
            cwd: Some("~/shop".to_owned()),
            env: BTreeMap::from([("PGUSER".to_owned(), "me".to_owned())]),
            ..Profile::default()
        };
        Settings {
            profiles: BTreeMap::from([
                ("database".to_owned(), database),
                ("plain".to_owned(), Profile::default()),
            ]),
            ..Settings::default()
        }
    }

    fn opened(request: OpenPane) -> Result<OpenPane, String> {
        let mut request = request;
        let home = Path::new("/home/you");
        complete(&mut request, &settings(), home).map_err(|error| error.message)?;
        Ok(request)
    }

    fn by(profile: &str) -> OpenPane {
        OpenPane {
            profile: Some(profile.to_owned()),
            ..OpenPane::default()
        }
    }

    #[test]
    fn a_profile_says_what_a_request_does_not() {
        let pane = opened(by("database")).expect("there is one");
        assert_eq!(pane.program.as_deref(), Some("psql"));
        assert_eq!(pane.args, ["shop"]);
        assert_eq!(pane.cwd.as_deref(), Some("/home/you/shop"));
        assert_eq!(pane.env["PGUSER"], "me");
        let own = OpenPane {
            program: Some("psql".to_owned()),
            cwd: Some("/".to_owned()),
            env: BTreeMap::from([("PGUSER".to_owned(), "you".to_owned())]),
            ..by("database")
        };
        assert_eq!(opened(own.clone()), Ok(own));
        assert_eq!(opened(by("plain")), Ok(by("plain")));
        assert_eq!(opened(OpenPane::default()), Ok(OpenPane::default()));
    }

    #[test]
    fn a_profile_that_there_is_not_is_told_with_those_that_there_are() {
        insta::assert_snapshot!(
            opened(by("databse")).unwrap_err(),
            @"there is no profile `databse`; there are `database`, `plain`"
        );
        let mut request = by("any");
        let refused = complete(&mut request, &Settings::default(), Path::new("/"));
        insta::assert_snapshot!(
            refused.unwrap_err().message,
            @"there is no profile `any`; `profiles` in `settings.json` has none"
        );
    }

    #[test]
    fn only_ones_own_home_is_meant_by_a_tilde() {
        let paths = ["~", "~/a", "~you/a", "/~/a"].map(|path| from_home(path, Path::new("/h")));
        assert_eq!(paths, ["/h", "/h/a", "~you/a", "/~/a"]);
    }
}
