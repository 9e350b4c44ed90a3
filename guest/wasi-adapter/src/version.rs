//! Versions: texts that identify a state of a file.

/// The parts of a file's status that identify its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) size: u64,
    /// Seconds and nanoseconds; `None` if the host does not report times.
    pub(crate) modified: Option<(u64, u32)>,
    /// The host's hash, of device and inode at least.
    pub(crate) hash: (u64, u64),
}

/// File times advance in steps, and two writes within one step look the same. This is longer than
/// every step.
pub(crate) const STEP_SECONDS: f64 = 0.02;

/// A document that is older than this is not being written any more.
const JUST_WRITTEN_SECONDS: u64 = 2;

impl State {
    pub(crate) fn version(self) -> String {
        let (seconds, nanoseconds) = self.modified.unwrap_or_default();
        let (lower, upper) = self.hash;
        format!("{seconds:x}.{nanoseconds:x}.{:x}.{lower:x}{upper:x}", self.size)
    }

    /// Whether a later write would change the version. A time in the future was not set by the file
    /// system.
    pub(crate) fn is_settled(self, now: (u64, u32)) -> bool {
        let seconds = |(whole, part): (u64, u32)| std::time::Duration::new(whole, part).as_secs_f64();
        self.modified.is_some_and(|modified| {
            let age = seconds(now) - seconds(modified);
            !(0.0..STEP_SECONDS).contains(&age)
        })
    }

    /// Whether a program may still be writing it. The clock of a file server may be ahead of ours.
    pub(crate) fn is_just_written(self, (now, _): (u64, u32)) -> bool {
        self.modified.is_none_or(|(modified, _)| now.abs_diff(modified) <= JUST_WRITTEN_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: State = State { size: 10, modified: Some((1_700_000_000, 500_000_000)), hash: (1, 2) };

    #[test]
    fn every_change_changes_the_version() {
        let others = [
            State { size: 11, ..STATE },
            State { modified: Some((1_700_000_001, 500_000_000)), ..STATE },
            State { modified: Some((1_700_000_000, 500_000_001)), ..STATE },
            State { hash: (1, 3), ..STATE },
            State { hash: (2, 2), ..STATE },
        ];
        for other in others {
            assert_ne!(other.version(), STATE.version());
        }
    }

    #[test]
    fn a_change_of_a_file_that_was_just_written_may_go_unnoticed() {
        for (now, settled) in [
            ((1_700_000_000, 500_000_000), false),
            ((1_700_000_000, 519_000_000), false),
            ((1_700_000_000, 521_000_000), true),
            ((1_700_000_003, 0), true),
            ((1_699_999_999, 0), true),
        ] {
            assert_eq!(STATE.is_settled(now), settled, "{now:?}");
        }
        assert!(!State { modified: None, ..STATE }.is_settled((1_700_000_003, 0)));
    }

    #[test]
    fn an_old_file_is_not_being_written() {
        let just = |now| STATE.is_just_written((now, 0));
        assert!(just(1_700_000_000) && just(1_700_000_002) && just(1_699_999_999));
        assert!(!just(1_700_000_003) && !just(1_600_000_000));
        assert!(State { modified: None, ..STATE }.is_just_written((0, 0)));
    }
}
