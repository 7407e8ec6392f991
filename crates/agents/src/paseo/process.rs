//! The `paseo` program: the only file that starts it.
//!
//! Each call costs seconds of processor time, so nothing that a person waits for goes through here
//! while the socket answers.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::address::HostAddress;
use crate::error::AgentError;
use crate::process::{Group, Limits, Output, Program};
use crate::secret::Secret;

/// The longest single argument that Linux takes, with room to spare.
const ARGUMENT_LIMIT: usize = 100_000;

/// The program, aimed at one host.
#[derive(Debug, Clone)]
pub(crate) struct Cli {
    program: Program,
    host: Option<String>,
}

/// One call: the command, its options, and what follows `--`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call<'a> {
    /// `ls`, `send`, `permit allow`.
    pub(crate) command: &'a [&'a str],
    /// Options, each as it is passed.
    pub(crate) options: Vec<String>,
    /// Names that a person or another program chose; never read as options.
    pub(crate) operands: Vec<String>,
    /// A prompt, passed so that nothing in it is read as an option.
    pub(crate) prompt: Option<&'a str>,
}

impl Cli {
    /// Aims `program` at `address`.
    ///
    /// The host is always said, since the program would else talk to whatever listens on its default
    /// port. With a password it goes through the environment, which other users can't read.
    pub(crate) fn new(program: &Path, address: &HostAddress, password: Option<&Secret>) -> Self {
        let program = Program::new(program);
        match password {
            None => Self {
                program,
                host: Some(address.for_program(None)),
            },
            Some(password) => Self {
                program: program.env("PASEO_HOST", &address.for_program(Some(password.expose()))),
                host: None,
            },
        }
    }

    /// Runs one call to its end and returns whatever came; exit codes are for the caller to judge.
    pub(crate) async fn run(&self, call: &Call<'_>, limits: &Limits) -> Result<Output, AgentError> {
        let (args, stdin) = self.arguments(call, true);
        self.program.run(&args, stdin.as_deref(), limits).await
    }

    /// Starts a call that streams and does not end by itself.
    pub(crate) fn follow(&self, call: &Call<'_>) -> Result<Group, AgentError> {
        let (args, _) = self.arguments(call, false);
        self.program.start(&args, Stdio::null())
    }

    /// The program's version, asked without any daemon.
    pub(crate) async fn version(&self, deadline: Duration) -> Result<String, AgentError> {
        let output = self
            .program
            .run(&["--version".into()], None, &Limits::within(deadline))
            .await?;
        Ok(output.stdout.trim().to_owned())
    }

    /// `COMMAND --json [--host H] [options] -- operands [PROMPT]`, and what goes to its input.
    fn arguments(&self, call: &Call<'_>, json: bool) -> (Vec<String>, Option<Vec<u8>>) {
        let mut args: Vec<String> = call.command.iter().map(|&word| word.into()).collect();
        if json {
            args.push("--json".into());
        }
        if let Some(host) = &self.host {
            args.extend(["--host".into(), host.clone()]);
        }
        args.extend(call.options.iter().cloned());
        let through_input = call
            .prompt
            .filter(|prompt| prompt.len() > ARGUMENT_LIMIT || prompt.trim_start().starts_with('-'));
        if through_input.is_some() {
            args.extend(["--prompt-file".into(), "/dev/stdin".into()]);
        }
        if !call.operands.is_empty() {
            args.push("--".into());
            args.extend(call.operands.iter().cloned());
        }
        match (through_input, call.prompt) {
            (Some(prompt), _) => return (args, Some(prompt.as_bytes().to_vec())),
            (None, Some(prompt)) => args.push(prompt.into()),
            (None, None) => {}
        }
        (args, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(prompt: &str, password: Option<&str>) -> (String, Option<usize>) {
        let password = password.map(Secret::new);
        let cli = Cli::new(
            Path::new("paseo"),
            &"localhost:6767".parse().unwrap(),
            password.as_ref(),
        );
        let (args, stdin) = cli.arguments(
            &Call {
                command: &["send"],
                options: vec!["--no-wait".into()],
                operands: vec!["ID".into()],
                prompt: Some(prompt),
            },
            true,
        );
        (args.join(" "), stdin.map(|bytes| bytes.len()))
    }

    #[test]
    fn nothing_in_a_prompt_is_read_as_an_option() {
        insta::assert_debug_snapshot!(arguments("fix it", None), @r#"
        (
            "send --json --host localhost:6767 --no-wait -- ID fix it",
            None,
        )
        "#);
        insta::assert_debug_snapshot!(arguments("--help me", None), @r#"
        (
            "send --json --host localhost:6767 --no-wait --prompt-file /dev/stdin -- ID",
            Some(
                9,
            ),
        )
        "#);
        let (args, stdin) = arguments(&"x".repeat(200_000), None);
        assert!(args.len() < 200);
        assert_eq!(stdin, Some(200_000));
    }

    #[test]
    fn a_password_is_never_an_argument() {
        let (args, _) = arguments("hi", Some("Secret-pw.1"));
        assert_eq!(args, "send --json --no-wait -- ID hi");
        let cli = Cli::new(
            Path::new("paseo"),
            &"localhost:6767".parse().unwrap(),
            Some(&Secret::new("pw")),
        );
        assert!(cli.host.is_none());
    }
}
