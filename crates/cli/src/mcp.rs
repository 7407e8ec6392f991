//! `mcp`: what an agent may ask, over the Model Context Protocol.

mod install;

use ::mcp::{Options, serve};
use app::{App, Paths};
use clap::{Args, ValueEnum};
use terminal::PaneId;

use self::install::{Agent, Wanted};
use crate::agent_files::Asked;
use crate::failure::Failure;
use crate::output::Output;

/// Serve a coding agent over the Model Context Protocol
///
/// Panes, search, conflicts, flows and agents, on standard input and output, until it hangs up. Tools only read, unless `--allow write`
/// is said; none answers an approval.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard mcp                                       What an agent starts
  switchyard mcp --install                             Tell the agents found in this repository
  switchyard mcp --install --agent claude --allow write
  switchyard mcp --uninstall                           Take it out of their settings again
  claude mcp add switchyard -- switchyard mcp          By the agent's own command")]
pub(crate) struct Mcp {
    /// Also tools that change something: open, type into and close panes, run flows, prompt agents
    #[arg(long, value_enum, value_name = "WHAT")]
    allow: Option<Allow>,

    #[command(flatten)]
    settings: Asked,

    /// Only this agent; those found in the repository if not given
    #[arg(long, value_name = "AGENT", value_enum)]
    agent: Option<Agent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allow {
    /// Everything that the tools can do
    Write,
}

impl Mcp {
    /// Whether it only changes settings, so that no panes must be found or started.
    pub(crate) fn is_pure(&self) -> bool {
        self.settings.changes()
    }

    /// Changes the settings of the repository's agents.
    pub(crate) fn run_pure(
        self,
        paths: Option<&Paths>,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let root = self.settings.root()?;
        let wanted = Wanted {
            agent: self.agent,
            write: self.allow == Some(Allow::Write),
            remove: self.settings.uninstall,
            yes: self.settings.yes,
        };
        install::run(&root, &wanted, paths, out)
    }

    pub(crate) async fn run(self, app: &App) -> Result<(), Failure> {
        if self.agent.is_some() || self.settings.yes || self.settings.repository.is_some() {
            return Err(Failure::usage(
                "`--agent`, `--yes` and `--repository` go with `--install` or `--uninstall`",
            ));
        }
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
