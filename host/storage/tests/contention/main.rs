//! Many programs write one cache file at the same time, and some are killed: real MSAL for Python
//! with both of its locks, and ours.
//!
//! `MSAL_PYTHON` names a Python with msal-extensions and portalocker,
//! `MSAL_PYTHON_WITHOUT_PORTALOCKER` one without portalocker. `CONTENTION_SECONDS=60` runs the
//! figures as well; `CONTENTION_PAUSE_MS` is then the average pause of a writer between two saves.

#[cfg(unix)]
mod figures;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod tally;
#[cfg(unix)]
mod turns;
#[cfg(unix)]
#[expect(dead_code, reason = "the example has a main function of its own")]
#[path = "../../examples/writer.rs"]
mod writer;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    unix::main()
}

/// The peers on Windows encrypt their caches, and Windows has no signals to kill with.
#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::time::Duration;

    use libtest_mimic::{Arguments, Failed, Trial};

    use crate::run::{Kind, Plan, Pythons, run};
    use crate::tally::Outcome;
    use crate::{figures, turns, writer};

    const PYTHON: &str = "MSAL_PYTHON";
    const PYTHON_WITHOUT: &str = "MSAL_PYTHON_WITHOUT_PORTALOCKER";

    pub(super) fn main() -> ExitCode {
        let mut arguments = std::env::args().skip(1);
        if arguments.next().as_deref() == Some("writer") {
            return writer::start(arguments);
        }
        let mut arguments = Arguments::from_args();
        // Each race has as many processes as the machine can run well.
        arguments.test_threads = Some(1);
        let pythons = Pythons { portalocker: python(PYTHON), plain: python(PYTHON_WITHOUT) };
        let mut trials = vec![Trial::test("writers_of_ours_lose_nothing", ours_alone)];

        let (both, one) = (pythons.clone(), pythons.clone());
        let missing = both.portalocker.is_none() || both.plain.is_none();
        if missing && !arguments.list {
            say(&format!("the tests beside MSAL are ignored: {PYTHON} and {PYTHON_WITHOUT} do not name two Pythons"));
        }
        let trial = Trial::test("writers_of_ours_and_msals_lose_nothing", move || beside_msal(&both));
        trials.push(trial.with_ignored_flag(missing));
        let trial = Trial::test("an_msal_that_lives_on_sees_every_write_of_ours", move || turns::check(&one));
        trials.push(trial.with_ignored_flag(missing));

        let seconds = std::env::var("CONTENTION_SECONDS").ok().and_then(|text| text.parse().ok());
        for (name, figure) in figures::ALL {
            let pythons = pythons.clone();
            let trial = Trial::test(name, move || Ok(figures::print(figure, seconds.unwrap_or(60), &pythons)?));
            trials.push(trial.with_ignored_flag(missing || seconds.is_none()));
        }
        libtest_mimic::run(&arguments, trials).exit_code()
    }

    fn python(variable: &str) -> Option<PathBuf> {
        std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    #[expect(clippy::print_stderr, reason = "the output must show why tests are ignored")]
    fn say(text: &str) {
        eprintln!("{text}");
    }

    fn ours_alone() -> Result<(), Failed> {
        let plan = Plan {
            writers: vec![(Kind::Ours, 20)],
            time: Duration::from_secs(8),
            pause: Duration::from_millis(20),
            // Each kill of a lock's holder makes all other writers wait for 2 s, so there are few
            // kills.
            kill_every: Duration::from_millis(150),
            msal: &[],
        };
        check(&run(&plan, &Pythons::default())?)
    }

    fn beside_msal(pythons: &Pythons) -> Result<(), Failed> {
        let plan = Plan {
            writers: vec![(Kind::Ours, 8), (Kind::Portalocker, 6), (Kind::Plain, 6)],
            time: Duration::from_secs(12),
            // Few writes and kills, so that no writer has to wait for 5 s.
            pause: Duration::from_millis(200),
            kill_every: Duration::from_millis(1500),
            msal: &[],
        };
        check(&run(&plan, pythons)?)
    }

    fn check(outcome: &Outcome) -> Result<(), Failed> {
        outcome.check().map_err(|broken| format!("{broken}\n{outcome}").into())
    }
}
