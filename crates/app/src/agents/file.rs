//! `agents.json`: which hosts and programs there are beside those that are found by themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agents::{
    AcpConfig, AgentBackend, Command, CommandConfig, McpServer, OpenCode, OpenCodeConfig, Paseo,
    PaseoConfig, PasswordRef, Transport,
};
use clock::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::terminals::PaneTerminals;
use crate::{Code, Error, Paths};

/// What the person wrote in `agents.json`: hosts and programs beside those that are found by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AgentsFile {
    /// Paseo daemons; missing: the one at `localhost:6767`.
    pub(crate) paseo: Option<Vec<PaseoHost>>,
    /// Servers of OpenCode: `opencode serve`.
    pub(crate) opencode: Vec<OpenCodeServer>,
    /// ACP agents beside the well-known ones on the PATH.
    pub(crate) acp: Vec<NamedProgram>,
    /// Programs that answer a prompt.
    pub(crate) command: Vec<CommandProgram>,
    /// Servers of the Model Context Protocol that ACP agents are told of, beside those that they know themselves; asked over their standard
    /// input and output.
    pub(crate) mcp: Vec<NamedProgram>,
}

/// One Paseo daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// One server of OpenCode: `opencode serve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenCodeServer {
    /// Where it listens, without a password.
    pub(crate) address: String,
    /// Where its password is kept.
    #[serde(default)]
    pub(crate) password: Option<PasswordRef>,
}

/// A program by name: an ACP agent, or a server of the Model Context Protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedProgram {
    /// Its name.
    pub(crate) name: String,
    /// The program, on the PATH or as a path.
    pub(crate) program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    pub(crate) args: Vec<String>,
    /// Added to its environment.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
}

