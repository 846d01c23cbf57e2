//! Output of a child under a size cap: the beginning, the end, and how much was left out between them.
//!
//! It must not know: where the bytes come from, what they mean.

use std::collections::VecDeque;

/// How many bytes of one stream are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// Bytes kept from the beginning.
    pub head: usize,
    /// Bytes kept from the end.
    pub tail: usize,
}

impl Default for Cap {
    /// 256 KiB from the beginning and 768 KiB from the end.
    fn default() -> Self {
        Self { head: 256 << 10, tail: 768 << 10 }
    }
}

/// What was kept of one stream. It may hold anything the child printed, secrets too, so it cannot be printed as such.
pub struct Captured {
    cap: Cap,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

impl Captured {
    pub(crate) fn new(cap: Cap) -> Self {
        Self { cap, head: Vec::new(), tail: VecDeque::new(), total: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.cap.head - self.head.len();
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        // Only the last `tail` bytes of the rest can matter; the ring never grows beyond its cap.
        let rest = &rest[rest.len().saturating_sub(self.cap.tail)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.cap.tail);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// Bytes that the child wrote, kept or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether bytes in the middle are gone. JSON that was cut does not parse; ask before parsing.
    pub fn truncated(&self) -> bool {
        self.total > (self.head.len() + self.tail.len()) as u64
    }

    /// What was kept. Of a truncated stream whole lines only, with a line in between that says how much is missing: half a
    /// line at the cut could be half a secret, which no redaction rule recognises.
    pub fn bytes(&self) -> Vec<u8> {
        let (first, second) = self.tail.as_slices();
        if !self.truncated() {
            return [&self.head, first, second].concat();
        }
        let is_end = |byte: &u8| *byte == b'\n';
        let head = self.head.iter().rposition(is_end).map_or(0, |end| end + 1);
        let tail = self.tail.iter().position(is_end).map_or(self.tail.len(), |end| end + 1);
        let mut kept = self.head[..head].to_vec();
        let missing = self.total - (head + self.tail.len() - tail) as u64;
        kept.extend_from_slice(format!("[… {missing} bytes left out …]\n").as_bytes());
        kept.extend(self.tail.range(tail..));
        kept
    }

    /// [`Captured::bytes`] as text; what is not UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(cap: Cap, pieces: &[&str]) -> Captured {
        let mut captured = Captured::new(cap);
        for piece in pieces {
            captured.push(piece.as_bytes());
        }
        captured
    }

    #[test]
    fn what_fits_is_kept_whole() {
        let cap = Cap { head: 4, tail: 6 };
        for pieces in [&["0123456789"][..], &["01", "23456", "789"], &["0123", "456789"]] {
            let captured = captured(cap, pieces);
            assert!(!captured.truncated());
            assert_eq!((captured.text().as_str(), captured.total()), ("0123456789", 10));
        }
    }

    #[test]
    fn a_cut_leaves_whole_lines_and_says_so() {
        let cap = Cap { head: 10, tail: 10 };
        let captured = captured(cap, &["one\ntwo\nsec", "ret\nmiddle\nsecret\n", "last\nend\n"]);
        assert!(captured.truncated());
        assert_eq!(captured.text(), "one\ntwo\n[… 21 bytes left out …]\nlast\nend\n");
    }

    #[test]
    fn one_endless_line_leaves_nothing_of_itself() {
        let captured = captured(Cap { head: 4, tail: 4 }, &["x".repeat(100).as_str()]);
        assert_eq!(captured.text(), "[… 100 bytes left out …]\n");
    }

    #[test]
    fn memory_is_bounded_by_the_cap() {
        let mut captured = Captured::new(Cap { head: 8, tail: 16 });
        for _ in 0..1000 {
            captured.push(&[b'y'; 977]);
            assert!(captured.head.len() <= 8 && captured.tail.len() <= 16);
            assert!(captured.tail.capacity() <= 64);
        }
        assert_eq!(captured.total(), 977_000);
    }
}
