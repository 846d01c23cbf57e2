//! Faults that tests ask for with `FLY_OPS_TEST_FAULT`, in release builds too: what a person cannot make happen on purpose.

use std::str::FromStr;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This collector panics.
    Panic(String),
    /// This collector never ends by itself.
    Hang(String),
    /// A secret gets past the redactor into a file of this collector.
    Leak(String),
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = |id: &str| crate::collect::all().iter().any(|it| it.spec().id == id);
        match text.split_once(':') {
            Some((_, id)) if !known(id) => Err(format!("there is no collector '{id}'")),
            Some(("panic", id)) => Ok(Self::Panic(id.to_owned())),
            Some(("hang", id)) => Ok(Self::Hang(id.to_owned())),
            Some(("leak", id)) => Ok(Self::Leak(id.to_owned())),
            _ => Err("it must be panic:COLLECTOR, hang:COLLECTOR or leak:COLLECTOR".to_owned()),
        }
    }
}

impl Fault {
    /// What happens at the start of a collector.
    pub async fn strike(&self, id: &str) {
        match self {
            Self::Panic(at) if at == id => panic!("asked for by FLY_OPS_TEST_FAULT"),
            Self::Hang(at) if at == id => std::future::pending().await,
            Self::Panic(_) | Self::Hang(_) | Self::Leak(_) => {}
        }
    }
}
