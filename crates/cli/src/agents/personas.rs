//! `agents personas`: who an agent can be.

use app::App;
use clap::Args;

use super::directory;
use super::shown::{printable, shortened};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table, Tone};

#[derive(Debug, Args)]
pub(super) struct PersonasOf {
    /// The directory that they would work in; else this one
    #[arg(long, value_name = "DIR")]
    cwd: Option<std::path::PathBuf>,
}

impl PersonasOf {
    pub(super) async fn run(self, app: &App, out: &mut Output<'_>) -> Result<(), Failure> {
        let cwd = directory(self.cwd)?;
        let found = app.personas(&cwd).await;
        if out.json() {
            return Ok(out.value(&found)?);
        }
        let mut table = Table::new(["PERSONA", "AGENT", "MODEL", "FOR", "FILE"]);
        let text = |text: &Option<String>| printable(text.as_deref().unwrap_or("-"));
        for persona in &found.personas {
            table.row([
                Cell::new(&persona.name),
                Cell::new(text(&persona.agent.as_ref().map(|agent| agent.0.clone()))),
                Cell::new(text(&persona.model)),
                Cell::new(shortened(&text(&persona.description), 40)),
                Cell::new(printable(&persona.file)).tone(Tone::Faint),
            ]);
        }
        if !found.personas.is_empty() {
            out.table(&table)?;
        } else if found.problems.is_empty() {
            out.line("no personas; they are files like .switchyard/personas/reviewer.md")?;
        }
        for problem in &found.problems {
            out.error(problem);
        }
        Ok(())
    }
}
