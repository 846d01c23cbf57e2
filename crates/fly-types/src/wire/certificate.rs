//! Certificates of an app's host names.

use super::{WireTime, body, open_enum};

open_enum! {
    /// State of a certificate.
    CertificateStatus {
        Active = "active",
        PendingOwnership = "pending_ownership",
        PendingValidation = "pending_validation",
    }
}

body! {
    /// One host name in the list of certificates.
    Certificate {
        hostname: String;
        status: CertificateStatus,
        dns_provider: String,
        configured: bool,
        acme_requested: bool,
        acme_dns_configured: bool,
        acme_alpn_configured: bool,
        acme_http_configured: bool,
        ownership_txt_configured: bool,
        has_custom_certificate: bool,
        has_fly_certificate: bool,
        created_at: WireTime,
        updated_at: WireTime,
        /// Seen in lists of 2026.
        certificates: Vec<CertificateEntry>,
    }
}

body! {
    /// One page of `GET …/certificates`.
    CertificateList {
        certificates: Vec<Certificate>,
        /// Empty or absent at the end.
        next_cursor: String,
        total_count: i64,
    }
}

body! {
    /// Everything about one host name.
    CertificateDetail {
        hostname: String;
        configured: bool,
        acme_requested: bool,
        status: CertificateStatus,
        dns_provider: String,
        rate_limited_until: WireTime,
        certificates: Vec<CertificateEntry>,
        validation: CertificateValidation,
        dns_requirements: DnsRequirements,
        /// Only from the check call.
        dns_records: DnsRecords,
        validation_errors: Vec<ValidationError>,
    }
}

body! {
    /// One certificate of a host name: Fly.io's or the customer's own.
    CertificateEntry {
        /// `fly` or `custom`.
        source: String,
        status: CertificateStatus,
        created_at: WireTime,
        expires_at: WireTime,
        issuer: String,
        issued: Vec<CertificateAuthority>,
    }
}

body! {
    /// One issued certificate and who issued it.
    CertificateAuthority {
        /// `rsa` or `ecdsa`.
        #[serde(rename = "type")]
        key_type: String,
        expires_at: WireTime,
        certificate_authority: String,
    }
}

body! {
    /// Which validations would work.
    CertificateValidation {
        dns_configured: bool,
        alpn_configured: bool,
        http_configured: bool,
        ownership_txt_configured: bool,
    }
}

body! {
    /// The DNS records that the host name needs.
    DnsRequirements {
        a: Vec<String>,
        aaaa: Vec<String>,
        cname: String,
        acme_challenge: DnsChallenge,
        ownership: DnsOwnership,
    }
}

body! {
    /// The CNAME of the ACME challenge.
    DnsChallenge {
        name: String,
        target: String,
    }
}

body! {
    /// The TXT record that proves ownership.
    DnsOwnership {
        name: String,
        app_value: String,
        org_value: String,
    }
}

body! {
    /// The DNS records that were found.
    DnsRecords {
        a: Vec<String>,
        aaaa: Vec<String>,
        cname: Vec<String>,
        resolved_addresses: Vec<String>,
        soa: String,
        acme_challenge_cname: String,
        ownership_txt: String,
    }
}

body! {
    /// Why validation failed.
    ValidationError {
        code: String,
        message: String,
        remediation: String,
        timestamp: WireTime,
    }
}
