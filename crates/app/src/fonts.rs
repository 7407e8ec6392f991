//! The fonts that this system has. The only file that names fontdb.

use std::collections::BTreeSet;

use crate::{App, Code, Error};

impl App {
    /// The families of fonts whose letters are all as wide, by name. Reads every font file's head: some tenths of a
    /// second where there are many.
    ///
    /// # Errors
    ///
    /// [`Code::Failed`] when the looking ended early.
    pub async fn monospace_fonts(&self) -> Result<Vec<String>, Error> {
        tokio::task::spawn_blocking(|| {
            let mut fonts = fontdb::Database::new();
            fonts.load_system_fonts();
            let families: BTreeSet<String> = fonts
                .faces()
                .filter(|face| face.monospaced)
                // The first name is the English one.
                .filter_map(|face| face.families.first())
                .map(|(family, _)| family.clone())
                .collect();
            families.into_iter().collect()
        })
        .await
        .map_err(|error| Error::new(Code::Failed, error.to_string()))
    }
}
