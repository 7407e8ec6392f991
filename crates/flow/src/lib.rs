//! The `flow` room.
