use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use shared_token_cache_entra::account::home_tenant;
use shared_token_cache_policy::Denied;

use crate::accounts_index::Chosen;
use crate::call::Call;
use crate::credential::Request;
use crate::damage::NotUtf8;
use crate::document::Document;
use crate::handle::{Handle, Kind};
use crate::redemption::Redemption;
use crate::refused::Refused;
use crate::reply::Reply;
use crate::vault::{Sealed, Vault};
use crate::verdict::Verdict;

/// A component reads two documents, with CAE and without; during a reload the last version of each
/// is still valid.
const MOST_DOCUMENTS: usize = 4;

/// A component without write access keeps replies in its memory. The vault keeps this many of them;
/// a program that requests more tokens between two versions of the cache loses the oldest.
const MOST_REPLIES: usize = 1024;

/// The built-in component tries a write 16 times, because other programs may write in between.
const MOST_TRIES: usize = 32;

/// Dead refresh tokens that are not removed yet. An account has a few.
const MOST_DEAD: usize = 256;

/// The documents and replies that one instance of the component was given. It can hand back nothing
/// else. A clone is cheap, for work on another thread.
#[derive(Clone)]
pub struct Session {
    pub(crate) vault: Vault,
    /// In order of reading, the newest last.
    documents: Vec<Arc<Document>>,
    /// In order of arrival, the newest last.
    replies: VecDeque<HeldReply>,
    /// The refresh tokens that the authority declared dead, the newest last.
    dead: VecDeque<Handle>,
    /// The accounts whose refresh tokens were redeemed, each with the time of the last reply.
    asked: HashMap<String, u64>,
    pub(crate) call: Option<Arc<Call>>,
    /// The component has read the call's document since the call began.
    pub(crate) up_to_date: bool,
    /// The number of calls so far.
    pub(crate) calls: u64,
    /// The write budget of the present call.
    writes: Writes,
    /// The scope for which the access token of this call's last reply was withheld.
    pub(crate) withheld: Option<String>,
}

/// A call may write once for each refresh token that it redeemed, with a limited number of tries.
#[derive(Debug, Clone, Default)]
struct Writes {
    redemptions: usize,
    tries: usize,
    done: usize,
}

#[derive(Clone)]
struct HeldReply {
    reply: Arc<Reply>,
    /// A document was written since, so the component does not need the reply after the call.
    written: bool,
}

impl Vault {
    /// A session for one instance of the component.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(self.clone())
    }
}

impl Session {
    fn new(vault: Vault) -> Self {
        Self {
            vault,
            documents: Vec::new(),
            replies: VecDeque::new(),
            dead: VecDeque::new(),
            asked: HashMap::new(),
            call: None,
            up_to_date: false,
            calls: 0,
            writes: Writes::default(),
            withheld: None,
        }
    }

    /// The vault of this session.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Begins a call for a token. Forms and results are opened for this call only.
    ///
    /// # Errors
    /// When the policy does not allow its scopes or its tenant. The call has then not begun.
    pub fn begin(&mut self, request: &Request<'_>) -> Result<(), Denied> {
        let credential = self.vault.credential();
        let call = credential.call(request);
        let allowed = credential.check(&call);
        self.call = allowed.is_ok().then(|| Arc::new(call));
        self.calls += 1;
        self.up_to_date = false;
        self.withheld = None;
        self.writes = Writes::default();
        self.forget_the_past();
        allowed
    }

    /// Ends the call: it is over, or another begins that requests no token.
    pub fn end(&mut self) {
        self.call = None;
        self.writes = Writes::default();
        self.forget_the_past();
    }

    /// The credential is closed: the component drops its documents and tokens.
    pub fn forget(&mut self) {
        self.documents.clear();
        self.replies.clear();
        self.dead.clear();
        self.asked.clear();
    }

    /// Keeps the secrets of a document that the component reads, and returns the sealed text.
    ///
    /// # Errors
    /// The place where the document is not UTF-8.
    pub fn hold(&mut self, sealed: Sealed) -> Result<String, NotUtf8> {
        // On a reload the component drops the replies of earlier calls for this document, and so
        // does the vault.
        let (name, calls) = (&*sealed.document.name, self.calls);
        self.replies.retain(|held| *held.reply.document != *name || held.reply.call == calls);
        self.up_to_date |= self.is_of_call(name);
        self.keep(sealed.document);
        sealed.text
    }

