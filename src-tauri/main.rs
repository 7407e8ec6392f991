//! `switchyard-window`: the window. Started alone, it is its own pane host, and so has the command line in it too.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    // What is not the window's is the command line's, `--help` and mistakes included.
    match shell::WindowOptions::try_parse_from(&args) {
        Ok(options) => shell::run(options),
        Err(_) => cli::run(args, &mut cli::Output::of_process()).into(),
    }
}
