//! `[limits]`.

use std::time::Duration;

use super::fields::Fields;
use crate::Limits;

pub(super) fn read(root: &mut Fields<'_, '_>) -> Limits {
    let mut fields = root.table("limits");
    let mut limits = Limits::default();
    let mut field = |name, least, most, set: fn(&mut Limits, u64)| {
        if let Some(value) = fields.number(name, least, most) {
            set(&mut limits, value);
        }
    };
    // A component needs some memory to start, and wasm32 ends at 4 GiB.
    field("guest-memory-mib", 4, 4096, |limits, mib| limits.guest_memory = size(mib << 20));
    field("call-seconds", 1, 3600, |limits, seconds| limits.call_time = Duration::from_secs(seconds));
    field("document-mib", 1, 2048, |limits, mib| limits.document_size = mib << 20);
    field("response-kib", 16, 65_536, |limits, kib| limits.response_size = size(kib << 10));
    field("requests-per-minute", 1, 6000, |limits, most| {
        limits.requests_per_minute = u32::try_from(most).unwrap_or(u32::MAX)
    });
    field("instances", 1, 64, |limits, most| limits.instances = size(most));
    field("answer-mib", 1, 1024, |limits, mib| limits.answer_size = size(mib << 20));
    field("component-mib", 1, 256, |limits, mib| limits.component_size = mib << 20);
    // No fewer than the built-in component has.
    field("core-instances", 3, 1000, |limits, most| limits.core_instances = size(most));
    field("memories", 1, 100, |limits, most| limits.memories = size(most));
    field("tables", 2, 1000, |limits, most| limits.tables = size(most));
    field("table-elements", 1000, 10_000_000, |limits, most| limits.table_elements = size(most));
    fields.finish();
    limits
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
