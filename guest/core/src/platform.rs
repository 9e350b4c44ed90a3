use shared_token_cache_entra::Secret;

/// The host's functions, one for each import of the component. Tests implement them with fakes.
pub trait Platform {
    /// Reads the document `name`, for example `msal.cache.nocae`, unless it is still at version
    /// `known`.
    ///
    /// # Errors
    /// When there is no document, or it may not or cannot be read.
    fn read_cache(&mut self, name: &str, known: Option<&str>) -> Result<ReadOutcome, ReadError>;

    /// Replaces the document `name` if it is still at version `expected`; gives the new version.
    ///
    /// # Errors
    /// When it was not replaced. The stored document is then unchanged.
    fn replace_cache(&mut self, name: &str, expected: &str, document: &str) -> Result<String, WriteError>;

    /// Whether the platform has a shared token cache.
    fn shared_cache_supported(&mut self) -> bool;

    /// Posts a form to a token endpoint.
    ///
    /// # Errors
    /// When there is no usable response.
    fn post_form(&mut self, request: &FormRequest) -> Result<FormReply, HttpsError>;

    /// The host's settings for every credential.
    fn settings(&mut self) -> Settings;

    /// Closes connections that are kept for later requests.
    fn close_idle_connections(&mut self);

    /// Seconds since the Unix epoch.
    fn now(&mut self) -> u64;

    /// Writes a line to the log. `message` holds no secret.
    fn log(&mut self, level: LogLevel, message: &str);
}

/// The result of a read.
#[derive(Debug, Clone)]
pub enum ReadOutcome {
    /// The document is still at the known version.
    Unchanged,
    /// The document as it is now.
    Document(CacheDocument),
}

/// A document and the version that names its state.
#[derive(Clone)]
pub struct CacheDocument {
    /// Changes whenever the document does.
    pub version: String,
    /// The document.
    pub content: String,
    /// Where it is stored in plain text, for a message; `None` when it is encrypted.
    pub unencrypted: Option<String>,
}

impl CacheDocument {
    /// The text of a document, for platforms that hold its bytes.
    ///
    /// # Errors
    /// [`ReadError::NotUtf8`].
    pub fn text(content: Vec<u8>) -> Result<String, ReadError> {
        String::from_utf8(content).map_err(|error| {
            let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
            let column = valid.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
            let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
            ReadError::NotUtf8 { line: number(line), column: number(column) }
        })
    }
}

impl std::fmt::Debug for CacheDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheDocument")
            .field("version", &self.version)
            .field("length", &self.content.len())
            .field("unencrypted", &self.unencrypted)
            .finish()
    }
}

/// Why a document can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// There is no such document. The text says where it was looked for.
    NotFound(String),
    /// The policy forbids it.
    Denied(String),
    /// The store failed.
    Failed(String),
    /// Its bytes are not UTF-8 from this position on.
    NotUtf8 {
        /// Line, from 1.
        line: u32,
        /// Column in bytes, from 1.
        column: u32,
    },
}

/// Why a document was not replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// It is no longer at the expected version.
    Conflict,
    /// Another program holds its lock.
    Locked,
    /// The policy forbids it.
    Denied(String),
    /// The store failed.
    Failed(String),
}

/// A form for a token endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct FormRequest {
    /// The token endpoint.
    pub url: String,
    /// Header fields.
    pub headers: Vec<(&'static str, String)>,
    /// The form's fields in order; any of them may hold a secret.
    pub form: Vec<(&'static str, Secret)>,
}

impl std::fmt::Debug for FormRequest {
    /// Prints names only, because a header holds the account's id and the form holds secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |pairs: &mut dyn Iterator<Item = &'static str>| pairs.collect::<Vec<_>>();
        f.debug_struct("FormRequest")
            .field("url", &self.url)
            .field("headers", &names(&mut self.headers.iter().map(|(name, _)| *name)))
            .field("form", &names(&mut self.form.iter().map(|(name, _)| *name)))
            .finish()
    }
}

/// A token endpoint's response.
#[derive(Clone, PartialEq, Eq)]
pub struct FormReply {
    /// The HTTP status code.
    pub status: u16,
    /// The body, with U+FFFD in place of bytes that are not UTF-8.
    pub body: String,
}

impl std::fmt::Debug for FormReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FormReply").field("status", &self.status).field("length", &self.body.len()).finish()
    }
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpsError {
    /// The policy forbids the request.
    Denied(String),
    /// No response in time.
    Timeout(String),
    /// No connection, or it broke.
    Unreachable(String),
    /// There is a response, but it can't be used.
    BadResponse(String),
}

/// The host's settings for every credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The authority of credentials whose options name none.
    pub default_authority_host: String,
    /// Whether every request goes to the configured tenant.
    pub disable_multitenant_authentication: bool,
    /// The `ext_cache_key` of the host's agent session. Tokens are found and stored only under it.
    /// The host adds the session to each request.
    pub agent_session_key: Option<String>,
}

/// The level of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// For a developer of the credential.
    Debug,
    /// For a user who diagnoses a failure.
    Info,
    /// A problem that did not make the call fail.
    Warn,
}
