//! `[process]`.

use super::fields::Fields;
use super::print::Printer;
use crate::CoreDumps;

pub(super) fn read(root: &mut Fields<'_, '_>) -> CoreDumps {
    let mut fields = root.table("process");
    let core_dumps = fields.parse("core-dumps", str::parse).unwrap_or_default();
    fields.finish();
    core_dumps
}

pub(super) fn print(core_dumps: CoreDumps, to: &mut Printer) {
    to.table("process");
    to.text("core-dumps", core_dumps);
}
