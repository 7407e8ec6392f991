//! The first words on a machine: a shell there says what it is, takes our program, and becomes it.
//!
//! Whatever the login shell is, it is asked for one thing only: to become `sh`, which reads one more line and does it. All else
//! is sent over the pipe, so nothing has to be quoted for a shell that is not known. What `sh` says is marked with a word that
//! is made up each time: everything else is what the login shell prints at its start, and is passed over.

use std::io;

use tokio::fs::File;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};

use crate::error::LinkError;
use crate::link::Stage;
use crate::program::{Far, Programs};

/// What is run there: `sh`, which does what the next line on its standard input says.
pub(crate) const ENTRANCE: [&str; 3] = ["sh", "-c", r#"IFS= read -r s; eval "$s""#];
/// The same, as a login shell is told it: sh, csh, fish and their kin read these quotes alike.
pub(crate) const ENTRANCE_IN_WORDS: &str = r#"exec sh -c 'IFS= read -r s; eval "$s"'"#;

/// That line: it gathers the lines that follow, up to the word, and does them.
const GATHER: &str = r#"sy_end=$(printf '\nx'); sy_end=${sy_end%x}; sy_do=; while IFS= read -r s && [ "$s" != "$sy_word" ]; do sy_do=$sy_do$s$sy_end; done; eval "$sy_do""#;

/// What it is to do.
const SCRIPT: &str = include_str!("arrival.sh");

/// How much a login shell may print before anything of ours.
const RUBBISH: u64 = 1024 * 1024;
/// The longest line that the script says.
const LINE: u64 = 64 * 1024;

/// What went wrong, before it is known how the pipe ended.
#[derive(Debug)]
pub(crate) enum NoArrival {
    /// The pipe broke: whoever gives it says why.
    Pipe(io::Error),
    /// It is known already.
    Known(LinkError),
}

impl From<io::Error> for NoArrival {
    fn from(error: io::Error) -> Self {
        Self::Pipe(error)
    }
}

/// Has our program run at the other end of the pipe: after this, both belong to it. `stage` is told what it is at.
pub(crate) async fn arrive(
    read: &mut BufReader<impl AsyncRead + Unpin>,
    write: &mut (impl AsyncWrite + Unpin),
    programs: &Programs,
    stage: &mut (dyn FnMut(Stage) + Send),
) -> Result<(), NoArrival> {
    let word = format!("switchyard-{}", uuid::Uuid::new_v4().simple());
    write
        .write_all(format!("sy_word={word}; {GATHER}\n{SCRIPT}{word}\n").as_bytes())
        .await?;
    write.flush().await?;
    let said = hear(read, &word, RUBBISH).await?;
    let Some((system, processor)) = said.strip_prefix("here ").and_then(|it| it.split_once(' '))
    else {
        return Err(unexpected(&said));
    };
    let far = Far {
        system: system.trim().to_owned(),
        processor: processor.trim().to_owned(),
    };
    stage(Stage::There);
    let (programs, wanted) = (programs.clone(), far.clone());
    // Read whole, to know it by its sum.
    let program = tokio::task::spawn_blocking(move || programs.find(&wanted))
        .await
        .map_err(io::Error::other)?
        .map_err(NoArrival::Known)?;
    write
        .write_all(format!("{} {} {}\n", program.name, program.size, program.sum).as_bytes())
        .await?;
    write.flush().await?;
    let mut said = hear(read, &word, LINE).await?;
    if said == "need" {
        let path = program.path.display().to_string();
        let unread = |source| {
            NoArrival::Known(LinkError::NoProgram {
                path: path.clone(),
                source,
            })
        };
        let mut file = File::open(&program.path).await.map_err(unread)?;
        let mut sent = 0;
        let mut piece = vec![0; 256 * 1024];
        // What it says meanwhile is that it can't: then nobody reads the rest.
        let send = async {
            while sent < program.size {
                let read = file.read(&mut piece).await.map_err(unread)?;
                if read == 0 {
                    break;
                }
                write.write_all(&piece[..read]).await?;
                sent += read as u64;
                stage(Stage::Sending {
                    sent,
                    size: program.size,
                });
            }
            write.flush().await?;
            Ok::<(), NoArrival>(())
        };
        let mut hearing = std::pin::pin!(hear(read, &word, LINE));
        said = tokio::select! {
            said = &mut hearing => said?,
            done = send => {
                // A pipe that broke may have said why before.
                match (done, hearing.await) {
                    (_, Ok(said)) => said,
                    (Err(error), _) => return Err(error),
                    (Ok(()), Err(error)) => return Err(error),
                }
            }
        };
    }
    if said == "run" {
        stage(Stage::Starting);
        return Ok(());
    }
    if let Some(why) = said.strip_prefix("nowhere ") {
        let why = why.trim().trim_end_matches(';');
        return Err(NoArrival::Known(LinkError::NotPut(format!(
            "our program can be put nowhere on the machine: {why}"
        ))));
    }
    if let Some(why) = said.strip_prefix("bad ") {
        return Err(NoArrival::Known(LinkError::NotPut(format!(
            "our program was sent to the machine, and {}",
            why.trim()
        ))));
    }
    Err(unexpected(&said))
}

fn unexpected(said: &str) -> NoArrival {
    let message = format!("the shell there said `{said}`, which nobody asked");
    NoArrival::Pipe(io::Error::new(io::ErrorKind::InvalidData, message))
}

/// The next line that is marked with the word; what else comes, up to `limit` bytes, is passed over.
async fn hear(
    read: &mut BufReader<impl AsyncRead + Unpin>,
    word: &str,
    limit: u64,
) -> Result<String, NoArrival> {
    let mark = format!("{word} ");
    let mut left = limit;
    loop {
        let mut line = Vec::new();
        let got = (&mut *read).take(left).read_until(b'\n', &mut line).await?;
        left -= got as u64;
        let line = String::from_utf8_lossy(&line);
        if let Some(at) = line.find(&mark) {
            return Ok(line[at + mark.len()..].trim_end().to_owned());
        }
        if left == 0 {
            let message = format!(
                "the login shell there printed more than {limit} bytes before it did anything"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
        }
        if got == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}
