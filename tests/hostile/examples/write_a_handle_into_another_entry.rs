//! Puts the token of one scope into the entry of another, for the next reader to send to the wrong resource.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, report};

struct WriteAHandleIntoAnotherEntry;

impl Attempt for WriteAHandleIntoAnotherEntry {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let graph = cache.handle(&["AccessToken", "uid-0", "graph.microsoft.com"]);
        report(cache.replace_with(graph, cache.fitting()))
    }
}

hostile::attempt!(WriteAHandleIntoAnotherEntry);
