//! Which of the caller's environment variables a child may see.
//!
//! Children get an environment built up from nothing: variables of the caller that were asked for by name, fixed values
//! that make output the same everywhere, and what the command adds. A token in the caller's shell therefore never
//! reaches a program that has no business with it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// What every program may see of the caller's environment: who and where it runs, and how it reaches the network.
const INHERITED: [&str; 22] = [
    "HOME",
    "LOGNAME",
    "PATH",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    // Dynamic libraries of programs that were installed outside the system directories.
    "DYLD_FALLBACK_LIBRARY_PATH",
];

/// One language, no colours, no pager, whatever the caller's terminal is like.
const FIXED: [(&str, &str); 6] = [
    ("LC_ALL", "C"),
    ("LANG", "C"),
    ("NO_COLOR", "1"),
    ("CLICOLOR", "0"),
    ("TERM", "dumb"),
    ("PAGER", "cat"),
];

/// The caller's environment. It holds whatever the caller's shell holds, secrets too, so it cannot be printed.
#[derive(Clone, Default)]
pub struct Environment {
    caller: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// From the caller's variables. Children see those of them that are in this crate's lists, no others.
    pub fn from_vars<N: Into<OsString>, V: Into<OsString>>(
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { caller: vars.collect() }
    }

    /// The directories in which programs are looked for.
    pub fn path(&self) -> Option<&OsStr> {
        self.caller.get(OsStr::new("PATH")).map(OsString::as_os_str)
    }

    /// The variables of one child: inherited, then fixed, then the command's own.
    pub(crate) fn of_child<'a>(
        &self,
        also: &[&str],
        own: impl IntoIterator<Item = (&'a str, OsString)>,
    ) -> BTreeMap<OsString, OsString> {
        let inherited = INHERITED.iter().chain(also).filter_map(|name| {
            let (name, value) = self.caller.get_key_value(OsStr::new(name))?;
            Some((name.clone(), value.clone()))
        });
        let mut variables: BTreeMap<_, _> = inherited.collect();
        variables.extend(FIXED.map(|(name, value)| (name.into(), value.into())));
        variables.extend(own.into_iter().map(|(name, value)| (name.into(), value)));
        variables
    }
}
