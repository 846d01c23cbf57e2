//! flyctl: which one it is, what it answered, and when its exit status means nothing.
//!
//! Everything here is *observed*: flyctl's words, with the run they came from. Sources: superfly/flyctl at v0.4.87, as read
//! in its own code, and recorded runs of it.

mod doctor;
mod identity;
mod trust;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::program::{FindError, Program};
use crate::run::{RunError, Runner};
use crate::transcript::Transcript;
use crate::version::Version;

pub use doctor::{DOCTOR_ORDER, Doctor, DoctorCheck};
pub use identity::Identity;
pub use trust::{UNTRUSTED, Untrusted, reference_page, untrusted};

/// The oldest flyctl whose output is understood: the first to print certificates as it does today (superfly/flyctl v0.4.11);
/// secrets, releases and volumes have had today's shapes for longer.
pub const MINIMUM: Version = Version::new(0, 4, 11);

/// Names under which flyctl is installed. `flyctl` first: other programs are called `fly`, too.
pub const NAMES: [&str; 2] = ["flyctl", "fly"];

/// Variables of the caller's environment that flyctl is meant to see: where the platform is, and where its own files are. Not
/// among them are FLY_APP, FLY_ORG and FLY_REGION, which silently change what a command is about, FLY_JSON, FLY_VERBOSE and
/// LOG_LEVEL, which change what it prints, and tokens.
const INHERITED: [&str; 10] = [
    "FLY_API_BASE_URL",
    "FLY_FLAPS_BASE_URL",
    "FLY_UIEX_BASE_URL",
    "FLY_METRICS_BASE_URL",
    "FLY_SYNTHETICS_BASE_URL",
    "FLY_STATUSPAGE_UNRESOLVED_INCIDENTS_URL",
    "FLY_TRACE_COLLECTOR_URL",
    "FLY_REGISTRY_HOST",
    "FLY_CONFIG_DIR",
    "FLY_WIRE_GUARD_WEBSOCKETS",
];

/// No requests but those of the command itself. FLY_SEND_METRICS has to be said: flyctl creates its configuration file as a
/// side effect of other commands, and sends metrics once there is one.
const FIXED: [(&str, &str); 4] = [
    ("FLY_NO_UPDATE_CHECK", "1"),
    ("FLY_NO_INCIDENTS_CHECK", "1"),
    ("FLY_SEND_METRICS", "0"),
    ("FLY_SYNTHETICS_AGENT", "0"),
];

/// What flyctl said, and the run in which it said so. That it said so does not make it true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observed<T> {
    /// What it said.
    pub value: T,
    /// The run.
    pub transcript: Transcript,
}

/// A program that has shown itself to be flyctl.
#[derive(Debug, Clone)]
pub struct Flyctl {
    program: Program,
    identity: Observed<Identity>,
}

