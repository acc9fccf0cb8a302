//! The report as a table.

use comfy_table::{CellAlignment, Table, presets};
use pipeline::{Report, SourceReport};

/// One row per source.
pub fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "source",
        "produced",
        "handled",
        "dead-lettered",
        "recovered",
        "byte-identical",
        "lost",
        "handled more than once",
        "invocations",
        "seconds",
    ]);
    for (name, source) in [("kinesis", &report.kinesis), ("dynamodb", &report.dynamodb)] {
        table.add_row(row(name, source, report.seconds));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(name: &str, source: &SourceReport, seconds: f64) -> Vec<String> {
    let numbers = [
        source.produced,
        source.handled,
        source.dead_lettered,
        source.recovered,
        source.identical,
        source.lost,
        source.duplicates,
        source.invocations,
    ];
    let mut row = vec![name.to_owned()];
    row.extend(numbers.map(|number| number.to_string()));
    row.push(format!("{seconds:.1}"));
    row
}
