//! A disk that can be filled.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::Home;

/// What a disk has run out of.
#[derive(Debug, Clone, Copy)]
pub enum Out {
    /// No byte is free.
    Bytes,
    /// No file can be made.
    Files,
}

/// A file system in memory, small enough to be filled; it goes when this is dropped.
pub struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts one; none where this user may not.
    ///
    /// # Errors
    ///
    /// When there is no `mount`, or no directory can be made for it.
    pub fn mount() -> Result<Option<Self>> {
        let at = tempfile::Builder::new().prefix("small-disk-").tempdir()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=16m,nr_inodes=3000", "none"])
            .arg(at.path())
            .current_dir("/")
            .output()?;
        Ok(mounted.status.success().then_some(Self(at)))
    }

    /// A home whose data and configuration are on this disk, as a user's home is on one: the socket's directory is not.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub fn home(&self) -> Result<Home> {
        let home = Home::new()?;
        for part in ["data", "config"] {
            let (here, there) = (home.path().join(part), self.0.path().join(part));
            std::fs::create_dir(&there)?;
            for entry in std::fs::read_dir(&here).into_iter().flatten() {
                let entry = entry?;
                std::fs::copy(entry.path(), there.join(entry.file_name()))?;
            }
            if here.exists() {
                std::fs::remove_dir_all(&here)?;
            }
            std::os::unix::fs::symlink(&there, &here)?;
        }
        Ok(home)
    }

    /// Takes all that is left.
    ///
    /// # Errors
    ///
    /// When it can't be filled for another reason than that it is full.
    pub fn fill(&self, out: Out) -> Result<()> {
        let filling = self.filling();
        std::fs::create_dir_all(&filling)?;
        let taken = match out {
            Out::Bytes => std::fs::File::options()
                .create(true)
                .append(true)
                .open(filling.join("bytes"))
                .and_then(|mut file| {
                    loop {
                        file.write_all(&[0; 4096])?;
                    }
                }),
            Out::Files => (0..).try_for_each(|number: u32| {
                let file = filling.join(format!("{}-{number}", std::process::id()));
                std::fs::File::create(file).map(drop)
            }),
        };
        match taken {
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(()),
            other => anyhow::bail!("the disk is not full: {other:?}"),
        }
    }

    /// Gives back what was taken.
    ///
    /// # Errors
    ///
    /// When it can't be removed.
    pub fn empty(&self) -> Result<()> {
        Ok(std::fs::remove_dir_all(self.filling())?)
    }

    fn filling(&self) -> PathBuf {
        self.0.path().join("filling")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has it open, keeps it.
        let unmount = Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path())
            .current_dir("/")
            .status();
        if !unmount.is_ok_and(|status| status.success()) {
            eprintln!("`{}` is still mounted", self.0.path().display());
        }
    }
}
