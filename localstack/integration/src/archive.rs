//! An executable as the archive that Lambda takes.

use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The quickest: it halves an executable, and the rest is a question of seconds.
const DEFLATE_LEVEL: i64 = 1;

/// The executable as `bootstrap`, in an archive in memory.
///
/// # Errors
///
/// When it cannot be packed.
pub(crate) fn bootstrap_archive(executable: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(DEFLATE_LEVEL))
        .unix_permissions(0o755);
    archive.start_file("bootstrap", options)?;
    archive.write_all(executable)?;
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_archive_holds_the_executable_as_bootstrap() {
        let executable = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let archive = bootstrap_archive(&executable).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name("bootstrap").unwrap();
        assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(bytes == executable);
    }
}
