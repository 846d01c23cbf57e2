//! The configuration of one run: every setting resolved once, with its source, printable without secrets.
//!
//! Flags, then environment, then files, then defaults. Everything that can be refused is refused here, before any
//! request. The one place where a resolved configuration becomes a client.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fly_api::{Client, ClientConfig, Clock, Endpoints, Token};
use fly_types::{AppName, OrgSlug};
use net::{HttpClient, ProxySettings};
use url::Url;

use crate::args::{AccessArgs, AppArgs, OrgArgs};
use crate::diag::CliError;
use crate::env::{self, Env, Variable};
use crate::files::Dirs;
use crate::resolved::{Resolved, Source};
use crate::{app, token};

/// What was typed, as far as access is concerned. A group that is `None` does not concern the command, and what
/// would supply it is not even read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Typed<'a> {
    /// Token and certificates.
    pub access: Option<&'a AccessArgs>,
    /// The app.
    pub app: Option<&'a AppArgs>,
    /// The organization.
    pub org: Option<&'a OrgArgs>,
}

/// The resolved configuration of one run. Holds the token; its `Debug` shows the token's kind only.
#[derive(Debug, Clone)]
pub struct Config {
    /// Access token, if there is one.
    pub token: Option<Resolved<Token>>,
    /// The app, if one was named anywhere.
    pub app: Option<Resolved<AppName>>,
    /// The organization, if one was named anywhere.
    pub org: Option<Resolved<OrgSlug>>,
    /// Base addresses.
    pub endpoints: Endpoints,
    /// Where each base address came from, in the order machines, api, web, incidents, status.
    pub endpoint_sources: [Source; 5],
    /// Name server that probes ask; the system's when there is none.
    pub dns_server: Option<Resolved<SocketAddr>>,
    /// Proxy for addresses that are not on this machine.
    pub proxy: Option<Resolved<ProxySettings>>,
    /// Certificate authorities to trust besides the usual ones.
    pub ca_file: Option<Resolved<PathBuf>>,
    /// Refuse every address that is not on this machine.
    pub loopback_only: Resolved<bool>,
    /// flyctl's configuration directory.
    pub flyctl_dir: Option<Resolved<PathBuf>>,
    /// Directories of ours.
    pub dirs: Dirs,
    /// What a person should know, a sentence each; printed once by the binary.
    pub warnings: Vec<String>,
}

const ENDPOINTS: [Variable; 5] = [
    env::FLY_FLAPS_BASE_URL,
    env::FLY_API_BASE_URL,
    env::FLY_UIEX_BASE_URL,
    env::FLY_STATUSPAGE_UNRESOLVED_INCIDENTS_URL,
    env::FLY_STATUSPAGE_BASE_URL,
];

impl Config {
    /// Resolves everything. `directory` is the working directory.
    pub fn resolve(
        typed: Typed<'_>,
        environment: &Env,
        directory: &Path,
    ) -> Result<Self, CliError> {
        let mut warnings = Vec::new();
        let dirs = Dirs::new(environment);
        let loopback_only = if environment.raw(env::FLY_OPS_LOOPBACK_ONLY).is_some() {
            Resolved::variable(
                environment.switch(env::FLY_OPS_LOOPBACK_ONLY)?,
                env::FLY_OPS_LOOPBACK_ONLY,
            )
        } else {
            Resolved::default(false)
        };
        let (endpoints, endpoint_sources) = endpoints(environment, loopback_only.value)?;
        let flyctl_dir = token::config_dir(environment, &dirs);
        let token = match typed.access {
            None => None,
            Some(access) => token::discover(
                access.token_file.as_deref(),
                environment,
                flyctl_dir.as_ref().map(|directory| directory.value.as_path()),
                &mut warnings,
            )?,
        };
        let app = match typed.app {
            None => None,
            Some(args) => app::discover(args, environment, directory)?,
        };
        let org = match typed.org {
            None => None,
            Some(args) => org(args, environment)?,
        };
        let ca_file = typed
            .access
            .and_then(|access| access.ca_file.clone())
            .map(|path| Resolved::flag(path, "--ca-file"));
        Ok(Self {
            token,
            app,
            org,
            endpoints,
            endpoint_sources,
            dns_server: dns_server(environment)?,
            proxy: proxy(environment)?,
            ca_file,
            loopback_only,
            flyctl_dir,
            dirs,
            warnings,
        })
    }

    /// The app, or how to name one.
    pub fn app(&self) -> Result<&AppName, CliError> {
        self.app.as_ref().map(|app| &app.value).ok_or_else(|| {
            CliError::usage("no app is named").hint(
                "name it with --app or FLY_APP, or run this where a fly.toml with the key `app` is",
            )
        })
    }

    /// The organization, or how to name one.
    pub fn org(&self) -> Result<&OrgSlug, CliError> {
        self.org.as_ref().map(|org| &org.value).ok_or_else(|| {
            CliError::usage("no organization is named")
                .hint("name it with --org or FLY_ORG; `fly orgs list` lists them")
        })
    }

