//! The one error that leaves the product: a code for programs, a message for people.

use std::error::Error as StdError;
use std::fmt;

use serde::Serialize;
use specta::Type;
use terminal::Refusal;

/// Why something asked of [`App`](crate::App) was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct Error {
    /// What a program may act on.
    pub code: Code,
    /// The whole chain of causes, for a person.
    pub message: String,
    /// Where in the input the mistake is, in characters from 0, when it is in one place.
    pub position: Option<u32>,
}

/// What kind of refusal or failure it was; a code exists when some reader acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A value is out of its range; the message names the field.
    BadParams,
    /// No such pane, run, step, agent.
    BadId,
    /// A search pattern that can't be used; `position` says where.
    BadQuery,
    /// The program or the directory could not be used to start a pane.
    NotStarted,
    /// The program of a pane does not read what is written to it.
    NotReading,
    /// The pane host can't be reached.
    HostDown,
    /// The pane host speaks another version.
    HostVersion,
    /// A machine can't be reached now; it may be in a while.
    MachineDown,
    /// A machine can't be reached before a person has done something: a key, a password, another name.
    MachineRefused,
    /// The database can't be used.
    Store,
    /// A file that a person edits is not as it should be.
    BadFile,
    /// What is asked is refused in the present state.
    Refused,
    /// Anything else: the disk, the system.
    Failed,
}

impl Error {
    /// An error with a message of its own.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            position: None,
        }
    }

    /// An error that tells the whole chain of `error`'s causes.
    pub fn from_chain(code: Code, error: &(dyn StdError + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors already end with the words of their cause.
            if !message.ends_with(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        Self::new(code, message)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let code = match &refusal {
            Refusal::UnknownPane { .. } => Code::BadId,
            Refusal::BadParams { .. } => Code::BadParams,
            Refusal::BadQuery { .. } => Code::BadQuery,
            Refusal::NotStarted { .. } => Code::NotStarted,
            Refusal::NotReading { .. } => Code::NotReading,
            Refusal::Ended { .. } => Code::Refused,
            Refusal::Failed { .. } => Code::Failed,
        };
        let position = match &refusal {
            Refusal::BadQuery { position, .. } => *position,
            _ => None,
        };
        Self {
            code,
            message: refusal.to_string(),
            position,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not open `{name}`")]
    struct Outer {
        name: &'static str,
        #[source]
        source: std::io::Error,
    }

    #[test]
    fn the_message_is_the_whole_chain() {
        let error = Outer {
            name: "x",
            source: std::io::Error::other("the disk is full"),
        };
        let error = Error::from_chain(Code::Failed, &error);
        assert_eq!(error.to_string(), "could not open `x`: the disk is full");
    }
}
