//! Which programs are shells, and which of them somebody types into.

use std::path::Path;

const SHELLS: [&str; 14] = [
    "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "mksh", "nu", "pwsh", "sh", "tcsh",
    "xonsh", "zsh",
];

/// Options that are followed by a value of their own.
const WITH_VALUE: [&str; 8] = [
    "-o",
    "+o",
    "-O",
    "+O",
    "--rcfile",
    "--init-file",
    "--init-command",
    "--features",
];

/// Whether a program of this name is a shell.
pub(crate) fn is_one(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// What a program is called, without the directory that it is in.
pub(crate) fn name_of(program: &str) -> &str {
    let name = Path::new(program).file_name();
    name.and_then(|name| name.to_str()).unwrap_or_default()
}

/// Whether a program is a shell that somebody types into: it was given neither a command nor a script.
pub(crate) fn is_typed_into(program: &str, args: &[String]) -> bool {
    let mut args = args.iter().map(String::as_str);
    let asks = |arg: &str| match arg.strip_prefix("--") {
        Some(long) => !long.starts_with("command") && !matches!(long, "help" | "version"),
        None => arg.starts_with(['-', '+']) && !arg.contains('c'),
    };
    while let Some(arg) = args.next() {
        if WITH_VALUE.contains(&arg) {
            args.next();
        } else if !asks(arg) {
            return false;
        }
    }
    is_one(name_of(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed_into(command_line: &str) -> bool {
        let mut words = command_line.split(' ').map(str::to_owned);
        let program = words.next().unwrap();
        is_typed_into(&program, &words.collect::<Vec<_>>())
    }

    #[test]
    fn a_shell_is_typed_into_unless_it_has_something_to_run() {
        for shell in [
            "/bin/bash",
            "bash --norc",
            "bash --rcfile mine -i",
            "zsh -f",
            "zsh -o vi -l",
            "zsh --no-rcs",
            "fish --no-config",
            "sh +x",
        ] {
            assert!(typed_into(shell), "{shell}");
        }
        for other in [
            "vim",
            "bash -c true",
            "bash -lc true",
            "fish --command=true",
            "zsh script",
            "bash --norc script",
            "bash --version",
        ] {
            assert!(!typed_into(other), "{other}");
        }
    }
}
