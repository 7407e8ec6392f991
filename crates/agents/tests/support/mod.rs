//! The stand-ins, as this room's tests use them.

#![allow(dead_code, reason = "each test file uses its own part of this")]

mod daemon;

use std::path::{Path, PathBuf};
use std::time::Duration;

use agents::{Deadlines, HostAddress, Paseo, PaseoConfig, Transport};

#[allow(unused_imports, reason = "each test file uses its own part of this")]
pub(crate) use daemon::{Daemon, Faults, Stopped};

/// Waits for `future`, at most ten seconds.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("it did not happen in time")
}

impl Daemon {
    pub(crate) fn address(&self) -> HostAddress {
        format!("127.0.0.1:{}", self.port).parse().unwrap()
    }

    /// A client of it, with short deadlines.
    pub(crate) fn client(&self, transport: Transport, program: &Path) -> Paseo {
        Paseo::new(self.config(transport, program))
    }

    pub(crate) fn config(&self, transport: Transport, program: &Path) -> PaseoConfig {
        PaseoConfig {
            transport,
            program: program.to_owned(),
            deadlines: short(),
            ..PaseoConfig::new(self.address())
        }
    }
}

/// Deadlines that keep tests short.
pub(crate) fn short() -> Deadlines {
    Deadlines {
        connect: Duration::from_millis(400),
        request: Duration::from_millis(800),
        start: Duration::from_millis(800),
        program: Duration::from_secs(8),
        quiet: Duration::from_secs(5),
        reconnect: Duration::from_secs(3),
        stop: Duration::from_millis(500),
        silent_turn: Duration::from_secs(10),
        poll: Duration::from_millis(20),
        settle: Duration::from_millis(60),
    }
}

/// The stand-in `paseo`, under a name that says what is wrong with it.
pub(crate) fn program(dir: &Path, name: &str) -> PathBuf {
    let at = dir.join(name);
    if !at.exists() {
        #[allow(
            clippy::option_env_unwrap,
            reason = "other rooms include this file, and have no such program"
        )]
        let stand_in = option_env!("CARGO_BIN_EXE_stand-in-paseo").expect("a test of this room");
        std::os::unix::fs::symlink(stand_in, &at).unwrap();
    }
    at
}
