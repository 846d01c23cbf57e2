//! Certificates of an app, changed.

use fly_types::AppName;
use fly_types::wire::CertificateDetail;
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::error::{Context, Effect, Reason, WriteError};
use super::machines::done;
use super::{Writer, once};
use crate::call::Fetched;
use crate::request::{Action, Class, Request, Target};

const ONE: &str = "/v1/apps/{app}/certificates/{hostname}";

/// A certificate that was issued elsewhere. The key never prints.
#[derive(Clone)]
pub struct CustomCertificate {
    /// The chain in PEM, own certificate first.
    pub fullchain: String,
    /// The private key in PEM.
    pub private_key: SecretString,
}

impl std::fmt::Debug for CustomCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomCertificate").finish_non_exhaustive()
    }
}

fn request(
    method: Method,
    template: &'static str,
    app: &AppName,
    host: &str,
    class: Class,
    action: Action,
) -> Request {
    Request::new(method, Target::Machines, template, &[app.as_str(), host], class, action, host)
}

impl Writer {
    /// Asks for a certificate: `POST …/certificates/acme`. A host name is attached to an app once, so when the answer is
    /// lost, the certificate is read.
    pub async fn request_certificate(
        &self,
        app: &AppName,
        host: &str,
    ) -> Result<Fetched<CertificateDetail>, WriteError> {
        let template = "/v1/apps/{app}/certificates/acme";
        self.add_certificate(app, host, template, &json!({ "hostname": host })).await
    }

    /// Brings in a certificate that was issued elsewhere: `POST …/certificates/custom`.
    pub async fn import_certificate(
        &self,
        app: &AppName,
        host: &str,
        certificate: &CustomCertificate,
    ) -> Result<Fetched<CertificateDetail>, WriteError> {
        let body = json!({
            "hostname": host,
            "fullchain": certificate.fullchain,
            "private_key": certificate.private_key.expose_secret(),
        });
        self.add_certificate(app, host, "/v1/apps/{app}/certificates/custom", &body).await
    }

    async fn add_certificate(
        &self,
        app: &AppName,
        host: &str,
        template: &'static str,
        body: &Value,
    ) -> Result<Fetched<CertificateDetail>, WriteError> {
        let values = [app.as_str()];
        let action = Action::CertificateAdd;
        let request = || {
            Request::new(
                Method::POST,
                Target::Machines,
                template,
                &values,
                Class::Unsafe,
                action,
                app.as_str(),
            )
            .json(body)
        };
        let context = Context::new(format!("add a certificate for {host} to app {app}"));
        match self.act(request(), context.clone()).await {
            Err(error) if once::effect(&error) != Effect::NotDone => {
                match self.client.certificate(app, host).await {
                    Ok(found) => Ok(found),
                    // A second one for the same host is refused, so asking again is safe.
                    Err(missing) if missing.is_not_found() => self.act(request(), context).await,
                    Err(_) => Err(error.unknown()),
                }
            }
            other => other,
        }
    }

    /// Has the platform look at the DNS records now: `POST …/certificates/{hostname}/check`.
    pub async fn check_certificate(
        &self,
        app: &AppName,
        host: &str,
    ) -> Result<Fetched<CertificateDetail>, WriteError> {
        let template = "/v1/apps/{app}/certificates/{hostname}/check";
        let (class, action) = (Class::Idempotent, Action::CertificateCheck);
        let request = request(Method::POST, template, app, host, class, action);
        self.act(request, Context::new(format!("check the certificate for {host} of app {app}")))
            .await
    }

    /// Detaches a host name: `DELETE …/certificates/{hostname}`. One that is not attached is detached.
    pub async fn delete_certificate(
        &self,
        app: &AppName,
        host: &str,
    ) -> Result<Fetched<Value>, WriteError> {
        let (class, action) = (Class::Idempotent, Action::CertificateDelete);
        let request = request(Method::DELETE, ONE, app, host, class, action);
        let context = Context::new(format!("delete the certificate for {host} of app {app}"));
        match self.act(request, context).await {
            Err(error) if error.reason == Reason::NotFound => Ok(done(error, Value::Null)),
            other => other,
        }
    }
}
