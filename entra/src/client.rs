//! Applications.

/// The Azure CLI's public client, the default client of a credential. azure-identity calls it the
/// developer sign-on client.
pub const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
