//! What an agent may ask of Switchyard: a server of the Model Context Protocol on a pair of streams.
//!
//! A thin face of [`App`], as the command line is one: a tool unpacks what it was given, asks, and answers in text that
//! is short and says what was left out. It reads only, unless it was started with [`Options::write`]. No tool answers an
//! approval: those are a person's.
//!
//! What programs printed may have been written to mislead whoever reads it. It is set apart line by line, behind a mark
//! that no line can leave, and the server's instructions say what the mark means.

mod agents;
mod caller;
mod conflicts;
mod flows;
mod panes;
mod search;
mod server;
mod words;

use std::path::PathBuf;

use app::App;
use rmcp::ServiceExt as _;
use terminal::PaneId;
use tokio::io::{AsyncRead, AsyncWrite};

/// Who asks, and what they may.
#[derive(Debug, Clone)]
pub struct Options {
    /// Tools that change something are there, too: panes are opened, typed into and closed, flows run, agents prompted.
    pub write: bool,
    /// The pane that the agent runs in, when it runs in one.
    pub pane: Option<PaneId>,
    /// The directory that it works in.
    pub cwd: PathBuf,
    /// The program `switchyard`: a run that is started goes on in a process of its own, also when the agent ends.
    pub program: PathBuf,
}

/// Why serving ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Whoever asks does not speak the protocol.
    #[error("the client can't be understood: {0}")]
    Greeting(String),
    /// The task that served ended without an answer.
    #[error("the server stopped: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

/// Serves one client until it hangs up.
///
/// # Errors
///
/// [`ServeError::Greeting`] when the client does not begin as the protocol says.
pub async fn serve(
    app: App,
    options: Options,
    hear: impl AsyncRead + Send + Unpin + 'static,
    say: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<(), ServeError> {
    let server = server::Server::new(app, options);
    let serving = server.serve((hear, say)).await;
    let serving = serving.map_err(|error| ServeError::Greeting(error.to_string()))?;
    serving.waiting().await?;
    Ok(())
}
