//! What the page may ask, by subject. A command unpacks, asks [`app::App`] and returns.

pub(crate) mod agents;
pub(crate) mod changes;
pub(crate) mod conflicts;
pub(crate) mod flow;
pub(crate) mod layouts;
pub(crate) mod machines;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod terminal;
pub(crate) mod windows;
pub(crate) mod workspace;
pub(crate) mod worktrees;
