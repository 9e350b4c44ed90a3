//! Debug logging of import calls. Names and URLs come from the component, so they are escaped and
//! truncated.

use crate::escape;
use crate::sandbox::State;

/// Import calls after this many in one call are not logged.
const MOST_CROSSINGS: usize = 1_000;

/// Longer names and URLs are truncated, in bytes.
const LONGEST_NAME: usize = 300;

impl State {
    /// Counts an import call, and decides whether it is logged.
    pub(super) fn may_tell(&mut self) -> bool {
        let crossings = &mut self.call.crossings;
        *crossings = crossings.saturating_add(1);
        if *crossings == MOST_CROSSINGS + 1 {
            tracing::warn!(
                "the component made more than {MOST_CROSSINGS} import calls; further import calls in this call are \
                 not logged"
            );
        }
        *crossings <= MOST_CROSSINGS
    }
}

/// A text of the component, escaped and truncated for one line.
pub(super) fn printable(text: &str) -> String {
    escape::bounded(text, LONGEST_NAME)
}
