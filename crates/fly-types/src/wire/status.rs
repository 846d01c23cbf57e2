//! The public status page (Statuspage v2) and the incident list that flyctl polls.

use super::{WireTime, body, open_enum};

open_enum! {
    /// Overall state of the status page.
    StatusIndicator {
        None = "none",
        Minor = "minor",
        Major = "major",
        Critical = "critical",
        Maintenance = "maintenance",
    }
}

body! {
    /// Answer of `status.json` (first two fields) and `summary.json` (all).
    StatusPage {
        page: StatusPageIdentity,
        status: StatusWord,
        components: Vec<StatusComponent>,
        incidents: Vec<Incident>,
        scheduled_maintenances: Vec<Incident>,
    }
}

body! {
    /// Which page this is.
    StatusPageIdentity {
        id: String,
        name: String,
        url: String,
        time_zone: String,
        updated_at: WireTime,
    }
}

body! {
    /// Overall state in a word and a sentence.
    StatusWord {
        indicator: StatusIndicator,
        description: String,
    }
}

body! {
    /// One part of the platform.
    StatusComponent {
        id: String,
        name: String,
        /// operational, degraded_performance, partial_outage, major_outage, under_maintenance.
        status: String,
        group: bool,
        group_id: String,
        position: i64,
        updated_at: WireTime,
    }
}

body! {
    /// Answer of the incident list: unresolved ones.
    IncidentList {
        incidents: Vec<Incident>,
    }
}

body! {
    /// One incident or maintenance.
    Incident {
        id: String,
        name: String,
        /// investigating, identified, monitoring, resolved, postmortem.
        status: String,
        /// none, minor, major, critical.
        impact: String,
        started_at: WireTime,
        created_at: WireTime,
        updated_at: WireTime,
        resolved_at: WireTime,
        scheduled_for: WireTime,
        scheduled_until: WireTime,
        shortlink: String,
        components: Vec<IncidentComponent>,
        incident_updates: Vec<IncidentUpdate>,
    }
}

body! {
    /// A part of the platform that an incident touches.
    IncidentComponent {
        id: String,
        name: String,
        status: String,
    }
}

body! {
    /// One message about an incident.
    IncidentUpdate {
        id: String,
        status: String,
        body: String,
        created_at: WireTime,
    }
}
