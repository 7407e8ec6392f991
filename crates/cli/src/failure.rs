//! How a command ends badly: a status for scripts, words for people.

use std::io;

use app::Code;
use serde_json::json;

use crate::output::Output;

/// Why a command was not done.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    /// None: there is nobody to tell, or nothing to say.
    message: Option<String>,
    /// What a program may act on, and where in the input the mistake is.
    code: Option<(Code, Option<u32>)>,
}

impl Failure {
    /// It could not be done: exit status 1.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            status: 1,
            message: Some(message.into()),
            code: None,
        }
    }

    /// What the command says is all there is to say: exit status 1.
    pub(crate) fn silent() -> Self {
        Self {
            status: 1,
            message: None,
            code: None,
        }
    }

    /// It was asked for in a wrong way: exit status 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            status: 2,
            message: Some(message.into()),
            code: None,
        }
    }

    /// All has been said already; only the exit status is left.
    pub(crate) fn status(status: u8) -> Self {
        Self {
            status,
            message: None,
            code: None,
        }
    }

    /// Tells the person, and returns the exit status.
    pub(crate) fn tell(&self, out: &mut Output<'_>) -> u8 {
        if let Some(message) = &self.message {
            if out.json() {
                let code = match (self.code, self.status) {
                    (Some((code, _)), _) => serde_json::to_value(code).unwrap_or_default(),
                    (None, 2) => "usage".into(),
                    (None, _) => "failed".into(),
                };
                let position = self.code.and_then(|(_, position)| position);
                let error = json!({ "code": code, "message": message, "position": position });
                // Nobody left to read it is no other failure.
                let _ = out.json_line(&json!({ "error": error }));
            } else {
                out.error(message);
            }
        }
        self.status
    }
}

impl From<app::Error> for Failure {
    fn from(error: app::Error) -> Self {
        let code = Some((error.code, error.position));
        let failure = match error.code {
            Code::BadParams | Code::BadQuery => Self::usage(error.message),
            _ => Self::failed(error.message),
        };
        Self { code, ..failure }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // `switchyard read 1 | head`: the reader has enough.
            return Self {
                status: 0,
                message: None,
                code: None,
            };
        }
        Self::failed(error.to_string())
    }
}
