//! `streamctl simulate`: what would Lambda do with this mapping and this failure?

use crate::console::{show, tell};
use crate::page;
use anyhow::{Context, bail};
use clap::Args;
use comfy_table::{CellAlignment, LineStyle, Table, presets};
use simulation::{Comparison, Row, Scenario};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs a scenario through the model of Lambda's event source mapping, in virtual time, and prints what Lambda would do.
#[derive(Debug, Args)]
pub struct Options {
    /// The scenario, in TOML; `-` reads standard input.
    #[arg(value_name = "SCENARIO.toml", required_unless_present = "example")]
    scenario: Option<PathBuf>,
    /// Print an example of a scenario to start from; without a name, what examples there are.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["scenario", "report", "compare", "json", "all"])]
    example: Option<String>,
    /// Run whole batches, bisect, partial responses and both on the same failure, and print one table.
    #[arg(long, conflicts_with_all = ["report", "all"])]
    compare: bool,
    /// Print the outcome as one JSON object.
    #[arg(long)]
    json: bool,
    /// Print every line, however many there are.
    #[arg(long, conflicts_with = "json")]
    all: bool,
    /// Write a page that shows the run to a file.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// The seed of what is random, instead of the scenario's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// The largest scenario, in bytes: what a person writes, and some.
const SCENARIO_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Runs the scenario. The exit status is 1 if it cannot be read.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if let Some(name) = &options.example {
        return example(name);
    }
    let file = options.scenario.as_deref().unwrap_or(Path::new("-"));
    let shown = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let text = read(file).with_context(|| format!("failed to read `{shown}`"))?;
    let mut scenario = match Scenario::parse(&text) {
        Ok(scenario) => scenario,
        Err(error) => bail!("{shown}:{error}"),
    };
    scenario.bounds.seed = options.seed.unwrap_or(scenario.bounds.seed);
    if options.compare {
        let comparison = scenario.compare().context("failed to change the mapping")?;
        match options.json {
            true => show(comparison.json())?,
            false => show(table(&comparison))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = scenario.run();
    if let Some(to) = &options.report {
        let name = file.file_stem().filter(|_| file != Path::new("-"));
        let name = name.map_or(shown, |stem| stem.to_string_lossy().into_owned());
        page::write(to, &outcome.timeline(&scenario, &name))?;
    }
    match options.json {
        true => show(outcome.json())?,
        false => show(format_args!("{}\n{}", outcome.walk(options.all), outcome.summary().trim_end()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints an example, or which there are.
fn example(name: &str) -> anyhow::Result<ExitCode> {
    if let Some(example) = simulation::example(name) {
        show(example.text.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let list: Vec<String> =
        simulation::examples().iter().map(|example| format!("{:<22}{}", example.name, example.title())).collect();
    if name.is_empty() {
        show(list.join("\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    tell(format_args!("error: there is no example `{name}`; there are:\n{}", list.join("\n")));
    Ok(ExitCode::FAILURE)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    match file == Path::new("-") {
        true => std::io::stdin().take(SCENARIO_BYTES_MAX + 1).read_to_end(&mut bytes)?,
        false => std::fs::File::open(file)?.take(SCENARIO_BYTES_MAX + 1).read_to_end(&mut bytes)?,
    };
    anyhow::ensure!(bytes.len() as u64 <= SCENARIO_BYTES_MAX, "expected at most {SCENARIO_BYTES_MAX} bytes");
    String::from_utf8(bytes).context("expected UTF-8")
}

/// One row for each setting.
fn table(comparison: &Comparison) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table.set_header(["", "invocations", "handled again", "drained after", "in destination", "lost"]);
    for row in &comparison.rows {
        table.add_row(cells(row));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn cells(row: &Row) -> [String; 6] {
    [
        row.mode.to_owned(),
        row.invocations.to_string(),
        row.handled_again.to_string(),
        row.drained_ms.map_or("never".to_owned(), simulation::duration),
        row.in_destination.to_string(),
        row.lost.to_string(),
    ]
}
