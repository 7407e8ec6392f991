//! `completions`: what makes a shell complete this command line.

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::Output;

/// Print what makes a shell complete this command line
#[derive(Debug, Args)]
#[command(after_help = "\
The packages bring it along. Elsewhere, once:
  switchyard completions bash > ~/.local/share/bash-completion/completions/switchyard
  switchyard completions fish > ~/.config/fish/completions/switchyard.fish
  switchyard completions zsh > ~/.zfunc/_switchyard    (a directory of your fpath)")]
pub(crate) struct Completions {
    /// Which shell
    shell: Known,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// `command`: the whole command line.
    pub(crate) fn run(
        self,
        mut command: clap::Command,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let shell = match self.shell {
            Known::Bash => Shell::Bash,
            Known::Zsh => Shell::Zsh,
            Known::Fish => Shell::Fish,
        };
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, name, &mut script);
        Ok(out.text(&String::from_utf8_lossy(&script))?)
    }
}
