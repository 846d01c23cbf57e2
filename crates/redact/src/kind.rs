//! What was found. The kind is the first part of a pseudonym, so it must not depend on the rule that found the value:
//! a password is `secret` whether it stood in a URL, behind a key or alone in a log line.

/// Kind of a value, as printed in pseudonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Password or other value without a form of its own.
    Secret,
    /// Fly.io macaroon or OAuth token.
    FlyToken,
    /// 32-byte WireGuard key in base64.
    WireguardKey,
    /// Private key block: PEM, OpenSSH, PGP, age.
    PrivateKey,
    /// JSON Web Token.
    Jwt,
    /// Amazon access key id.
    AwsId,
    /// Object storage keys of Tigris.
    Tigris,
    /// GitHub token.
    Github,
    /// GitLab token.
    Gitlab,
    /// Slack token or webhook.
    Slack,
    /// Stripe key.
    Stripe,
    /// Other vendor's token with a prefix.
    Vendor,
    /// Cookie value.
    Cookie,
    /// Mail address.
    Email,
    /// IPv4 or IPv6 address (only in mode `mask`; pseudonyms of addresses are addresses).
    Ip,
    /// Host name.
    Host,
    /// User name.
    User,
    /// App name.
    App,
    /// Organization name or slug.
    Org,
}

impl Kind {
    /// All kinds, in printing order.
    pub const ALL: [Self; 19] = [
        Self::Secret,
        Self::FlyToken,
        Self::WireguardKey,
        Self::PrivateKey,
        Self::Jwt,
        Self::AwsId,
        Self::Tigris,
        Self::Github,
        Self::Gitlab,
        Self::Slack,
        Self::Stripe,
        Self::Vendor,
        Self::Cookie,
        Self::Email,
        Self::Ip,
        Self::Host,
        Self::User,
        Self::App,
        Self::Org,
    ];

    /// The word in the pseudonym.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::FlyToken => "fly-token",
            Self::WireguardKey => "wireguard-key",
            Self::PrivateKey => "private-key",
            Self::Jwt => "jwt",
            Self::AwsId => "aws-id",
            Self::Tigris => "tigris",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Slack => "slack",
            Self::Stripe => "stripe",
            Self::Vendor => "vendor",
            Self::Cookie => "cookie",
            Self::Email => "email",
            Self::Ip => "ip",
            Self::Host => "host",
            Self::User => "user",
            Self::App => "app",
            Self::Org => "org",
        }
    }

    /// Whether the value is a person or a place rather than a key: subject to [`crate::Identities`].
    pub const fn is_identity(self) -> bool {
        matches!(self, Self::Email | Self::Ip | Self::Host | Self::User | Self::App | Self::Org)
    }
}

/// Whether a value is an identifier of the platform or a digest, which must survive: Machine id (14 hex), ULID, `vol_…`, `vs_…`, UUID,
/// commit and other digests in hex, request ids (ULID and region).
pub(crate) fn is_identifier(run: &[u8]) -> bool {
    let hex = run.iter().all(u8::is_ascii_hexdigit);
    let crockford = |text: &[u8]| {
        text.len() == 26
            && matches!(text[0], b'0'..=b'7')
            && (text.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
                || text.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()))
    };
    let parts: Vec<&[u8]> = run.split(|byte| *byte == b'-').collect();
    let uuid = matches!(
        parts.iter().map(|part| part.len()).collect::<Vec<_>>().as_slice(),
        [8, 4, 4, 4, 12]
    ) && parts.iter().all(|part| part.iter().all(u8::is_ascii_hexdigit));
    hex && matches!(run.len(), 14 | 16 | 32 | 40 | 64)
        || crockford(run)
        || parts.iter().any(|part| crockford(part))
        || uuid
        || [&b"vol_"[..], b"vs_", b"sha256", b"snap_", b"deployment-"]
            .iter()
            .any(|prefix| run.starts_with(prefix))
}
