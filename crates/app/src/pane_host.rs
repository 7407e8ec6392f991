//! The processes that outlive a window, the panes' and the agents': running them, ending them, asking how they are.

use std::time::Duration;

use clock::Clock;
use host::{
    ConnectError, Host, HostClient, HostHealth, HostOptions, HostPaths, ServeError, Service,
};
use terminal::Panes;

use crate::{Code, Error, Paths, Settings, agent_host_paths, agents, host_paths, panes_config};

/// How long the host stays with no client and no running program, if nothing else is said.
pub const IDLE_AFTER: Duration = Duration::from_secs(60);
/// How long a host that is told to end may take: it hangs up its programs and waits for them.
const END_WITHIN: Duration = Duration::from_secs(15);

/// How [`serve_host`] came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// It served, and was told to end or was no longer needed.
    Ended,
    /// Another host serves this user; this one did nothing.
    AlreadyRunning {
        /// Which, in words.
        message: String,
    },
}

/// Is the pane host of this user, until it is told to end (SIGTERM, SIGINT) or nobody needs it.
///
/// `detached`: it first leaves the terminal and the session that started it. `idle_after`: how long it
/// stays with no client and no running program.
///
/// # Errors
///
/// When the runtime directory, the socket or the history's directory can't be used.
pub async fn serve_host(
    paths: &Paths,
    detached: bool,
    idle_after: Duration,
) -> Result<Served, Error> {
    let stop = begun(detached)?;
    serve_host_until(paths, idle_after, stop).await
}

/// Is the pane host of this user, until `stop` is ready or nobody needs it. See [`serve_host`].
///
/// # Errors
///
/// As there.
pub async fn serve_host_until(
    paths: &Paths,
    idle_after: Duration,
    stop: impl Future<Output = ()>,
) -> Result<Served, Error> {
    paths
        .create()
        .map_err(|error| Error::new(Code::Failed, error.to_string()))?;
    let claim = match claimed(&host::PANES, &host_paths(paths))? {
        Ok(claim) => claim,
        Err(already) => return Ok(already),
    };
    // Settings that a person got wrong are shown by the window; the host serves with the defaults.
    let loaded = Settings::load(paths, &Settings::default());
    let settings = loaded.map_or_else(
        |error| {
            tracing::warn!(%error, "the settings can't be used");
            Settings::default()
        },
        |loaded| loaded.settings,
    );
    let panes = Panes::new(panes_config(paths, &settings))
        .map_err(|error| Error::from_chain(Code::Failed, &error))?;
    let options = HostOptions {
        idle_after,
        started_at: Clock::system().now_ms(),
    };
    claim
        .serve(panes, options, stop)
        .await
        .map_err(|error| Error::from_chain(Code::Failed, &error))?;
    Ok(Served::Ended)
}

/// Leaves the terminal and the session that started us, if so; what comes back is ready when we are told to end.
fn begun(detached: bool) -> Result<impl Future<Output = ()>, Error> {
    if detached {
        host::detach();
    }
    host::until_told_to_end()
        .map_err(|error| Error::new(Code::Failed, format!("could not catch signals: {error}")))
}

/// The claim to be the host of a directory, unless another has it.
fn claimed(service: &'static Service, paths: &HostPaths) -> Result<Result<Host, Served>, Error> {
    match Host::claim(service, paths) {
        Ok(claim) => Ok(Ok(claim)),
        Err(error @ ServeError::AlreadyRunning { .. }) => Ok(Err(Served::AlreadyRunning {
            message: error.to_string(),
        })),
        Err(error) => Err(Error::from_chain(Code::Failed, &error)),
    }
}

/// Is the agent host of this user, until it is told to end (SIGTERM, SIGINT), or until for `idle_after` nobody was
/// connected and nothing would have been lost with it.
///
/// # Errors
///
/// When the runtime directory or the socket can't be used.
pub async fn serve_agents(
    paths: &Paths,
    detached: bool,
    idle_after: Duration,
) -> Result<Served, Error> {
    let stop = begun(detached)?;
    let claim = match claimed(&agents::AGENTS, &agent_host_paths(paths))? {
        Ok(claim) => claim,
        Err(already) => return Ok(already),
    };
    let options = HostOptions {
        idle_after,
        started_at: Clock::system().now_ms(),
    };
    agents::serve(claim, options, stop)
        .await
        .map_err(|error| Error::from_chain(Code::Failed, &error))?;
    Ok(Served::Ended)
}

/// Ends the agent host that runs, and every agent that it holds; returns its process id, or `None` when none runs.
/// Conversations that their agents can load are found again.
///
/// # Errors
///
/// When it does not end within some seconds.
pub async fn stop_agents(paths: &Paths) -> Result<Option<u32>, Error> {
    Ok(host::stop_running(&agents::AGENTS, &agent_host_paths(paths), END_WITHIN).await?)
}

/// Ends the host that runs, of whatever version, and the programs in its panes; returns its process
/// id, or `None` when none runs. History stays.
///
/// # Errors
///
/// When it does not end within some seconds.
pub async fn stop_host(paths: &Paths) -> Result<Option<u32>, Error> {
    Ok(host::stop_running(&host::PANES, &host_paths(paths), END_WITHIN).await?)
}

/// How the host is that runs; `None` when none does. Starts none.
///
/// # Errors
///
/// [`Code::HostVersion`] when it is of another version, [`Code::HostDown`] when it does not answer.
pub async fn host_health(paths: &Paths) -> Result<Option<HostHealth>, Error> {
    match HostClient::connect(&host_paths(paths)).await {
        Ok(client) => Ok(Some(client.health().await?)),
        Err(ConnectError::NotRunning { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{App, AppConfig, HostMode};

    #[tokio::test]
    async fn panes_live_in_this_process_only_where_no_host_has_them() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path());
        paths.create().unwrap();
        let start = || {
            App::start(AppConfig {
                paths: paths.clone(),
                host: HostMode::InProcess,
            })
        };
        let claim = Host::claim(&host::PANES, &host_paths(&paths)).unwrap();
        let Err(refused) = start().await else {
            panic!("a host serves these panes");
        };
        assert_eq!(refused.code, Code::Refused);
        assert!(
            refused.message.contains("host --stop"),
            "{}",
            refused.message
        );
        drop(claim);

        let app = start().await.unwrap();
        assert!(matches!(
            Host::claim(&host::PANES, &host_paths(&paths)),
            Err(ServeError::AlreadyRunning { .. })
        ));
        app.shutdown().await;
        assert!(Host::claim(&host::PANES, &host_paths(&paths)).is_ok());
    }
}
