//! The `conflicts` room.
