//! Where a window may be cut, and what is done with a construct that is too long to be held.

use crate::scan::{Span, Until};

/// The last place up to `limit` where a cut hides nothing: behind a line end, else behind a blank, else behind `,` or a bracket. A cut
/// never lies between the two ends of a construct that told something.
pub(crate) fn safe_cut(bytes: &[u8], limit: usize, spans: &[Span]) -> usize {
    let mut limit = limit.min(bytes.len());
    // Constructs in order of their end, so that a look from the back finds those that reach over a cut.
    let mut by_end: Vec<(usize, usize)> = spans.iter().map(|span| (span.end, span.from)).collect();
    by_end.sort_unstable();
    loop {
        let cut = place(&bytes[..limit]);
        if cut == 0 {
            return 0;
        }
        let across = by_end
            .iter()
            .rev()
            .take_while(|(end, _)| *end > cut)
            .map(|(_, from)| *from)
            .filter(|from| *from < cut)
            .min();
        match across {
            Some(from) => limit = from,
            None => return cut,
        }
    }
}

fn place(bytes: &[u8]) -> usize {
    memchr::memrchr(b'\n', bytes)
        .or_else(|| memchr::memrchr2(b' ', b'\t', bytes))
        .or_else(|| memchr::memrchr3(b',', b'{', b'}', bytes))
        .map_or(0, |at| at + 1)
}

/// Skips the rest of a construct that was masked whole.
#[derive(Clone, Debug)]
pub(crate) struct Skip {
    until: Until,
    /// Backslashes right before the next byte.
    slashes: usize,
    depth: usize,
    in_string: bool,
    /// Last bytes seen, for marks.
    tail: Vec<u8>,
}

impl Skip {
    pub(crate) fn new(until: Until) -> Self {
        Self { until, slashes: 0, depth: 0, in_string: false, tail: Vec::new() }
    }

    /// How many of `bytes` still belong to the construct, and whether it ends there.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            let slashes = self.slashes;
            self.slashes = if *byte == b'\\' { slashes + 1 } else { 0 };
            match self.until {
                Until::Quote(quote, own) => {
                    if *byte == quote && slashes % (2 * (own + 1)) == own
                        || *byte == b'"' && slashes < own
                    {
                        return (at.saturating_sub(own.min(slashes)), true);
                    }
                }
                Until::Bracket(own) => {
                    let quote = *byte == b'"' && slashes % (2 * (own + 1)) == own;
                    if quote {
                        self.in_string = !self.in_string;
                    } else if !self.in_string && matches!(byte, b'{' | b'[') {
                        self.depth += 1;
                    } else if !self.in_string && matches!(byte, b'}' | b']') {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                }
                Until::PemEnd => {
                    self.tail.push(*byte);
                    if self.tail.len() > 128 {
                        self.tail.drain(..64);
                    }
                    if self.tail.ends_with(b"-----")
                        && memchr::memmem::find(&self.tail[..self.tail.len() - 5], b"-----END")
                            .is_some()
                    {
                        return (at + 1, true);
                    }
                }
                Until::Run => {
                    if matches!(
                        byte,
                        b' ' | b'\t'
                            | b'\r'
                            | b'\n'
                            | b'"'
                            | b'\''
                            | b'<'
                            | b'>'
                            | b','
                            | b'{'
                            | b'}'
                    ) {
                        return (at, true);
                    }
                }
                Until::Line => {
                    if *byte == b'\n' {
                        return (at, true);
                    }
                }
            }
        }
        (bytes.len(), false)
    }

    /// Whether the pseudonym needs quotes to keep a document valid, and how many backslashes they carry.
    pub(crate) fn quotes(&self) -> Option<usize> {
        match self.until {
            Until::Bracket(slashes) => Some(slashes),
            _ => None,
        }
    }
}
