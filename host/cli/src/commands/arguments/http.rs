use std::path::PathBuf;

use clap::Args;

use crate::agent::http::{Address, Form, Granted, HttpHost};

/// `serve --http`.
#[derive(Debug, Args)]
pub(in crate::commands) struct Http {
    /// Address on loopback, or Unix socket, at which Azure clients get tokens as from a managed identity; port 0 is any free one. May
    /// be given several times.
    #[arg(long = "http", value_name = "ADDRESS:PORT|unix:PATH", requires = "http_clients")]
    pub(in crate::commands) http: Vec<Address>,

    /// Client of the HTTP endpoint, and the profiles whose tokens it may have. It gets a key of its own; may be given several times.
    #[arg(long = "http-client", value_name = "NAME=PROFILE[,PROFILE…]", requires = "http")]
    pub(in crate::commands) http_clients: Vec<Granted>,

    /// Folder for the keys, each in a file `NAME.key`. Removing a file revokes its key. By default a folder in `XDG_RUNTIME_DIR`.
    #[arg(long, value_name = "FOLDER", requires = "http")]
    pub(in crate::commands) http_keys: Option<PathBuf>,

    /// Further host name under which clients call the endpoint, such as `host.docker.internal`, with a port where it is another one;
    /// may be given several times.
    #[arg(long = "http-host", value_name = "HOST[:PORT]", requires = "http")]
    pub(in crate::commands) http_hosts: Vec<HttpHost>,

    /// Allow an address of `--http` that is not on loopback, so that other machines may reach it.
    #[arg(long, requires = "http")]
    pub(in crate::commands) http_allow_non_loopback: bool,

    /// Certificate chain of the HTTP endpoint, which then speaks TLS only.
    #[arg(long, value_name = "PEM", requires_all = ["http", "http_tls_key"])]
    pub(in crate::commands) http_tls_cert: Option<PathBuf>,

    /// Private key of the certificate.
    #[arg(long, value_name = "PEM", requires = "http_tls_cert")]
    pub(in crate::commands) http_tls_key: Option<PathBuf>,

    /// Take keys in the path of a URL too, for Terraform. Proxies and logs on the way then see the key.
    #[arg(long, requires = "http")]
    pub(in crate::commands) http_key_in_path: bool,

    /// Print the variables that a container needs, with the key, for the only client of the HTTP endpoint.
    #[arg(long, value_enum, value_name = "FORM", requires = "http")]
    pub(in crate::commands) print_env: Option<Form>,
}
