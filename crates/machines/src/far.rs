//! The far end of a link: what our program does on the machine.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::mux::{FAR_PATIENCE, Mux};

/// What the far end begins with: nothing that a shell prints is this.
pub(crate) const MAGIC: &[u8; 16] = b"\nswitchyard-link";
/// The version of what is said on a link. It grows when an older end could misread a newer one.
pub(crate) const PROTOCOL: u32 = 1;
/// How long the first words may be: an environment is among them.
pub(crate) const MAX_GREETING: u32 = 4 * 1024 * 1024;

/// The first words of either end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Greeting {
    pub(crate) link: u32,
    /// What the far end tells of itself; the near one tells nothing.
    #[serde(default)]
    pub(crate) about: serde_json::Value,
}

/// Is the far end of a link, until the near one is gone: `about` is told to it, and for each of its connections `connect` makes
/// one here. Returns why it ended.
///
/// # Errors
///
/// When the near end speaks something else.
pub async fn serve<C, F>(
    mut read: impl AsyncRead + Send + Unpin + 'static,
    mut write: impl AsyncWrite + Send + Unpin + 'static,
    about: serde_json::Value,
    connect: C,
) -> io::Result<String>
where
    C: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<UnixStream>> + Send + 'static,
{
    write.write_all(MAGIC).await?;
    let greeting = Greeting {
        link: PROTOCOL,
        about,
    };
    say(&mut write, &greeting).await?;
    let near = hear(&mut read).await?;
    if near.link != PROTOCOL {
        let message = format!(
            "it speaks version {} of links, and this is {PROTOCOL}",
            near.link
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let (mux, run) = Mux::begin(
        read,
        write,
        Some(Arc::new(move || Box::pin(connect()))),
        FAR_PATIENCE,
    );
    let why = run.await;
    drop(mux);
    Ok(why)
}

pub(crate) async fn say(to: &mut (impl AsyncWrite + Unpin), greeting: &Greeting) -> io::Result<()> {
    let bytes = serde_json::to_vec(greeting)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_le_bytes()).await?;
    to.write_all(&bytes).await?;
    to.flush().await
}

pub(crate) async fn hear(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Greeting> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let length = u32::from_le_bytes(length);
    if length > MAX_GREETING {
        let message = format!("its first words would be {length} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let mut bytes = Vec::new();
    from.take(length.into()).read_to_end(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}