/// One program that answers a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// [`Code::BadFile`] when it is not JSON or has fields that are unknown or wrong, each with its line.
    pub(crate) fn load(paths: &Paths) -> Result<Self, Error> {
        crate::settings::read(&paths.agents_file())
    }

    /// The backends that the file and the PATH give; a wrong entry is refused as a whole.
    pub(super) fn backends(
        &self,
        file: &Path,
        panes: &Arc<PaneTerminals>,
        clock: &Clock,
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
        for server in &self.opencode {
            let wrong =
                |error: &dyn std::fmt::Display| wrong(format!("`opencode.address`: {error}"));
            // As the server prints it.
            let address = server.address.trim().trim_end_matches('/');
            let address = address.strip_prefix("http://").unwrap_or(address);
            let address = address
                .parse()
                .map_err(|error: agents::AddressError| wrong(&error))?;
            let mut config = OpenCodeConfig::new(address);
            config.password = server.password.clone();
            let backend = OpenCode::new(config, clock.clone()).map_err(|error| wrong(&error))?;
            backends.push(Configured {
                from: format!("{server:?}"),
                found: false,
                backend: Arc::new(backend),
            });
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mcp = self.mcp_servers().map_err(wrong)?;
        for preset in agents::presets(&path) {
            let from = format!("{preset:?} {mcp:?}");
            let mut config = AcpConfig::new(preset.name, preset.program, preset.args);
            config.mcp.clone_from(&mcp);
            backends.push(Configured {
                from,
                found: true,
                backend: acp(config),
            });
        }
        for program in &self.acp {
            if program.name.trim().is_empty() {
                return Err(wrong("`acp.name` is empty; give the agent a name".into()));
            }
            let mut config = AcpConfig::new(&program.name, &program.program, &[]);
            config.args.clone_from(&program.args);
            config.env.clone_from(&program.env);
            config.mcp.clone_from(&mcp);
            backends.push(Configured {
                from: format!("{program:?} {mcp:?}"),
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

    /// The servers that agents are told of; or what is wrong with one.
    fn mcp_servers(&self) -> Result<Vec<McpServer>, String> {
        let mut servers: Vec<McpServer> = Vec::new();
        for NamedProgram {
            name,
            program,
            args,
            env,
        } in &self.mcp
        {
            if name.trim().is_empty() {
                return Err("`mcp.name` is empty; give the server a name".into());
            }
            if servers.iter().any(|server| server.name == *name) {
                return Err(format!(
                    "`mcp.name` is `{name}` twice; agents tell servers apart by their names"
                ));
            }
            servers.push(McpServer {
                name: name.clone(),
                program: program.clone(),
                args: args.clone(),
                env: env.clone(),
            });
        }
        Ok(servers)
    }
}

/// A backend, and what it was made from: two that were made from the same are the same.
pub(super) struct Configured {
    pub(super) from: String,
    pub(super) found: bool,
    pub(super) backend: Arc<dyn AgentBackend>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loads `agents.json` as a person wrote it; the error without the directory.
    fn load(text: &str) -> Result<AgentsFile, String> {
        let home = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::below(home.path());
        paths.create().expect("created");
        std::fs::write(paths.agents_file(), text).expect("written");
        let short = |error: Error| {
            error
                .message
                .replace(&paths.config().display().to_string(), "")
        };
        AgentsFile::load(&paths).map_err(short)
    }

    #[test]
    fn mistakes_are_told_with_their_lines_and_what_would_be_right() {
        let told = [
            "{\n  \"paseo\": [\n    { \"address\": \"a\" },\n    { \"adress\": \"b\" }\n  ]\n}",
            "{\n  \"paseo\": [\n    // mine\n    { \"address\": 3, \"transport\": \"air\" },\n    3\n  ]\n}",
            r#"{ "acp": [{ "name": "a", "program": "b", "args": "c", "env": { "D": 1 } }] }"#,
            r#"{ "acp": {}, "command": null }"#,
            r#"{ "paseo": [{ "address": "a", "password": { "from": "memory", "account": "b" } }] }"#,
            r#"{ "paseo": [{ "address": "a", "password": { "from": "keyring", "name": "b" } }] }"#,
            r#"{ "paseo": [{ "address": "a", "password": "b" }] }"#,
            "3",
            "{\n \"acp\": \n}",
        ]
        .map(|text| load(text).map(drop).expect_err("refused"));
        insta::assert_snapshot!(told.join("\n"), @r#"
        `/agents.json`: line 4: there is no setting `paseo[1].adress`; did you mean `address`?
        line 4: `paseo[1]` has no `address`
        `/agents.json`: line 4: `paseo[0].address` is 3, but must be a text
        line 4: `paseo[0].transport` is "air", but must be one of `auto`, `socket`, `program`
        line 5: `paseo[1]` is 3, but must be an object
        `/agents.json`: line 1: `acp[0].args` is "c", but must be a list
        line 1: `acp[0].env.D` is 1, but must be a text
        `/agents.json`: line 1: `acp` is {}, but must be a list
        line 1: `command` is null, but must be a list
        `/agents.json`: line 1: `paseo[0].password` is {"from":"memory","account":"b"}, but must be an object whose `from` is one of `environment`, `keyring`
        `/agents.json`: line 1: there is no setting `paseo[0].password.name`
        line 1: `paseo[0].password` has no `account`
        `/agents.json`: line 1: `paseo[0].password` is "b", but must be an object whose `from` is one of `environment`, `keyring`
        `/agents.json`: it must be one object, in braces
        `/agents.json`: Unexpected close brace on line 3 column 1
        "#);
    }

    #[test]
    fn what_is_right_is_read() {
        let text = r#"{ /* mine */
            "paseo": [
                { "address": "a" },
                { "address": "b", "password": { "from": "keyring", "account": "c" }, "transport": "socket" },
                { "address": "d", "password": null, "program": null },
            ],
            "opencode": [{ "address": "http://localhost:4096/" }],
            "acp": [{ "name": "e", "program": "f", "env": { "G": "h" } }],
            "command": [{ "name": "i", "program": ["j", "{prompt}"] }],
        }"#;
        let file = load(text).expect("it is right");
        let password = PasswordRef::Keyring {
            account: "c".to_owned(),
        };
        let hosts = file.paseo.expect("they are there");
        assert_eq!(
            hosts.iter().map(|host| &*host.address).collect::<Vec<_>>(),
            ["a", "b", "d"]
        );
        assert_eq!(
            (&hosts[1].password, hosts[1].transport),
            (&Some(password), Transport::Socket)
        );
        assert_eq!(file.opencode[0].address, "http://localhost:4096/");
        assert_eq!(file.acp[0].env["G"], "h");
        assert_eq!(file.command[0].program, ["j", "{prompt}"]);
        assert_eq!(
            load("// nothing").expect("it is empty"),
            AgentsFile::default()
        );
        assert_eq!(
            load("{ \"paseo\": null }").expect("right"),
            AgentsFile::default()
        );
    }
}
