use std::time::Duration;

/// How much of the host a plugin may use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The plugin's memory, in bytes. Default: 1 GiB, which holds the largest cache that a user reported (164,663 tokens, some
    /// 400 MB) once, but not twice.
    pub guest_memory: usize,
    /// How long a call may take, network included. Default: 120 s.
    pub call_time: Duration,
    /// The largest cache document, in bytes. Default: 512 MiB.
    pub document_size: u64,
    /// The largest response of a token endpoint, in bytes. Default: 1 MiB; a response with three tokens has some 10 kB.
    pub response_size: usize,
    /// How many requests a credential may send to authorities in any minute, repetitions included. Default: 60. A token that is
    /// cached costs none, and a new one usually one.
    pub requests_per_minute: u32,
    /// How many calls of a credential may run at the same time on each of its sources; each has an instance of the component for
    /// itself, with the document in it. A call for which there is no place within `call_time` ends. Default: 8.
    pub instances: usize,
    /// How much the component may return from a call, in bytes: the token, or the list of accounts, or the message of an error.
    /// Default: 16 MiB; an account in the list has some 300 bytes.
    pub answer_size: usize,
    /// The largest file of a component that is loaded in place of the built-in one, in bytes. Default: 16 MiB; the built-in one
    /// has some 300 kB.
    pub component_size: u64,
    /// How many core instances an instance of the component may consist of. Default: 16; the built-in one has 3.
    pub core_instances: usize,
    /// How many linear memories these may have; `guest_memory` is for all of them together. Default: 4; the built-in one has 1.
    pub memories: usize,
    /// How many tables these may have. Default: 4; the built-in one has 2.
    pub tables: usize,
    /// How many elements all these tables may have together. Default: 100,000; the built-in one has some hundred.
    pub table_elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guest_memory: 1 << 30,
            call_time: Duration::from_secs(120),
            document_size: 512 << 20,
            response_size: 1 << 20,
            requests_per_minute: 60,
            instances: 8,
            answer_size: 16 << 20,
            component_size: 16 << 20,
            core_instances: 16,
            memories: 4,
            tables: 4,
            table_elements: 100_000,
        }
    }
}
