//! Writes the page that shows a run.

use anyhow::Context;
use std::path::Path;
use timeline::Timeline;

/// Writes the page beside its place and moves it there, so that nobody finds half of it.
pub fn write(to: &Path, timeline: &Timeline) -> anyhow::Result<()> {
    let context = || format!("failed to write the report `{}`", to.display());
    let page = timeline::html(timeline).with_context(context)?;
    let mut beside = to.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, page).with_context(context)?;
    std::fs::rename(&beside, to).with_context(context)
}
