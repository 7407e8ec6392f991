//! Secrets by reference: where a password is, and what holds it.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::error::AgentError;
use crate::process::{Limits, Program};

/// Where a password is kept. Only this is written to settings; never the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type, JsonSchema)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum PasswordRef {
    /// In this variable of the environment.
    Environment {
        /// The variable's name.
        name: String,
    },
    /// In the system's keyring, as the entry with the attributes `service` = `switchyard` and this account.
    Keyring {
        /// The account's name.
        account: String,
    },
}

impl fmt::Display for PasswordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PasswordRef::Environment { name } => write!(f, "${name}"),
            PasswordRef::Keyring { account } => write!(f, "keyring entry {account}"),
        }
    }
}

/// A password. It prints as three dots, and is never written anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Reads the password that `reference` names.
///
/// The keyring is asked through the desktop's own program for it, `secret-tool` (on macOS
/// `security`), which unlocks it as the desktop is used to.
///
/// # Errors
///
/// [`AgentError::Secret`] with the reference, never with what was read.
pub async fn read_password(reference: &PasswordRef) -> Result<Secret, AgentError> {
    let refuse = |reason: String| AgentError::Secret {
        reference: reference.to_string(),
        reason,
    };
    match reference {
        PasswordRef::Environment { name } => match std::env::var(name) {
            Ok(password) if !password.is_empty() => Ok(Secret(password)),
            Ok(_) => Err(refuse("the variable is empty".into())),
            Err(_) => Err(refuse("the variable is not set".into())),
        },
        PasswordRef::Keyring { account } => {
            let (program, args) = if cfg!(target_os = "macos") {
                (
                    "security",
                    [
                        "find-generic-password",
                        "-w",
                        "-s",
                        "switchyard",
                        "-a",
                        account,
                    ],
                )
            } else {
                (
                    "secret-tool",
                    ["lookup", "service", "switchyard", "account", account, ""],
                )
            };
            let args: Vec<String> = args
                .into_iter()
                .filter(|arg| !arg.is_empty())
                .map(str::to_owned)
                .collect();
            let output = Program::new(program)
                .run(&args, None, &Limits::within(Duration::from_secs(60)))
                .await
                .map_err(|error| refuse(error.to_string()))?;
            let password = output.stdout.trim_end_matches('\n');
            if output.success() && !password.is_empty() {
                Ok(Secret(password.to_owned()))
            } else {
                Err(refuse("the keyring has no such entry".into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("Secret-pw.1")), "…");
    }

    #[tokio::test]
    async fn a_variable_that_is_not_set_is_named() {
        let reference = PasswordRef::Environment {
            name: "SWITCHYARD_TEST_NO_SUCH_VARIABLE".into(),
        };
        insta::assert_snapshot!(
            read_password(&reference).await.unwrap_err(),
            @"the password `$SWITCHYARD_TEST_NO_SUCH_VARIABLE` could not be read: the variable is not set"
        );
    }
}
