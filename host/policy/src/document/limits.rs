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
    field("guest-memory-mib", 4, 4096, |limits, mib| limits.guest_memory = bytes(mib << 20));
    field("call-seconds", 1, 3600, |limits, seconds| limits.call_time = Duration::from_secs(seconds));
    field("document-mib", 1, 2048, |limits, mib| limits.document_size = mib << 20);
    field("response-kib", 16, 65_536, |limits, kib| limits.response_size = bytes(kib << 10));
    fields.finish();
    limits
}

fn bytes(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
