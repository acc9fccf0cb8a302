//! The report as a table.

use comfy_table::{CellAlignment, LineStyle, Table, presets};
use pipeline::{Report, SourceReport};

/// One column per source, one row per number: ten columns of words would not fit on a terminal.
pub fn table(report: &Report) -> Table {
    let sources = [&report.kinesis, &report.dynamodb];
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
    table.set_header(["source", "kinesis", "dynamodb"]);
    for (name, number) in NUMBERS {
        let [kinesis, dynamodb] = sources.map(|source| number(source).to_string());
        table.add_row([name.to_owned(), kinesis, dynamodb]);
    }
    let seconds = format!("{:.1}", report.seconds);
    table.add_row(["seconds", &seconds, &seconds]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

type Number = fn(&SourceReport) -> u64;

const NUMBERS: [(&str, Number); 8] = [
    ("produced", |source| source.produced),
    ("handled", |source| source.handled),
    ("dead-lettered", |source| source.dead_lettered),
    ("recovered", |source| source.recovered),
    ("byte-identical", |source| source.identical),
    ("lost", |source| source.lost),
    ("handled more than once", |source| source.duplicates),
    ("invocations", |source| source.invocations),
];
