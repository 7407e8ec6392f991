//! Why a question about panes was refused: the errors of this room, as they travel.

use serde::{Deserialize, Serialize};

use crate::history::HistoryError;
use crate::panes::{OpenPaneError, PaneError};
use crate::search::SearchError;
use crate::types::PaneId;

/// Why a question about panes was refused, wherever the panes live.
///
/// The cases that a caller tells apart keep their values; for the rest, `message` is the whole chain
/// of causes, for a person. The errors of [`Panes`](crate::Panes) convert into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// No such pane, neither open nor in history.
    #[error("there is no pane `{pane}`")]
    UnknownPane {
        /// The pane that was asked for.
        pane: PaneId,
    },
    /// A value is out of its range.
    #[error("bad `{field}`: {message}")]
    BadParams {
        /// Which one.
        field: String,
        /// What is wrong with it, and what would be right.
        message: String,
    },
    /// A search pattern that can't be used.
    #[error("{message}")]
    BadQuery {
        /// What is wrong with it.
        message: String,
        /// Where, in UTF-16 code units from 0.
        position: Option<u32>,
    },
    /// The program or its directory could not be used.
    #[error("{message}")]
    NotStarted {
        /// The whole chain.
        message: String,
    },
    /// The program does not read what is written to it.
    #[error("{message}")]
    NotReading {
        /// Which pane's.
        pane: PaneId,
        /// The whole chain.
        message: String,
    },
    /// The program has ended: there is nobody to write to.
    #[error("the program of pane `{pane}` has ended")]
    Ended {
        /// Which pane's.
        pane: PaneId,
    },
    /// Anything else: the disk, the system.
    #[error("{message}")]
    Failed {
        /// The whole chain.
        message: String,
    },
}

impl Refusal {
    /// The pane that it is about, if it is about one.
    pub fn pane(&self) -> Option<PaneId> {
        match self {
            Self::UnknownPane { pane } | Self::NotReading { pane, .. } | Self::Ended { pane } => {
                Some(*pane)
            }
            Self::BadParams { .. }
            | Self::BadQuery { .. }
            | Self::NotStarted { .. }
            | Self::Failed { .. } => None,
        }
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}

impl From<OpenPaneError> for Refusal {
    fn from(error: OpenPaneError) -> Self {
        match error {
            OpenPaneError::BadRequest { field, message } => Self::BadParams {
                field: field.to_owned(),
                message,
            },
            OpenPaneError::NoCwd { .. }
            | OpenPaneError::NoProgram { .. }
            | OpenPaneError::Start { .. } => Self::NotStarted {
                message: chain(&error),
            },
            OpenPaneError::Id(_) => Self::Failed {
                message: chain(&error),
            },
        }
    }
}

impl From<PaneError> for Refusal {
    fn from(error: PaneError) -> Self {
        match error {
            PaneError::Unknown { pane } => Self::UnknownPane { pane },
            PaneError::BadSize {
                field,
                value,
                least,
                most,
            } => Self::BadParams {
                field: field.to_owned(),
                message: format!("{value}; it must be from {least} to {most}"),
            },
            PaneError::WriteQueueFull { pane, .. } => Self::NotReading {
                pane,
                message: chain(&error),
            },
            PaneError::Ended { pane } => Self::Ended { pane },
        }
    }
}

impl From<SearchError> for Refusal {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::BadParams { field, message } => Self::BadParams { field, message },
            SearchError::BadId { pane } => Self::UnknownPane { pane },
            SearchError::BadQuery { message, position } => Self::BadQuery { message, position },
        }
    }
}

impl From<HistoryError> for Refusal {
    fn from(error: HistoryError) -> Self {
        Self::Failed {
            message: chain(&error),
        }
    }
}
