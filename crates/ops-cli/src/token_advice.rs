//! Which token suffices for a command, and how to make it: for `--help`, `--plan` and errors.
//!
//! Source: Machines API reference 1.4 and the help of flyctl's `tokens create` commands. Created tokens are valid for
//! twenty years unless an expiry is given, so every command here gives one.

use std::fmt;

/// The least token that suffices, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeastToken {
    /// Public pages and local files only.
    None,
    /// Reads everything of one organization, changes nothing.
    ReadOnly,
    /// Runs commands inside the Machines of one app.
    MachineExec,
    /// Opens a shell or tunnel into one app.
    Ssh,
    /// Reads and changes one app.
    Deploy,
    /// Reads and changes everything of one organization.
    Organization,
    /// A person's login: whatever that person may do.
    Login,
}

impl LeastToken {
    /// What it allows, in a phrase.
    pub fn scope(self) -> &'static str {
        match self {
            Self::None => "no token",
            Self::ReadOnly => "a read-only token of the organization",
            Self::MachineExec => "a token that runs commands in the app's Machines",
            Self::Ssh => "an SSH token of the app",
            Self::Deploy => "a deploy token of the app",
            Self::Organization => "a token of the organization",
            Self::Login => "a person's login",
        }
    }

    /// The command that makes it, with `APP` and `ORG` where the names are not known; none where nothing is needed.
    pub fn command(self, app: Option<&str>, org: Option<&str>) -> Option<String> {
        let (app, org) = (app.unwrap_or("APP"), org.unwrap_or("ORG"));
        Some(match self {
            Self::None => return None,
            Self::ReadOnly => format!("fly tokens create readonly --org {org} --expiry 24h"),
            Self::MachineExec => format!("fly tokens create machine-exec --app {app} --expiry 24h"),
            Self::Ssh => format!("fly tokens create ssh --app {app} --expiry 24h"),
            Self::Deploy => format!("fly tokens create deploy --app {app} --expiry 24h"),
            Self::Organization => format!("fly tokens create org --org {org} --expiry 24h"),
            Self::Login => "fly auth login".to_owned(),
        })
    }

    /// Both in a sentence, for help texts and hints.
    pub fn sentence(self, app: Option<&str>, org: Option<&str>) -> String {
        match self.command(app, org) {
            None => "no token is needed".to_owned(),
            Some(command) => format!("{} suffices: {command}", self.scope()),
        }
    }
}

impl fmt::Display for LeastToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(None, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_command() {
        assert_eq!(
            LeastToken::ReadOnly.sentence(None, Some("acme")),
            "a read-only token of the organization suffices: fly tokens create readonly --org acme --expiry 24h"
        );
        assert_eq!(
            LeastToken::Deploy.to_string(),
            "a deploy token of the app suffices: fly tokens create deploy --app APP --expiry 24h"
        );
        assert!(LeastToken::ReadOnly < LeastToken::Deploy);
    }
}
