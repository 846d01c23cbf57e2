//! IP addresses of an app.

use super::{WireTime, body, open_enum};

open_enum! {
    /// Kind of an address, in the words of the create call and of GraphQL.
    IpKind {
        V4 = "v4",
        V6 = "v6",
        SharedV4 = "shared_v4",
        /// Flycast.
        PrivateV6 = "private_v6",
        EgressV4 = "egress_v4",
        EgressV6 = "egress_v6",
        EgressPair = "egress_pair",
    }
}

body! {
    /// One address.
    IpAssignment {
        ip: String,
        region: String,
        service_name: String,
        shared: bool,
        created_at: WireTime,
        egress: bool,
        network: IpNetwork,
        /// Answer of an `egress_pair` create, where `ip` is null.
        ip_pair: IpPair,
    }
}

impl IpAssignment {
    /// The kind, which the answer does not name: derived from the address and its flags.
    pub fn kind(&self) -> Option<IpKind> {
        let ip = self.ip.text()?;
        let six = ip.contains(':');
        Some(match (self.egress.copied() == Some(true), six) {
            (true, true) => IpKind::EgressV6,
            (true, false) => IpKind::EgressV4,
            (false, true) if ip.starts_with("fdaa:") => IpKind::PrivateV6,
            (false, true) => IpKind::V6,
            (false, false) if self.shared.copied() == Some(true) => IpKind::SharedV4,
            (false, false) => IpKind::V4,
        })
    }
}

body! {
    /// The network of a private address.
    IpNetwork {
        name: String,
        org_slug: String,
    }
}

body! {
    /// Two egress addresses made together.
    IpPair {
        v4: String,
        v6: String,
    }
}

body! {
    /// Answer of `GET …/ip_assignments`.
    IpAssignmentList {
        ips: Vec<IpAssignment>,
    }
}

body! {
    /// Body of `POST …/ip_assignments`.
    CreateIp {
        #[serde(rename = "type")]
        kind: IpKind,
        region: String,
        org_slug: String,
        network: String,
        service_name: String,
    }
}
