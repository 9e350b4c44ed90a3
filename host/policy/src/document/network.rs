//! `[network]`.

use super::fields::Fields;
use crate::Addresses;

pub(super) fn read(root: &mut Fields<'_, '_>) -> Vec<Addresses> {
    let mut fields = root.table("network");
    let addresses = fields.list("addresses").into_iter().filter_map(|item| item.parse(str::parse)).collect();
    fields.finish();
    addresses
}
