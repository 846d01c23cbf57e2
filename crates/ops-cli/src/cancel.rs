//! Interruption: the first signal asks everything to stop at a safe point, the second ends the process.

use std::sync::Arc;

use tokio::sync::watch;

use crate::exit::Exit;

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`.
    Terminate,
    /// The terminal went away; handled like `kill`.
    Hangup,
}

impl Signal {
    /// The exit code that shells expect.
    pub fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate | Self::Hangup => Exit::Terminated,
        }
    }

    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        }
    }
}

/// Tells whether the command was asked to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cancel {
    sender: Arc<watch::Sender<Option<Signal>>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self { sender: Arc::new(watch::Sender::new(None)) }
    }
}

impl Cancel {
    /// Asks to stop; the first signal is the one that counts. True when it was the first.
    pub fn request(&self, signal: Signal) -> bool {
        self.sender.send_if_modified(|current| {
            let first = current.is_none();
            current.get_or_insert(signal);
            first
        })
    }

    /// The signal, if one came.
    pub fn signal(&self) -> Option<Signal> {
        *self.sender.borrow()
    }

    /// Whether one came.
    pub fn is_cancelled(&self) -> bool {
        self.signal().is_some()
    }

    /// Waits until a signal comes.
    pub async fn cancelled(&self) -> Signal {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as this value, so waiting cannot fail; should it, nothing will ever cancel.
        match receiver.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => signal,
            _ => std::future::pending().await,
        }
    }

    /// Runs a future until it ends or a signal comes.
    pub async fn race<T>(&self, future: impl Future<Output = T>) -> Result<T, Signal> {
        tokio::select! {
            biased;
            signal = self.cancelled() => Err(signal),
            value = future => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_signal_counts() {
        let cancel = Cancel::default();
        assert_eq!(cancel.race(async { 7 }).await, Ok(7));
        let other = cancel.clone();
        let waiting = tokio::spawn(async move { other.cancelled().await });
        assert!(cancel.request(Signal::Terminate));
        assert!(!cancel.request(Signal::Interrupt));
        assert_eq!(waiting.await.unwrap(), Signal::Terminate);
        assert_eq!(cancel.race(std::future::pending::<()>()).await, Err(Signal::Terminate));
        assert_eq!(cancel.signal().unwrap().exit().code(), 143);
    }
}
