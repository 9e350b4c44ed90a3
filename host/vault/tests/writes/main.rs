//! Every sequence of changes that the built-in component makes is allowed, no other byte changes,
//! and real MSAL loads the outcome.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "helpers of tests")]

mod cache;
mod msal;
mod oracle;

use cache::{Cache, Change, Layout, Parts};
use proptest::prelude::*;

fn parts() -> impl Strategy<Value = Parts> {
    let layout = prop::sample::select(vec![Layout::COMPACT, Layout::MSAL, Layout::TABS]);
    (layout, any::<[bool; 3]>()).prop_map(|(layout, present)| Parts { layout, present })
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::sample::subsequence(Change::ALL.to_vec(), 0..=Change::ALL.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_allowed_changes_is_written(parts in parts(), changes in changes().prop_shuffle()) {
        let cache = Cache::new(parts);
        let (new, expected) = cache.changed(&changes);
        let open = cache.open(&new);
        prop_assert!(open.is_ok(), "{:?}\n{new}", open.err());
        prop_assert_eq!(open.unwrap(), expected);
    }

    #[test]
    fn any_other_byte_is_refused_or_changes_no_more_than_is_allowed(
        parts in parts(),
        changes in changes(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..4,
        put in prop::sample::select(vec!["", " ", "\n", ",", "{", "}", "\"", "0", "9", "x", "\\", ":", "null", "{}", "\"x\":{},", "\u{feff}"]),
    ) {
        let cache = Cache::new(parts);
        let (new, _) = cache.changed(&changes);
        let start = at.index(new.len());
        let end = (start + length).min(new.len());
        let torn = format!("{}{put}{}", &new[..start], &new[end..]);
        if let Ok(written) = cache.open(&torn) {
            prop_assert_eq!(oracle::objection(&cache.plain, &written), None, "{}", written);
        }
    }

    #[test]
    fn without_a_change_no_byte_differs(parts in parts(), at in any::<prop::sample::Index>(), put in "[ \\n,{}\":x0\\[\\]]{1,3}") {
        let cache = Cache::new(parts);
        let start = at.index(cache.sealed.len());
        let torn = format!("{}{put}{}", &cache.sealed[..start], &cache.sealed[start..]);
        prop_assert!(cache.open(&torn).is_err(), "{}", torn);
    }
}

#[test]
fn many_equal_secrets_cost_no_more_than_as_many_different_ones() {
    // Comparing each of 100,000 places with each other one would take 10¹⁰ steps, which is minutes.
    let mut cache = Cache::new(Parts { layout: Layout::COMPACT, present: [true; 3] });
    let entries: Vec<String> =
        (0..100_000).map(|number| format!("\"e{number}\":{{\"secret\":\"hunter-same\"}}")).collect();
    let section = format!("\"RefreshToken\":{{{},", entries.join(","));
    cache.hold(&cache.plain.replacen("\"RefreshToken\":{", &section, 1));
    let (new, expected) = cache.changed(&Change::ALL);
    assert!(cache.open(&new).is_ok_and(|written| written == expected));
    let twice = new.replacen("\"e7\":", "\"e8\":", 1);
    assert!(cache.open(&twice).is_err());
}
