//! `switchyard`: the command line, the pane host, and the way to the window.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os(), &mut cli::Output::of_process()).into()
}
