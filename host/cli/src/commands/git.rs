//! `git-credential`: a credential helper of git for Azure DevOps.

use std::io::{BufRead as _, Read as _};
use std::process::ExitCode;

use zeroize::Zeroizing;

use super::arguments::GitCredential;
use super::forms::Token;
use super::helper;
use super::output::{Failure, print_secret};
use super::presets::Preset;

/// The largest request that is read.
const LARGEST: u64 = 64 * 1024;

/// The request of git, with one attribute per line (git-credential(1), "INPUT/OUTPUT FORMAT").
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    protocol: String,
    host: String,
    username: Option<String>,
    /// Whether git supports the fields of a Bearer token. Otherwise it would drop them silently.
    takes_bearer: bool,
}

pub(super) async fn run(arguments: GitCredential) -> Result<ExitCode, Failure> {
    // `store` and `erase` do nothing: tokens stay in the cache, and the authority revokes them.
    if arguments.operation != "get" {
        return Ok(ExitCode::SUCCESS);
    }
    let request = read(std::io::stdin().lock().take(LARGEST)).map_err(Failure::other)?;
    if !request.is_of_azure_devops() {
        return Ok(ExitCode::SUCCESS);
    }
    let token = helper::token(arguments.with, Preset::Devops).await?;
    print_secret(&answer(&request, &token))?;
    Ok(ExitCode::SUCCESS)
}

fn read(input: impl std::io::Read) -> std::io::Result<Request> {
    let mut request = Request::default();
    for line in std::io::BufReader::new(input).lines() {
        let line = Zeroizing::new(line?);
        match line.trim_end_matches('\r').split_once('=') {
            Some(("protocol", value)) => value.clone_into(&mut request.protocol),
            Some(("host", value)) => value.clone_into(&mut request.host),
            Some(("username", value)) if !value.is_empty() => request.username = Some(value.to_owned()),
            Some(("capability[]", "authtype")) => request.takes_bearer = true,
            Some(_) => {}
            // An empty line ends the request.
            None => break,
        }
    }
    Ok(request)
}

impl Request {
    /// Restricts the token to Azure DevOps, over HTTPS only.
    fn is_of_azure_devops(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        let organization = host.strip_suffix(".visualstudio.com");
        let is_label =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        self.protocol == "https" && (host == "dev.azure.com" || organization.is_some_and(is_label))
    }
}

fn answer(request: &Request, Token { token, expires_on, .. }: &Token) -> Zeroizing<Vec<u8>> {
    let mut lines = Zeroizing::new(Vec::with_capacity(token.expose().len() + 512));
    let username = request.username.as_deref().unwrap_or("token");
    let first = if request.takes_bearer {
        "capability[]=authtype\nauthtype=Bearer\nephemeral=1\ncredential=".to_owned()
    } else {
        format!("username={username}\npassword=")
    };
    for part in [first.as_str(), token.expose(), &format!("\npassword_expiry_utc={expires_on}\n")] {
        lines.extend_from_slice(part.as_bytes());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Request {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_request_ends_with_an_empty_line() {
        let text = "capability[]=authtype\nprotocol=https\r\nhost=dev.azure.com\nusername=contoso\npath=x=y\n\nhost=evil.example\n";
        let expected = Request {
            protocol: "https".into(),
            host: "dev.azure.com".into(),
            username: Some("contoso".into()),
            takes_bearer: true,
        };
        assert_eq!(request(text), expected);
    }

    #[test]
    fn a_token_goes_to_azure_devops_only() {
        for (protocol, host, expected) in [
            ("https", "dev.azure.com", true),
            ("https", "Contoso.VisualStudio.com", true),
            ("http", "dev.azure.com", false),
            ("https", "dev.azure.com:8443", false),
            ("https", "dev.azure.com.evil.example", false),
            ("https", "evil.example", false),
            ("https", ".visualstudio.com", false),
            ("https", "a.b.visualstudio.com", false),
            ("https", "evilvisualstudio.com", false),
            ("https", "github.com", false),
            ("", "", false),
        ] {
            let request = request(&format!("protocol={protocol}\nhost={host}\n\n"));
            assert_eq!(request.is_of_azure_devops(), expected, "{protocol}://{host}");
        }
    }
}
