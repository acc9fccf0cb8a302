//! Writes the pages that the browser tests look at, each with its timeline as JSON beside it.
//!
//!     cargo run -p timeline --example pages -- target/pages
//!
//! The same bytes every time: what looks random comes from a fixed seed.

mod crowd;
mod story;
mod walkthrough;

use std::path::Path;

use timeline::{Timeline, html};

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

fn main() -> Result {
    let folder = std::env::args().nth(1).ok_or("usage: pages FOLDER, where the pages are written to")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).map_err(|error| format!("failed to create `{}`: {error}", folder.display()))?;
    write(folder, "walkthrough", &walkthrough::small())?;
    write(folder, "hostile", &walkthrough::hostile())?;
    write(folder, "waits", &walkthrough::side_by_side())?;
    write(folder, "fates", &walkthrough::every_fate())?;
    write(folder, "one", &walkthrough::one_record())?;
    write(folder, "empty", &Timeline { title: "simulate: nothing".into(), ..Timeline::default() })?;
    write(folder, "lanes", &crowd::timeline("demo: 100 shards", 100, 2, 4_000, 10))?;
    write(folder, "slots", &crowd::timeline("demo: 10 slots", 2, 10, 3_000, 10))?;
    write(folder, "large", &crowd::timeline("demo: 50,000 records", 4, 1, 50_000, 100))?;
    write(folder, "singles", &crowd::timeline("demo: 50,000 batches of one", 4, 2, 50_000, 1))
}

fn write(folder: &Path, name: &str, timeline: &Timeline) -> Result {
    for (extension, text) in [("html", html(timeline)?), ("json", timeline.json()?)] {
        let path = folder.join(format!("{name}.{extension}"));
        std::fs::write(&path, text).map_err(|error| format!("failed to write `{}`: {error}", path.display()))?;
    }
    Ok(())
}
