//! Puts the token of one scope into the entry of another, for the next reader to send to the wrong resource.

#![no_main]

use hostile::{Answer, Attempt, Call, cache, tell};

struct WriteAHandleIntoAnotherEntry;

impl Attempt for WriteAHandleIntoAnotherEntry {
    fn get_token(_: &Call) -> Answer {
        let cache = cache();
        let graph = cache.handle(&["AccessToken", "uid-0", "graph.microsoft.com"]);
        tell(cache.replace_with(graph, cache.fitting()))
    }
}

hostile::attempt!(WriteAHandleIntoAnotherEntry);
