//! `flow approve` and `flow reject`: what a person says to a step that asks.

use app::App;
use clap::Args;
use flow::Given;

use super::follow::follow;
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
        let mut events = app.flow_events();
        let seen = app.show_run(&self.run).await?.seq;
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
        app.answer_approval(&self.run, &self.step, given).await?;
        // When no other process drives the run, this one does now, to its end.
        if app.drives_run(&self.run) {
            return follow(app, &self.run, seen, &mut events, out).await;
        }
        Ok(())
    }
}
