//! Processes inside a running Machine.

use super::body;

body! {
    /// One process of `GET …/ps`.
    ProcessInfo {
        pid: i64,
        /// Start time.
        stime: i64,
        /// Running time.
        rtime: i64,
        command: String,
        directory: String,
        cpu: i64,
        /// Resident memory.
        rss: i64,
        listen_sockets: Vec<ListenSocket>,
    }
}

body! {
    /// A socket on which a process listens.
    ListenSocket {
        proto: String,
        address: String,
    }
}
