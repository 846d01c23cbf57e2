//! The process group of a child: everything it started and that did not leave the group.
//!
//! Signals go to the group only while its leader has not been reaped. A zombie leader keeps the group's number from being
//! given to somebody else, so a signal never hits a stranger.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::signal::unix::{Signal as Listener, SignalKind};

/// The group of one child. Dropped before [`Group::release`], it kills what is left of the group.
pub(crate) struct Group {
    leader: Option<Pid>,
}

impl Group {
    /// The group of a child that was started as leader of its own.
    pub(crate) fn of(child: &tokio::process::Child) -> Self {
        let number = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: number.and_then(Pid::from_raw) }
    }

    /// Asks the group to stop. CONT lets a stopped process (one that read from the terminal, say) hear it.
    pub(crate) fn ask(&self) {
        self.send(Signal::TERM);
        self.send(Signal::CONT);
    }

    /// Ends whatever is left of the group.
    pub(crate) fn kill(&self) {
        self.send(Signal::KILL);
    }

    fn send(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // ESRCH: nobody is left. EPERM: only zombies are left (macOS), or a set-uid program that is not ours to end.
            let _nobody_left = rustix::process::kill_process_group(leader, signal);
        }
    }

    /// Waits until the leader has ended, without reaping it.
    pub(crate) async fn leader_ended(&self, listener: &mut Listener) {
        let Some(leader) = self.leader else { return };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        loop {
            let status =
                rustix::io::retry_on_intr(|| rustix::process::waitid(WaitId::Pid(leader), options));
            match status {
                Ok(None) => {
                    listener.recv().await;
                }
                // An error says that there is no such child any more.
                Ok(Some(_)) | Err(_) => return,
            }
        }
    }

    /// To be called when the leader has been reaped: from now on its number may be somebody else's.
    pub(crate) fn release(mut self) {
        self.leader = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A listener for the ends of children; made before the child is started, so that no end is missed.
pub(crate) fn listener() -> std::io::Result<Listener> {
    tokio::signal::unix::signal(SignalKind::child())
}
