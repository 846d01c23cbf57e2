//! The same text read another way: without colours, without percent and JSON escapes, out of base64. Rules run on what it reads like;
//! what they find is mapped back to the bytes as they stand.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::value::escape;
use super::{DEPTH, Found, Learn, Open, Scan, Shape, Span, Until};
use crate::format::Format;
use crate::kind::Kind;

/// Longest text that is decoded at once. What is longer is scanned as it stands.
const REACH: usize = 16 << 10;
/// Most bytes that a compressed value may grow to.
const UNPACKED: u64 = 1 << 20;

/// A decoded text: byte `i` of it began at `starts[i]` in the source.
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    starts: Vec<u32>,
    /// Bytes of the source that belong to none of the view.
    gaps: bool,
}

impl View {
    fn push(&mut self, byte: u8, start: usize) {
        self.bytes.push(byte);
        self.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
    }

    fn start(&self, at: usize) -> usize {
        self.starts.get(at).map_or(0, |start| *start as usize)
    }

    /// Where the byte before `at` ends in the source.
    fn end(&self, at: usize) -> usize {
        if self.gaps && at > 0 { self.start(at - 1) + 1 } else { self.start(at) }
    }

    /// Maps what was found in the view to the source.
    pub(super) fn map_back(&self, found: &mut Found) {
        for span in &mut found.spans {
            if span.value.is_none() && span.shape == Shape::Plain {
                span.value = Some(self.bytes[span.start..span.end].to_vec());
            }
            span.from = self.start(span.from);
            span.start = self.start(span.start);
            span.end = self.end(span.end);
        }
        if let Some(Open { at, mask, .. }) = &mut found.open {
            *at = self.start(*at);
            *mask = self.start(*mask);
        }
    }
}

/// The text as a terminal shows it: escape sequences (`ESC [ … letter`, `ESC ] … BEL`) left out.
pub(super) fn without_colours(bytes: &[u8]) -> View {
    let mut view = View {
        bytes: Vec::with_capacity(bytes.len()),
        starts: Vec::with_capacity(bytes.len() + 1),
        gaps: true,
    };
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != 0x1b {
            view.push(bytes[at], at);
            at += 1;
            continue;
        }
        at += match bytes.get(at + 1) {
            Some(b'[') => {
                2 + bytes[at + 2..]
                    .iter()
                    .take(32)
                    .take_while(|byte| matches!(byte, b'0'..=b'?' | b' '..=b'/'))
                    .count()
                    + 1
            }
            Some(b']') => {
                2 + bytes[at + 2..]
                    .iter()
                    .take(256)
                    .take_while(|byte| !matches!(byte, 7 | b'\n' | 0x1b))
                    .count()
                    + 1
            }
            _ => 1,
        };
    }
    let end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    view.starts.push(end);
    view
}

/// One level of percent and string escapes undone.
fn decode(bytes: &[u8]) -> View {
    let mut view = View {
        bytes: Vec::with_capacity(bytes.len()),
        starts: Vec::with_capacity(bytes.len() + 1),
        gaps: false,
    };
    let mut at = 0;
    while at < bytes.len() {
        let hex = |from: usize| bytes.get(from).and_then(|byte| char::from(*byte).to_digit(16));
        if bytes[at] == b'%'
            && let (Some(high), Some(low)) = (hex(at + 1), hex(at + 2))
        {
            view.push(u8::try_from(high * 16 + low).unwrap_or(b'?'), at);
            at += 3;
            continue;
        }
        if let (Some(decoded), used) = escape(&bytes[at..]) {
            let mut buffer = [0; 4];
            for byte in decoded.encode_utf8(&mut buffer).bytes() {
                view.push(byte, at);
            }
            at += used;
        } else {
            view.push(bytes[at], at);
            at += 1;
        }
    }
    view.starts.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    view
}

