//! Every environment variable that the tools read, in one table, and the only code that reads the environment.
//!
//! The rest of the workspace gets an [`Env`] value, so that tests pass one in and never touch the process. The page
//! `docs/reference/environment.md` is generated from the table. It must not know: what a value means to a tool.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fmt::Write as _;

use crate::diag::CliError;

/// One environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a phrase.
    pub meaning: &'static str,
    /// Heading of the reference page under which it stands.
    pub group: Group,
    /// Whether a program that a tool starts may see it. The token never is: `exec` hands it over where it is needed.
    pub children: bool,
}

/// Headings of the reference page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Token, app, organization.
    Access,
    /// Base addresses and the network.
    Network,
    /// Terminal and messages.
    Output,
    /// Directories and what is handed to other programs.
    System,
}

macro_rules! variables {
    ($($name:ident, $group:ident, $children:literal, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            #[allow(non_upper_case_globals, reason = "a constant is named like its variable")]
            pub const $name: Variable = Variable {
                name: stringify!($name),
                meaning: $meaning,
                group: Group::$group,
                children: $children,
            };
        )*

        /// All variables, in the order of the reference page.
        pub const TABLE: &[Variable] = &[$($name),*];
    };
}

variables! {
    FLY_ACCESS_TOKEN, Access, false, "Access token; outranked by `--token-file` only. flyctl's own name";
    FLY_API_TOKEN, Access, false, "Access token, when `FLY_ACCESS_TOKEN` is not set. flyctl's own name";
    FLY_APP, Access, true, "App, when `--app` is not given. flyctl's own name";
    FLY_ORG, Access, true, "Organization slug, when `--org` is not given. flyctl's own name";
    FLY_ORGANIZATION, Access, true, "The same, when `FLY_ORG` is not set. flyctl's own name";
    FLY_CONFIG_DIR, Access, true, "Directory of flyctl's `config.yml`, where `fly auth login` leaves a token; default `~/.fly`. flyctl's own name";

    FLY_FLAPS_BASE_URL, Network, true, "Base address of the Machines API; default `https://api.machines.dev`. A path in it is ignored, as flyctl does";
    FLY_API_BASE_URL, Network, true, "Base address of GraphQL, logs and metrics; default `https://api.fly.io`";
    FLY_UIEX_BASE_URL, Network, true, "Base address of the web API; default `https://api.fly.io`";
    FLY_STATUSPAGE_UNRESOLVED_INCIDENTS_URL, Network, true, "Complete address of the incident list; default `https://incidents.flyio.net/v1/incidents`";
    FLY_STATUSPAGE_BASE_URL, Network, true, "Base address of the status page; default `https://status.flyio.net`. Ours: flyctl has none";
    FLY_OPS_DNS_SERVER, Network, false, "Name server that probes ask, as `ADDRESS` or `ADDRESS:PORT`; default the system's. Ours";
    FLY_OPS_LOOPBACK_ONLY, Network, true, "`1`: refuse to contact any address that is not on this machine. For demos and tests. Ours";
    HTTPS_PROXY, Network, true, "Proxy for https addresses; the lower-case name counts too. Loopback is never proxied";
    ALL_PROXY, Network, true, "Proxy, when `HTTPS_PROXY` is not set";
    HTTP_PROXY, Network, true, "Handed to other programs; the tools themselves ask other hosts by https only";
    NO_PROXY, Network, true, "Hosts that are reached without a proxy: names, `.suffix`, addresses, networks, separated by commas";
    https_proxy, Network, true, "See `HTTPS_PROXY`";
    http_proxy, Network, true, "See `HTTP_PROXY`";
    all_proxy, Network, true, "See `ALL_PROXY`";
    no_proxy, Network, true, "See `NO_PROXY`";
    SSL_CERT_FILE, Network, true, "PEM file that stands in for the system's certificate authorities (read by the TLS library)";

    NO_COLOR, Output, true, "Any value: no color, unless `--color always`";
    CLICOLOR_FORCE, Output, true, "Any value but `0`: color even when the output is not a terminal, unless `NO_COLOR` is set";
    TERM, Output, true, "`dumb`: neither color nor progress bars";
    COLUMNS, Output, true, "Width of tables, when the output is not a terminal";
    CI, Output, true, "Any value: plain lines instead of progress bars";
    FLY_OPS_TEST_FAULT, System, false, "For tests, also of release builds: `panic:COLLECTOR`, `hang:COLLECTOR` or `leak:COLLECTOR` of `fly-debug-bundle`; `STEP:PHASE:MOMENT:EFFECT` of a run of `fly-migrate`, such as `stop:act:after:kill`. Ours";
    FLY_OPS_LOG, Output, false, "Filter of the messages on standard error, e.g. `debug` or `fly_api=trace`; outranks `--verbose`. Ours";

    HOME, System, true, "Home directory";
    XDG_CONFIG_HOME, System, true, "Base of the configuration directory; default `~/.config`";
    XDG_STATE_HOME, System, true, "Base of the state directory, where runs are journalled; default `~/.local/state`";
    XDG_CACHE_HOME, System, true, "Base of the cache directory; default `~/.cache`";
    TMPDIR, System, true, "Directory of temporary files; default `/tmp`";
    PATH, System, true, "Where other programs are looked for";
    USER, System, true, "Name under which locks and leases are described";
    LANG, System, true, "Handed to other programs";
    SHELL, System, true, "Handed to other programs";
    SSH_AUTH_SOCK, System, true, "Handed to other programs";
}

