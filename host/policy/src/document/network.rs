//! `[network]`.

use super::fields::Fields;
use super::lists;
use super::print::Printer;
use crate::Addresses;

pub(super) fn read(root: &mut Fields<'_, '_>) -> Vec<Addresses> {
    let mut fields = root.table("network");
    let addresses = lists::read(&mut fields, "addresses");
    fields.finish();
    addresses
}

pub(super) fn print(addresses: &[Addresses], to: &mut Printer) {
    to.table("network");
    to.texts("addresses", addresses);
}
