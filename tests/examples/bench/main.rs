//! What calls cost, as a report: `target/bench/report.json`, `report.md` and `chart.svg`.
//!
//! ```text
//! cargo xtask bench                 all rows
//! cargo xtask bench --instructions  the instructions of some of them, against benches/instructions.md
//! ```

mod caches;
mod calls;
mod chart;
mod native;
mod process;
mod renewal;
mod report;
mod tasks;

use std::error::Error;

use report::Report;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        // A program for callgrind: the count is the difference between two of its runs.
        ["repeat", work, times] => calls::repeat(work, times.parse()?),
        [] => report(),
        _ => Err("usage: bench [repeat warm|first TIMES]".into()),
    }
}

fn report() -> Outcome {
    let mut report = Report::default();
    for accounts in [1, 10, 100, 1_000, 10_000] {
        calls::measure(accounts, &mut report)?;
    }
    tasks::measure(&mut report)?;
    renewal::measure(&mut report)?;
    for accounts in [1, 10_000] {
        process::start(accounts, &mut report)?;
    }
    for profiles in [1, 20, 100] {
        process::serve(profiles, &mut report)?;
    }
    report.write()
}
