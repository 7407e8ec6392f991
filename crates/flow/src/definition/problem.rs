//! What is wrong with a template or a condition.

/// What is wrong with a template or a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Problem {
    pub(crate) message: String,
    /// The piece of the source that is wrong, when it is known.
    pub(crate) fragment: Option<String>,
}
