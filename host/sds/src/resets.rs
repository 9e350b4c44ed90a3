//! Logs refusals on the level of HTTP/2, which no other code of this crate sees.

use std::sync::Arc;

use crate::log_once::LogOnce;

const HEAD: usize = 9;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

/// Codes that are no errors (RFC 9113, section 7): `NO_ERROR` and `CANCEL`.
const HARMLESS: [u32; 2] = [0, 8];

/// Watches the frames that are sent, and logs each error code of a stream or connection once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resets {
    logged: Arc<LogOnce<u32>>,
    /// The beginning of the frame: its head, and the bytes up to the code.
    beginning: Vec<u8>,
    /// Bytes left of a frame that is skipped.
    left: usize,
}

impl Resets {
    /// A watcher for another connection, which shares the set of logged codes.
    pub(crate) fn of_another(&self) -> Self {
        Self { logged: Arc::clone(&self.logged), ..Self::default() }
    }

    /// Watches bytes that are sent.
    pub(crate) fn watch(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = bytes.get(self.left.min(bytes.len())..).unwrap_or_default();
            self.left -= bytes.len() - skipped.len();
            bytes = skipped;
            let Some((byte, rest)) = bytes.split_first() else { return };
            self.beginning.push(*byte);
            bytes = rest;
            self.look();
        }
    }

    fn look(&mut self) {
        let Some((&[a, b, c, kind, ..], payload)) = self.beginning.split_first_chunk::<HEAD>() else { return };
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
        let code = match kind {
            RST_STREAM => payload.first_chunk(),
            GOAWAY => payload.get(4..).and_then(<[u8]>::first_chunk),
            _ => None,
        };
        let is_watched = [RST_STREAM, GOAWAY].contains(&kind) && payload.len() < length;
        if code.is_none() && is_watched {
            return;
        }
        if let Some(code) = code.map(|code| u32::from_be_bytes(*code))
            && !HARMLESS.contains(&code)
            && self.logged.is_first(code)
        {
            tracing::warn!(
                "a stream is reset, because its client sent invalid gRPC or too much data (HTTP/2 error code {code})"
            );
        }
        self.left = length.saturating_sub(payload.len());
        self.beginning.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_logged_once_for_every_split_of_the_bytes() {
        let reset = |code| [&[0, 0, 4, RST_STREAM, 0, 0, 0, 0, 1][..], &[0, 0, 0, code]].concat();
        let data = [&[0, 0, 20, 0, 0, 0, 0, 0, 1][..], &[RST_STREAM; 20]].concat();
        let away = [&[0, 0, 9, GOAWAY, 0, 0, 0, 0, 0][..], &[0, 0, 0, 1, 0, 0, 0, 11, b'x']].concat();
        let sent = [data.clone(), reset(1), data, reset(8), reset(0), away, reset(2)].concat();
        for size in 1..sent.len() {
            let mut resets = Resets::default();
            sent.chunks(size).for_each(|bytes| resets.watch(bytes));
            let logged = |code| !resets.logged.is_first(code);
            assert!(logged(1) && logged(11) && logged(2), "{size}");
            assert!(!logged(0) && !logged(8) && !logged(3), "{size}");
        }
    }
}
