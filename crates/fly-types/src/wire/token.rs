//! What the platform says about the token in use.

use super::body;

body! {
    /// Answer of `GET /v1/tokens/current`.
    CurrentTokens {
        tokens: Vec<TokenInfo>,
    }
}

body! {
    /// One token.
    TokenInfo {
        token_id: String,
        org_slug: String,
        organization: String,
        /// The apps that it is limited to; absent or null for all.
        apps: Vec<String>,
        user: String,
        restricted_to_machine: String,
        source_machine_id: String,
    }
}
