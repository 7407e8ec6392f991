//! What is known of a run that goes on elsewhere: that it has news, that nobody drives it, that it is gone.

use std::time::Duration;

use app::App;

use crate::failure::Failure;

/// How often it is looked whether somebody still drives a run that is watched.
pub(super) const LOOK_WHO_DRIVES: Duration = Duration::from_secs(1);

/// What tells that a run has news: to be had before anything is asked of it, so that none is missed.
pub(super) struct Followed(flow::RunsFollowed);

impl Followed {
    pub(super) async fn new(app: &App) -> Result<Self, Failure> {
        Ok(Self(app.follow_runs().await?))
    }

    /// Waits for news of any run; none: there will be no more.
    pub(super) async fn next(&mut self) -> Option<()> {
        self.0.next().await.map(drop)
    }
}

/// Waits until runs can't be followed any more: their home was deleted.
pub(super) async fn until_gone(app: &App) {
    let database = app.paths().database();
    while !matches!(tokio::fs::try_exists(&database).await, Ok(false)) {
        tokio::time::sleep(LOOK_WHO_DRIVES).await;
    }
}

/// There is nothing to wait for: the process that drove the run is gone.
pub(super) fn nobody_drives(run: &str) -> Failure {
    Failure::failed(format!(
        "nobody drives the run; `switchyard flow resume {run}` goes on with it"
    ))
}