    /// The token, or how to get one.
    pub fn token(&self, least: crate::LeastToken) -> Result<&Token, CliError> {
        self.token.as_ref().map(|token| &token.value).ok_or_else(|| {
            let app = self.app.as_ref().map(|app| app.value.as_str());
            let org = self.org.as_ref().map(|org| org.value.as_str());
            CliError::nothing_done("there is no access token").hint(least.sentence(app, org)).hint(
                "set FLY_API_TOKEN, or name a file with --token-file, or run `fly auth login`",
            )
        })
    }

    /// An HTTP client under these settings, for probes and other hosts.
    pub fn http(&self) -> Result<HttpClient, CliError> {
        let options = net::Options {
            ca_file: self.ca_file.as_ref().map(|file| file.value.clone()),
            proxy: self.proxy.as_ref().map(|proxy| proxy.value.clone()),
            loopback_only: self.loopback_only.value,
            ..net::Options::default()
        };
        Ok(HttpClient::new(&options)?)
    }

    /// The client of the Fly.io APIs.
    pub fn client(&self, clock: Clock) -> Result<Client, CliError> {
        let token = self.token.as_ref().map(|token| token.value.clone());
        let config = ClientConfig::new(self.endpoints.clone(), token, clock);
        Ok(Client::new(Arc::new(self.http()?), config))
    }

    /// Every setting as name, value and source, for `--verbose` and bundles. No secret is in it.
    pub fn describe(&self) -> Vec<(&'static str, String, String)> {
        fn row<T>(
            name: &'static str,
            setting: Option<&Resolved<T>>,
            show: impl Fn(&T) -> String,
        ) -> (&'static str, String, String) {
            match setting {
                Some(setting) => (name, show(&setting.value), setting.source.to_string()),
                None => (name, "none".to_owned(), "default".to_owned()),
            }
        }
        let mut rows = vec![
            row("token", self.token.as_ref(), |token| format!("{token:?}")),
            row("app", self.app.as_ref(), ToString::to_string),
            row("organization", self.org.as_ref(), ToString::to_string),
        ];
        let urls = &self.endpoints;
        for (index, (name, url)) in [
            ("machines api", &urls.machines),
            ("api", &urls.api),
            ("web api", &urls.web),
            ("incidents", &urls.incidents),
            ("status page", &urls.status),
        ]
        .into_iter()
        .enumerate()
        {
            rows.push((name, url.to_string(), self.endpoint_sources[index].to_string()));
        }
        rows.extend([
            row("name server", self.dns_server.as_ref(), ToString::to_string),
            row("proxy", self.proxy.as_ref(), |proxy| shown(&proxy.url)),
            row("ca file", self.ca_file.as_ref(), |path| path.display().to_string()),
            row("loopback only", Some(&self.loopback_only), ToString::to_string),
            row("flyctl directory", self.flyctl_dir.as_ref(), |path| path.display().to_string()),
        ]);
        rows
    }
}

impl CliError {
    /// A value that breaks the rule of its kind, with the option or variable that it came from.
    pub(crate) fn from_id(error: &fly_types::IdError, place: &str) -> Self {
        Self::usage(format!(
            "invalid {} '{}' from {place}: {}",
            error.kind,
            error.value.escape_debug(),
            error.rule
        ))
    }
}

fn org(args: &OrgArgs, environment: &Env) -> Result<Option<Resolved<OrgSlug>>, CliError> {
    if let Some(text) = &args.org {
        let slug = text.parse().map_err(|error| CliError::from_id(&error, "--org"))?;
        return Ok(Some(Resolved::flag(slug, "--org")));
    }
    let Some((variable, text)) = environment.first(&[env::FLY_ORG, env::FLY_ORGANIZATION])? else {
        return Ok(None);
    };
    let slug = text.parse().map_err(|error| CliError::from_id(&error, variable.name))?;
    Ok(Some(Resolved::variable(slug, variable)))
}

fn endpoints(environment: &Env, loopback_only: bool) -> Result<(Endpoints, [Source; 5]), CliError> {
    let mut values = [None; 5];
    let mut sources = [const { Source::Default }; 5];
    for (index, variable) in ENDPOINTS.iter().enumerate() {
        if let Some(value) = environment.text(*variable)? {
            values[index] = Some(value);
            sources[index] = Source::Variable(variable.name);
        }
    }
    let [machines, api, web, incidents, status] = values;
    let endpoints =
        Endpoints::with_overrides(machines, api, web, incidents, status).map_err(|error| {
            let kinds = ["Machines API", "API", "web API", "incident list", "status page"];
            let variable =
                kinds.iter().position(|kind| *kind == error.kind).map(|at| ENDPOINTS[at]);
            let error = CliError::from(error);
            match variable {
                Some(variable) => error.hint(format!("correct or unset {}", variable.name)),
                None => error,
            }
        })?;
    if loopback_only {
        let urls = [
            &endpoints.machines,
            &endpoints.api,
            &endpoints.web,
            &endpoints.incidents,
            &endpoints.status,
        ];
        for (url, variable) in urls.into_iter().zip(ENDPOINTS) {
            if !net::is_loopback(url) {
                return Err(CliError::usage(format!(
                    "{url} is not on this machine, and FLY_OPS_LOOPBACK_ONLY is set"
                ))
                .hint(format!(
                    "set {} to an address on loopback, or unset FLY_OPS_LOOPBACK_ONLY",
                    variable.name
                )));
            }
        }
    }
    Ok((endpoints, sources))
}

