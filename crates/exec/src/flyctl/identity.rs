//! Is this program flyctl, and which? Concourse's command line is called `fly` as well.

use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{FlyctlError, Observed, base};
use crate::program::Program;
use crate::run::Runner;
use crate::transcript::Ending;
use crate::version::Version;

/// What flyctl says about itself (`version --json`, one line of JSON with keys in Pascal case).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The version by its numbers.
    pub version: Version,
    /// The version as printed.
    pub text: String,
    /// Commit it was built from.
    pub commit: String,
    /// When it was built, as printed.
    pub build_date: String,
    /// System and architecture, e.g. `linux/amd64`.
    pub platform: String,
    /// `production` for releases; `development` for builds whose version is the time of day.
    pub environment: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    name: String,
    version: String,
    commit: String,
    #[serde(default)]
    build_date: String,
    #[serde(default, rename = "OS")]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    environment: String,
}

/// Words in the answer of another program of the same name, and its name.
const OTHERS: [(&str, &str); 2] =
    [("concourse", "Concourse's fly"), ("Unknown command `version'", "Concourse's fly")];

/// Asks a program for its version; anything but flyctl's answer is a refusal.
pub(super) async fn ask(
    runner: &Runner,
    program: &Program,
    deadline: Duration,
    cancel: impl Future<Output = ()>,
) -> Result<Observed<Identity>, FlyctlError> {
    let command = base(program, deadline).args(["version", "--json"]);
    let ran = runner.run(command, cancel).await.map_err(FlyctlError::Run)?;
    if ran.ending.claims_success()
        && let Some(value) = parse(&ran.stdout.bytes())
    {
        return Ok(Observed { value, transcript: ran.transcript });
    }
    if !matches!(ran.ending, Ending::Exited { .. }) {
        // It did not get to answer, so it may be flyctl all the same.
        return Err(FlyctlError::Failed { transcript: Box::new(ran.transcript) });
    }
    let said = ran.stdout.text() + &ran.stderr.text();
    let other =
        OTHERS.iter().find(|(words, _)| said.to_lowercase().contains(&words.to_lowercase()));
    Err(FlyctlError::NotFlyctl {
        path: program.path().to_owned(),
        looks_like: other.map(|(_, name)| *name),
        transcript: Box::new(ran.transcript),
    })
}

fn parse(stdout: &[u8]) -> Option<Identity> {
    let printed: Printed = serde_json::from_slice(stdout).ok()?;
    // The name is that of the executable, so it is no evidence by itself; commit and version together are.
    if printed.name.is_empty() || printed.commit.is_empty() {
        return None;
    }
    Some(Identity {
        version: Version::parse(&printed.version)?,
        text: printed.version,
        commit: printed.commit,
        build_date: printed.build_date,
        platform: format!("{}/{}", printed.os, printed.architecture),
        environment: printed.environment,
    })
}

/// Whether an argument is a token or flyctl's flag for one (superfly/fly-go `tokens/tokens.go` for the prefixes).
pub(super) fn tells_token(arg: &str) -> bool {
    let flag = arg == "-t" || arg == "--access-token" || arg.starts_with("--access-token=");
    let scheme = arg.trim_start().strip_prefix("FlyV1 ").unwrap_or(arg);
    flag || ["fm1r_", "fm1a_", "fm2_", "fo1_"].iter().any(|prefix| scheme.starts_with(prefix))
}
