//! `history`: what panes printed, as it is kept on disk.

use app::App;
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output::Output;
use crate::panes::PaneName;

/// What is kept on disk of what panes printed
#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Purge(Purge),
}

/// Remove history from disk, at once: all of it, or one pane's
#[derive(Debug, Args)]
#[command(after_help = "\
With all of it go the patterns that were searched for. Panes that are open go on, with what they
hold in memory. `switchyard open --private` keeps nothing on disk in the first place.

Examples:
  switchyard history purge
  switchyard history purge --pane 3")]
struct Purge {
    /// Only this pane's: its number or its name
    #[arg(long)]
    pane: Option<PaneName>,
}

impl History {
    pub(crate) async fn run(self, app: &App, _: &mut Output<'_>) -> Result<(), Failure> {
        let Command::Purge(purge) = self.command;
        let pane = match purge.pane {
            Some(pane) => Some(pane.find_also_closed(app).await?),
            None => None,
        };
        Ok(app.purge_history(pane).await?)
    }
}
