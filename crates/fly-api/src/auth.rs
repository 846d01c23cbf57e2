//! Tokens: normalised once, sent under the right scheme for each target, never printed.
//!
//! Facts: superfly/fly-go tokens/tokens.go and superfly/flyctl internal/config, as the Machines API reference 1.3 sums up.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::macaroon::MacaroonFacts;
use crate::request::Target;

/// What one part of a token is, by its form. The form does not tell what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// `fm2_…`: a macaroon, permission or discharge.
    MacaroonV2,
    /// `fm1r_…`: a macaroon of the first version, permission.
    MacaroonV1,
    /// `fm1a_…`: a discharge of the first version.
    DischargeV1,
    /// `fo1_…`: a user's token.
    User,
    /// Anything else, which the platform's own tools treat as a user's token.
    Opaque,
}

impl TokenKind {
    fn of(part: &str) -> Self {
        match part {
            p if p.starts_with("fm2_") => Self::MacaroonV2,
            p if p.starts_with("fm1r_") => Self::MacaroonV1,
            p if p.starts_with("fm1a_") => Self::DischargeV1,
            p if p.starts_with("fo1_") => Self::User,
            _ => Self::Opaque,
        }
    }

    fn is_macaroon(self) -> bool {
        matches!(self, Self::MacaroonV2 | Self::MacaroonV1 | Self::DischargeV1)
    }
}

/// A token that cannot be used. Names the rule, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing is left after the scheme words.
    #[error("the token is empty")]
    Empty,
    /// A blank or line break inside.
    #[error("the token contains white space; was it cut or pasted over several lines?")]
    WhiteSpace,
    /// Something that cannot stand in a header.
    #[error("the token contains characters that no token has")]
    Characters,
}

/// An access token: one or several parts, in the order in which they were given.
#[derive(Clone)]
pub struct Token {
    parts: Vec<(TokenKind, SecretString)>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.kinds()).finish()
    }
}

impl Token {
    /// Takes any number of `Bearer` and `FlyV1` words off, splits at commas, checks what is left.
    pub fn parse(text: &SecretString) -> Result<Self, TokenError> {
        let mut parts = Vec::new();
        for piece in text.expose_secret().trim().split(',') {
            let mut piece = piece.trim();
            while let Some((word, rest)) = piece.split_once(char::is_whitespace) {
                if !word.eq_ignore_ascii_case("bearer") && !word.eq_ignore_ascii_case("flyv1") {
                    return Err(TokenError::WhiteSpace);
                }
                piece = rest.trim_start();
            }
            if piece.is_empty()
                || piece.eq_ignore_ascii_case("bearer")
                || piece.eq_ignore_ascii_case("flyv1")
            {
                continue;
            }
            if !piece.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(TokenError::Characters);
            }
            parts.push((TokenKind::of(piece), SecretString::from(piece)));
        }
        if parts.is_empty() { Err(TokenError::Empty) } else { Ok(Self { parts }) }
    }

    /// The kinds of its parts, in order.
    pub fn kinds(&self) -> Vec<TokenKind> {
        self.parts.iter().map(|(kind, _)| *kind).collect()
    }

    /// What each part says about itself, in order: its kind, and for a macaroon of the current form what it is limited to.
    /// Read here, without asking anybody; whether it is genuine, only the platform knows.
    pub fn facts(&self) -> Vec<(TokenKind, Option<MacaroonFacts>)> {
        let read = |kind: TokenKind, secret: &SecretString| {
            kind.is_macaroon().then(|| MacaroonFacts::read(secret.expose_secret())).flatten()
        };
        self.parts.iter().map(|(kind, secret)| (*kind, read(*kind, secret))).collect()
    }

    /// The parts themselves, for a redactor that has to know them.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.parts.iter().map(|(_, secret)| secret)
    }

    /// Value of the `Authorization` header for a target; none for public pages.
    pub(crate) fn authorization(&self, target: Target) -> Option<SecretString> {
        let macaroons = self.join(true);
        let users = self.join(false);
        let text = match target {
            Target::Incidents | Target::Status => return None,
            // The logs endpoint answers 401 to a mix, the Machines API wants macaroons alone.
            Target::Machines | Target::Logs | Target::Metrics => match (macaroons, users) {
                (Some(macaroons), _) => format!("FlyV1 {macaroons}"),
                (None, users) => format!("Bearer {}", users?),
            },
            Target::GraphQl => match (macaroons, users) {
                (Some(macaroons), Some(users)) => format!("FlyV1 {macaroons},{users}"),
                (Some(macaroons), None) => format!("FlyV1 {macaroons}"),
                (None, users) => format!("Bearer {}", users?),
            },
            Target::Web => match (macaroons, users) {
                (Some(macaroons), Some(users)) => format!("Bearer {macaroons},{users}"),
                (Some(all), None) | (None, Some(all)) => format!("Bearer {all}"),
                (None, None) => return None,
            },
        };
        Some(SecretString::from(text))
    }

    fn join(&self, macaroons: bool) -> Option<String> {
        let parts: Vec<&str> = self
            .parts
            .iter()
            .filter(|(kind, _)| kind.is_macaroon() == macaroons)
            .map(|(_, secret)| secret.expose_secret())
            .collect();
        (!parts.is_empty()).then(|| parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Result<Token, TokenError> {
        Token::parse(&SecretString::from(text))
    }

    #[test]
    fn scheme_by_target() {
        let header = |text: &str, target| {
            token(text).unwrap().authorization(target).map(|value| value.expose_secret().to_owned())
        };
        let mixed = "Bearer FlyV1 fm2_a,fm2_b,fo1_u";
        for (target, expected) in [
            (Target::Machines, Some("FlyV1 fm2_a,fm2_b")),
            (Target::Logs, Some("FlyV1 fm2_a,fm2_b")),
            (Target::GraphQl, Some("FlyV1 fm2_a,fm2_b,fo1_u")),
            (Target::Web, Some("Bearer fm2_a,fm2_b,fo1_u")),
            (Target::Status, None),
        ] {
            assert_eq!(header(mixed, target).as_deref(), expected, "{target:?}");
        }
        assert_eq!(header("fo1_u", Target::Machines).as_deref(), Some("Bearer fo1_u"));
        assert_eq!(header("flyv1 fm1r_x", Target::Web).as_deref(), Some("Bearer fm1r_x"));
    }

    #[test]
    fn bad_tokens_are_refused_and_good_ones_do_not_print() {
        for (text, error) in [
            ("", TokenError::Empty),
            ("FlyV1 ", TokenError::Empty),
            ("fm2_ab cd", TokenError::WhiteSpace),
            ("fo1_\u{e9}", TokenError::Characters),
            ("fo1_\u{1b}[0m", TokenError::Characters),
        ] {
            assert_eq!(token(text).unwrap_err(), error);
        }
        assert_eq!(
            format!("{:?}", token("FlyV1 fm2_secret,fo1_secret").unwrap()),
            "[MacaroonV2, User]"
        );
    }
}
