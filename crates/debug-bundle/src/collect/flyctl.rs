//! flyctl: which one is installed, and what its `doctor` answers. One process at a time.

use std::time::Duration;

use async_trait::async_trait;
use exec::flyctl::FlyctlError;

use super::{Call, Collector, Outcome, Pool, SECOND, Spec};
use crate::job::Job;
use crate::manifest::{Reason, Status};
use crate::surroundings::Surroundings;

pub(super) struct Flyctl;

static SPEC: Spec = Spec {
    id: "flyctl",
    title: "version and doctor of the installed flyctl",
    version: 1,
    requires: &[],
    needs: &[],
    calls: &[
        Call {
            what: "flyctl version --json",
            times: "1 per flyctl in PATH until one is right",
            permission: "none",
        },
        Call { what: "flyctl doctor --json --app {app}", times: "1", permission: "the user's own" },
    ],
    files: &["flyctl/version.json", "flyctl/doctor.json", "flyctl/stderr.txt"],
    bytes: 3_000,
    limit: SECOND.saturating_mul(20),
    pool: Pool::Flyctl,
    value: 35,
};

const VERSION_LIMIT: Duration = Duration::from_secs(5);
const DOCTOR_LIMIT: Duration = Duration::from_secs(13);

#[async_trait]
impl Collector for Flyctl {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let access = &around.flyctl;
        let cancelled = || async {
            around.cancel.cancelled().await;
        };
        let found =
            exec::flyctl::Flyctl::find(&access.runner, None, VERSION_LIMIT, cancelled()).await;
        let flyctl = match found {
            Ok(flyctl) => flyctl,
            Err(error) => return Err(absent(job, &error)),
        };
        job.ran(&flyctl.identity().transcript, "flyctl/version.stderr.txt");
        job.value("flyctl/version.json", flyctl.identity())?;
        if !access.may_leave {
            let what =
                "doctor was not run: it leaves this machine, and FLY_OPS_LOOPBACK_ONLY is set";
            return Ok(Outcome::new(Status::OkTruncated, Reason::new("loopback_only", what)));
        }
        let doctor = flyctl
            .doctor(
                &access.runner,
                Some(around.app.as_str()),
                access.token.clone(),
                DOCTOR_LIMIT,
                cancelled(),
            )
            .await;
        match doctor {
            Ok(doctor) => {
                job.ran(&doctor.transcript, "flyctl/stderr.txt");
                job.value("flyctl/doctor.json", &doctor)?;
                Ok(Outcome::OK)
            }
            Err(error) => Err(failed(job, &error)),
        }
    }
}

fn absent(job: &Job, error: &FlyctlError) -> Outcome {
    let message = ops_cli::chain(error).join(": ");
    match error {
        FlyctlError::Find(_) | FlyctlError::NotFlyctl { .. } => {
            let hint =
                "nothing else in the bundle needs flyctl; https://fly.io/docs/flyctl/install/";
            Outcome::new(
                Status::Unsupported,
                Reason::new("no_flyctl", message).hint(Some(hint.to_owned())),
            )
        }
        _ => failed(job, error),
    }
}

fn failed(job: &Job, error: &FlyctlError) -> Outcome {
    let message = ops_cli::chain(error).join(": ");
    let (FlyctlError::Failed { transcript } | FlyctlError::Output { transcript, .. }) = error
    else {
        return Outcome::new(Status::Failed, Reason::new("flyctl", message));
    };
    job.ran(transcript, "flyctl/stderr.txt");
    let status = match transcript.ending {
        exec::Ending::TimedOut { .. } => Status::Timeout,
        exec::Ending::Cancelled { .. } => Status::Canceled,
        _ => Status::Failed,
    };
    Outcome::new(status, Reason::new("flyctl", message))
}
