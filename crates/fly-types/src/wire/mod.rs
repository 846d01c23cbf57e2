//! Bodies of the Fly.io APIs (Machines REST, GraphQL, web REST, logs, status), one module per family: tolerant to read, lossless to write back.
//!
//! Every field is a [`Field`]: absent, null, a value or an unexpected shape, re-encoded as it came. Unknown keys are
//! kept. Enums are open. So a body that is read, changed in one place and sent back loses nothing, which matters
//! because an update replaces the whole configuration. Facts: Machines API reference (OpenAPI document of May 2026,
//! `superfly/fly-go` of August 2026, recorded answers). Must not know: HTTP, URLs, headers.

mod app;
mod certificate;
mod check;
mod config;
mod container;
mod event;
mod field;
mod graphql;
mod image;
mod ip;
mod lease;
mod log;
mod machine;
mod metadata;
mod org;
mod process;
mod region;
mod release;
mod secret;
mod service;
mod snapshot;
mod status;
mod time;
mod token;
mod volume;

pub use app::{App, AppList, AppOrganization, AppStatus, CreateApp, CreatedApp};
pub use certificate::{
    Certificate, CertificateAuthority, CertificateDetail, CertificateEntry, CertificateList,
    CertificateStatus, CertificateValidation, DnsChallenge, DnsOwnership, DnsRecords,
    DnsRequirements, ValidationError,
};
pub use check::{Check, CheckKind, CheckState, CheckStatus, CheckType, HttpHeader};
pub use config::{
    CacheDrive, DnsConfig, DnsForwardRule, DnsOption, EnvFrom, File, Guest, Init, MachineConfig,
    Metrics, Mount, NamedSecret, ProcessConfig, Restart, RestartPolicy, Rootfs, Schedule, Spot,
    Static, StopConfig,
};
pub use container::{
    Container, ContainerDependency, ContainerHealthcheck, ContainerMount, ContainerState,
    ContainerVolume, ExecHealthcheck, HttpHealthcheck, TcpHealthcheck, TempDir,
};
pub use event::{
    Event, EventRequest, EventSource, EventStatus, EventType, ExitEvent, MonitorEvent,
};
pub use field::{Extra, Field, Sensitive};
pub(crate) use field::{body, open_enum};
pub use graphql::{
    AddOnApp, AddOnNode, AddOnProvider, AppNode, Connection, EgressIpNode, GraphQlError,
    GraphQlExtensions, GraphQlReply, HostIssue, ImageDetails, IpNode, IpNodeNetwork,
    ManagedPostgres, ManagedPostgresList, OrganizationNode, PageInfo, ReleaseNode, RoleNode,
    UserNode, ViewerNode,
};
pub use image::ImageRef;
pub use ip::{CreateIp, IpAssignment, IpAssignmentList, IpKind, IpNetwork, IpPair};
pub use lease::{Lease, LeaseAnswer, MachineLease};
pub use log::{
    LogAttributes, LogError, LogEvent, LogHttp, LogHttpRequest, LogHttpResponse, LogLevel, LogMeta,
    LogPage, LogPageMeta, LogRecord, LogUrl,
};
pub use machine::{
    CreateMachine, ExecRequest, ExecResult, Machine, MachineVersion, MemoryLimit, OkAnswer,
    StartAnswer, StopMachine, UpdateMachine, WaitAnswer,
};
pub use metadata::{Metadata, MetadataUpdate, MetadataValue};
pub use org::{OrgMachine, OrgMachineConfig, OrgMachineList, OrgVolumeList};
pub use process::{ListenSocket, ProcessInfo};
pub use region::{
    Placement, PlacementList, PlacementRequest, PlacementWeights, Region, RegionList,
};
pub use release::{
    Release, ReleaseList, WebOrganization, WebOrganizationAnswer, WebOrganizationList,
};
pub use secret::{Secret, SecretList, SecretsUpdate, SecretsUpdated};
pub use service::{
    Autostop, Concurrency, HttpOptions, HttpResponseOptions, Port, ProxyProtoOptions, ReplayCache,
    Service, ServiceCheck, TlsOptions,
};
pub use snapshot::Snapshot;
pub use status::{
    Incident, IncidentComponent, IncidentList, IncidentUpdate, StatusComponent, StatusIndicator,
    StatusPage, StatusPageIdentity, StatusWord,
};
pub use time::WireTime;
pub use token::{CurrentTokens, TokenInfo};
pub use volume::{CreateVolume, ExtendVolume, ExtendedVolume, UpdateVolume, Volume};