impl Scan<'_> {
    /// An encoded character ends at `end`: scans the text around it decoded, up to blanks and quotes.
    pub(super) fn encoded(&mut self, end: usize) {
        if end <= self.decoded_to || self.depth >= DEPTH {
            return;
        }
        let edge = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'<' | b'>' | b'`');
        let floor = end.saturating_sub(REACH / 4).max(self.decoded_to);
        let mut start = end;
        while start > floor
            && !edge(self.bytes[start - 1])
            && !(self.bytes[start - 1] == b'"'
                && super::value::slashes_before(self.bytes, start - 1).is_multiple_of(2))
        {
            start -= 1;
        }
        let limit = self.bytes.len().min(end + REACH);
        let mut stop = end;
        while stop < limit && !edge(self.bytes[stop]) {
            match self.bytes[stop] {
                b'"' => break,
                b'\\' => stop += 2,
                _ => stop += 1,
            }
        }
        let stop = stop.min(limit);
        self.decoded_to = stop;
        if stop == self.bytes.len() {
            self.open(start, Until::Run);
        }
        let view = decode(&self.bytes[start..stop]);
        if view.bytes.as_slice() == &self.bytes[start..stop] {
            return;
        }
        let mut found = self.scanner.scan_deep(&view.bytes, Format::Text, true, self.depth + 1);
        view.map_back(&mut found);
        for mut span in found.spans {
            span.start += start;
            span.end += start;
            span.from = self.from.min(span.start);
            // A number of an inner document: its quotes would have to be encoded like those around it.
            if matches!(span.shape, Shape::Quoted(_)) {
                span.shape = Shape::Plain;
            }
            if !self.is_done(span.start, span.end) && span.start < span.end {
                self.spans.push(span);
            }
        }
    }

    /// Reads the run as base64 and scans what comes out; one secret in it is enough to take the whole run.
    pub(super) fn inside_base64(&mut self, start: usize, end: usize) -> bool {
        let run = &self.bytes[start..end];
        if self.depth >= DEPTH || run.len() > 1 << 20 {
            return false;
        }
        let Some(text) = unbase64(run) else { return false };
        let found = self.scanner.scan_at(&text, Format::Text, true, self.depth + 1);
        let Some(first) = found
            .spans
            .iter()
            .find(|span| !span.kind.is_identity() && !self.scanner.is_off(span.rule))
            .map(|span| span.rule)
        else {
            return false;
        };
        self.claim_as(first, Kind::Secret, start, end, None, Learn::No);
        for span in found.spans {
            if span.learn == Learn::Yes {
                let value = span.value.unwrap_or_else(|| text[span.start..span.end].to_vec());
                self.spans.push(Span {
                    start,
                    end,
                    from: start,
                    value: Some(value),
                    shape: Shape::Plain,
                    ..span
                });
            }
        }
        true
    }
}

/// What a run reads like as base64, if that is text, or compressed text.
fn unbase64(run: &[u8]) -> Option<Vec<u8>> {
    let kept = run.len() - run.iter().rev().take_while(|byte| **byte == b'=').count();
    let run = &run[..kept];
    let decoder = if run.iter().any(|byte| matches!(byte, b'-' | b'_')) {
        URL_SAFE_NO_PAD
    } else {
        STANDARD_NO_PAD
    };
    // Most runs are no base64 of text: sixteen characters tell.
    let head = decoder.decode(&run[..16]).ok()?;
    let packed = head.starts_with(&[0x1f, 0x8b]);
    if !packed && !head.iter().all(|byte| printable(*byte)) {
        return None;
    }
    // A run cut in the middle of a group still decodes up to there.
    let whole = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
    let decoded = lenient(whole, &decoder)?;
    if packed {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(decoded.as_slice())
            .take(UNPACKED)
            .read_to_end(&mut out)
            .ok()?;
        return Some(out);
    }
    decoded.iter().all(|byte| printable(*byte) || *byte >= 0x80).then_some(decoded)
}

fn printable(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) || matches!(byte, b'\n' | b'\r' | b'\t')
}

/// Decodes although the last character may carry bits that should be empty.
fn lenient(run: &[u8], decoder: &base64::engine::GeneralPurpose) -> Option<Vec<u8>> {
    decoder.decode(run).ok().or_else(|| decoder.decode(&run[..run.len() - run.len() % 4]).ok())
}
