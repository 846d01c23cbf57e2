//! `[[vm]]` to `guest`: the preset, then `memory`, then every explicit field that is not zero.

use fly_types::size::{CpuKind, Size, presets};
use fly_types::wire;

use super::codes;
use crate::diag::{Applicability, Diagnostic, Edit, nearest};
use crate::schema::{Config, Located, Vm};

/// The preset when only a GPU is named, and what GPU presets stand for. Withdrawn by Fly.io, still in old files.
const GPU_PRESETS: &[(&str, &str)] = &[
    ("a10", "a10"),
    ("l40s", "l40s"),
    ("a100-40gb", "a100-pcie-40gb"),
    ("a100-80gb", "a100-sxm4-80gb"),
];
const GPU_CPUS: i64 = 8;
const GPU_MEMORY_MB: i64 = 32_768;
const DEFAULT_GPU_SIZE: &str = "performance-8x";
const DEFAULT_SIZE: &str = "shared-cpu-1x";

/// The guest of a `[[vm]]` entry.
pub(crate) fn guest(
    config: &Config,
    vm: &Located<Vm>,
    out: &mut Vec<Diagnostic>,
) -> Option<wire::Guest> {
    let before = out.len();
    let text = |value: &Option<Located<String>>| {
        value.as_ref().map(|text| text.value.clone()).filter(|text| !text.is_empty())
    };
    let number = |value: &Option<Located<i64>>| {
        value.as_ref().map(|number| number.value).filter(|n| *n != 0)
    };
    let mut guest = match (text(&vm.size), text(&vm.gpu_kind)) {
        (Some(name), _) => preset(&name, vm, out),
        (None, Some(_)) => preset(DEFAULT_GPU_SIZE, vm, out),
        (None, None) => preset(DEFAULT_SIZE, vm, out),
    };
    if let Some(host) = text(&config.host_dedication_id) {
        guest.host_dedication_id = host.into();
    }
    if let Some(memory) = vm.memory.as_ref().filter(|memory| !memory.0.is_empty()) {
        match memory.mb() {
            Some(0) | None => {
                let zero = memory.mb() == Some(0);
                let message = format!("memory \"{}\" cannot be read", memory.0);
                let label = if zero { "less than 1 MB" } else { "write a size such as \"512mb\"" };
                out.push(Diagnostic::new(&codes::VM_MEMORY, message).at(memory.span, label));
            }
            Some(mb) => guest.memory_mb = mb.into(),
        }
    }
    if let Some(kind) = text(&vm.cpu_kind) {
        guest.cpu_kind = CpuKind::from(kind.as_str()).into();
    }
    if let Some(kind) = text(&vm.gpu_kind) {
        guest.gpu_kind = kind.into();
    }
    if let Some(host) = text(&vm.host_dedication_id) {
        guest.host_dedication_id = host.into();
    }
    for (value, field) in [
        (&vm.cpus, &mut guest.cpus),
        (&vm.memory_mb, &mut guest.memory_mb),
        (&vm.max_memory_mb, &mut guest.max_memory_mb),
        (&vm.gpus, &mut guest.gpus),
    ] {
        if let Some(number) = number(value) {
            *field = number.into();
        }
    }
    if let Some(persist) = vm.persist_rootfs.as_ref().filter(|value| !value.as_str().is_empty()) {
        guest.persist_rootfs = serde_json::Value::from(persist.as_str()).into();
    }
    let arguments = super::machine::texts(vm.kernel_args.as_ref());
    if !arguments.is_empty() {
        guest.kernel_args = arguments.into();
    }
    (out.len() == before).then_some(guest)
}

fn preset(name: &str, vm: &Vm, out: &mut Vec<Diagnostic>) -> wire::Guest {
    if let Ok(size) = name.parse::<Size>() {
        return size.to_guest();
    }
    if let Some((_, kind)) = GPU_PRESETS.iter().find(|(preset, _)| *preset == name) {
        return wire::Guest {
            cpu_kind: CpuKind::Performance.into(),
            cpus: GPU_CPUS.into(),
            memory_mb: GPU_MEMORY_MB.into(),
            gpus: 1.into(),
            gpu_kind: (*kind).to_owned().into(),
            ..wire::Guest::default()
        };
    }
    let known = presets();
    let diagnostic = Diagnostic::new(&codes::VM_SIZE, format!("there is no size \"{name}\""));
    let span = vm.size.as_ref().map(|size| size.span).unwrap_or_default();
    out.push(match nearest(name, known.iter().map(String::as_str)) {
        Some(meant) => diagnostic.at(span, format!("did you mean \"{meant}\"?")).fix(
            format!("write \"{meant}\""),
            vec![Edit::replace(span, format!("\"{meant}\""))],
            Applicability::MaybeIncorrect,
        ),
        None => diagnostic.at(span, format!("one of {}", known.join(", "))),
    });
    wire::Guest::default()
}
