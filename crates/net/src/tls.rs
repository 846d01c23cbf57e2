//! TLS settings: the ring provider, and which authorities are trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::BuildError;

/// Which certificate authorities are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Roots {
    /// Those of the operating system, or the embedded list where the system has none.
    #[default]
    Platform,
    /// The embedded Mozilla list.
    Embedded,
}

/// A TLS configuration. Authorities from `ca_file` (PEM) are trusted in addition to the embedded list, and then the
/// operating system's list is not asked.
pub(crate) fn client_config(
    roots: Roots,
    ca_file: Option<&Path>,
) -> Result<ClientConfig, BuildError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| BuildError::Tls(error.into()))?;
    if ca_file.is_none() && roots == Roots::Platform {
        if let Ok(verifier) = rustls_platform_verifier::Verifier::new(provider) {
            let config = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
            return Ok(config.with_no_client_auth());
        }
        tracing::warn!(
            "the system's certificate authorities could not be loaded, using the embedded list"
        );
    }
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        add_file(&mut store, path)?;
    }
    let builder =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| BuildError::Tls(error.into()))?;
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

fn add_file(store: &mut RootCertStore, path: &Path) -> Result<(), BuildError> {
    let fail = |source: Box<dyn std::error::Error + Send + Sync>| BuildError::CaFile {
        path: path.to_owned(),
        source,
    };
    let pem = std::fs::read(path).map_err(|error| fail(error.into()))?;
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| fail(error.to_string().into()))?;
        store.add(certificate).map_err(|error| fail(error.into()))?;
        added += 1;
    }
    if added == 0 {
        return Err(fail("the file holds no PEM certificate".into()));
    }
    Ok(())
}
