use std::time::Duration;

/// Limits on the resources that a component may use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The component's memory, in bytes. Default: 1 GiB, enough for one copy of the largest cache
    /// that a user reported (164,663 tokens, some 400 MB), but not for two.
    pub guest_memory: usize,
    /// The timeout of a call, network included. Default: 120 s.
    pub call_time: Duration,
    /// The largest cache document, in bytes. Default: 512 MiB.
    pub document_size: u64,
    /// The largest response of a token endpoint, in bytes. Default: 1 MiB; a response with three
    /// tokens has some 10 kB.
    pub response_size: usize,
    /// The rate limit on requests of a credential to authorities, retries included, per minute.
    /// Default: 60. A cached token needs no request, and a new one usually needs one.
    pub requests_per_minute: u32,
    /// The limit on concurrent calls of a credential on each of its sources. Each call has an
    /// instance of its own, with a copy of the document. A call that gets no instance within
    /// `call_time` fails. Default: 8.
    pub instances: usize,
    /// The largest result of a call, in bytes: the token, the list of accounts, or the message of
    /// an error. Default: 16 MiB; an account in the list has some 300 bytes.
    pub answer_size: usize,
    /// The largest component that is loaded from a file, in bytes. Default: 16 MiB; the built-in
    /// one has some 300 kB.
    pub component_size: u64,
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
        }
    }
}
