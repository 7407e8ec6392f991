//! `host`: the pane host itself.

use std::time::Duration;

use app::Paths;
use clap::Args;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Cell, Table};

/// Run the pane host, the background process that the panes live in
///
/// The window and the other commands start it when it is needed, and it ends by itself when no
/// program runs and nobody is connected. Run it by hand to see what it says.
#[derive(Debug, Args)]
pub(crate) struct Host {
    /// The agent host instead, the background process that ACP agents live in
    #[arg(long, conflicts_with = "status")]
    agents: bool,
    /// Leave the terminal: how the window starts it
    #[arg(long, hide = true)]
    detached: bool,
    /// Join standard input and output to the host, for somebody on another machine: what ssh runs here
    #[arg(long, hide = true, conflicts_with_all = ["agents", "detached", "stop", "status"])]
    pipe: bool,
    /// Stay so long with nobody connected and no program running
    #[arg(long, value_name = "SECONDS", default_value_t = app::IDLE_AFTER.as_secs())]
    idle_after: u64,
    /// End the host that runs, and every program in its panes; history stays
    #[arg(long, conflicts_with_all = ["detached", "status"])]
    stop: bool,
    /// Say how the host that runs is
    #[arg(long, conflicts_with = "detached")]
    status: bool,
}

impl Host {
    pub(crate) async fn run(self, paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
        let name = if self.agents { "agent" } else { "pane" };
        if self.stop {
            let ended = if self.agents {
                app::stop_agents(paths).await?
            } else {
                app::stop_host(paths).await?
            };
            return match ended {
                Some(pid) => Ok(out.line(&format!("The {name} host (process {pid}) has ended."))?),
                None => Ok(out.line(&format!("No {name} host is running."))?),
            };
        }
        if self.status {
            return status(paths, out).await;
        }
        log();
        if self.pipe {
            return Ok(app::serve_pipe(paths, &std::env::current_exe()?).await?);
        }
        let idle_after = Duration::from_secs(self.idle_after);
        let served = if self.agents {
            app::serve_agents(paths, self.detached, idle_after).await?
        } else {
            app::serve_host(paths, self.detached, idle_after).await?
        };
        match served {
            app::Served::Ended => Ok(()),
            // Whoever started us in the background wants a host, and there is one.
            app::Served::AlreadyRunning { .. } if self.detached => Ok(()),
            app::Served::AlreadyRunning { message } => Err(Failure::failed(message)),
        }
    }
}

async fn status(paths: &Paths, out: &mut Output<'_>) -> Result<(), Failure> {
    let health = app::host_health(paths).await?;
    if out.json() {
        return Ok(out.value(&health)?);
    }
    let Some(health) = health else {
        return Ok(out.line("No pane host is running.")?);
    };
    let mut table = Table::new([
        "PID", "VERSION", "UP", "PANES", "STUCK", "CLIENTS", "MEMORY",
    ]);
    table.row([
        Cell::new(health.pid.to_string()).right(),
        Cell::new(health.version),
        Cell::new(duration(health.uptime_ms)),
        Cell::new(health.panes.to_string()).right(),
        Cell::new(health.stuck_writers.len().to_string()).right(),
        // This very command is one of them.
        Cell::new(health.clients.saturating_sub(1).to_string()).right(),
        Cell::new(health.memory_bytes.map(megabytes).unwrap_or_default()).right(),
    ]);
    Ok(out.table(&table)?)
}

fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1024 * 1024))
}

/// What the host has to say goes to standard error, which is its log when it runs detached.
fn log() {
    use tracing_subscriber::EnvFilter;
    let filter =
        EnvFilter::try_from_env("SWITCHYARD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call, in a test, keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_two_largest_units() {
        let told = [5_000, 65_000, 3_700_000, 90_000_000].map(duration);
        assert_eq!(told, ["5s", "1m 5s", "1h 1m", "1d 1h"]);
    }
}
