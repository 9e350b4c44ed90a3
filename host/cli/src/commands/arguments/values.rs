//! Values of options: how each is read from the command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use shared_token_cache::policy::{InvalidValue, ProfileName, Source};
use shared_token_cache_entra::scope::is_token;

use crate::agent::TokenFile;

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::commands) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Reads `--color` without parsing the command line, which may be invalid as a whole.
    pub(in crate::commands) fn asked_for(arguments: &[OsString]) -> Self {
        let forms = [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
        let is = |word: &str| {
            arguments.windows(2).any(|pair| pair == ["--color", word])
                || arguments.iter().any(|argument| argument == format!("--color={word}").as_str())
        };
        forms.into_iter().find(|(word, _)| is(word)).map_or(Self::Auto, |(_, color)| color)
    }
}

/// `--source`.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Sources(pub(in crate::commands) Vec<Source>);

impl FromStr for Sources {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self(vec![Source::Shared, Source::AzureCli]));
        }
        let source =
            match text.parse().map_err(|problem: InvalidValue| format!("{problem}, or `auto` for the first two"))? {
                Source::File(path) => Source::File(std::path::absolute(path).map_err(|error| error.to_string())?),
                source => source,
            };
        Ok(Self(vec![source]))
    }
}

/// `--sds`: the path of a socket.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Socket(pub(in crate::commands) PathBuf);

impl FromStr for Socket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            _ if cfg!(not(unix)) => Err("there are no Unix sockets here; use --token-file".into()),
            Some(path) if !path.is_empty() => Ok(Self(path.strip_prefix("//").unwrap_or(path).into())),
            Some(_) | None => Err("write it as `unix:` and the path of a socket".into()),
        }
    }
}

pub(super) fn metrics_address(text: &str) -> Result<SocketAddr, String> {
    let on_loopback = match text.strip_prefix("localhost").unwrap_or(text).strip_prefix(':') {
        Some(port) if !port.contains(':') => Some(format!("127.0.0.1:{port}")),
        Some(_) | None => None,
    };
    let address = on_loopback.as_deref().unwrap_or(text).parse();
    address.map_err(|_| "write it as an address and a port, such as 127.0.0.1:9464 or [::1]:9464".to_owned())
}

pub(super) fn token_file(text: &str) -> Result<TokenFile, String> {
    match text.split_once('=') {
        Some((profile, path)) if !path.is_empty() => {
            Ok(TokenFile { profile: profile.parse::<ProfileName>()?, path: path.into() })
        }
        Some(_) | None => Err("write it as the profile's name, `=`, and a path".into()),
    }
}

/// How a token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::commands) enum TokenForm {
    /// A JSON object; errors are JSON objects too.
    Json,
    /// The bare token.
    Token,
    /// The bare token as JSON.
    #[value(skip)]
    Quoted,
    /// An HTTP header field: `Authorization: Bearer …`.
    Header,
    /// A JSON object whose values are all strings, as the data source `external` of Terraform reads it.
    #[value(alias = "terraform")]
    Strings,
    /// What `az account get-access-token` prints.
    Az,
    /// What `azd auth token --output json` prints.
    Azd,
    /// What an exec plugin of kubectl prints, in the version that KUBERNETES_EXEC_INFO asks for.
    ExecCredential,
    /// A line of an environment file: `AZURE_ACCESS_TOKEN=…`.
    Env,
}

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::commands) enum ListForm {
    /// A line each.
    Text,
    /// A JSON object; errors are JSON objects too.
    Json,
}

/// How an error is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum ErrorForm {
    Json,
    Text,
}

impl ErrorForm {
    /// Reads the form of errors from a command line that does not parse as a whole.
    pub(in crate::commands) fn asked_for(arguments: impl Iterator<Item = OsString>) -> Self {
        let arguments: Vec<_> = arguments.collect();
        let two_words = arguments.windows(2).any(|pair| pair == ["--output", "json"]);
        if two_words || arguments.iter().any(|argument| argument == "--output=json") { Self::Json } else { Self::Text }
    }
}

/// `--resource`: a part of a scope.
pub(in crate::commands) fn resource(text: &str) -> Result<String, String> {
    if is_token(text) {
        Ok(text.to_owned())
    } else {
        Err("write it as one text of visible ASCII, such as https://vault.azure.net".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_absolutely() {
        let Sources(sources) = "file:cache.json".parse().unwrap();
        assert!(matches!(sources.as_slice(), [Source::File(path)] if path.is_absolute()));
        assert!("keyring".parse::<Sources>().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_is_a_path_behind_its_scheme() {
        for text in ["unix:/run/x/sds.sock", "unix:///run/x/sds.sock"] {
            assert_eq!(text.parse::<Socket>().unwrap().0, PathBuf::from("/run/x/sds.sock"), "{text}");
        }
        for text in ["/run/x/sds.sock", "unix:", "127.0.0.1:1", ""] {
            assert!(text.parse::<Socket>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_metrics_are_at_an_address_and_without_one_on_loopback() {
        for (text, address) in [
            ("127.0.0.1:9464", "127.0.0.1:9464"),
            ("localhost:9464", "127.0.0.1:9464"),
            (":9464", "127.0.0.1:9464"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::1]:9464", "[::1]:9464"),
        ] {
            assert_eq!(metrics_address(text).unwrap(), address.parse().unwrap(), "{text}");
        }
        for text in ["9464", "localhost", ":", "localhost:", "::9464", "localhost:x", "host:9464", ":70000", ""] {
            assert!(metrics_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_file_is_a_profile_and_a_path() {
        let file = token_file("entra/graph=/run/x/a=b").unwrap();
        assert_eq!((file.profile.as_str(), file.path), ("entra/graph", PathBuf::from("/run/x/a=b")));
        for text in ["entra/graph", "entra/graph=", "=/x", "a b=/x", ""] {
            assert!(token_file(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_resource_is_one_text() {
        assert_eq!(resource("https://management.core.windows.net/").unwrap(), "https://management.core.windows.net/");
        for text in ["", " ", "https://vault.azure.net x", "a\nb", "\u{e9}"] {
            assert!(resource(text).is_err(), "{text:?}");
        }
    }
}
