//! Places in a text: byte ranges, and the lines and columns that people count in.
//!
//! Must not know: TOML.

use serde::Serialize;

/// A range of bytes, the end exclusive. Both ends lie on character borders of the text that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

impl Span {
    /// The range from `start` up to `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// An empty range at one place.
    pub const fn at(place: usize) -> Self {
        Self { start: place, end: place }
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// True when `other` lies within this range.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The text of the range; empty when the range is not one of this text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

/// A line and a column, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
}

/// Where each line of a text starts, so that a position costs one search.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Reads the line starts of a text.
    pub fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect() }
    }

    /// The position of a byte in the same text.
    pub fn position(&self, text: &str, byte: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= byte).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = text.get(start..byte).unwrap_or("");
        Position { line, column: before.chars().count() + 1 }
    }

    /// The first byte of the line that holds `byte`.
    pub fn line_start(&self, byte: usize) -> usize {
        let line = self.starts.partition_point(|start| *start <= byte).max(1);
        self.starts.get(line - 1).copied().unwrap_or(0)
    }

    /// The byte after the line that holds `byte`, its line break included.
    pub fn line_end(&self, text: &str, byte: usize) -> usize {
        let line = self.starts.partition_point(|start| *start <= byte).max(1);
        self.starts.get(line).copied().unwrap_or(text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let text = "a\nüx = 1\r\n\nlast";
        let index = LineIndex::new(text);
        let at = |byte| {
            let place = index.position(text, byte);
            (place.line, place.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (2, 1));
        assert_eq!(at(4), (2, 2));
        assert_eq!(at(text.len()), (4, 5));
        assert_eq!(index.line_start(5), 2);
        assert_eq!(index.line_end(text, 5), 11);
        assert_eq!(index.line_end(text, text.len()), text.len());
    }
}