    /// Notes that the component was answered that `version` is still the newest.
    pub fn unchanged(&mut self, name: &str, version: &str) {
        let is_held = self.document(name).is_some_and(|newest| *newest.version == *version);
        self.up_to_date |= is_held && self.is_of_call(name);
    }

    fn is_of_call(&self, name: &str) -> bool {
        self.call.as_ref().is_some_and(|call| call.document == name)
    }

    /// The version of the call's document, if the component has read it since the call began.
    #[must_use]
    pub fn version_of_call(&self) -> Option<&str> {
        let call = self.call.as_ref().filter(|_| self.up_to_date)?;
        self.document(&call.document).map(|document| &*document.version)
    }

    /// Counts a try of the component to replace a document.
    ///
    /// # Errors
    /// [`Refused::NothingRedeemed`] outside of a call for a token, and in one that redeemed no
    /// refresh token; [`Refused::TooManyWrites`] when the call has used up its writes or its tries.
    pub fn try_to_write(&mut self) -> Result<(), Refused> {
        self.check_write()?;
        let writes = &mut self.writes;
        if writes.tries >= writes.redemptions * MOST_TRIES {
            return Err(Refused::TooManyWrites);
        }
        writes.tries += 1;
        Ok(())
    }

    /// Whether the present call may write.
    pub(crate) fn check_write(&self) -> Result<(), Refused> {
        let writes = &self.writes;
        if self.call.is_none() || writes.redemptions == 0 {
            return Err(Refused::NothingRedeemed);
        }
        if writes.done >= writes.redemptions { Err(Refused::TooManyWrites) } else { Ok(()) }
    }

    /// Records the outcome of a redemption. `Verdict::Nothing` changes nothing.
    pub(crate) fn note_answer(&mut self, verdict: Verdict, redemption: &Redemption, now: u64) {
        if verdict == Verdict::Nothing {
            return;
        }
        self.writes.redemptions += 1;
        self.asked.insert(redemption.holder.home_account_id.clone(), now);
        if verdict == Verdict::Dead {
            self.note_dead(redemption.redeemed);
        }
    }

    /// Whether an access token of this account had expired when the account's last reply came.
    pub(crate) fn had_expired(&self, home_account_id: &str, expires_on: u64) -> bool {
        self.asked.get(home_account_id).is_some_and(|now| expires_on < *now)
    }

    fn note_dead(&mut self, handle: Handle) {
        if !self.dead.contains(&handle) {
            self.dead.push_back(handle);
        }
        if self.dead.len() > MOST_DEAD {
            self.dead.pop_front();
        }
    }

    pub(crate) fn is_dead(&self, handle: Handle) -> bool {
        self.dead.contains(&handle)
    }

    pub(crate) fn keep_written(&mut self, document: Arc<Document>) {
        self.writes.done += 1;
        for held in self.replies.iter_mut().filter(|held| held.reply.document == document.name) {
            held.written = true;
        }
        self.up_to_date |= self.is_of_call(&document.name);
        self.keep(document);
    }

    fn keep(&mut self, document: Arc<Document>) {
        self.documents.retain(|held| held.name != document.name || held.version != document.version);
        self.documents.push(document);
        let surplus = self.documents.len().saturating_sub(MOST_DOCUMENTS);
        self.documents.drain(..surplus);
    }

    pub(crate) fn keep_reply(&mut self, reply: Reply, now: u64) {
        if self.replies.len() >= MOST_REPLIES {
            self.replies.retain(|held| held.reply.expires_on.is_some_and(|expiry| expiry > now));
        }
        if self.replies.len() >= MOST_REPLIES {
            self.replies.pop_front();
        }
        self.replies.push_back(HeldReply { reply: Arc::new(reply), written: false });
    }

