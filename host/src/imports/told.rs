//! What is said about a crossing of the border. Names and URLs are the component's own words.

use crate::plugin::State;

/// A component that crosses the border more often in a call is not reported on any more.
const MOST_CROSSINGS: usize = 1_000;

/// Longer names and URLs are cut.
pub(super) const LONGEST_NAME: usize = 300;

impl State {
    /// Counts a crossing; says whether to report on it.
    pub(super) fn may_tell(&mut self) -> bool {
        self.crossings = self.crossings.saturating_add(1);
        if self.crossings == MOST_CROSSINGS + 1 {
            tracing::warn!(
                "the component uses its imports very often; what it does in the rest of this call is not told"
            );
        }
        self.crossings <= MOST_CROSSINGS
    }
}

/// A text of the component's as a part of one line: it must not be able to look like several.
pub(super) fn printable(text: &str, longest: usize) -> String {
    text.chars().take(longest).map(|character| if character.is_control() { ' ' } else { character }).collect()
}
