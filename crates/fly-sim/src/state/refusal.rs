//! Why the platform refuses something: its code word and text.

/// The gRPC-like words that errors begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidArgument,
    /// A 400 that comes without a word.
    Plain,
    Forbidden,
    NotFound,
    DeadlineExceeded,
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    /// Validation texts, which come without a word.
    Unprocessable,
    Unavailable,
    /// A 412 that comes without a word.
    BarePrecondition,
}

#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) text: String,
    /// The `status` word of the body, for the few errors that have one.
    pub(crate) word: Option<&'static str>,
}

impl Code {
    pub(crate) fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::InvalidArgument => "invalid_argument",
            Self::NotFound => "not_found",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Aborted => "aborted",
            Self::AlreadyExists => "already_exists",
            Self::FailedPrecondition => "failed_precondition",
            Self::Plain
            | Self::Forbidden
            | Self::Unprocessable
            | Self::Unavailable
            | Self::BarePrecondition => {
                return None;
            }
        })
    }

    pub(crate) fn http(self) -> u16 {
        match self {
            Self::InvalidArgument | Self::Plain => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::DeadlineExceeded => 408,
            Self::Aborted | Self::AlreadyExists => 409,
            Self::FailedPrecondition | Self::BarePrecondition => 412,
            Self::Unprocessable => 422,
            Self::Unavailable => 503,
        }
    }
}

macro_rules! makers {
    ($($name:ident $code:ident)*) => {
        impl Refusal {
            $(pub(crate) fn $name(text: impl Into<String>) -> Self {
                Self { code: Code::$code, text: text.into(), word: None }
            })*
        }
    };
}

makers! {
    invalid InvalidArgument
    plain Plain
    forbidden Forbidden
    aborted Aborted
    unavailable Unavailable
    bare_precondition BarePrecondition
    not_found NotFound
    deadline DeadlineExceeded
    exists AlreadyExists
    precondition FailedPrecondition
    unprocessable Unprocessable
}
