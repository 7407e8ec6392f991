//! What WebKitGTK needs to be told about the machine before it starts.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use terminal::Environment;

/// Whether a GPU can draw: without one, WebKit's DMABUF renderer only costs CPU.
pub(crate) fn has_gpu() -> bool {
    std::env::var_os("LIBGL_ALWAYS_SOFTWARE").is_none() && Path::new("/dev/dri").exists()
}

/// Starts this program again with WebKit's DMABUF renderer off, where no GPU would be used by it.
///
/// The variable must be there before WebKit's first thread is; measured on software OpenGL, it saves three
/// quarters of the web process' CPU. Returns when there is nothing to change, or when the start failed.
pub(crate) fn prepare() {
    const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    if has_gpu() || std::env::var_os(SWITCH).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let error = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(SWITCH, "1")
        // It is not for the programs in panes.
        .env(Environment::OWN, SWITCH)
        .exec();
    tracing::warn!("could not start again without the DMABUF renderer: {error}");
}
