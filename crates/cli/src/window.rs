//! Without a command: the window, which is a program of its own. `window new`: one more of them.
//!
//! Nothing else waits for the libraries of a webview, which take longer to load than most commands to do what they
//! are asked.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use app::{App, Errand};
use clap::{Args, Subcommand};

use crate::failure::Failure;

/// The window's program, in the directory of this one.
const PROGRAM: &str = "switchyard-window";

/// How long the process that has the windows may take to hear of a wish.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Open one more window, with tabs of its own
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard window new
  switchyard window new --cwd ~/work/shop")]
pub(crate) struct Window {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(New),
}

/// Open a window with a terminal in it; when none is open yet, those that were open last come with it
#[derive(Debug, Args)]
struct New {
    /// Start the terminal in this directory instead of the present one
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

impl Window {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let Command::New(New { cwd }) = self.command;
        let given = cwd.unwrap_or(PathBuf::from("."));
        let cwd = std::path::absolute(&given)?.canonicalize();
        let cwd = cwd
            .ok()
            .filter(|cwd| cwd.is_dir())
            .ok_or_else(|| Failure::failed(format!("`{}` is not a directory", given.display())))?;
        let cwd = Some(cwd.display().to_string());
        app.want_window(&Errand::Terminal { cwd })?;
        heard(app, App::window_is_wanted, |app| {
            app.take_wanted_window();
        })
        .await
    }
}

/// Waits until a window has heard of a wish; where none does, this process becomes one. What nobody can do is taken back:
/// else a window of another day would do it.
pub(crate) async fn heard(
    app: &App,
    waits: fn(&App) -> bool,
    take_back: fn(&App),
) -> Result<(), Failure> {
    let deadline = Instant::now() + HEARD_WITHIN;
    while waits(app) {
        if Instant::now() > deadline {
            app.shutdown().await;
            return match become_it(false) {
                Ok(never) => match never {},
                Err(failure) => {
                    take_back(app);
                    Err(failure)
                }
            };
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// Becomes the window, which starts its pane host with the program that we are; comes back only with what went wrong.
pub(crate) fn become_it(in_process: bool) -> Result<std::convert::Infallible, Failure> {
    let host = std::env::current_exe()?;
    let window = host.with_file_name(PROGRAM);
    let mut command = std::process::Command::new(&window);
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
