use shared_token_cache_core::{
    CacheDocument, FormReply, FormRequest, HttpsError, LogLevel, Platform, ReadError, ReadOutcome, Settings, WriteError,
};

use crate::wit::{cache_file, clock, https, log};

/// The core's platform, implemented by the component's imports.
pub(crate) struct Host;

impl Platform for Host {
    fn read_cache(&mut self, name: &str, known: Option<&str>) -> Result<ReadOutcome, ReadError> {
        match cache_file::read(name, known) {
            Ok(cache_file::ReadOutcome::Unchanged) => Ok(ReadOutcome::Unchanged),
            Ok(cache_file::ReadOutcome::Document(document)) => Ok(ReadOutcome::Document(CacheDocument {
                version: document.version,
                content: document.content,
                unencrypted: document.unencrypted,
            })),
            Err(error) => Err(error.into()),
        }
    }

    fn replace_cache(&mut self, name: &str, expected: &str, document: &str) -> Result<String, WriteError> {
        cache_file::replace(name, expected, document).map_err(Into::into)
    }

    fn shared_cache_supported(&mut self) -> bool {
        cache_file::supported()
    }

    fn post_form(&mut self, request: &FormRequest) -> Result<FormReply, HttpsError> {
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let form: Vec<_> =
            request.form.iter().map(|(name, value)| ((*name).to_owned(), value.expose().to_owned())).collect();
        match https::post_form(&request.url, &headers, &form) {
            Ok(https::Response { status, body }) => Ok(FormReply { status, body }),
            Err(error) => Err(error.into()),
        }
    }

    fn settings(&mut self) -> Settings {
        let https::Settings { default_authority_host, disable_multitenant_authentication, agent_session_key } =
            https::get_settings();
        Settings { default_authority_host, disable_multitenant_authentication, agent_session_key }
    }

    fn close_idle_connections(&mut self) {
        https::close_idle_connections();
    }

    fn now(&mut self) -> u64 {
        clock::now()
    }

    fn log(&mut self, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Debug => log::Level::Debug,
            LogLevel::Info => log::Level::Info,
            LogLevel::Warn => log::Level::Warn,
        };
        log::write(level, message);
    }
}
