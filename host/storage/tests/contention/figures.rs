//! The same race, longer and with a table at the end.

use std::io;
use std::time::Duration;

use crate::run::{Kind, Plan, Pythons, run};

pub(crate) struct Figure {
    writers: &'static [(Kind, usize)],
    msal: &'static [&'static str],
}

/// Unmodified MSAL goes on without the lock file after 5 s and only logs it; see `peer.py`.
const AS_IT_IS: &[&str] = &["--as-it-is"];

pub(crate) const ALL: [(&str, Figure); 6] = [
    ("figures_of_ours_alone", Figure { writers: &[(Kind::Ours, 20)], msal: &[] }),
    ("figures_of_ours_beside_msal", Figure { writers: MIXED, msal: &[] }),
    ("figures_of_ours_beside_msal_as_it_is", Figure { writers: MIXED, msal: AS_IT_IS }),
    ("figures_of_msal_alone", Figure { writers: &[(Kind::Portalocker, 10), (Kind::Plain, 10)], msal: AS_IT_IS }),
    ("figures_of_msal_with_portalocker_alone", Figure { writers: &[(Kind::Portalocker, 20)], msal: AS_IT_IS }),
    ("figures_of_msal_without_portalocker_alone", Figure { writers: &[(Kind::Plain, 20)], msal: AS_IT_IS }),
];

const MIXED: &[(Kind, usize)] = &[(Kind::Ours, 8), (Kind::Portalocker, 6), (Kind::Plain, 6)];

/// Runs and prints. Asserts nothing: the losses of MSAL alone are part of the output.
#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
pub(crate) fn print(figure: Figure, seconds: u64, pythons: &Pythons) -> io::Result<()> {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let plan = Plan {
        writers: figure.writers.to_vec(),
        time: Duration::from_secs(seconds),
        pause: Duration::from_millis(number("CONTENTION_PAUSE_MS", 200)),
        kill_every: Duration::from_millis(number("CONTENTION_KILL_EVERY_MS", 1500)),
        msal: figure.msal,
    };
    println!("\n{}", run(&plan, pythons)?);
    Ok(())
}
