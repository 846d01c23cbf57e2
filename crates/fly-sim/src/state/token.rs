//! Tokens that the simulation hands out. They parse as macaroons (so that flyctl can attenuate them), but nothing is
//! signed: whoever presents the text is its holder.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::{State, Token};
use crate::world::file::Access;

/// Location of permission tokens.
const LOCATION: &str = "https://api.fly.io/v1";

/// What is known about a token that was handed out.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) profile: String,
    pub(crate) org: String,
    /// The app it is limited to.
    pub(crate) app: Option<String>,
    pub(crate) user: String,
    pub(crate) at: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) revoked: Option<Timestamp>,
}

impl State {
    /// Hands out a token; the result is its header text, scheme first.
    pub(crate) fn issue_token(
        &mut self,
        name: &str,
        profile: &str,
        org: &str,
        app: Option<&str>,
        expiry: Option<&str>,
    ) -> (Issued, String) {
        let lifetime = expiry.and_then(|text| crate::world::moment::duration(text).ok());
        let lifetime = lifetime.unwrap_or(jiff::SignedDuration::from_hours(175_200));
        let issued = Issued {
            id: self.ids.opaque(),
            name: name.to_owned(),
            profile: profile.to_owned(),
            org: org.to_owned(),
            app: app.map(str::to_owned),
            user: self.viewer.clone(),
            at: self.now,
            expires: self.now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
            revoked: None,
        };
        let number = self.org(org).map_or(0, |org| org.numeric_id);
        let (random, tail) = (self.ids.hex(16), self.ids.hex(32));
        let header = format!("FlyV1 {}", macaroon(&issued.id, number, &random, &tail));
        if !self.tokens.is_empty() {
            self.tokens.push(Token {
                value: header.clone(),
                id: issued.id.clone(),
                org: org.to_owned(),
                apps: app.map(str::to_owned).into_iter().collect(),
                access: Access::All,
                user: None,
            });
        }
        self.issued.push(issued.clone());
        (issued, header)
    }
}

/// `fm2_` and base64 of msgpack: nonce [kid, rnd, proof], location, caveats, tail. The one caveat is the organization's:
/// type 0, [id, all actions].
fn macaroon(kid: &str, org: i64, random: &str, tail: &str) -> String {
    let mut bytes = vec![0x94, 0x93];
    binary(&mut bytes, kid.as_bytes());
    binary(&mut bytes, random.as_bytes());
    bytes.push(0xc2);
    bytes.push(0xa0 | u8::try_from(LOCATION.len()).unwrap_or(0));
    bytes.extend_from_slice(LOCATION.as_bytes());
    bytes.extend_from_slice(&[0x92, 0x00, 0x92, 0xce]);
    bytes.extend_from_slice(&u32::try_from(org).unwrap_or(0).to_be_bytes());
    bytes.push(31);
    binary(&mut bytes, tail.as_bytes());
    format!("fm2_{}", STANDARD.encode(bytes))
}

fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(0xc4);
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macaroon_is_an_array_of_four() {
        let text = macaroon("kid", 7, "0123456789abcdef", &"t".repeat(32));
        let bytes = STANDARD.decode(text.strip_prefix("fm2_").unwrap()).unwrap();
        assert_eq!(&bytes[..7], &[0x94, 0x93, 0xc4, 3, b'k', b'i', b'd']);
        assert_eq!(bytes.len(), 2 + 5 + 18 + 1 + 1 + LOCATION.len() + 9 + 34);
        assert!(LOCATION.len() < 32, "fits a short string");
    }
}
