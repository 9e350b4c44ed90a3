//! Adds the document's place to an error of the component. The component has only the name in the
//! contract, which is not a file name to users of other sources than `shared`.

use shared_token_cache_storage::ExaminationNote;

use crate::error::{Unavailable, UnavailableReason as Reason};

/// The component's advice for a damaged document, of any kind.
const MOVE_AWAY: &str = "Move it away and sign in again, or restore it";
const SEE_FIRST: &str = "It does not look like a token cache, so check its content before you move it away";
const REMOVE_ITEM: &str = "Remove the item and sign in again with the tool that keeps it";

/// The possible reasons for an empty file.
const EMPTY: &str = ", so it holds no sign-in; a file that only signals changes of a keyring's item is empty too, and its source is \
                     `shared` or `azure-cli`";

/// The last read of a call.
pub(crate) struct Sight {
    /// The document's name in the contract.
    pub(crate) name: String,
    pub(crate) seen: Seen,
}

pub(crate) enum Seen {
    /// The component has received the document.
    Document { place: String, content: Content },
    /// There is no document.
    Nothing { place: String, near: Vec<ExaminationNote> },
    /// The read failed, with an error that names the place.
    Failed,
}

/// The kind of a document, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Empty,
    /// Begins like a cache, damaged or not.
    Cache,
    Other,
}

impl Seen {
    pub(crate) fn document(place: String, content: &[u8]) -> Self {
        let text = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content).trim_ascii_start();
        let content = match text.first() {
            None if content.is_empty() => Content::Empty,
            // After a crash the file may consist of zeros.
            None | Some(b'{' | b'[' | 0) => Content::Cache,
            Some(_) => Content::Other,
        };
        Self::Document { place, content }
    }
}

impl Sight {
    /// The error with the place of the read, and advice for it.
    pub(super) fn located(&self, mut unavailable: Unavailable) -> Unavailable {
        let rest = unavailable.message.strip_prefix(&format!("the cache {} ", self.name));
        let unread = unavailable.message.strip_prefix(&format!("cannot read the cache {}: ", self.name));
        let located = match (unavailable.reason, &self.seen, rest) {
            (Reason::CacheCorrupt, Seen::Document { place, content }, Some(rest)) => {
                let hint = match content {
                    _ if place.starts_with("item ") => REMOVE_ITEM,
                    Content::Other => SEE_FIRST,
                    Content::Empty | Content::Cache => MOVE_AWAY,
                };
                Some(format!("the {place} {}", rest.replace(MOVE_AWAY, hint)))
            }
            (Reason::CacheUnavailable, _, _) => unread.map(|why| format!("cannot read the cache: {why}")),
            (Reason::NoAccounts, Seen::Document { place, content: Content::Empty }, _) => {
                Some(format!("the {place} is empty{EMPTY}"))
            }
            (Reason::NoAccounts, Seen::Nothing { place, near }, _) if !near.is_empty() => {
                let near: Vec<_> = near.iter().map(|note| note.to_string().trim_end_matches('.').to_owned()).collect();
                Some(format!("there is no {place}; {}", near.join("; ")))
            }
            _ => None,
        };
        unavailable.message = located.unwrap_or(unavailable.message);
        unavailable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(reason: Reason, message: &str, seen: Seen) -> String {
        let (message, candidates, sources) = (message.to_owned(), Vec::new(), Vec::new());
        let sight = Sight { name: "msal.cache.nocae".into(), seen };
        sight.located(Unavailable { reason, message, candidates, sources }).message
    }

    #[test]
    fn a_message_about_damage_has_its_place_and_advice_that_destroys_no_other_data() {
        let damaged = format!("the cache msal.cache.nocae is damaged: line 1; it was left as it is. {MOVE_AWAY}");
        let file = "file /home/user0/.azure/msal_token_cache.json";
        for (place, content, end) in [
            (file, "{", MOVE_AWAY),
            (file, "\u{feff} {\"a\":", MOVE_AWAY),
            (file, "[]", MOVE_AWAY),
            (file, "\0\0", MOVE_AWAY),
            (file, " ", MOVE_AWAY),
            (file, "hunter2", SEE_FIRST),
            ("item of the keyring", "{", REMOVE_ITEM),
        ] {
            let shown = shown(Reason::CacheCorrupt, &damaged, Seen::document(place.into(), content.as_bytes()));
            assert_eq!(shown, format!("the {place} is damaged: line 1; it was left as it is. {end}"), "{content}");
        }
    }

    #[test]
    fn a_name_of_the_contract_is_in_no_message() {
        let shown = shown(Reason::CacheUnavailable, "cannot read the cache msal.cache.nocae: why", Seen::Failed);
        assert_eq!(shown, "cannot read the cache: why");
    }

    #[test]
    fn notes_about_files_nearby_replace_the_advice_to_sign_in() {
        let note = ExaminationNote { what: "/near is there".into(), next: "Use it.".into() };
        let nothing = |near| Seen::Nothing { place: "file /x".into(), near };
        let message = "there is no file /x; sign in with";
        assert_eq!(
            shown(Reason::NoAccounts, message, nothing(vec![note])),
            "there is no file /x; /near is there. Use it"
        );
        assert_eq!(shown(Reason::NoAccounts, message, nothing(Vec::new())), message);
        let empty =
            shown(Reason::NoAccounts, "the cache holds no account; sign in", Seen::document("file /x".into(), b""));
        assert!(empty.starts_with("the file /x is empty, "), "{empty}");
        let holds_none = shown(Reason::NoAccounts, message, Seen::document("file /x".into(), b"{}"));
        assert_eq!(holds_none, message);
    }
}
