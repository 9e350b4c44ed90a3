//! The core without a sandbox: what a program would pay that linked it.

use std::fs;
use std::path::PathBuf;

use shared_token_cache_core::{
    CacheDocument, FormReply, FormRequest, HttpsError, LogLevel, Platform, ReadError, ReadOutcome, Settings, WriteError,
};
use shared_token_cache_tests::home::{AUTHORITY, now};

/// A cache file, looked at before each call as the host does.
pub(crate) struct Native(pub(crate) PathBuf);

impl Native {
    fn version(&self) -> Option<String> {
        let metadata = fs::symlink_metadata(&self.0).ok()?;
        Some(format!("{:?}.{:x}", metadata.modified().ok()?, metadata.len()))
    }
}

impl Platform for Native {
    fn read_cache(&mut self, _: &str, known: Option<&str>) -> Result<ReadOutcome, ReadError> {
        let version = self.version().ok_or_else(|| ReadError::NotFound("file".into()))?;
        if known == Some(version.as_str()) {
            return Ok(ReadOutcome::Unchanged);
        }
        let content = fs::read_to_string(&self.0).map_err(|error| ReadError::Failed(error.to_string()))?;
        Ok(ReadOutcome::Document(CacheDocument { version, content, unencrypted: None }))
    }

    fn replace_cache(&mut self, _: &str, _: &str, _: &str) -> Result<String, WriteError> {
        Err(WriteError::Denied("a bench writes nothing".into()))
    }

    fn shared_cache_supported(&mut self) -> bool {
        true
    }

    fn post_form(&mut self, _: &FormRequest) -> Result<FormReply, HttpsError> {
        Err(HttpsError::Denied("a bench sends no request".into()))
    }

    fn settings(&mut self) -> Settings {
        Settings {
            default_authority_host: AUTHORITY.into(),
            disable_multitenant_authentication: false,
            agent_session_key: None,
        }
    }

    fn close_idle_connections(&mut self) {}

    fn now(&mut self) -> u64 {
        now()
    }

    fn log(&mut self, _: LogLevel, _: &str) {}
}
