//! `mcp`: what an agent may ask, over the Model Context Protocol.

use ::mcp::{Options, serve};
use app::App;
use clap::{Args, ValueEnum};
use terminal::PaneId;

use crate::failure::Failure;

/// Serve a coding agent over the Model Context Protocol
///
/// Panes, search, conflicts, flows and agents, on standard input and output, until it hangs up. Tools only read, unless `--allow write`
/// is said; none answers an approval.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard mcp                                       What an agent starts
  claude mcp add switchyard -- switchyard mcp          Claude Code
  codex mcp add switchyard -- switchyard mcp           Codex
  gemini mcp add switchyard switchyard mcp             Gemini CLI
  claude mcp add switchyard -- switchyard mcp --allow write")]
pub(crate) struct Mcp {
    /// Also tools that change something: open, type into and close panes, run flows, prompt agents
    #[arg(long, value_enum, value_name = "WHAT")]
    allow: Option<Allow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allow {
    /// Everything that the tools can do
    Write,
}

impl Mcp {
    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        let options = Options {
            write: self.allow == Some(Allow::Write),
            pane: pane(),
            cwd: std::env::current_dir()?,
            program: std::env::current_exe()?,
        };
        let (hear, say) = (tokio::io::stdin(), tokio::io::stdout());
        let served = serve(app.clone(), options, hear, say).await;
        served.map_err(|error| Failure::failed(error.to_string()))
    }
}

/// The pane that we run in, if its variable says so.
fn pane() -> Option<PaneId> {
    let number = std::env::var("SWITCHYARD_PANE").ok()?;
    number.parse().ok().map(PaneId)
}
