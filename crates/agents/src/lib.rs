//! The `agents` room.
