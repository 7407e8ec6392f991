//! `man`: the manual, as pages.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man as Page;

use crate::failure::Failure;
use crate::output::Output;

/// Print the manual page, or write the pages of all commands into a directory
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  switchyard man | man -l -
  switchyard man --directory ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Write the page of each command here, as `switchyard-search.1`
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl Man {
    /// `command`: the whole command line.
    pub(crate) fn run(self, command: clap::Command, out: &mut Output<'_>) -> Result<(), Failure> {
        let Some(directory) = self.directory else {
            let mut page = Vec::new();
            Page::new(command).render(&mut page)?;
            return Ok(out.text(&String::from_utf8_lossy(&page))?);
        };
        let failed = |error: std::io::Error| {
            Failure::failed(format!(
                "could not write to `{}`: {error}",
                directory.display()
            ))
        };
        fs::create_dir_all(&directory).map_err(failed)?;
        clap_mangen::generate_to(command, &directory).map_err(failed)
    }
}
