//! Resources that are asked for often, under short names.

use clap::ValueEnum;

/// `--preset`, and the end of a name that the program is called by.
#[allow(rustdoc::bare_urls, reason = "the help of the command shows these texts as they are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// Azure Resource Manager: https://management.azure.com/.default
    Arm,
    /// Microsoft Graph: https://graph.microsoft.com/.default
    Graph,
    /// Key Vault: https://vault.azure.net/.default
    Vault,
    /// Storage: https://storage.azure.com/.default
    Storage,
    /// Azure DevOps: 499b84ac-1321-427f-aa17-267ca6975798/.default
    Devops,
    /// Azure OpenAI and other AI services: https://cognitiveservices.azure.com/.default
    Openai,
    /// Microsoft Foundry: https://ai.azure.com/.default
    Foundry,
    /// Container registries: https://containerregistry.azure.net/.default
    Acr,
    /// Azure Database for PostgreSQL: https://ossrdbms-aad.database.windows.net/.default
    Postgres,
    /// Azure Database for MySQL: https://ossrdbms-aad.database.windows.net/.default
    Mysql,
    /// The API server of Azure Kubernetes Service: 6dae42f8-4368-4678-94ff-3960e28e3630/.default
    Aks,
}

impl Preset {
    /// The scope of the public cloud.
    pub(super) fn scope(self) -> &'static str {
        match self {
            Self::Arm => "https://management.azure.com/.default",
            Self::Graph => "https://graph.microsoft.com/.default",
            Self::Vault => "https://vault.azure.net/.default",
            Self::Storage => "https://storage.azure.com/.default",
            Self::Devops => "499b84ac-1321-427f-aa17-267ca6975798/.default",
            Self::Openai => "https://cognitiveservices.azure.com/.default",
            Self::Foundry => "https://ai.azure.com/.default",
            Self::Acr => "https://containerregistry.azure.net/.default",
            Self::Postgres | Self::Mysql => "https://ossrdbms-aad.database.windows.net/.default",
            Self::Aks => "6dae42f8-4368-4678-94ff-3960e28e3630/.default",
        }
    }
}

/// The scope of all permissions of a resource. The resource is not changed: a trailing slash is
/// part of some tokens' audience, so the scope then has two.
pub(super) fn scope_of(resource: &str) -> String {
    format!("{resource}/.default")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_of_a_preset_names_its_scope() {
        for preset in Preset::value_variants() {
            let value = preset.to_possible_value().unwrap();
            let help = value.get_help().unwrap().to_string();
            assert!(help.ends_with(&format!(": {}", preset.scope())), "{help}");
        }
    }

    #[test]
    fn a_slash_at_the_end_of_a_resource_stays() {
        assert_eq!(scope_of("https://vault.azure.net"), "https://vault.azure.net/.default");
        assert_eq!(scope_of("https://management.core.windows.net/"), "https://management.core.windows.net//.default");
        assert_eq!(scope_of("499b84ac-1321-427f-aa17-267ca6975798"), "499b84ac-1321-427f-aa17-267ca6975798/.default");
    }
}
