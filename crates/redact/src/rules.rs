//! The rules by id. What each looks for is in `scan`; this table is what documentation and reports are made from.

/// Version of the rule set: grows whenever a rule finds more or less than before.
pub const RULES_VERSION: &str = "1";

/// Id of a rule, as in [`RULES`].
pub type RuleId = &'static str;

/// Why something was taken for a secret, from the surest to the least sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum Layer {
    /// Because of the key it stood behind.
    L1,
    /// Because of its own form.
    L2,
    /// Because of the form around it.
    L3,
    /// Because the value was known.
    L4,
    /// Because it looks random and stands near a telling word.
    L5,
    /// Because it names a person or a place.
    L6,
}

/// One rule.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Rule {
    /// Stable id.
    pub id: RuleId,
    /// What it finds, in a word or two.
    pub kind: &'static str,
    /// Layer.
    pub layer: Layer,
}

macro_rules! rules {
    ($($name:ident $id:literal $kind:literal $layer:ident)*) => {
        /// A rule inside this crate: index into [`RULES`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum R { $($name),* }

        const ALL: &[R] = &[$(R::$name),*];

        /// All rules.
        pub const RULES: &[Rule] = &[$(Rule { id: $id, kind: $kind, layer: Layer::$layer }),*];
    };
}

rules! {
    Field          "field"           "field named by the caller"                       L1
    EnvMap         "env-map"         "environment variable that is not known harmless" L1
    NameValue      "name-value"      "value of a name/value pair"                      L1
    Keyed          "keyed"           "value behind a telling key"                      L1
    FlyMacaroon    "fly-macaroon"    "Fly.io macaroon"                                 L2
    FlyOauth       "fly-oauth"       "Fly.io user token"                               L2
    Wireguard      "wireguard-key"   "32-byte key in base64"                           L2
    PrivateKey     "private-key"     "private key block"                               L2
    Jwt            "jwt"             "JSON Web Token"                                  L2
    AwsId          "aws-id"          "Amazon access key id"                            L2
    AwsSecret      "aws-secret"      "secret beside an Amazon access key id"           L2
    Tigris         "tigris"          "Tigris key"                                      L2
    Github         "github"          "GitHub token"                                    L2
    Gitlab         "gitlab"          "GitLab token"                                    L2
    Slack          "slack"           "Slack token or webhook"                          L2
    Stripe         "stripe"          "Stripe key"                                      L2
    Npm            "npm"             "npm token"                                       L2
    Pypi           "pypi"            "PyPI token"                                      L2
    AiKey          "ai-key"          "OpenAI or Anthropic key"                         L2
    Google         "google"          "Google key"                                      L2
    Sentry         "sentry"          "Sentry token or DSN key"                         L2
    Depot          "depot"           "Depot token"                                     L2
    Vendor         "vendor"          "other vendor's token with a prefix"              L2
    UrlUserinfo    "url-userinfo"    "password in a URL"                               L3
    UrlQuery       "url-query"       "secret parameter of a URL"                       L3
    HttpHeader     "http-header"     "authentication header"                           L3
    Cookie         "cookie"          "cookie value"                                    L3
    CommandFlag    "command-flag"    "secret on a command line"                        L3
    CredentialFile "credential-file" "row of a password file"                          L3
    KnownValue     "known-value"     "value known to be secret, in any encoding"       L4
    Entropy        "entropy"         "random-looking value near a telling word"        L5
    Email          "email"           "mail address"                                    L6
    Ipv4           "ipv4"            "public IPv4 address"                             L6
    Ipv6           "ipv6"            "public IPv6 address"                             L6
    SixPn          "six-pn"          "address in Fly.io's private network"             L6
    Name           "name"            "name of an app, organization, user or host"      L6
}

impl R {
    /// All of them, in order.
    pub(crate) const ALL: &'static [Self] = ALL;

    /// The public id.
    pub(crate) fn id(self) -> RuleId {
        RULES[self as usize].id
    }
}
