//! Guest sizes: which CPU counts exist, how much memory each may have, the preset names.
//!
//! Source: Machines API reference 5.4, from `superfly/fly-go` guest presets and the docs of August 2026. Prices live elsewhere.
//! Must not know: prices, HTTP.

use std::fmt;
use std::str::FromStr;

use crate::wire::{Guest, open_enum};

/// The day on which the limits below were checked.
pub const AS_OF: &str = "2026-08-21";

open_enum! {
    /// How the CPUs of a guest are scheduled.
    CpuKind {
        /// 5 ms per 80 ms and vCPU, with a burst balance.
        Shared = "shared",
        /// The full 80 ms.
        Performance = "performance",
    }
}

/// Limits of one CPU kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindLimits {
    /// The word in `guest.cpu_kind`.
    pub kind: &'static str,
    /// Possible CPU counts.
    pub cpus: &'static [u32],
    /// CPU counts that have a preset name (`shared-cpu-2x`, `performance-4x`).
    pub preset_cpus: &'static [u32],
    /// Least memory per CPU, in MB; also the preset's memory per CPU.
    pub min_mb_per_cpu: u32,
    /// Most memory per CPU, in MB.
    pub max_mb_per_cpu: u32,
    /// Memory comes in multiples of this many MB.
    pub step_mb: u32,
    /// CPU quota per vCPU and 80 ms period, in microseconds.
    pub quota_us_per_cpu: u32,
}

/// The documented kinds.
pub const KINDS: &[KindLimits] = &[
    KindLimits {
        kind: "shared",
        cpus: &[1, 2, 4, 6, 8],
        preset_cpus: &[1, 2, 4, 6, 8],
        min_mb_per_cpu: 256,
        max_mb_per_cpu: 2048,
        step_mb: 256,
        quota_us_per_cpu: 5_000,
    },
    KindLimits {
        kind: "performance",
        cpus: &[1, 2, 4, 6, 8, 10, 12, 14, 16, 32, 64, 128],
        preset_cpus: &[1, 2, 4, 6, 8, 10, 12, 14, 16],
        min_mb_per_cpu: 2048,
        max_mb_per_cpu: 8192,
        step_mb: 1024,
        quota_us_per_cpu: 80_000,
    },
];

/// The limits of a kind.
pub fn limits(kind: &CpuKind) -> Option<&'static KindLimits> {
    KINDS.iter().find(|limits| limits.kind == kind.as_str())
}

/// CPUs and memory of a Machine, within the documented limits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Size {
    kind: CpuKind,
    cpus: u32,
    memory_mb: u32,
}

/// A size that does not exist; names the value and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid size '{value}': {rule}")]
pub struct SizeError {
    /// The size as given.
    pub value: String,
    /// The rule that it breaks, with the values that would do.
    pub rule: String,
}

impl Size {
    /// A size from its parts, checked against the limits.
    pub fn new(kind: CpuKind, cpus: u32, memory_mb: u32) -> Result<Self, SizeError> {
        let value = format!("{kind} {cpus} CPUs {memory_mb} MB");
        let Some(limits) = limits(&kind) else {
            return Err(SizeError {
                value,
                rule: "the CPU kind must be shared or performance".to_owned(),
            });
        };
        if !limits.cpus.contains(&cpus) {
            let rule = format!("a {kind} guest has {} CPUs", list(limits.cpus));
            return Err(SizeError { value, rule });
        }
        let (least, most) = (limits.min_mb_per_cpu * cpus, limits.max_mb_per_cpu * cpus);
        if !(least..=most).contains(&memory_mb) || !memory_mb.is_multiple_of(limits.step_mb) {
            let rule = format!(
                "a {kind} guest with {cpus} CPUs has {least} to {most} MB in steps of {} MB",
                limits.step_mb
            );
            return Err(SizeError { value, rule });
        }
        Ok(Self { kind, cpus, memory_mb })
    }

    /// The smallest preset, `shared-cpu-1x`.
    pub fn smallest() -> Self {
        Self { kind: CpuKind::Shared, cpus: 1, memory_mb: 256 }
    }

