//! The far end: what `switchyard host --pipe` does on a machine that somebody came to by ssh.

use std::path::Path;

use host::HostClient;
use terminal::Environment;
use tokio::net::UnixStream;

use super::dialler::About;
use crate::{Code, Error, Paths, editing, host_paths};

/// Joins this process's standard input and output to the pane host of this user, which is started if none runs, for as long as
/// the other end is there. `program` is what is started.
///
/// # Errors
///
/// When no pane host answers, or the other end speaks something else.
pub async fn serve_pipe(paths: &Paths, program: &Path) -> Result<(), Error> {
    paths
        .create()
        .map_err(|error| Error::new(Code::Failed, error.to_string()))?;
    let failed = |error: std::io::Error| Error::new(Code::Failed, error.to_string());
    // Before anything is said: what goes wrong here is told as it is.
    let at = host_paths(paths);
    HostClient::connect_or_start(&at, program).await?;
    let about = About {
        environment: Environment::here(),
        home: editing::home().map(|home| home.display().to_string()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let about = serde_json::to_value(about).map_err(|error| failed(error.into()))?;
    let program = program.to_owned();
    let connect = move || {
        let (at, program) = (at.clone(), program.clone());
        async move {
            match UnixStream::connect(at.socket()).await {
                Ok(stream) => Ok(stream),
                // It has ended since, or was killed: there is to be one.
                Err(_) => {
                    let started = HostClient::connect_or_start(&at, &program).await;
                    started.map_err(std::io::Error::other)?;
                    UnixStream::connect(at.socket()).await
                }
            }
        }
    };
    let why = ::machines::serve(tokio::io::stdin(), tokio::io::stdout(), about, connect)
        .await
        .map_err(failed)?;
    tracing::info!("the link is over: {why}");
    Ok(())
}
