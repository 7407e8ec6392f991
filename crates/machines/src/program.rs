//! Which program is put on a machine.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::LinkError;

/// What runs at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Far {
    /// As `uname -s` has it: `Linux`.
    pub system: String,
    /// As `uname -m` has it: `x86_64`.
    pub processor: String,
}

/// The programs that can be put on machines: our own, for a machine like this one, and those that lie in a folder.
#[derive(Debug, Clone)]
pub struct Programs {
    own: PathBuf,
    folder: PathBuf,
    version: String,
}

/// One program, as it is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is here.
    pub path: PathBuf,
    /// The folder that it gets there; another program has another one.
    pub name: String,
    /// Its length.
    pub size: u64,
    /// Its SHA-256, in hexadecimal.
    pub sum: String,
}

impl Programs {
    /// `own` is for machines like this one, unless `folder` has one for them: there a program is called
    /// `switchyard-linux-x86_64`. `version` is that of all of them.
    pub fn new(
        own: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
        version: impl Into<String>,
    ) -> Self {
        Self {
            own: own.into(),
            folder: folder.into(),
            version: version.into(),
        }
    }

    /// The program for what runs at the other end.
    ///
    /// # Errors
    ///
    /// [`LinkError::OtherSystem`] when there is none; [`LinkError::NoProgram`] when it can't be read.
    pub fn find(&self, far: &Far) -> Result<Program, LinkError> {
        let system = far.system.to_lowercase();
        let system = match system.as_str() {
            "darwin" => "macos",
            other => other,
        };
        let processor = match far.processor.as_str() {
            "arm64" => "aarch64",
            "amd64" => "x86_64",
            other => other,
        };
        let ready = self.folder.join(format!("switchyard-{system}-{processor}"));
        let like_us = (system, processor) == (std::env::consts::OS, std::env::consts::ARCH);
        let path = match (ready.is_file(), like_us) {
            (true, _) => ready,
            (false, true) => self.own.clone(),
            (false, false) => {
                return Err(LinkError::OtherSystem {
                    system: far.system.clone(),
                    processor: far.processor.clone(),
                    wanted: ready.display().to_string(),
                });
            }
        };
        let (size, sum) = measured(&path).map_err(|source| LinkError::NoProgram {
            path: path.display().to_string(),
            source,
        })?;
        Ok(Program {
            name: format!("{}-{}", self.version, &sum[..12]),
            path,
            size,
            sum,
        })
    }
}

fn measured(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut size = 0;
    let mut piece = vec![0; 256 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => {
                sum.update(&piece[..read]);
                size += read as u64;
            }
        }
    }
    let sum = sum.finalize();
    Ok((size, sum.iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far(system: &str, processor: &str) -> Far {
        Far {
            system: system.to_owned(),
            processor: processor.to_owned(),
        }
    }

    #[test]
    fn a_machine_like_this_one_gets_our_own_program_and_another_one_what_lies_ready_for_it() {
        let home = tempfile::tempdir().unwrap();
        let own = home.path().join("switchyard");
        std::fs::write(&own, "own").unwrap();
        let programs = Programs::new(&own, home.path(), "1.2.3");
        let here = match std::env::consts::OS {
            "macos" => "Darwin",
            _ => "Linux",
        };
        let found = programs.find(&far(here, std::env::consts::ARCH)).unwrap();
        assert_eq!((found.path, found.size), (own, 3));
        assert!(found.name.starts_with("1.2.3-"), "{}", found.name);

        let error = programs.find(&far("Linux", "riscv64")).unwrap_err();
        assert!(
            error.to_string().contains("switchyard-linux-riscv64"),
            "{error}"
        );
        let ready = home.path().join("switchyard-linux-riscv64");
        std::fs::write(&ready, "theirs").unwrap();
        assert_eq!(programs.find(&far("Linux", "riscv64")).unwrap().path, ready);
    }
}
