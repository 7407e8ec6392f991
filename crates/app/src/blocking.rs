//! Work that may take long, away from the threads that everything else shares.

use crate::{Code, Error};

/// Does `work` on a thread that may wait; an error of its own when it panics.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::from_chain(Code::Failed, &error)),
    }
}
