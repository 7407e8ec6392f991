//! Teaches bash, zsh and fish to say where their prompts, commands and outputs begin, and how commands end.
//!
//! Nothing of the user's is edited: bash is given another rc file, which reads the user's; zsh another directory
//! for its first file, which points it back at once; fish a command to run after its own configuration.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::pty::Command;
use crate::shells;

const BASH: &str = include_str!("../shell-integration/bash.sh");
const ZSH: &str = include_str!("../shell-integration/zshenv.zsh");
const FISH: &str = include_str!("../shell-integration/init.fish");

/// How a login shell is asked for.
const LOGIN: [&str; 4] = ["-l", "--login", "-il", "-li"];

/// Changes how a shell is started so that it marks its prompts. Leaves alone what it does not know: other
/// programs, and shells that were told to read other files, or none.
///
/// `dir` is where the scripts go; they are written anew when they differ.
pub(crate) fn teach(command: &mut Command, dir: &Path) -> io::Result<()> {
    let is_login = |arg: &String| LOGIN.contains(&arg.as_str());
    match shells::name_of(&command.program) {
        "bash" if command.args.iter().all(|arg| arg == "-i" || is_login(arg)) => {
            let script = text(&put(dir, "bash.sh", BASH)?)?;
            if command.args.iter().any(is_login) {
                // It reads no other file then, and that one reads those of a login shell.
                command.args.insert(0, "--posix".into());
                instead(command, "ENV", "SWITCHYARD_ENV", script);
            } else {
                command.args.insert(0, "--rcfile".into());
                command.args.insert(1, script);
            }
        }
        "zsh" if !command.args.iter().any(|arg| leaves_out_files(arg)) => {
            let zsh = dir.join("zsh");
            put(&zsh, ".zshenv", ZSH)?;
            instead(command, "ZDOTDIR", "SWITCHYARD_ZDOTDIR", text(&zsh)?);
        }
        "fish" => {
            command.args.insert(0, "--init-command".into());
            command.args.insert(1, FISH.into());
        }
        _ => {}
    }
    Ok(())
}

/// Whether an argument of zsh has it read no file of its user's: `-f`, `--no-rcs`, `-o NO_RCS`.
fn leaves_out_files(arg: &str) -> bool {
    let letters = arg.starts_with('-') && !arg.starts_with("--") && arg.contains('f');
    letters || arg.to_ascii_lowercase().ends_with("rcs")
}

/// Gives a variable another value, and the one that it has another name: the script puts it back.
fn instead(command: &mut Command, name: &str, kept_as: &str, value: String) {
    if let Some(theirs) = command.env.insert(name.into(), value.into()) {
        command.env.insert(kept_as.into(), theirs);
    }
}

fn text(path: &Path) -> io::Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("the path `{}` is not valid UTF-8", path.display()),
        )
    })
}

/// Makes sure that `dir/name` holds `script`; a shell that starts meanwhile never reads half of it.
fn put(dir: &Path, name: &str, script: &str) -> io::Result<PathBuf> {
    let file = dir.join(name);
    if fs::read(&file).is_ok_and(|there| there == script.as_bytes()) {
        return Ok(file);
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)?;
    let new = dir.join(format!(".new-{}-{name}", std::process::id()));
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?
        .write_all(script.as_bytes())?;
    fs::rename(&new, &file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    fn taught(program: &str, args: &[&str]) -> (Vec<String>, BTreeMap<String, String>) {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command {
            program: program.into(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            cwd: "/".into(),
            env: BTreeMap::new(),
            stdin: None,
            stdout_apart: false,
        };
        teach(&mut command, dir.path()).unwrap();
        let plain = |text: &String| text.replace(dir.path().to_str().unwrap(), "DIR");
        (
            command.args.iter().map(plain).collect(),
            command
                .env
                .iter()
                .map(|(name, value)| {
                    let text = |text: &OsString| text.to_str().unwrap().to_owned();
                    (text(name), plain(&text(value)))
                })
                .collect(),
        )
    }

    #[test]
    fn a_shell_is_started_so_that_it_reads_its_script() {
        insta::assert_debug_snapshot!(taught("/bin/bash", &[]).0, @r#"
        [
            "--rcfile",
            "DIR/bash.sh",
        ]
        "#);
        let (args, env) = taught("bash", &["-l", "-i"]);
        assert_eq!(args, ["--posix", "-l", "-i"]);
        assert_eq!(env["ENV"], "DIR/bash.sh");
        assert_eq!(taught("/usr/bin/zsh", &["-l"]).1["ZDOTDIR"], "DIR/zsh");
        assert_eq!(taught("fish", &[]).0[0], "--init-command");
    }

    #[test]
    fn other_programs_and_shells_with_arguments_are_left_alone() {
        assert_eq!(taught("vim", &["x"]).0, ["x"]);
        assert_eq!(taught("/bin/bash", &["--norc"]).0, ["--norc"]);
        assert_eq!(taught("/bin/sh", &[]).0, Vec::<String>::new());
        for args in [&["-f"][..], &["-o", "NO_RCS"], &["--no-rcs"]] {
            assert_eq!(taught("zsh", args).1, BTreeMap::new(), "{args:?}");
        }
    }
}