/// Why there is no usable flyctl, or no usable answer of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlyctlError {
    /// No usable program of that name or at that path.
    #[error("no flyctl")]
    Find(#[source] FindError),
    /// There is a program of that name, and it is something else.
    #[error("{} is not Fly.io's flyctl{}", path.display(), hint(*looks_like))]
    NotFlyctl {
        /// The program.
        path: PathBuf,
        /// What it is likely to be.
        looks_like: Option<&'static str>,
        /// What it did when asked for its version.
        transcript: Box<Transcript>,
    },
    /// It is flyctl, but too old to be understood.
    #[error("{} is flyctl {found}, older than {minimum} (try: fly version upgrade)", path.display())]
    TooOld {
        /// The program.
        path: PathBuf,
        /// Its version.
        found: Version,
        /// The version it takes.
        minimum: Version,
    },
    /// It could not be run.
    #[error("flyctl could not be run")]
    Run(#[source] RunError),
    /// It was refused an argument that looks like a token.
    #[error("refused to start flyctl: argument {position} is a token or names one")]
    TokenArgument {
        /// Position of the argument, counted from 1.
        position: usize,
    },
    /// It ended in another way than by claiming success.
    #[error("{}", transcript.summary())]
    Failed {
        /// The run.
        transcript: Box<Transcript>,
    },
    /// It claimed success, and what it printed is not what this command prints.
    #[error("{}: its output is not understood", transcript.summary())]
    Output {
        /// The run.
        transcript: Box<Transcript>,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

fn hint(looks_like: Option<&str>) -> String {
    looks_like.map(|name| format!(" (it looks like {name})")).unwrap_or_default()
}

impl Flyctl {
    /// Finds flyctl: at `explicit` if that is given, else the first program named `flyctl` or `fly` on PATH that identifies
    /// itself as such. Costs one run of `version --json` for each candidate, at most `deadline` each.
    ///
    /// An old flyctl is found, too; ask [`Flyctl::require`] before trusting what it prints.
    pub async fn find(
        runner: &Runner,
        explicit: Option<&Path>,
        deadline: Duration,
        cancel: impl Future<Output = ()>,
    ) -> Result<Self, FlyctlError> {
        tokio::pin!(cancel);
        let candidates = match explicit {
            Some(path) => vec![Program::at(path).map_err(FlyctlError::Find)?],
            None => Program::find_all(&NAMES, runner.environment().path()),
        };
        let mut refused = None;
        for program in candidates {
            match identity::ask(runner, &program, deadline, &mut cancel).await {
                Ok(identity) => return Ok(Self { program, identity }),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let names = NAMES.map(str::to_owned).to_vec();
        Err(refused.unwrap_or(FlyctlError::Find(FindError::NotOnPath { names })))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.program.path()
    }

    /// What it says about itself.
    pub fn identity(&self) -> &Observed<Identity> {
        &self.identity
    }

    /// Fails when this flyctl is older than `minimum`. Development builds are numbered by date and always pass.
    pub fn require(&self, minimum: Version) -> Result<(), FlyctlError> {
        let found = self.identity.value.version;
        if found < minimum {
            return Err(FlyctlError::TooOld { path: self.path().to_owned(), found, minimum });
        }
        Ok(())
    }

    /// A command line for this flyctl with `token` in its environment. The deadline matters: some commands never end by
    /// themselves (`logs --no-tail` of an app without logs).
    pub fn command(
        &self,
        args: &[&str],
        token: Option<SecretString>,
        deadline: Duration,
    ) -> Result<Command, FlyctlError> {
        if let Some(position) = args.iter().position(|arg| identity::tells_token(arg)) {
            return Err(FlyctlError::TokenArgument { position: position + 1 });
        }
        let command = base(&self.program, deadline).args(args.iter().copied());
        Ok(match token {
            Some(token) => command.secret_env("FLY_API_TOKEN", token),
            None => command,
        })
    }

    /// Runs a command that prints JSON. Where the exit status is to be believed it must claim success; where it is not
    /// ([`UNTRUSTED`]) what was printed decides alone, and the caller judges by it.
    pub async fn read<T: DeserializeOwned>(
        &self,
        runner: &Runner,
        args: &[&str],
        token: Option<SecretString>,
        deadline: Duration,
        cancel: impl Future<Output = ()>,
    ) -> Result<Observed<T>, FlyctlError> {
        // In `/`, because several commands look for a fly.toml where they stand and take other turns when there is one:
        // doctor packs up the whole build context to see its size.
        let command = self.command(args, token, deadline)?.directory("/");
        let ran = runner.run(command, cancel).await.map_err(FlyctlError::Run)?;
        let (claims, transcript) = (ran.ending.claims_success(), ran.transcript);
        match serde_json::from_slice(&ran.stdout.bytes()) {
            Ok(value) if claims || untrusted(args).is_some() => Ok(Observed { value, transcript }),
            Err(source) if claims => {
                Err(FlyctlError::Output { transcript: Box::new(transcript), source })
            }
            Ok(_) | Err(_) => Err(FlyctlError::Failed { transcript: Box::new(transcript) }),
        }
    }

    /// `doctor --json`, for `app` if one is given. Its answers are the result, whatever its exit status.
    pub async fn doctor(
        &self,
        runner: &Runner,
        app: Option<&str>,
        token: Option<SecretString>,
        deadline: Duration,
        cancel: impl Future<Output = ()>,
    ) -> Result<Observed<Doctor>, FlyctlError> {
        let mut args = vec!["doctor", "--json"];
        args.extend(app.into_iter().flat_map(|app| ["-a", app]));
        let read = self.read(runner, &args, token, deadline, cancel).await?;
        let value = Doctor::from_answers(read.value, app.is_some());
        Ok(Observed { value, transcript: read.transcript })
    }
}

/// What every run of flyctl has in common.
fn base(program: &Program, deadline: Duration) -> Command {
    let command = Command::new(program, deadline).inherit(&INHERITED);
    FIXED.iter().fold(command, |command, (name, value)| command.env(name, *value))
}
