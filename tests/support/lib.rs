//! What the whole-app scenarios share: a home of its own for every test, the program run from outside, its window
//! driven through WebDriver, and waiting with a deadline.

mod daemon;
mod disk;
mod home;
mod sshd;
mod window;

pub use daemon::PaseoDaemon;
pub use disk::{Out, SmallDisk};
pub use home::Home;
pub use sshd::{Relay, Sshd, Unusual};
pub use window::Window;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long anything may take before a scenario gives up: generous, since machines are shared.
pub const DEADLINE: Duration = Duration::from_secs(40);

/// How often a scenario looks again at what it can't be told about.
const LOOK_AGAIN: Duration = Duration::from_millis(40);

/// Runs git in `directory`, as somebody who may commit.
///
/// # Errors
///
/// When git is missing or fails, with all that it said.
pub fn git(directory: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(arguments)
        .output()?;
    anyhow::ensure!(output.status.success(), "git {arguments:?}: {output:?}");
    Ok(())
}

/// Asks `look` until it answers, or fails with what it waited for and what was last seen.
///
/// # Errors
///
/// When [`DEADLINE`] has passed; the message holds `what` and the last answer.
pub async fn wait_for<T, F>(what: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = Result<T, String>>,
{
    let give_up = Instant::now() + DEADLINE;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(seen) if Instant::now() > give_up => {
                anyhow::bail!("waited for {what}; last seen: {seen}")
            }
            Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}
