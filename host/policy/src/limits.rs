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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guest_memory: 1 << 30,
            call_time: Duration::from_secs(120),
            document_size: 512 << 20,
            response_size: 1 << 20,
        }
    }
}
