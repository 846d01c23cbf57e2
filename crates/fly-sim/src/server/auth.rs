//! Who is calling. Without `[[tokens]]` in the world any non-empty token may do everything; with them only those are
//! valid, each within its organization, apps and rights.

use crate::server::http::{Reply, Request};
use crate::state::{State, Token};
use crate::world::file::Access;

/// The caller of one request.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// The world lists no tokens: everything is allowed.
    Anyone,
    Known(Token),
}

/// The texts after any number of `Bearer ` and `FlyV1 ` words, split at commas.
pub(crate) fn tokens_of(header: &str) -> Vec<String> {
    let mut rest = header.trim();
    loop {
        let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        if word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("flyv1") {
            rest = tail.trim_start();
        } else {
            break;
        }
    }
    rest.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The caller, or none when the token is absent, unknown or expired.
pub(crate) fn caller(state: &State, request: &Request) -> Option<Caller> {
    let sent = tokens_of(request.header("authorization").unwrap_or_default());
    if sent.is_empty() {
        return None;
    }
    if state.tokens.is_empty() {
        return Some(Caller::Anyone);
    }
    // What the world lists may hold a scheme and several parts itself.
    let known = state
        .tokens
        .iter()
        .find(|token| tokens_of(&token.value).iter().any(|part| sent.contains(part)))?;
    (known.access != Access::Expired).then(|| Caller::Known(known.clone()))
}

pub(crate) fn unauthenticated() -> Reply {
    Reply::error(401, "Authenticate: token validation error")
}

pub(crate) fn forbidden() -> Reply {
    Reply::error(403, "unauthorized")
}

impl Caller {
    pub(crate) fn may_see_org(&self, slug: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Known(token) => token.org == slug && token.apps.is_empty(),
        }
    }

    pub(crate) fn may_see_app(&self, org: &str, app: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Known(token) => {
                token.org == org
                    && (token.apps.is_empty() || token.apps.iter().any(|name| name == app))
            }
        }
    }

    pub(crate) fn may_write(&self) -> bool {
        match self {
            Self::Anyone => true,
            Self::Known(token) => token.access == Access::All,
        }
    }

    /// How leases name this caller.
    pub(crate) fn owner(&self, viewer: &str) -> String {
        match self {
            Self::Known(Token { user: Some(user), .. }) => user.clone(),
            Self::Known(token) => format!("{}@tokens.fly.io", token.id),
            Self::Anyone => viewer.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_stripped() {
        assert_eq!(tokens_of("Bearer FlyV1 fm2_a,fm2_b"), ["fm2_a", "fm2_b"]);
        assert_eq!(tokens_of("flyv1 a, b"), ["a", "b"]);
        assert_eq!(tokens_of("fo1_x"), ["fo1_x"]);
        assert!(tokens_of("Bearer ").is_empty());
    }
}
