//! What to run: a program, arguments that are not secret, secrets that are not arguments, limits.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::capture::Cap;
use crate::program::Program;

/// One argument. Every user of the host can read it (`ps`, `/proc`), so it is made from plain text only: there is no way
/// from a `SecretString` to here.
///
/// ```compile_fail
/// let token = secrecy::SecretString::from("fo1_example");
/// let argument = exec::Arg::from(token);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg(OsString);

impl Arg {
    pub(crate) fn as_os_str(&self) -> &OsStr {
        &self.0
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&Path> for Arg {
    fn from(path: &Path) -> Self {
        Self(path.into())
    }
}

/// What the child reads from its standard input.
pub(crate) enum Input {
    Nothing,
    Bytes(Vec<u8>),
    Secret(SecretString),
}

impl Input {
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Nothing => None,
            Self::Bytes(bytes) => Some(bytes),
            Self::Secret(secret) => Some(secret.expose_secret().as_bytes()),
        }
    }
}

/// One run of a program, to be handed to [`crate::Runner::run`]. It may hold secrets, so it cannot be printed; the
/// [`crate::Transcript`] of the run can.
pub struct Command {
    pub(crate) program: Program,
    pub(crate) args: Vec<Arg>,
    pub(crate) inherited: Vec<&'static str>,
    pub(crate) variables: BTreeMap<&'static str, OsString>,
    pub(crate) secrets: BTreeMap<&'static str, SecretString>,
    pub(crate) input: Input,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) deadline: Duration,
    pub(crate) grace: Duration,
    pub(crate) stdout: Cap,
    pub(crate) stderr: Cap,
}

impl Command {
    /// A run of `program` that ends after `deadline` at the latest (plus the time to stop it).
    pub fn new(program: &Program, deadline: Duration) -> Self {
        Self {
            program: program.clone(),
            args: Vec::new(),
            inherited: Vec::new(),
            variables: BTreeMap::new(),
            secrets: BTreeMap::new(),
            input: Input::Nothing,
            directory: None,
            deadline,
            grace: Duration::from_secs(1),
            stdout: Cap::default(),
            stderr: Cap::default(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<Arg>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<Arg>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Lets the child see these variables of the caller's environment, beside the few that every child sees.
    #[must_use]
    pub fn inherit(mut self, names: &[&'static str]) -> Self {
        self.inherited.extend_from_slice(names);
        self
    }

    /// Sets a variable that is not secret.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name, value.into());
        self
    }

    /// Hands over a secret in a variable. Only the name is recorded.
    #[must_use]
    pub fn secret_env(mut self, name: &'static str, value: SecretString) -> Self {
        self.secrets.insert(name, value);
        self
    }

    /// Gives the child this standard input; without it, it reads end-of-file at once.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Hands over a secret on standard input.
    #[must_use]
    pub fn secret_stdin(mut self, secret: SecretString) -> Self {
        self.input = Input::Secret(secret);
        self
    }

    /// Starts the child in this directory; without it, where the caller stands.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// How much of each output stream is kept.
    #[must_use]
    pub fn caps(mut self, stdout: Cap, stderr: Cap) -> Self {
        (self.stdout, self.stderr) = (stdout, stderr);
        self
    }

    /// Time between asking to stop (TERM) and ending (KILL); 1 s unless set.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Every secret of this run, without white space around it, with the name under which it may be mentioned.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        let stdin = match &self.input {
            Input::Secret(secret) => Some(("standard input", secret.expose_secret())),
            Input::Nothing | Input::Bytes(_) => None,
        };
        let variables = self.secrets.iter().map(|(name, value)| (*name, value.expose_secret()));
        let all = variables.chain(stdin).map(|(name, value)| (name, value.trim()));
        all.filter(|(_, value)| !value.is_empty())
    }
}
