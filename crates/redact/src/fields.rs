//! Field mode: the values of named fields of JSON records, whatever they hold. A reader of JSON that keeps nothing but where it is.

use std::sync::Arc;

use crate::kind::Kind;
use crate::rules::R;
use crate::scan::{Learn, Shape, Span};

/// Deepest nesting that is followed.
const DEEPEST: usize = 512;

/// Where the reader is.
#[derive(Clone)]
pub(crate) struct Fields {
    paths: Arc<Vec<Vec<String>>>,
    /// Records end with their line.
    lines: bool,
    /// One entry per open container; the key that is being read, if it is an object.
    stack: Vec<Option<Vec<u8>>>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between tokens; in an object, `true` means that the next string is a key.
    Between(bool),
    /// Inside a string: is it a key, is the next byte escaped.
    String(bool, bool),
    /// Inside a number or a literal.
    Scalar,
}

impl Fields {
    pub(crate) fn new(paths: Arc<Vec<Vec<String>>>, lines: bool) -> Self {
        Self { paths, lines, stack: Vec::new(), place: Place::Between(false) }
    }

    /// Follows `bytes` without looking for anything.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        self.spans(bytes, &mut Vec::new());
    }

    /// Finds the named values in `bytes`; where one begins that does not end here, if so.
    pub(crate) fn spans(&mut self, bytes: &[u8], spans: &mut Vec<Span>) -> Option<usize> {
        let mut start = 0;
        for (at, byte) in bytes.iter().enumerate() {
            match self.place {
                Place::String(key, true) => {
                    self.note_key(key, *byte);
                    self.place = Place::String(key, false);
                }
                Place::String(key, false) => match byte {
                    b'\\' => {
                        self.note_key(key, *byte);
                        self.place = Place::String(key, true);
                    }
                    b'"' => {
                        if !key && self.is_named() {
                            take(spans, start + 1, at, Shape::Plain);
                        }
                        self.place = Place::Between(false);
                    }
                    b'\n' if self.lines => self.restart(),
                    byte => self.note_key(key, *byte),
                },
                Place::Scalar
                    if !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') => {}
                Place::Scalar | Place::Between(_) => {
                    if self.place == Place::Scalar {
                        if self.is_named() && !matches!(&bytes[start..at], b"null") {
                            take(spans, start, at, Shape::Quoted(0));
                        }
                        self.place = Place::Between(false);
                    }
                    start = at;
                    self.between(*byte);
                }
            }
        }
        match self.place {
            Place::String(false, _) | Place::Scalar if self.is_named() => Some(start),
            Place::String(true, _) => Some(start),
            _ => None,
        }
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'{' | b'[' if self.stack.len() < DEEPEST => {
                self.stack.push((byte == b'{').then(Vec::new));
                self.place = Place::Between(byte == b'{');
            }
            b'}' | b']' => {
                self.stack.pop();
                self.place = Place::Between(false);
            }
            b',' => self.place = Place::Between(matches!(self.stack.last(), Some(Some(_)))),
            b'"' => {
                let key = self.place == Place::Between(true);
                if key && let Some(Some(name)) = self.stack.last_mut() {
                    name.clear();
                }
                self.place = Place::String(key, false);
            }
            b'\n' if self.lines => self.restart(),
            b' ' | b'\t' | b'\r' | b'\n' | b':' => {}
            _ => self.place = Place::Scalar,
        }
    }

    fn restart(&mut self) {
        self.stack.clear();
        self.place = Place::Between(false);
    }

    fn note_key(&mut self, key: bool, byte: u8) {
        if key
            && let Some(Some(name)) = self.stack.last_mut()
            && name.len() < 256
        {
            name.push(byte);
        }
    }

    /// Whether the value that is being read lies at, or below, a named path.
    fn is_named(&self) -> bool {
        self.paths.iter().any(|path| {
            let mut keys = self.stack.iter().flatten();
            path.iter().all(|want| {
                keys.next().is_some_and(|key| want == "*" || want.as_bytes() == key.as_slice())
            })
        })
    }
}

fn take(spans: &mut Vec<Span>, start: usize, end: usize, shape: Shape) {
    if start < end {
        spans.push(Span {
            start,
            end,
            from: start,
            rule: R::Field,
            kind: Kind::Secret,
            prefix: "",
            value: None,
            shape,
            learn: Learn::IfOdd,
        });
    }
}
