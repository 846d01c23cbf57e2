//! A fly.toml as a text that knows its structure.
//!
//! The text is kept as it is; whatever is not edited is printed as it was read. Must not know: what keys mean.

use std::fmt;

use crate::span::{LineIndex, Position, Span};
use crate::syntax::{self, Mistake, Table};

/// Larger files are refused: a fly.toml is a few hundred bytes, and nothing good is a thousand times that.
pub const MAX_BYTES: usize = 8 << 20;

/// A parsed file. Printing it gives the bytes that were read.
#[derive(Debug, Clone)]
pub struct Document {
    text: String,
    lines: LineIndex,
    root: Table,
    mistakes: Vec<Mistake>,
}

/// Why bytes are no text that can be parsed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableError {
    /// Not UTF-8; the byte at which it stops being so.
    #[error("the file is not UTF-8: byte {at} does not belong to a character")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// Larger than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes, more than the {MAX_BYTES} that are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

impl Document {
    /// Parses a text, mistakes and all.
    pub fn parse(text: impl Into<String>) -> Self {
        let text = text.into();
        let (root, mistakes) = syntax::parse(&text);
        Self { lines: LineIndex::new(&text), text, root, mistakes }
    }

    /// A text that is no TOML, for its places alone.
    pub fn unparsed(text: impl Into<String>) -> Self {
        let text = text.into();
        let (root, mistakes) = syntax::parse("");
        Self { lines: LineIndex::new(&text), text, root, mistakes }
    }

    /// Parses the bytes of a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, UnreadableError> {
        if bytes.len() > MAX_BYTES {
            return Err(UnreadableError::TooLarge { bytes: bytes.len() });
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::parse(text)),
            Err(error) => Err(UnreadableError::NotUtf8 { at: error.valid_up_to() }),
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The top level.
    pub fn root(&self) -> &Table {
        &self.root
    }

    /// Departures from TOML, in the order of the text.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// Line and column of a byte.
    pub fn position(&self, byte: usize) -> Position {
        self.lines.position(&self.text, byte)
    }

    /// Where lines start and end.
    pub fn lines(&self) -> &LineIndex {
        &self.lines
    }

    /// The lines that a range touches, line breaks included.
    pub fn whole_lines(&self, span: Span) -> Span {
        let last = span.end.saturating_sub(1).max(span.start);
        Span::new(self.lines.line_start(span.start), self.lines.line_end(&self.text, last))
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where a comment begins: the first `#` outside quotes. Strings of several lines are not followed.
pub(crate) fn comment_start(line: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}
