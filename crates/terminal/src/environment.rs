//! What programs find in their environment: that of whoever opened their pane.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What another terminal said of itself, and of what ran there, does not hold in a pane.
const STALE: [&str; 20] = [
    "_",
    "ALACRITTY_WINDOW_ID",
    "COLORTERM",
    "COLUMNS",
    "KITTY_WINDOW_ID",
    "LINES",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "STY",
    "SWITCHYARD_PANE",
    "TERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "TERM_SESSION_ID",
    "TMUX",
    "TMUX_PANE",
    "VTE_VERSION",
    "WEZTERM_PANE",
    "WINDOWID",
];

/// The environment of a process: names and values, whatever bytes they are.
///
/// It holds keys and tokens, so it is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The variable in which a program of ours names a variable that it has set for itself alone, and that those whom it
    /// opens panes for have not.
    pub const OWN: &str = "SWITCHYARD_OWN_VARIABLE";

    /// That of this process, as it is now.
    pub fn here() -> Self {
        let mut here = Self(std::env::vars_os().collect());
        if let Some(own) = here.0.remove(OsStr::new(Self::OWN)) {
            here.0.remove(&own);
        }
        here
    }

    /// What a pane's program has of it: without what tells of another terminal, and what was left to it there.
    pub(crate) fn in_a_pane(&self) -> BTreeMap<OsString, OsString> {
        let mut env = self.0.clone();
        for name in STALE {
            env.remove(OsStr::new(name));
        }
        env
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl IntoIterator for Environment {
    type Item = (OsString, OsString);
    type IntoIter = std::collections::btree_map::IntoIter<OsString, OsString>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

/// One character (U+0000 to U+00FF) for each byte.
fn travelling(bytes: &OsStr) -> String {
    bytes
        .as_bytes()
        .iter()
        .map(|byte| char::from(*byte))
        .collect()
}

fn arrived<E: serde::de::Error>(text: &str) -> Result<OsString, E> {
    let bytes = text.chars().map(u8::try_from).collect::<Result<_, _>>();
    let bytes = bytes.map_err(|_| E::custom("`environment` holds a character above U+00FF"))?;
    Ok(OsString::from_vec(bytes))
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let variables = self.0.iter();
        serializer.collect_map(variables.map(|(name, value)| (travelling(name), travelling(value))))
    }
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let variables = BTreeMap::<String, String>::deserialize(from)?;
        let variables = variables.iter();
        variables
            .map(|(name, value)| Ok((arrived(name)?, arrived(value)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &[u8])]) -> Environment {
        let variables = variables.iter();
        variables
            .map(|(name, value)| (name.into(), OsString::from_vec(value.to_vec())))
            .collect()
    }

    #[test]
    fn an_environment_arrives_as_it_was_whatever_bytes_it_has() {
        let sent = environment(&[("PATH", b"/bin"), ("ODD", b"a\xff\xc3\xa9\n")]);
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Environment>(&text).unwrap(), sent);
        serde_json::from_str::<Environment>(r#"{"A": "\u0100"}"#).unwrap_err();
    }

    #[test]
    fn an_environment_is_never_shown() {
        let secret = environment(&[("TOKEN", b"hunter2")]);
        assert_eq!(format!("{secret:?}"), "Environment(1 variables)");
    }

    #[test]
    fn what_tells_of_another_terminal_does_not_hold_in_a_pane() {
        let sent = environment(&[("TERM", b"screen"), ("TMUX", b"x"), ("HOME", b"/root")]);
        let names: Vec<_> = sent.in_a_pane().into_keys().collect();
        assert_eq!(names, ["HOME"]);
    }
}