fn dns_server(environment: &Env) -> Result<Option<Resolved<SocketAddr>>, CliError> {
    let Some(text) = environment.text(env::FLY_OPS_DNS_SERVER)? else { return Ok(None) };
    let address = text
        .parse::<SocketAddr>()
        .or_else(|_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53)))
        .map_err(|_| {
            CliError::usage(format!(
                "invalid name server '{}' from FLY_OPS_DNS_SERVER: it must be an address, with a port if it is not 53",
                text.escape_debug()
            ))
        })?;
    Ok(Some(Resolved::variable(address, env::FLY_OPS_DNS_SERVER)))
}

/// The proxy of https addresses: every host outside this machine that a tool asks is reached by https.
fn proxy(environment: &Env) -> Result<Option<Resolved<ProxySettings>>, CliError> {
    let names = [env::HTTPS_PROXY, env::https_proxy, env::ALL_PROXY, env::all_proxy];
    let Some((variable, text)) = environment.first(&names)? else { return Ok(None) };
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let refuse = |rule: &str| {
        // The value may hold a password, and one that cannot be read cannot be cleaned either.
        CliError::usage(format!("invalid proxy address in {}: {rule}", variable.name))
    };
    let url =
        Url::parse(&full).map_err(|error| refuse(&format!("it is not an address ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse("it must be http:// or https:// with a host"));
    }
    let bypass = match environment.first(&[env::NO_PROXY, env::no_proxy])? {
        None => Vec::new(),
        Some((_, list)) => list
            .split(',')
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    Ok(Some(Resolved::variable(ProxySettings { url, bypass }, variable)))
}

/// Scheme, host and port; never user and password.
fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(env: &[(&str, &str)]) -> Result<Config, CliError> {
        let access = AccessArgs::default();
        let typed = Typed { access: Some(&access), ..Typed::default() };
        Config::resolve(typed, &Env::from_pairs(env.iter().copied()), Path::new("/nonexistent"))
    }

    #[test]
    fn the_simulators_environment_is_taken_whole() {
        let url = "http://127.0.0.1:4280";
        let config = resolve(&[
            ("FLY_API_BASE_URL", url),
            ("FLY_FLAPS_BASE_URL", url),
            ("FLY_UIEX_BASE_URL", url),
            ("FLY_STATUSPAGE_UNRESOLVED_INCIDENTS_URL", "http://127.0.0.1:4280/v1/incidents"),
            ("FLY_STATUSPAGE_BASE_URL", url),
            ("FLY_API_TOKEN", "fo1_sim"),
            ("FLY_OPS_LOOPBACK_ONLY", "1"),
        ])
        .unwrap();
        assert_eq!(config.endpoints, Endpoints::single(url).unwrap());
        assert!(config.loopback_only.value);
        assert!(config.endpoint_sources.iter().all(|source| *source != Source::Default));
    }

    #[test]
    fn a_group_that_does_not_concern_a_command_is_not_read() {
        let env = Env::from_pairs([
            ("FLY_APP", "Not Valid"),
            ("FLY_ORG", "Not Valid"),
            ("FLY_API_TOKEN", "a b"),
        ]);
        let config = Config::resolve(Typed::default(), &env, Path::new("/nonexistent")).unwrap();
        assert!(config.app.is_none() && config.org.is_none() && config.token.is_none());
        assert_eq!(config.app().unwrap_err().exit(), crate::Exit::Usage);
        let error = config.token(crate::LeastToken::Deploy).unwrap_err();
        assert_eq!(error.exit(), crate::Exit::NothingDone);
        assert!(error.hints()[0].contains("fly tokens create deploy --app APP"));
    }

    #[test]
    fn proxies_and_name_servers() {
        let config = resolve(&[
            ("https_proxy", "proxy.test:3128"),
            ("NO_PROXY", "internal, .flycast ,"),
            ("FLY_OPS_DNS_SERVER", "127.0.0.1:5353"),
        ])
        .unwrap();
        let proxy = config.proxy.unwrap();
        assert_eq!(proxy.value.url.as_str(), "http://proxy.test:3128/");
        assert_eq!(proxy.value.bypass, ["internal", ".flycast"]);
        assert_eq!(config.dns_server.unwrap().value.port(), 5353);
        let config = resolve(&[("FLY_OPS_DNS_SERVER", "fdaa::3")]).unwrap();
        assert_eq!(config.dns_server.unwrap().value.port(), 53);
    }
}
