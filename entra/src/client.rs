//! Applications.

/// The Azure CLI's public client, which azure-identity calls the developer sign-on client: the client of a credential that names
/// none.
pub const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
