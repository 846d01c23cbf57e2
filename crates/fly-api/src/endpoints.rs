//! Where the APIs live.

use url::Url;

use crate::request::Target;

/// Base addresses. The defaults are the live ones; a simulator or a test replaces all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Machines REST. Like flyctl, absolute paths (`/v1/…`) are resolved against it, so a path in it is ignored.
    pub machines: Url,
    /// GraphQL, logs and metrics. A path in it is kept.
    pub api: Url,
    /// Web REST (`/api/v1/organizations`, releases). A path in it is kept.
    pub web: Url,
    /// The complete address of the incident list.
    pub incidents: Url,
    /// The status page. A path in it is kept.
    pub status: Url,
}

/// A base address that cannot be used; names the value and the rule, with a password left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind} address '{value}': {rule}")]
pub struct EndpointError {
    /// Which address.
    pub kind: &'static str,
    /// The value, without user and password.
    pub value: String,
    /// The rule that it breaks.
    pub rule: String,
}

const LIVE: [(&str, &str); 5] = [
    ("Machines API", "https://api.machines.dev"),
    ("API", "https://api.fly.io"),
    ("web API", "https://api.fly.io"),
    ("incident list", "https://incidents.flyio.net/v1/incidents"),
    ("status page", "https://status.flyio.net"),
];

impl Endpoints {
    /// The live addresses, each replaced where a value is given.
    pub fn with_overrides(
        machines: Option<&str>,
        api: Option<&str>,
        web: Option<&str>,
        incidents: Option<&str>,
        status: Option<&str>,
    ) -> Result<Self, EndpointError> {
        let pick = |index: usize, value: Option<&str>| {
            parse(LIVE[index].0, value.unwrap_or(LIVE[index].1))
        };
        Ok(Self {
            machines: pick(0, machines)?,
            api: pick(1, api)?,
            web: pick(2, web)?,
            incidents: pick(3, incidents)?,
            status: pick(4, status)?,
        })
    }

    /// One address for everything, as the simulator serves it.
    pub fn single(base: &str) -> Result<Self, EndpointError> {
        let trimmed = base.trim_end_matches('/');
        let incidents = format!("{trimmed}/v1/incidents");
        Self::with_overrides(Some(base), Some(base), Some(base), Some(&incidents), Some(base))
    }

    pub(crate) fn base(&self, target: Target) -> &Url {
        match target {
            Target::Machines => &self.machines,
            Target::GraphQl | Target::Logs | Target::Metrics => &self.api,
            Target::Web => &self.web,
            Target::Incidents => &self.incidents,
            Target::Status => &self.status,
        }
    }

    /// The full address of a path at a target.
    pub(crate) fn url(&self, target: Target, path: &str, query: &[(String, String)]) -> Url {
        let mut url = self.base(target).clone();
        match target {
            Target::Machines => url.set_path(path),
            Target::Incidents => {}
            Target::GraphQl | Target::Logs | Target::Metrics | Target::Web | Target::Status => {
                let prefix = url.path().trim_end_matches('/').to_owned();
                url.set_path(&format!("{prefix}{path}"));
            }
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

fn parse(kind: &'static str, value: &str) -> Result<Url, EndpointError> {
    let fail = |value: String, rule: &str| EndpointError { kind, value, rule: rule.to_owned() };
    let url = Url::parse(value)
        .map_err(|error| fail(value.to_owned(), &format!("it is not an address ({error})")))?;
    let mut shown = url.clone();
    // Both fail only for addresses that cannot have a user, which then have none to hide.
    let _ = shown.set_password(None);
    let _ = shown.set_username("");
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(fail(
            shown.to_string(),
            "it must start with http:// or https:// and name a host",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fail(shown.to_string(), "it must not contain a user or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fail(shown.to_string(), "it must not contain a query or fragment"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prefix_is_lost_for_machines_and_kept_elsewhere() {
        let endpoints = Endpoints::single("http://127.0.0.1:4280/prefix/").unwrap();
        let url = |target, path| endpoints.url(target, path, &[]).to_string();
        assert_eq!(url(Target::Machines, "/v1/apps"), "http://127.0.0.1:4280/v1/apps");
        assert_eq!(url(Target::GraphQl, "/graphql"), "http://127.0.0.1:4280/prefix/graphql");
        assert_eq!(url(Target::Incidents, ""), "http://127.0.0.1:4280/prefix/v1/incidents");
    }

    #[test]
    fn the_live_addresses_are_the_default() {
        let endpoints = Endpoints::with_overrides(None, None, None, None, None).unwrap();
        assert_eq!(
            endpoints.url(Target::Machines, "/v1/apps", &[]).as_str(),
            "https://api.machines.dev/v1/apps"
        );
        assert_eq!(
            endpoints.url(Target::GraphQl, "/graphql", &[]).as_str(),
            "https://api.fly.io/graphql"
        );
    }

    #[test]
    fn bad_addresses_are_refused_and_passwords_not_repeated() {
        for bad in ["", "api.fly.io", "ftp://x", "https://u:hunter2@x", "https://x/?token=hunter2"]
        {
            let error = Endpoints::single(bad).unwrap_err().to_string();
            assert!(error.starts_with("invalid Machines API address"), "{error}");
            assert!(!error.contains("u:hunter2"), "{error}");
        }
    }
}
