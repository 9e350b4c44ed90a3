//! Folders and file systems in which a cache cannot be written, and a peer that never stops
//! writing.
//!
//! Most checks need a process of their own: in a name space with another mount, as another user, or
//! with a modified C library. So this program runs itself. Checks that the machine cannot run are
//! listed as ignored, with the reason.

#[cfg(target_os = "linux")]
mod checks;
#[cfg(target_os = "linux")]
mod places;
#[cfg(target_os = "linux")]
mod torn;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

/// Name spaces and bind mounts exist on Linux only.
#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::process::ExitCode;

    use libtest_mimic::{Arguments, Trial};

    use crate::{checks, torn};

    pub(super) fn main() -> ExitCode {
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        if let [inner, name, cache] = arguments.as_slice()
            && inner == "inner"
        {
            return inner_check(name, Path::new(cache));
        }
        let mut arguments = Arguments::from_args();
        // A program file that was just copied cannot be started while another process that was
        // forked meanwhile has it open for writing.
        arguments.test_threads = Some(1);
        let mut trials = Vec::new();
        for (name, place) in checks::ALL {
            let missing = place.missing();
            if let Some(why) = &missing {
                say(&format!("{name} is ignored: {why}"));
            }
            let trial = Trial::test(name, move || Ok(place.run(name)?));
            trials.push(trial.with_ignored_flag(missing.is_some()));
        }
        let python = torn::python();
        if python.is_none() {
            say(&format!("{} is ignored: there is no Python", torn::NAME));
        }
        let ignored = python.is_none();
        let trial = Trial::test(torn::NAME, move || torn::check(&python.unwrap_or_default()));
        trials.push(trial.with_ignored_flag(ignored));
        libtest_mimic::run(&arguments, trials).exit_code()
    }

    fn inner_check(name: &str, cache: &Path) -> ExitCode {
        match checks::inner(name, cache) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                say(&why);
                ExitCode::FAILURE
            }
        }
    }

    #[expect(clippy::print_stderr, reason = "the output must show why tests are ignored or fail")]
    fn say(text: &str) {
        eprintln!("{text}");
    }
}