    /// The same CPUs with another amount of memory, in MB.
    pub fn with_memory_mb(&self, memory_mb: u32) -> Result<Self, SizeError> {
        Self::new(self.kind.clone(), self.cpus, memory_mb)
    }

    /// How the CPUs are scheduled.
    pub fn kind(&self) -> &CpuKind {
        &self.kind
    }

    /// Number of CPUs.
    pub fn cpus(&self) -> u32 {
        self.cpus
    }

    /// Memory in MB.
    pub fn memory_mb(&self) -> u32 {
        self.memory_mb
    }

    /// The preset name, when CPUs and memory match one.
    pub fn preset(&self) -> Option<String> {
        let limits = limits(&self.kind)?;
        let matches = limits.preset_cpus.contains(&self.cpus)
            && self.memory_mb == limits.min_mb_per_cpu * self.cpus;
        matches.then(|| preset_name(limits.kind, self.cpus))
    }

    /// The guest section of a Machine configuration with this size.
    pub fn to_guest(&self) -> Guest {
        Guest {
            cpu_kind: self.kind.clone().into(),
            cpus: i64::from(self.cpus).into(),
            memory_mb: i64::from(self.memory_mb).into(),
            ..Guest::default()
        }
    }
}

fn preset_name(kind: &str, cpus: u32) -> String {
    if kind == "shared" { format!("shared-cpu-{cpus}x") } else { format!("{kind}-{cpus}x") }
}

/// Every preset name, smallest first.
pub fn presets() -> Vec<String> {
    KINDS
        .iter()
        .flat_map(|limits| limits.preset_cpus.iter().map(|cpus| preset_name(limits.kind, *cpus)))
        .collect()
}

fn list(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

impl FromStr for Size {
    type Err = SizeError;

    /// Reads a preset name, e.g. `shared-cpu-1x`, `performance-2x`.
    fn from_str(text: &str) -> Result<Self, SizeError> {
        for limits in KINDS {
            for cpus in limits.preset_cpus {
                if preset_name(limits.kind, *cpus) == text {
                    return Self::new(
                        CpuKind::from(limits.kind),
                        *cpus,
                        limits.min_mb_per_cpu * cpus,
                    );
                }
            }
        }
        Err(SizeError {
            value: text.to_owned(),
            rule: format!("the presets are {}", presets().join(", ")),
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.preset() {
            Some(name) => f.write_str(&name),
            None => {
                write!(f, "{}:{}MB", preset_name(self.kind.as_str(), self.cpus), self.memory_mb)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_parse_and_print() {
        assert_eq!(presets().len(), 14);
        for name in presets() {
            let size: Size = name.parse().unwrap();
            assert_eq!(size.to_string(), name);
        }
        let size: Size = "performance-16x".parse().unwrap();
        assert_eq!((size.cpus(), size.memory_mb()), (16, 32_768));
        let guest = size.to_guest();
        assert_eq!(
            serde_json::to_string(&guest).unwrap(),
            r#"{"cpu_kind":"performance","cpus":16,"memory_mb":32768}"#
        );
    }

    #[test]
    fn wrong_sizes_name_the_rule() {
        let cases = [
            ("shared", 3, 768, "1, 2, 4, 6, 8"),
            ("shared", 1, 128, "256 to 2048 MB in steps of 256"),
            ("shared", 1, 300, "256 to 2048 MB in steps of 256"),
            ("shared", 2, 8192, "512 to 4096"),
            ("performance", 1, 2560, "2048 to 8192 MB in steps of 1024"),
            ("a100", 1, 256, "shared or performance"),
        ];
        for (kind, cpus, memory, rule) in cases {
            let error = Size::new(CpuKind::from(kind), cpus, memory).unwrap_err();
            assert!(error.to_string().contains(rule), "{error}");
        }
        let error = "shared-cpu-3x".parse::<Size>().unwrap_err();
        assert!(error.to_string().starts_with("invalid size 'shared-cpu-3x'"), "{error}");
        assert_eq!(
            "shared-cpu-1x".parse::<Size>().unwrap().with_memory_mb(512).unwrap().to_string(),
            "shared-cpu-1x:512MB"
        );
    }
}
