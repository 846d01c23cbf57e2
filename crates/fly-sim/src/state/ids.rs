//! Ids of everything that the platform makes, deterministic by seed.

use jiff::Timestamp;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// SplitMix64: small, seedable, and the same everywhere. Nothing here needs to be unguessable.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    state: u64,
    last_ulid: (i64, u64),
}

pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: mix(seed), last_ulid: (0, 0) }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound.max(1) as u64).unwrap_or(0)
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    /// 14 hex digits, as Machines have.
    pub(crate) fn machine(&mut self) -> String {
        format!("{:014x}", self.number() >> 8)
    }

    pub(crate) fn volume(&mut self) -> String {
        format!("vol_{}", self.text(BASE36, 16))
    }

    pub(crate) fn snapshot(&mut self) -> String {
        format!("vs_{}", self.text(BASE36, 16))
    }

    /// An id of the web side, such as an app's.
    pub(crate) fn opaque(&mut self) -> String {
        self.text(BASE36, 16)
    }

    pub(crate) fn hex(&mut self, length: usize) -> String {
        self.text(b"0123456789abcdef", length)
    }

    pub(crate) fn machine_name(&mut self) -> String {
        const FIRST: [&str; 8] = ["dry", "quiet", "wild", "late", "cold", "blue", "dark", "small"];
        const SECOND: [&str; 8] = ["rain", "river", "frost", "field", "leaf", "dew", "wind", "sun"];
        let (first, second) = (self.below(8), self.below(8));
        format!("{}-{}-{:04}", FIRST[first], SECOND[second], self.number() % 10_000)
    }

    /// A 6PN address.
    pub(crate) fn private_ip(&mut self) -> String {
        let n = self.number();
        format!(
            "fdaa:10:e286:a7b:{:x}:{:x}:{:x}:2",
            n & 0x3ff | 1,
            (n >> 10) & 0xffff,
            (n >> 26) & 0xffff
        )
    }

    /// A ULID of this moment; later ones are greater even within a millisecond.
    pub(crate) fn ulid(&mut self, at: Timestamp) -> String {
        let millis = at.as_millisecond().max(0);
        let random = if millis == self.last_ulid.0 {
            self.last_ulid.1.wrapping_add(1 + self.number() % 1000)
        } else {
            self.number() >> 2
        };
        self.last_ulid = (millis, random);
        let mut text = [0_u8; 26];
        let mut time = millis.cast_unsigned();
        for slot in text[..10].iter_mut().rev() {
            *slot = CROCKFORD[(time & 31) as usize];
            time >>= 5;
        }
        let mut rest = random;
        for slot in text[10..23].iter_mut().rev() {
            *slot = CROCKFORD[(rest & 31) as usize];
            rest >>= 5;
        }
        for slot in &mut text[23..] {
            *slot = CROCKFORD[self.below(32)];
        }
        text.iter().map(|byte| char::from(*byte)).collect()
    }

    /// `<ULID>-<edge region>`, as the live service names requests.
    pub(crate) fn request(&mut self, at: Timestamp) -> String {
        format!("{}-fra", self.ulid(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_ids_and_ulids_grow() {
        let at: Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
        let (mut one, mut two) = (Ids::new(7), Ids::new(7));
        assert_eq!(one.machine(), two.machine());
        assert_eq!(one.volume(), two.volume());
        assert_ne!(Ids::new(8).machine(), Ids::new(7).machine());
        let many: Vec<String> = (0..1000).map(|_| one.ulid(at)).collect();
        assert!(many.is_sorted(), "ULIDs of one millisecond keep their order");
        assert_eq!(many[0].len(), 26);
        assert_eq!(one.machine().len(), 14);
    }
}
