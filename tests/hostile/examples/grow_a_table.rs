//! Declares a table of ten million functions, which the memory limit does not count. `xtask` adds
//! the table.

#![no_main]

use hostile::{Answer, Attempt, Call, report};

struct GrowATable;

impl Attempt for GrowATable {
    fn get_token(_: &Call) -> Answer {
        report("never")
    }
}

hostile::attempt!(GrowATable);
