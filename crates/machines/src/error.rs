//! Why there is no link to a machine.

use std::io;

use crate::way::BadWay;

/// Why there is no link to a machine.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The machine can't be reached by this.
    #[error(transparent)]
    BadWay(#[from] BadWay),
    /// The program that should give the pipe can't be started.
    #[error("could not start `{program}`")]
    NotStarted {
        /// Which.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended before our program ran there: its own words.
    #[error("`{way}` {ended}{}", colon(.said))]
    NoPipe {
        /// The command.
        way: String,
        /// How it ended.
        ended: String,
        /// What it said.
        said: String,
        /// A person has to do something about it: to try the same again is of no use.
        wants_person: bool,
    },
    /// Nothing that we know came for too long.
    #[error("`{way}` has not got through within {seconds} seconds ({at}){}", colon(.said))]
    TooLong {
        /// The command.
        way: String,
        /// How long it was given.
        seconds: u64,
        /// What was waited for.
        at: &'static str,
        /// What it said.
        said: String,
    },
    /// There is no program of ours for that system.
    #[error(
        "the machine is {system} on {processor}, and this Switchyard has no program for it: put one at `{wanted}`, built of \
         the same version with `cargo build --release --bin switchyard` for that system"
    )]
    OtherSystem {
        /// `Linux`, `Darwin`.
        system: String,
        /// `x86_64`, `aarch64`.
        processor: String,
        /// Where it would be looked for.
        wanted: String,
    },
    /// Our program can't be read here.
    #[error("could not read the program for the machine, `{path}`")]
    NoProgram {
        /// Where it is.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Our program could not be put there, or does not run there.
    #[error("{0}")]
    NotPut(String),
    /// The other end is not what we expect.
    #[error("the other end of `{way}` does not speak as this Switchyard does: {message}")]
    Protocol {
        /// The command.
        way: String,
        /// What was wrong.
        message: String,
    },
}

impl LinkError {
    /// Whether to try the same again is of no use before a person has done something.
    pub fn wants_person(&self) -> bool {
        match self {
            Self::NoPipe { wants_person, .. } => *wants_person,
            Self::TooLong { .. } => false,
            Self::BadWay(_)
            | Self::NotStarted { .. }
            | Self::OtherSystem { .. }
            | Self::NoProgram { .. }
            | Self::NotPut(_)
            | Self::Protocol { .. } => true,
        }
    }
}

fn colon(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}
