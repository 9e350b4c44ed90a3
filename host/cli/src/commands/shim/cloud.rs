//! The clouds of the Azure CLI (its `cloud.py`).

/// The names and resources of a cloud.
#[derive(Debug)]
pub(super) struct Cloud {
    name: &'static str,
    pub(super) authority: &'static str,
    pub(super) arm: &'static str,
    aad_graph: &'static str,
    ms_graph: &'static str,
    batch: &'static str,
    data_lake: Option<&'static str>,
    media: &'static str,
    oss_rdbms: &'static str,
}

/// The built-in clouds of the Azure CLI. Requests in other clouds are passed to it.
const CLOUDS: [Cloud; 3] = [
    Cloud {
        name: "AzureCloud",
        authority: "login.microsoftonline.com",
        arm: "https://management.core.windows.net/",
        aad_graph: "https://graph.windows.net/",
        ms_graph: "https://graph.microsoft.com/",
        batch: "https://batch.core.windows.net/",
        data_lake: Some("https://datalake.azure.net/"),
        media: "https://rest.media.azure.net",
        oss_rdbms: "https://ossrdbms-aad.database.windows.net",
    },
    Cloud {
        name: "AzureChinaCloud",
        authority: "login.chinacloudapi.cn",
        arm: "https://management.core.chinacloudapi.cn/",
        aad_graph: "https://graph.chinacloudapi.cn/",
        ms_graph: "https://microsoftgraph.chinacloudapi.cn",
        batch: "https://batch.chinacloudapi.cn/",
        data_lake: None,
        media: "https://rest.media.chinacloudapi.cn",
        oss_rdbms: "https://ossrdbms-aad.database.chinacloudapi.cn",
    },
    Cloud {
        name: "AzureUSGovernment",
        authority: "login.microsoftonline.us",
        arm: "https://management.core.usgovcloudapi.net/",
        aad_graph: "https://graph.microsoftazure.us/",
        ms_graph: "https://graph.microsoft.us/",
        batch: "https://batch.core.usgovcloudapi.net/",
        data_lake: None,
        media: "https://rest.media.usgovcloudapi.net",
        oss_rdbms: "https://ossrdbms-aad.database.usgovcloudapi.net",
    },
];

impl Cloud {
    /// The public cloud.
    pub(super) fn public() -> &'static Self {
        let [public, ..] = &CLOUDS;
        public
    }

    /// The Azure CLI's name of it.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        CLOUDS.iter().find(|cloud| cloud.name.eq_ignore_ascii_case(name))
    }

    /// The resource of `--resource-type`.
    pub(super) fn resource(&self, kind: &str) -> Option<&'static str> {
        match kind {
            "arm" => Some(self.arm),
            "aad-graph" => Some(self.aad_graph),
            "ms-graph" => Some(self.ms_graph),
            "batch" => Some(self.batch),
            "data-lake" => self.data_lake,
            "media" => Some(self.media),
            "oss-rdbms" => Some(self.oss_rdbms),
            _ => None,
        }
    }
}
