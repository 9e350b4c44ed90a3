//! The ways in which Envoy gets a token.

/// One of them. Its name is that of its example in `examples/envoy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leg {
    /// SDS: the agent pushes the token over gRPC.
    Sds,
    /// File SDS: the agent writes the token to a file.
    FileSds,
    /// Dynamic module: a module in Envoy gets the token itself.
    DynamicModule,
}

impl Leg {
    pub(crate) const ALL: [Self; 3] = [Self::Sds, Self::FileSds, Self::DynamicModule];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sds => "sds",
            Self::FileSds => "file-sds",
            Self::DynamicModule => "dynamic-module",
        }
    }

    /// The example's file, relative to the repository's root.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Sds => "examples/envoy/sds.yaml",
            Self::FileSds => "examples/envoy/file-sds.yaml",
            Self::DynamicModule => "examples/envoy/dynamic-module.yaml",
        }
    }

    pub(crate) fn has_agent(self) -> bool {
        self != Self::DynamicModule
    }

    /// The first line of the filter that injects, in the example.
    pub(crate) fn filter(self) -> &'static str {
        match self {
            Self::Sds | Self::FileSds => "- name: envoy.filters.http.credential_injector",
            Self::DynamicModule => "- name: envoy.extensions.filters.http.dynamic_modules",
        }
    }

    /// The name of one of the filter's counters, under the example's cluster.
    pub(crate) fn counter(self, name: &str) -> String {
        match self {
            Self::Sds | Self::FileSds => format!("cluster.vault.credential_injector.{name}"),
            Self::DynamicModule => format!("cluster.vault.dynamicmodulescustom.{name}"),
        }
    }
}
