//! The environment variables by which clients find the endpoint.

use std::fmt::Write as _;

use clap::ValueEnum;
use zeroize::Zeroizing;

use super::app_service;
use super::key::Key;
use super::{HttpHost, KEY_PATH};

/// How variables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// `export NAME='VALUE'` lines, for a shell.
    Sh,
    /// `NAME=VALUE` lines, for `docker run --env-file` and `env_file` of a compose file.
    Docker,
    /// The key `environment` of a service in a compose file.
    Compose,
    /// The key `containerEnv` of a `devcontainer.json`.
    Devcontainer,
}

/// The address of the endpoint for clients.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) scheme: &'static str,
    /// With its port.
    pub(crate) host: HttpHost,
    /// The certificate for azd to pin.
    pub(crate) certificate: Option<String>,
    pub(crate) key_in_path: bool,
}

/// Variables with a client's key in them.
pub(crate) struct Environment(Vec<(&'static str, Zeroizing<String>)>);

impl Environment {
    /// The variables of a client. `no_proxy` lists the hosts that are already excluded from
    /// proxies.
    pub(crate) fn new(place: &Place, key: &Key, no_proxy: Option<&str>) -> Self {
        let base = format!("{}://{}", place.scheme, place.host);
        let endpoint = format!("{base}{}", app_service::PATH);
        let key = || Zeroizing::new(key.expose().to_owned());
        let plain = |text: &str| Zeroizing::new(text.to_owned());
        let no_proxy = without_proxy(no_proxy, place.host.bare());
        let mut variables = vec![
            ("IDENTITY_ENDPOINT", plain(&endpoint)),
            ("IDENTITY_HEADER", key()),
            // Older clients read only these two; all others read the first two before.
            ("MSI_ENDPOINT", plain(&endpoint)),
            ("MSI_SECRET", key()),
            ("AZD_AUTH_ENDPOINT", plain(&base)),
            ("AZD_AUTH_KEY", key()),
            ("AZURE_TOKEN_CREDENTIALS", plain("ManagedIdentityCredential")),
            ("NO_PROXY", plain(&no_proxy)),
            ("no_proxy", plain(&no_proxy)),
        ];
        if let Some(certificate) = &place.certificate {
            variables.push(("AZD_AUTH_CERT", plain(certificate)));
        }
        if place.key_in_path {
            let url = Zeroizing::new(format!("{base}{KEY_PATH}{}{}", &*key(), app_service::PATH));
            variables.push(("ARM_USE_MSI", plain("true")));
            variables.push(("ARM_MSI_ENDPOINT", url));
            variables.push(("ARM_MSI_API_VERSION", plain("2019-08-01")));
        }
        Self(variables)
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The text in a form. No value needs an escape: keys are hexadecimal, and hosts and
    /// certificates have neither quotes nor blanks.
    pub(crate) fn text(&self, form: Form) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(16 << 10));
        let mut variables = self.iter().peekable();
        match form {
            Form::Compose => text.push_str("environment:\n"),
            Form::Devcontainer => text.push_str("{\n  \"containerEnv\": {\n"),
            Form::Sh | Form::Docker => {}
        }
        while let Some((name, value)) = variables.next() {
            let comma = if variables.peek().is_some() { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = match form {
                Form::Sh => writeln!(text, "export {name}='{value}'"),
                Form::Docker => writeln!(text, "{name}={value}"),
                Form::Compose => writeln!(text, "  {name}: \"{value}\""),
                Form::Devcontainer => writeln!(text, "    \"{name}\": \"{value}\"{comma}"),
            };
        }
        if form == Form::Devcontainer {
            text.push_str("  }\n}\n");
        }
        text
    }
}

/// Adds the host to `NO_PROXY`: otherwise clients send their requests, keys included, to the proxy
/// of `HTTP_PROXY`.
fn without_proxy(so_far: Option<&str>, host: &str) -> String {
    let so_far = so_far.unwrap_or_default().split(',').map(str::trim).filter(|host| !host.is_empty());
    let mut hosts: Vec<&str> = Vec::new();
    for host in so_far.chain(["localhost", "127.0.0.1", host]) {
        if !hosts.contains(&host) && !hosts.contains(&"*") {
            hosts.push(host);
        }
    }
    hosts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_without_a_proxy_are_added_once() {
        for (so_far, expected) in [
            (None, "localhost,127.0.0.1,x"),
            (Some(""), "localhost,127.0.0.1,x"),
            (Some("contoso.com, localhost"), "contoso.com,localhost,127.0.0.1,x"),
            (Some("contoso.com,fabrikam.com,contoso.com"), "contoso.com,fabrikam.com,localhost,127.0.0.1,x"),
            (Some("*"), "*"),
        ] {
            assert_eq!(without_proxy(so_far, "x"), expected);
        }
        assert_eq!(without_proxy(None, "127.0.0.1"), "localhost,127.0.0.1");
    }
}
