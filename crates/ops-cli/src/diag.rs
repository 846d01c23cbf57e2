//! Errors as a person sees them: a sentence, the chain of causes, hints, and the exit code.
//!
//! Libraries keep their typed errors and may say how to go on ([`Explain`]); a binary turns them into a [`CliError`],
//! which is printed once, by [`crate::main`]. It must not know: the terminal.

use std::error::Error;
use std::fmt;
use std::fmt::Write as _;

use crate::exit::Exit;

/// An error of a library that knows what to do next.
pub trait Explain: Error + Send + Sync + 'static {
    /// The exit code of a command that ends with it.
    fn exit(&self) -> Exit {
        Exit::NothingDone
    }

    /// What to do next, a sentence each.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Why a command ends: message, causes, hints, exit code.
#[derive(Debug)]
pub struct CliError {
    exit: Exit,
    message: String,
    hints: Vec<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl CliError {
    /// An error with this exit code. The message is a fragment: lower case, no full stop, naming the thing.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hints: Vec::new(), source: None }
    }

    /// The command line or a configuration file is wrong; nothing was requested.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Nothing was done: no access, missing tool, refused preflight.
    pub fn nothing_done(message: impl Into<String>) -> Self {
        Self::new(Exit::NothingDone, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// Adds the cause. The message must not repeat it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts a sentence in front: what was tried when this happened. Exit code and hints stay.
    #[must_use]
    pub fn context(self, message: impl Into<String>) -> Self {
        let (exit, hints) = (self.exit, self.hints.clone());
        Self { exit, hints, message: message.into(), source: Some(Box::new(self)) }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Message and causes, outermost first, without repetition.
    pub fn chain(&self) -> Vec<String> {
        chain(self)
    }

    /// The text for standard error, with line breaks, without color: `error:`, `  caused by:`, `hint:`.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (index, message) in self.chain().iter().enumerate() {
            let label = if index == 0 { "error" } else { "  caused by" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{label}: {message}");
        }
        for hint in &self.hints {
            let _ = writeln!(text, "hint: {hint}");
        }
        text
    }
}

/// An error's message and its causes, outermost first; a cause whose text the one before already contains is left out.
pub fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut messages: Vec<String> = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if messages.last().is_none_or(|last| !last.contains(&text)) {
            messages.push(text);
        }
        next = cause.source();
    }
    messages
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CliError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}

/// Every error that explains itself ends a command with `?`.
impl<E: Explain> From<E> for CliError {
    fn from(error: E) -> Self {
        let mut cli = Self::new(error.exit(), error.to_string());
        for hint in error.hints() {
            cli = cli.hint(hint);
        }
        match error.source() {
            // The error's own text is the message already; its causes follow as texts, since `error` cannot be split.
            Some(_) => {
                cli.source = Some(Box::new(Causes(chain(&error).split_off(1))));
                cli
            }
            None => cli,
        }
    }
}

/// Causes that are known as texts only.
#[derive(Debug)]
struct Causes(Vec<String>);

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(": "))
    }
}

impl Error for Causes {}

impl Explain for fly_api::ApiError {
    fn exit(&self) -> Exit {
        if self.is_lease_held() { Exit::Held } else { Exit::NothingDone }
    }

    fn hints(&self) -> Vec<String> {
        self.hint().into_iter().collect()
    }
}

impl Explain for fly_api::WaitError {
    fn exit(&self) -> Exit {
        match self {
            Self::Call { source, .. } => source.exit(),
            _ => Exit::VerificationFailed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Call { source, .. } => source.hints(),
            _ => Vec::new(),
        }
    }
}

/// Only a change of which it is known that it did not happen counts as nothing done.
impl Explain for fly_api::WriteError {
    fn exit(&self) -> Exit {
        // Without a call behind it, nothing was sent.
        let effect = self.source.as_ref().map_or(fly_api::Effect::NotDone, |call| call.effect());
        match (&self.reason, effect) {
            (fly_api::Reason::LeaseHeld(_), _) => Exit::Held,
            (_, fly_api::Effect::NotDone) => Exit::NothingDone,
            _ => Exit::Stopped,
        }
    }

    fn hints(&self) -> Vec<String> {
        self.hint().into_iter().collect()
    }
}

impl Explain for fly_types::IdError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Explain for fly_api::EndpointError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Explain for fly_api::TokenError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Explain for net::BuildError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_once_with_causes_and_hints() {
        let cause = std::io::Error::other("permission denied");
        let error = CliError::usage("cannot read /etc/shadow")
            .caused_by(cause)
            .hint("ask somebody else")
            .hint("ask somebody else")
            .context("cannot read the token of app 'shop'");
        assert_eq!(error.exit(), Exit::Usage);
        assert_eq!(
            error.render(),
            "error: cannot read the token of app 'shop'\n  caused by: cannot read /etc/shadow\n  caused by: permission denied\nhint: ask somebody else\n"
        );
    }

    #[test]
    fn library_errors_explain_themselves() {
        let bad = "My_App".parse::<fly_types::AppName>().unwrap_err();
        let error = CliError::from(bad);
        assert_eq!(error.exit(), Exit::Usage);
        assert!(
            error.render().contains("invalid app name 'My_App': it must have 1 to 63"),
            "{}",
            error.render()
        );
    }
}
