//! How a machine is reached: the command that gives a pipe to it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::arrival::{ENTRANCE, ENTRANCE_IN_WORDS};

/// The command that gives a pipe to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// OpenSSH, to what it is told to reach: a name of its configuration, `user@host`.
    Ssh(String),
    /// Another program with its arguments, which runs what is added to them there: `docker exec -i box`.
    Command(Vec<String>),
}

/// Who is asked for what ssh wants to know: a password, whether a host's key is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// Nobody: what would need an answer fails.
    Nobody,
    /// Whoever sits at the terminal that this process was started from.
    Terminal,
    /// A program that is started with the question as its argument, and prints the answer.
    Program {
        /// The program.
        program: PathBuf,
        /// By which it knows whom to ask.
        environment: Vec<(OsString, OsString)>,
    },
}

/// Why something can't be the way to a machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWay {
    /// What ssh is given would be no name.
    #[error(
        "`{0}` is no name for ssh: it must not be empty, begin with `-`, or hold spaces or control characters"
    )]
    Ssh(String),
    /// There is no program.
    #[error("the command is empty: it must begin with a program, as in `docker exec -i box`")]
    NoProgram,
}

/// Whether a machine may have this name: it stands in front of a pane's number, `build:3`, and in paths.
pub fn name_is_right(name: &str) -> bool {
    let right = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.len() <= 64
        && name.chars().all(right)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        // That would be a pane's number.
        && name.chars().any(|c| !c.is_ascii_digit())
}

impl Way {
    /// Checks that ssh would take it for a destination, and not for an option.
    ///
    /// # Errors
    ///
    /// [`BadWay::Ssh`].
    pub fn ssh(to: impl Into<String>) -> Result<Self, BadWay> {
        let to = to.into();
        let wrong = |c: char| c.is_whitespace() || c.is_control();
        if to.is_empty() || to.starts_with('-') || to.contains(wrong) {
            return Err(BadWay::Ssh(to));
        }
        Ok(Self::Ssh(to))
    }

    /// Checks that it names a program.
    ///
    /// # Errors
    ///
    /// [`BadWay::NoProgram`].
    pub fn command(command: Vec<String>) -> Result<Self, BadWay> {
        match command.first() {
            Some(program) if !program.is_empty() => Ok(Self::Command(command)),
            _ => Err(BadWay::NoProgram),
        }
    }

    /// The program that goes it.
    pub(crate) fn program(&self) -> &str {
        match self {
            Self::Ssh(_) => "ssh",
            Self::Command(command) => command.first().map_or("", String::as_str),
        }
    }

    /// The whole command, its three streams as pipes.
    pub(crate) fn start(&self, asks: &Asks) -> Command {
        let mut command = Command::new(self.program());
        match self {
            Self::Ssh(to) => {
                // What a person has configured for a terminal is not for a pipe.
                command
                    .args(["-T", "-o", "RemoteCommand=none", "-o", "RequestTTY=no"])
                    .args(["-o", "ClearAllForwardings=yes"]);
                if *asks == Asks::Nobody {
                    command.args(["-o", "BatchMode=yes"]);
                }
                // ssh hands this to the login shell there, whichever it is.
                command.args(["--", to, ENTRANCE_IN_WORDS]);
            }
            Self::Command(words) => {
                command.args(&words[1..]).args(ENTRANCE);
            }
        }
        if let Asks::Program {
            program,
            environment,
        } = asks
        {
            command
                .env("SSH_ASKPASS", program)
                .env("SSH_ASKPASS_REQUIRE", "force")
                .envs(environment.iter().map(|(name, value)| (name, value)));
            // An older ssh asks a program only where there is a display; ours needs none.
            if std::env::var_os("DISPLAY").is_none() {
                command.env("DISPLAY", ":0");
            }
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir("/")
            .kill_on_drop(true);
        command
    }
}

impl std::fmt::Display for Way {
    /// As it would be typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ssh(to) => write!(f, "ssh {to}"),
            Self::Command(command) => f.write_str(&command.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_would_take_for_an_option_is_no_way() {
        for wrong in ["", "-oProxyCommand=x", "a b", "a\nb"] {
            assert_eq!(Way::ssh(wrong), Err(BadWay::Ssh(wrong.to_owned())));
        }
        assert!(Way::ssh("me@build.example.org").is_ok());
        assert_eq!(Way::command(vec![]), Err(BadWay::NoProgram));
    }

    #[test]
    fn a_name_can_be_told_from_the_number_of_a_pane() {
        for right in ["build", "gpu-1", "a.b_c", "10.0.0.7"] {
            assert!(name_is_right(right), "{right}");
        }
        for wrong in [
            "",
            "3",
            "-x",
            ".hidden",
            "a:b",
            "a b",
            "bäu",
            &"x".repeat(65),
        ] {
            assert!(!name_is_right(wrong), "{wrong}");
        }
    }
}
