//! `layouts`, and `open --layout`: arrangements of panes by name. The window saves and shows them.

use app::{App, WantedLayout};
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output::{Output, short};
use crate::table::{Cell, Table, Tone};

/// List the arrangements of panes that were saved by name; `switchyard open --layout NAME` opens one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard layouts
  switchyard open --layout shop --cwd ~/work/shop-2
  switchyard layouts remove shop")]
pub(crate) struct Layouts {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Remove(Remove),
}

/// Forget a layout; panes that were opened by it go on
#[derive(Debug, Args)]
struct Remove {
    /// What it is called
    name: String,
}

impl Layouts {
    pub(crate) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        if let Some(Command::Remove(Remove { name })) = self.command {
            return Ok(app.remove_layout(&name).await?);
        }
        let layouts = app.layouts().await?;
        if out.json() {
            return Ok(out.value(&layouts)?);
        }
        if layouts.is_empty() {
            return Ok(out.line("No layouts. The window saves one: “Save the arrangement…”.")?);
        }
        let mut table = Table::new(["LAYOUT", "PANES", "SAVED IN"]);
        for layout in &layouts {
            table.row([
                Cell::new(&layout.name),
                Cell::new(layout.panes.to_string()).right(),
                Cell::new(short(&layout.root)).tone(Tone::Faint),
            ]);
        }
        Ok(out.table(&table)?)
    }
}

/// Opens a layout in the window that runs, else in a new one, which this process becomes.
pub(crate) async fn open(app: &App, name: String, root: Option<String>) -> Result<(), Failure> {
    app.want_layout(WantedLayout { name, root }).await?;
    crate::window::heard(app, App::layout_is_wanted, |app| {
        app.take_wanted_layout();
    })
    .await
}
