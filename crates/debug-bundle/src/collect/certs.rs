//! Certificates: the list, and each one in detail with what still has to be validated. Reading only: asking the platform to
//! *check* a certificate can start its issuance.

use async_trait::async_trait;

use super::each::each;
use super::{Call, Collector, Need, Outcome, Pool, SECOND, Spec};
use crate::archive::safe_component;
use crate::job::Job;
use crate::surroundings::Surroundings;

pub(super) struct Certs;

static SPEC: Spec = Spec {
    id: "certs",
    title: "certificates",
    version: 1,
    requires: &[],
    needs: &[Need::Token],
    calls: &[
        Call {
            what: "GET api.machines.dev/v1/apps/{app}/certificates",
            times: "1 per 100 certificates",
            permission: "read the app",
        },
        Call {
            what: "GET api.machines.dev/v1/apps/{app}/certificates/{hostname}",
            times: "1 per certificate",
            permission: "read the app",
        },
    ],
    files: &["app/certs.json", "app/certs/<hostname>.json"],
    bytes: 20_000,
    limit: SECOND.saturating_mul(20),
    pool: Pool::Api,
    value: 55,
};

#[async_trait]
impl Collector for Certs {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn collect(&self, around: &Surroundings, job: &Job) -> Result<Outcome, Outcome> {
        let answer = job.note(around.client.certificates(&around.app).await)?;
        job.value("app/certs.json", &answer.value)?;
        let hosts = answer
            .value
            .certificates
            .items()
            .iter()
            .map(|certificate| certificate.hostname.clone())
            .collect();
        let outcome = each(hosts, "certificates", |host| async move {
            let detail = job.note(around.client.certificate(&around.app, &host).await)?;
            job.json(&format!("app/certs/{}.json", safe_component(&host)), &detail.body)
        });
        Ok(outcome.await)
    }
}
