//! What a caller decides: the key, what happens to identities, named fields, and (for tests only) a rule that is switched off.

use crate::key::PseudonymKey;
use crate::rules::RuleId;

/// What happens to an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Left as it is.
    Keep,
    /// Replaced by a pseudonym; addresses by addresses of the same structure.
    Pseudonym,
    /// Replaced by a fixed text per kind.
    Mask,
}

/// Modes per kind of identity. Host, user, app and organization names are replaced only where they were
/// made known with [`crate::Redactor::add_known`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Identities {
    /// Mail addresses.
    pub email: Mode,
    /// Public addresses, IPv4 and IPv6. Loopback, unspecified, link-local, documentation, private and Fly anycast ranges stay.
    pub public_ip: Mode,
    /// Addresses of Fly.io's private network (`fdaa::/16`): network, host and Machine part are mapped each on its own.
    pub six_pn: Mode,
    /// Names of hosts, users, apps and organizations that the caller made known.
    pub names: Mode,
}

impl Default for Identities {
    fn default() -> Self {
        Self {
            email: Mode::Pseudonym,
            public_ip: Mode::Pseudonym,
            six_pn: Mode::Pseudonym,
            names: Mode::Keep,
        }
    }
}

impl Identities {
    /// Nothing but secrets is replaced.
    pub const KEEP: Self =
        Self { email: Mode::Keep, public_ip: Mode::Keep, six_pn: Mode::Keep, names: Mode::Keep };
    /// Names as well: what `--anonymize` asks for.
    pub const ANONYMOUS: Self = Self {
        email: Mode::Pseudonym,
        public_ip: Mode::Pseudonym,
        six_pn: Mode::Pseudonym,
        names: Mode::Pseudonym,
    };
}

/// Settings of a [`crate::Redactor`].
#[derive(Clone)]
pub struct Options {
    pub(crate) key: PseudonymKey,
    pub(crate) identities: Identities,
    pub(crate) fields: Vec<Vec<String>>,
    pub(crate) off: Vec<RuleId>,
}

impl Options {
    /// Everything on, default identities.
    pub fn new(key: PseudonymKey) -> Self {
        Self { key, identities: Identities::default(), fields: Vec::new(), off: Vec::new() }
    }

    /// Other modes for identities.
    #[must_use]
    pub fn identities(mut self, identities: Identities) -> Self {
        self.identities = identities;
        self
    }

    /// Field mode: these fields of each JSON record (`user.email`, dotted path from the record's root; `*` stands for any
    /// key; arrays are passed through) are replaced whole, whatever they hold. Everything else gets the normal pass.
    #[must_use]
    pub fn fields<I: IntoIterator<Item = S>, S: AsRef<str>>(mut self, paths: I) -> Self {
        self.fields.extend(
            paths.into_iter().map(|path| path.as_ref().split('.').map(str::to_owned).collect()),
        );
        self
    }

    /// Switches one rule off. For tests that show that each rule is needed.
    #[doc(hidden)]
    #[must_use]
    pub fn without_rule(mut self, id: RuleId) -> Self {
        self.off.push(id);
        self
    }
}
