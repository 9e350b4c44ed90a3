//! Detects that an authority granted scopes of another resource than the requested one.
//!
//! A resource may have several names, and authorities rename scopes. So another resource is certain
//! only where both sides name resources by `https` URLs whose hosts are not known to belong to one
//! resource.

use shared_token_cache_entra::scope::is_of_openid_connect;

/// Hosts that name one resource, each including its subdomains.
const SAME: [&[&str]; 6] = [
    // Azure Resource Manager.
    &["management.azure.com", "management.core.windows.net"],
    &["management.usgovcloudapi.net", "management.core.usgovcloudapi.net"],
    &["management.chinacloudapi.cn", "management.core.chinacloudapi.cn"],
    // Azure Storage: the accounts are resources of one application.
    &[
        "storage.azure.com",
        "blob.core.windows.net",
        "dfs.core.windows.net",
        "file.core.windows.net",
        "queue.core.windows.net",
        "table.core.windows.net",
    ],
    // Exchange Online.
    &["outlook.office.com", "outlook.office365.com"],
    // SharePoint: each tenant has a host.
    &["sharepoint.com"],
];

/// A resource named by a URL.
struct Resource {
    host: String,
    /// The path without outer slashes. It is part of the name.
    path: String,
}

/// The granted scopes that name a resource, if none of them can be of a requested resource.
pub(crate) fn elsewhere(granted: &str, asked: &[String]) -> Option<Vec<String>> {
    let asked = asked.iter().filter(|scope| !is_of_openid_connect(scope));
    let asked: Vec<Resource> = asked.map(|scope| Resource::of(scope)).collect::<Option<_>>()?;
    let mut scopes = Vec::new();
    for scope in granted.split_whitespace().filter(|scope| !is_of_openid_connect(scope)) {
        match Resource::of(scope) {
            Some(resource) if asked.iter().any(|asked| asked.may_be(&resource)) => return None,
            Some(_) => scopes.push(scope.to_owned()),
            // An application's id, or `api://…`, may be another name of the requested resource.
            None if scope.contains('/') => return None,
            // A permission without a resource belongs to the resource that the other scopes name.
            None => {}
        }
    }
    (!asked.is_empty() && !scopes.is_empty()).then_some(scopes)
}

impl Resource {
    fn of(scope: &str) -> Option<Self> {
        let scope = scope.to_ascii_lowercase();
        let (_, name) = scope.split_once("://").filter(|(scheme, _)| ["https", "http"].contains(scheme))?;
        let (host, rest) = name.split_once('/').unwrap_or((name, ""));
        let (path, _) = rest.rsplit_once('/').unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().trim_end_matches('.');
        (!host.is_empty()).then(|| Self { host: host.to_owned(), path: path.trim_matches('/').to_owned() })
    }

    /// Whether both names may mean one resource.
    fn may_be(&self, other: &Self) -> bool {
        if self.host == other.host {
            return is_below(&self.path, &other.path) || is_below(&other.path, &self.path);
        }
        let below = |host: &str, parent: &str| host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
        let is_of = |host: &str, group: &[&str]| group.iter().any(|name| host == *name || below(host, name));
        below(&self.host, &other.host)
            || below(&other.host, &self.host)
            || SAME.iter().any(|group| is_of(&self.host, group) && is_of(&other.host, group))
    }
}

/// Whether a path equals or is below another one: a permission's name may contain a slash.
fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| parent.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_resource_is_one_that_is_certainly_another() {
        let vault = "https://vault.azure.net/.default";
        for (asked, granted, certain) in [
            (vault, "https://graph.microsoft.com/Directory.ReadWrite.All", true),
            (vault, "openid profile https://graph.microsoft.com/.default", true),
            (vault, "User.Read https://graph.microsoft.com/Mail.Read", true),
            (vault, "https://vault.azure.net.evil.example/.default", true),
            (vault, "https://evil.example/https://vault.azure.net/.default", true),
            (vault, "https://storage.azure.com/user_impersonation", true),
            ("https://storage.azure.com/.default", "https://management.azure.com/user_impersonation", true),
            ("https://contoso.com/one/.default", "https://contoso.com/two/read", true),
            ("openid https://vault.azure.net/.default", "https://graph.microsoft.com/User.Read", true),
            (vault, "https://vault.azure.net/user_impersonation https://vault.azure.net/.default", false),
            (vault, "HTTPS://VAULT.AZURE.NET//.Default", false),
            (vault, "https://graph.microsoft.com/openid", false),
            (vault, "https://graph.microsoft.com/User.Read https://vault.azure.net/.default", false),
            (vault, "User.Read openid profile", false),
            (vault, "user_impersonation", false),
            (vault, "", false),
            (vault, "openid", false),
            (vault, "cfa8b339-82a2-471a-a3c9-0fc0be7a4093/.default", false),
            (vault, "https://contoso.vault.azure.net/.default", false),
            (vault, "api://00000000-0000-0000-0000-00000000c0de/read", false),
            (
                "https://management.core.windows.net//.default",
                "https://management.core.windows.net/user_impersonation",
                false,
            ),
            ("https://management.core.windows.net//.default", "https://management.azure.com/user_impersonation", false),
            ("https://contoso0.blob.core.windows.net/.default", "https://storage.azure.com/user_impersonation", false),
            ("https://contoso.sharepoint.com/.default", "https://contoso-my.sharepoint.com/Sites.Read.All", false),
            ("https://contoso.com/api/.default", "https://contoso.com/api/read/all", false),
            ("api://contoso/.default", "https://graph.microsoft.com/User.Read", false),
            ("00000003-0000-0000-c000-000000000000/.default", "https://graph.microsoft.com/User.Read", false),
            ("User.Read", "https://graph.microsoft.com/User.Read", false),
            ("openid", "https://graph.microsoft.com/User.Read", false),
        ] {
            let asked: Vec<_> = asked.split(' ').map(str::to_owned).collect();
            assert_eq!(elsewhere(granted, &asked).is_some(), certain, "{asked:?} {granted}");
        }
    }
}
