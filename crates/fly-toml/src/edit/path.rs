//! Paths: `http_service.checks[0].interval`, `env."A.B"`.

use std::fmt;
use std::str::FromStr;

use super::{EditError, key};

/// Longer paths lead nowhere.
const MAX_STEPS: usize = 32;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a table.
    Key(String),
    /// Into a list, counted from 0.
    Index(usize),
}

/// Where a value is. Starts with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

impl Path {
    /// The steps; at least one, the first a key.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// A path from steps that start with a key.
    pub(crate) fn of_steps(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

impl FromStr for Path {
    type Err = EditError;

    fn from_str(text: &str) -> Result<Self, EditError> {
        let refuse = |rule| EditError::Path { path: text.to_owned(), rule };
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            if steps.len() >= MAX_STEPS {
                return Err(refuse("it has too many steps"));
            }
            if let Some(inner) = rest.strip_prefix('[') {
                let (number, after) =
                    inner.split_once(']').ok_or_else(|| refuse("a [ has no ]"))?;
                let number = number.parse().map_err(|_| refuse("a position is a number from 0"))?;
                if steps.is_empty() {
                    return Err(refuse("it starts with a key"));
                }
                steps.push(Step::Index(number));
                rest = after;
            } else if let Some(inner) = rest.strip_prefix('"') {
                let (name, after) =
                    inner.split_once('"').ok_or_else(|| refuse("a quote is not closed"))?;
                steps.push(Step::Key(name.to_owned()));
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(refuse("keys stand between dots, like http_service.internal_port"));
                }
                steps.push(Step::Key(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            if rest.is_empty() {
                return Ok(Self(steps));
            }
            if let Some(after) = rest.strip_prefix('.') {
                rest = after;
                if rest.starts_with('[') {
                    return Err(refuse("a position follows its list without a dot"));
                }
            } else if !rest.starts_with('[') {
                return Err(refuse("keys are separated by dots"));
            }
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(name) if at == 0 => write!(f, "{}", key(name))?,
                Step::Key(name) => write!(f, ".{}", key(name))?,
                Step::Index(number) => write!(f, "[{number}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_and_print() {
        for text in ["app", "http_service.checks[0].interval", "env.\"A.B\"", "a[1][2].b"] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
        for bad in ["", ".", "a.", "a..b", "[0]", "a.[0]", "a[x]", "a[0", "\"a", "a[0]b"] {
            assert!(bad.parse::<Path>().is_err(), "{bad}");
        }
        assert!("a.".repeat(100).parse::<Path>().is_err());
    }
}
