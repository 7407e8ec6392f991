//! The window: the one part of Switchyard that knows Tauri.
//!
//! It holds nothing that can be lost. Everything it shows comes from [`app::App`]: a command unpacks, asks `App`
//! and returns; `App`'s events go to the page as they are; the bytes of a visible pane go through a channel.
//! [`run`] opens the window; [`bindings`] is what the page may ask, from which `ui/src/bindings.ts` is generated.

pub mod bindings;
mod clipboard;
mod commands;
mod events;
mod renderer;
mod taskbar;
mod window;
mod windows;

pub use window::{WindowOptions, run};
