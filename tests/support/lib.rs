//! What the whole-app scenarios share.
