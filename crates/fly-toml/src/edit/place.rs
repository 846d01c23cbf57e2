//! Where things stand in the text: ends of sections, indentation, attached comments.

use crate::document::Document;
use crate::span::Span;
use crate::syntax::{Kind, Origin, Table, Value};

/// True for a table that is opened by a header or holds such tables, so that it owns lines of its own.
pub(super) fn by_header(value: &Value) -> bool {
    match &value.kind {
        Kind::Table(table) => matches!(table.origin, Origin::Header | Origin::Implicit),
        Kind::Array(items) => items
            .iter()
            .any(|item| matches!(&item.kind, Kind::Table(table) if table.origin == Origin::Header)),
        _ => false,
    }
}

/// The spans of everything that is written directly in a section: `key = value` lines, dotted ones included, but no
/// tables with headers of their own.
pub(super) fn direct(table: &Table) -> Vec<Span> {
    let mut spans = Vec::new();
    for entry in table.entries() {
        match &entry.value.kind {
            Kind::Table(child) if child.origin == Origin::Dotted => spans.extend(direct(child)),
            _ if by_header(&entry.value) => {}
            _ => spans.push(entry.span),
        }
    }
    spans.sort();
    spans
}

/// The last byte of a value and everything below it.
pub(super) fn end_of(value: &Value) -> usize {
    let below = match &value.kind {
        Kind::Table(table) => end_of_table(table),
        Kind::Array(items) => items.iter().map(end_of).max().unwrap_or(0),
        _ => 0,
    };
    below.max(value.span.end)
}

/// The last byte of anything in a table; 0 when it is empty.
pub(super) fn end_of_table(table: &Table) -> usize {
    let entries = table.entries().iter();
    entries.map(|entry| end_of(&entry.value).max(entry.span.end)).max().unwrap_or(0)
}

/// The indentation of the line that holds a byte.
pub(super) fn indent(document: &Document, byte: usize) -> &str {
    let start = document.lines().line_start(byte);
    let line = document.text().get(start..).unwrap_or("");
    let width = line.len() - line.trim_start_matches([' ', '\t']).len();
    &line[..width]
}

/// The line break of the text.
pub(super) fn line_break(document: &Document) -> &'static str {
    if document.text().contains("\r\n") { "\r\n" } else { "\n" }
}

/// The place after the line that holds a byte, and whether that line still lacks its break.
pub(super) fn after_line(document: &Document, byte: usize) -> (usize, bool) {
    let end = document.lines().line_end(document.text(), byte);
    (end, !document.text()[..end].ends_with('\n') && end > 0)
}

/// The start of the comment block that stands directly above a line; the line itself without one.
pub(super) fn with_comments_above(document: &Document, byte: usize) -> usize {
    let mut start = document.lines().line_start(byte);
    while start > 0 {
        let above = document.lines().line_start(start - 1);
        let line = document.text().get(above..start).unwrap_or("").trim();
        if !line.starts_with('#') {
            break;
        }
        start = above;
    }
    start
}
