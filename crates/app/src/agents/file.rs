//! `agents.json`: which hosts and programs there are beside those that are found by themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agents::{
    AcpConfig, AgentBackend, Command, CommandConfig, Paseo, PaseoConfig, PasswordRef, Transport,
};
use serde::{Deserialize, Serialize};

use super::terminals::PaneTerminals;
use crate::{Code, Error, Paths};

/// What the person wrote in `agents.json`: hosts and programs beside those that are found by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AgentsFile {
    /// Paseo daemons; missing: the one at `localhost:6767`.
    pub(crate) paseo: Option<Vec<PaseoHost>>,
    /// ACP agents beside the well-known ones on the PATH.
    pub(crate) acp: Vec<AcpProgram>,
    /// Programs that answer a prompt.
    pub(crate) command: Vec<CommandProgram>,
}

/// One Paseo daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaseoHost {
    /// Where it listens, without a password.
    pub(crate) address: String,
    /// Where its password is kept.
    #[serde(default)]
    pub(crate) password: Option<PasswordRef>,
    /// How it is reached.
    #[serde(default)]
    pub(crate) transport: Transport,
    /// The `paseo` program; missing: the one on the PATH.
    #[serde(default)]
    pub(crate) program: Option<PathBuf>,
}

/// One ACP agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcpProgram {
    /// Its name.
    pub(crate) name: String,
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Added to its environment.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
}

/// One program that answers a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandProgram {
    /// Its name.
    pub(crate) name: String,
    /// The program and its arguments; `{prompt}` is where the prompt goes, else it is the last.
    pub(crate) program: Vec<String>,
}

impl AgentsFile {
    /// Reads `agents.json`; a missing one is the default.
    ///
    /// # Errors
    ///
    /// [`Code::BadFile`] when it is not JSON or has a field that is unknown or wrong.
    pub(crate) fn load(paths: &Paths) -> Result<Self, Error> {
        Ok(crate::settings::read(&paths.agents_file())?.unwrap_or_default())
    }

    /// The backends that the file and the PATH give; a wrong entry is refused as a whole.
    pub(super) fn backends(
        &self,
        file: &Path,
        panes: &Arc<PaneTerminals>,
        acp: impl Fn(AcpConfig) -> Arc<dyn AgentBackend>,
    ) -> Result<Vec<Configured>, Error> {
        let wrong =
            |what: String| Error::new(Code::BadFile, format!("`{}`: {what}", file.display()));
        let mut backends: Vec<Configured> = Vec::new();
        let local = [PaseoHost {
            address: "localhost:6767".into(),
            password: None,
            transport: Transport::Auto,
            program: None,
        }];
        for host in self.paseo.as_deref().unwrap_or(&local) {
            let address = host
                .address
                .parse()
                .map_err(|error: agents::AddressError| {
                    wrong(format!("`paseo.address`: {error}"))
                })?;
            let mut config = PaseoConfig::new(address);
            config.password = host.password.clone();
            config.transport = host.transport;
            if let Some(program) = &host.program {
                config.program.clone_from(program);
            }
            backends.push(Configured {
                from: format!("{host:?}"),
                found: self.paseo.is_none(),
                backend: Arc::new(Paseo::new(config)),
            });
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        for preset in agents::presets(&path) {
            backends.push(Configured {
                from: format!("{preset:?}"),
                found: true,
                backend: acp(AcpConfig::new(preset.name, preset.program, preset.args)),
            });
        }
        for program in &self.acp {
            if program.name.trim().is_empty() {
                return Err(wrong("`acp.name` is empty; give the agent a name".into()));
            }
            let mut config = AcpConfig::new(&program.name, &program.program, &[]);
            config.args.clone_from(&program.args);
            config.env.clone_from(&program.env);
            backends.push(Configured {
                from: format!("{program:?}"),
                found: false,
                backend: acp(config),
            });
        }
        for program in &self.command {
            if program.name.trim().is_empty() {
                return Err(wrong(
                    "`command.name` is empty; give the program a name".into(),
                ));
            }
            let config = CommandConfig {
                name: program.name.clone(),
                program: program.program.clone(),
                silent_turn: std::time::Duration::from_secs(30 * 60),
            };
            let command = Command::new(config, panes.clone())
                .map_err(|error| wrong(format!("`command` `{}`: {error}", program.name)))?;
            backends.push(Configured {
                from: format!("{program:?}"),
                found: false,
                backend: Arc::new(command),
            });
        }
        Ok(backends)
    }
}

/// A backend, and what it was made from: two that were made from the same are the same.
pub(super) struct Configured {
    pub(super) from: String,
    pub(super) found: bool,
    pub(super) backend: Arc<dyn AgentBackend>,
}
