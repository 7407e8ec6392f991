//! Teaches bash, zsh and fish to say where their prompts, commands and outputs begin, and how commands end.
//!
//! Nothing of the user's is edited: bash is given another rc file, which reads the user's; zsh another directory
//! for its first file, which points it back at once; fish a command to run after its own configuration.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::pty::Command;

const BASH: &str = include_str!("../shell-integration/bash.sh");
const ZSH: &str = include_str!("../shell-integration/zshenv.zsh");
const FISH: &str = include_str!("../shell-integration/init.fish");

/// Changes how a shell is started so that it marks its prompts. Leaves alone what it does not know: other
/// programs, and shells that were given arguments of their own.
///
/// `dir` is where the scripts go; they are written anew when they differ.
pub(crate) fn teach(command: &mut Command, dir: &Path) -> io::Result<()> {
    let name = Path::new(&command.program)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    match name {
        "bash" if command.args.iter().all(|arg| arg == "-i") => {
            let script = put(dir, "bash.sh", BASH)?;
            command.args.insert(0, "--rcfile".into());
            command.args.insert(1, text(&script)?);
        }
        "zsh" => {
            let zsh = dir.join("zsh");
            put(&zsh, ".zshenv", ZSH)?;
            let theirs = command.env.insert("ZDOTDIR".into(), text(&zsh)?.into());
            if let Some(theirs) = theirs {
                command.env.insert("SWITCHYARD_ZDOTDIR".into(), theirs);
            }
        }
        "fish" => {
            command.args.insert(0, "--init-command".into());
            command.args.insert(1, FISH.into());
        }
        _ => {}
    }
    Ok(())
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
        assert_eq!(taught("/usr/bin/zsh", &["-l"]).1["ZDOTDIR"], "DIR/zsh");
        assert_eq!(taught("fish", &[]).0[0], "--init-command");
    }

    #[test]
    fn other_programs_and_shells_with_arguments_are_left_alone() {
        assert_eq!(taught("vim", &["x"]).0, ["x"]);
        assert_eq!(taught("/bin/bash", &["--norc"]).0, ["--norc"]);
        assert_eq!(taught("/bin/sh", &[]).0, Vec::<String>::new());
    }
}
