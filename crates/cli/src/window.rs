//! Without a command: the window, which is a program of its own.
//!
//! Nothing else waits for the libraries of a webview, which take longer to load than most commands to do what they
//! are asked.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::failure::Failure;

/// The window's program, in the directory of this one.
const PROGRAM: &str = "switchyard-window";

/// Becomes the window, which starts its pane host with the program that we are; comes back only with what went wrong.
pub(crate) fn become_it(in_process: bool) -> Result<std::convert::Infallible, Failure> {
    let host = std::env::current_exe()?;
    let window = host.with_file_name(PROGRAM);
    let mut command = Command::new(&window);
    command.arg("--host").arg(host);
    if in_process {
        command.arg("--in-process");
    }
    let error = command.exec();
    Err(Failure::failed(format!(
        "the window could not be opened with `{}`: {error}; `switchyard --help` shows what works without it",
        window.display()
    )))
}