/// A snapshot of the variables in [`TABLE`]. Others are not even looked at. An empty value counts as unset.
#[derive(Clone, Default)]
pub struct Env {
    values: BTreeMap<&'static str, OsString>,
}

/// Shows names, never values: some are secret.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.keys()).finish()
    }
}

impl Env {
    /// Reads the environment of this process. Called once, by [`crate::main`].
    pub fn from_process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        Self::collect(|name| std::env::var_os(name))
    }

    /// An environment for tests. A name that is not in [`TABLE`] is ignored, as the real one would be.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs: BTreeMap<&str, &str> = pairs.into_iter().collect();
        Self::collect(|name| pairs.get(name).map(OsString::from))
    }

    fn collect(read: impl Fn(&str) -> Option<OsString>) -> Self {
        let values = TABLE
            .iter()
            .filter_map(|variable| Some((variable.name, read(variable.name)?)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Self { values }
    }

    /// The value as the system holds it.
    pub fn raw(&self, variable: Variable) -> Option<&OsStr> {
        self.values.get(variable.name).map(OsString::as_os_str)
    }

    /// The value as text; a value that is not UTF-8 is a usage error, and is not repeated.
    pub fn text(&self, variable: Variable) -> Result<Option<&str>, CliError> {
        match self.raw(variable) {
            None => Ok(None),
            Some(value) => value.to_str().map(Some).ok_or_else(|| {
                CliError::usage(format!("the value of {} is not valid UTF-8", variable.name))
            }),
        }
    }

    /// The first of several variables that has a value.
    pub fn first(&self, variables: &[Variable]) -> Result<Option<(Variable, &str)>, CliError> {
        for variable in variables {
            if let Some(value) = self.text(*variable)? {
                return Ok(Some((*variable, value)));
            }
        }
        Ok(None)
    }

    /// Whether a switch is on, by flyctl's rule: `1`, `t`, `true` and `ok` are on; `0`, `f`, `false` are off; anything else is refused.
    pub fn switch(&self, variable: Variable) -> Result<bool, CliError> {
        let Some(value) = self.text(variable)? else { return Ok(false) };
        match value.to_ascii_lowercase().as_str() {
            "1" | "t" | "true" | "ok" | "yes" | "on" => Ok(true),
            "0" | "f" | "false" | "no" | "off" => Ok(false),
            _ => Err(CliError::usage(format!(
                "invalid value '{value}' of {}: it must be 1 or 0",
                variable.name
            ))),
        }
    }

    /// What a program that a tool starts may see: everything here but tokens and our own settings.
    pub fn for_children(&self) -> impl Iterator<Item = (&'static str, &OsStr)> {
        TABLE
            .iter()
            .filter(|variable| variable.children)
            .filter_map(|variable| Some((variable.name, self.raw(*variable)?)))
    }
}

/// The reference page.
pub fn reference_page() -> String {
    let mut page = String::from(
        "# Environment variables\n\n\
         <!-- Made by `cargo xtask gen` from crates/ops-cli/src/env.rs. -->\n\n\
         These, and no others, are read by the tools. An empty value counts as unset. A command-line option always outranks a\n\
         variable; `--verbose` prints each resolved setting with its source.\n",
    );
    for (group, title) in [
        (Group::Access, "Token, app, organization"),
        (Group::Network, "Addresses and network"),
        (Group::Output, "Output"),
        (Group::System, "Directories and other programs"),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "\n## {title}\n\n| Variable | Meaning |\n| --- | --- |");
        for variable in TABLE.iter().filter(|variable| variable.group == group) {
            let _ = writeln!(page, "| `{}` | {} |", variable.name, variable.meaning);
        }
    }
    page.push_str(
        "\nThe token: `--token-file`, then `FLY_ACCESS_TOKEN`, then `FLY_API_TOKEN`, then flyctl's `config.yml`. The app: `--app`, then\n\
         `FLY_APP`, then the key `app` of `fly.toml` (or of the file that `--config` names) in the working directory.\n",
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_variables_with_a_value_are_seen() {
        let env = Env::from_pairs([("FLY_APP", "shop"), ("FLY_ORG", ""), ("UNRELATED", "x")]);
        assert_eq!(env.text(FLY_APP).unwrap(), Some("shop"));
        assert_eq!(env.text(FLY_ORG).unwrap(), None);
        assert_eq!(format!("{env:?}"), r#"["FLY_APP"]"#);
    }

    #[test]
    fn children_never_get_a_token() {
        let env = Env::from_pairs([
            ("FLY_API_TOKEN", "fo1_secret"),
            ("FLY_ACCESS_TOKEN", "fo1_secret"),
            ("PATH", "/bin"),
        ]);
        assert_eq!(env.for_children().collect::<Vec<_>>(), [("PATH", OsStr::new("/bin"))]);
    }

    #[test]
    fn switches() {
        let on = |value| {
            Env::from_pairs([("FLY_OPS_LOOPBACK_ONLY", value)]).switch(FLY_OPS_LOOPBACK_ONLY)
        };
        assert!(on("1").unwrap() && on("TRUE").unwrap() && !on("0").unwrap() && !on("").unwrap());
        let error = on("maybe").unwrap_err().to_string();
        assert_eq!(error, "invalid value 'maybe' of FLY_OPS_LOOPBACK_ONLY: it must be 1 or 0");
    }

    #[test]
    fn the_table_has_each_name_once() {
        let names: std::collections::BTreeSet<_> = TABLE.iter().map(|v| v.name).collect();
        assert_eq!(names.len(), TABLE.len());
        assert!(
            reference_page().lines().filter(|line| line.starts_with("| `")).count() == TABLE.len()
        );
    }
}
