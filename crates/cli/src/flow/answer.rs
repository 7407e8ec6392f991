//! `flow approve` and `flow reject`: what a person says to a step that asks.

use app::App;
use clap::Args;
use flow::Given;

use super::follow::follow;
use super::followed::Followed;
use super::pair;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
pub(super) struct Answer {
    /// The run
    run: String,
    /// The step
    step: String,
    /// A field of its form
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = pair)]
    fields: Vec<(String, String)>,
    /// Why
    #[arg(long)]
    comment: Option<String>,
}

impl Answer {
    pub(super) async fn give(
        self,
        approved: bool,
        app: &App,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let run = app.find_run(&self.run).await?;
        let followed = Followed::new(app).await?;
        let seen = app.run_outline(&run).await?.seq;
        let form = self
            .fields
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        let given = Given {
            approved,
            form,
            comment: self.comment,
            by_timeout: false,
        };
        let step = &self.step;
        app.answer_approval(&run, step, given).await?;
        let answer = if approved { "approved" } else { "rejected" };
        let words = format!("{answer} `{step}` of the run {run}");
        if !out.json() {
            out.line(&words)?;
        }
        // When no other process drives the run, this one does now, to its end.
        if app.drives_run(&run) {
            return follow(app, &run, seen, followed, out).await;
        }
        if out.json() {
            out.value(&serde_json::json!({ "run": run, "step": step, "answer": answer }))?;
        }
        Ok(())
    }
}
