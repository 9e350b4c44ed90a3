//! `[limits]`.

use std::time::Duration;

use super::fields::Fields;
use super::print::Printer;
use crate::Limits;

/// A limit: its field, its range, and its place in [`Limits`].
struct Field {
    name: &'static str,
    least: u64,
    most: u64,
    set: fn(&mut Limits, u64),
    get: fn(&Limits) -> u64,
}

/// All limits. The least values are those with which a component can still start; the largest
/// protect the host.
#[rustfmt::skip]
const FIELDS: &[Field] = &[
    // A component needs some memory to start, and wasm32 ends at 4 GiB.
    Field { name: "guest-memory-mib", least: 4, most: 4096, set: |limits, mib| limits.guest_memory = size(mib << 20), get: |limits| wide(limits.guest_memory) >> 20 },
    Field { name: "call-seconds", least: 1, most: 3600, set: |limits, seconds| limits.call_time = Duration::from_secs(seconds), get: |limits| seconds(limits.call_time) },
    Field { name: "document-mib", least: 1, most: 2048, set: |limits, mib| limits.document_size = mib << 20, get: |limits| limits.document_size >> 20 },
    Field { name: "response-kib", least: 16, most: 65_536, set: |limits, kib| limits.response_size = size(kib << 10), get: |limits| wide(limits.response_size) >> 10 },
    Field { name: "requests-per-minute", least: 1, most: 6000, set: |limits, most| limits.requests_per_minute = u32::try_from(most).unwrap_or(u32::MAX), get: |limits| limits.requests_per_minute.into() },
    Field { name: "instances", least: 1, most: 64, set: |limits, most| limits.instances = size(most), get: |limits| wide(limits.instances) },
    Field { name: "answer-mib", least: 1, most: 1024, set: |limits, mib| limits.answer_size = size(mib << 20), get: |limits| wide(limits.answer_size) >> 20 },
    Field { name: "component-mib", least: 1, most: 256, set: |limits, mib| limits.component_size = mib << 20, get: |limits| limits.component_size >> 20 },
];

pub(super) fn read(root: &mut Fields<'_, '_>) -> Limits {
    let mut fields = root.table("limits");
    let mut limits = Limits::default();
    for field in FIELDS {
        if let Some(value) = fields.number(field.name, field.least, field.most) {
            (field.set)(&mut limits, value);
        }
    }
    fields.finish();
    limits
}

/// A value that the document cannot express is rounded down and clamped to the field's range.
pub(super) fn print(limits: &Limits, to: &mut Printer) {
    to.table("limits");
    for field in FIELDS {
        to.number(field.name, (field.get)(limits).clamp(field.least, field.most));
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn seconds(time: Duration) -> u64 {
    time.as_secs()
}