    /// All documents that the component may have handles of.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &Arc<Document>> {
        self.documents.iter().rev()
    }

    /// The newest version of every document.
    pub(crate) fn newest_documents(&self) -> impl Iterator<Item = &Arc<Document>> {
        self.documents()
            .filter(|document| self.document(&document.name).is_some_and(|newest| Arc::ptr_eq(newest, document)))
    }

    /// The newest version of a document.
    pub(crate) fn document(&self, name: &str) -> Option<&Arc<Document>> {
        self.documents().find(|document| *document.name == *name)
    }

    pub(crate) fn version(&self, name: &str, version: &str) -> Result<&Arc<Document>, Refused> {
        let mut documents = self.documents();
        documents
            .find(|document| *document.name == *name && *document.version == *version)
            .ok_or(Refused::StaleDocument)
    }

    pub(crate) fn replies(&self) -> impl Iterator<Item = &Arc<Reply>> {
        self.replies.iter().rev().map(|held| &held.reply)
    }

    /// Indexes the handles of all replies: a document may have millions of strings to look up.
    pub(crate) fn handles_of_replies(&self) -> HashMap<Handle, Vec<&Reply>> {
        let mut handles: HashMap<Handle, Vec<&Reply>> = HashMap::new();
        for reply in self.replies() {
            for handle in reply.handles() {
                handles.entry(handle).or_default().push(reply);
            }
        }
        handles
    }

    /// Whether a document has this handle.
    pub(crate) fn is_in_documents(&self, handle: Handle) -> bool {
        self.documents().any(|document| document.places_of(handle).next().is_some())
    }

    /// Whether an account fits the credential and the policy. `name` is the document with its
    /// entry.
    pub(crate) fn check_account(
        &self,
        kind: Kind,
        name: &str,
        home_account_id: &str,
        environment: &str,
    ) -> Result<(), Refused> {
        let credential = self.vault.credential();
        if !credential.is_cloud(environment) {
            return Err(Refused::WrongCloud(kind));
        }
        let document = self.document(name);
        let accounts_index = document.map(|document| document.accounts_index());
        let in_cloud = |environment: &str| credential.is_cloud(environment);
        let username = accounts_index.and_then(|accounts_index| accounts_index.username(home_account_id, in_cloud));
        let username = username.ok_or(Refused::WrongAccount(kind))?;
        if !credential.selects(home_account_id, username) {
            return Err(Refused::WrongAccount(kind));
        }
        credential.policy.check_account(username, home_account_id)?;
        match document.map(|document| document.chosen(credential)) {
            Some(Chosen::One(id)) if **id == *home_account_id => Ok(()),
            Some(Chosen::Several) => Err(Refused::SeveralAccounts(kind)),
            Some(Chosen::NoAccount) => match self.brokered() {
                Chosen::One(id) if *id == *home_account_id => Ok(()),
                Chosen::Several => Err(Refused::SeveralAccounts(kind)),
                // The call may have removed the refresh token by which the account was chosen.
                Chosen::NoAccount if self.was_chosen(name, home_account_id) => Ok(()),
                _ => Err(Refused::WrongAccount(kind)),
            },
            _ => Err(Refused::WrongAccount(kind)),
        }
    }

    /// Whether a version of the document since the call began selects this account.
    fn was_chosen(&self, name: &str, home_account_id: &str) -> bool {
        let credential = self.vault.credential();
        let versions = self.documents().filter(|document| *document.name == *name);
        let mut chosen = versions.map(|document| document.chosen(credential));
        chosen
            .find(|chosen| **chosen != Chosen::NoAccount)
            .is_some_and(|chosen| matches!(chosen, Chosen::One(id) if **id == *home_account_id))
    }

    /// The accounts that a caller may see: username and home tenant of the accounts in documents
    /// that the policy allows.
    #[must_use]
    pub fn accounts(&self) -> HashSet<(&str, Option<&str>)> {
        let policy = &self.vault.credential().policy;
        let accounts = self.documents().flat_map(|document| document.accounts_index().all());
        accounts
            .filter(|(id, username)| policy.check_account(username, id).is_ok())
            .map(|(id, username)| (username, home_tenant(id)))
            .collect()
    }

    /// The usernames of accounts in documents that the policy hides. Empty for an account without
    /// one.
    pub fn hidden_usernames(&self) -> impl Iterator<Item = &str> {
        let policy = &self.vault.credential().policy;
        let accounts = self.documents().flat_map(|document| document.accounts_index().all());
        accounts.filter(|(id, username)| policy.check_account(username, id).is_err()).map(|(_, username)| username)
    }

    /// Drops older versions of documents, and the replies that were stored. The component keeps
    /// neither between calls.
    fn forget_the_past(&mut self) {
        let names: Vec<Box<str>> = self.documents.iter().map(|document| document.name.clone()).collect();
        let mut position = 0;
        self.documents.retain(|document| {
            position += 1;
            !names.iter().skip(position).any(|newer| *newer == document.name)
        });
        self.replies.retain(|held| !held.written);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({} documents, {} replies)", self.documents.len(), self.replies.len())
    }
}
