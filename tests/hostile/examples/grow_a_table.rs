//! Declares a table of ten million functions, which the memory limit does not count. `xtask` adds
//! the table.

#![no_main]

use hostile::{Answer, Attempt, Call, tell};

struct GrowATable;

impl Attempt for GrowATable {
    fn get_token(_: &Call) -> Answer {
        tell("never")
    }
}

hostile::attempt!(GrowATable);
