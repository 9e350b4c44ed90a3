//! Output for kubectl and other Kubernetes clients, as an exec plugin.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::commands::output::Failure;

/// The variable in which the client names its version of the protocol.
pub(super) const VARIABLE: &str = "KUBERNETES_EXEC_INFO";

/// The supported versions. A client refuses a response of another version than it requested.
const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    api_version: String,
    kind: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential<'a> {
    kind: &'a str,
    api_version: &'a str,
    spec: Spec,
    status: Status<'a>,
}

#[derive(Serialize)]
struct Spec {
    interactive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    expiration_timestamp: &'a str,
    token: &'a str,
}

/// Writes the response in the version that `info` requests.
pub(super) fn write(
    line: &mut Zeroizing<Vec<u8>>,
    info: Option<&str>,
    token: &str,
    expiration_timestamp: &str,
) -> Result<(), Failure> {
    let answer = ExecCredential {
        kind: "ExecCredential",
        api_version: version(info)?,
        spec: Spec { interactive: false },
        status: Status { expiration_timestamp, token },
    };
    serde_json::to_writer(&mut **line, &answer).map_err(Failure::other)
}

fn version(info: Option<&str>) -> Result<&'static str, Failure> {
    let [newest, _] = VERSIONS;
    let Some(info) = info.filter(|info| !info.is_empty()) else { return Ok(newest) };
    let info: Info = serde_json::from_str(info).map_err(|error| {
        Failure::invalid(format!("cannot read {VARIABLE}: {error}; the client of Kubernetes sets it"))
    })?;
    let version = VERSIONS.iter().find(|version| info.kind == "ExecCredential" && info.api_version == **version);
    version.copied().ok_or_else(|| {
        let wanted = format!("{} {}", info.kind, info.api_version);
        Failure::invalid_with_hint(
            format!("cannot answer as {wanted:?}, which {VARIABLE} asks for"),
            format!("set `apiVersion: {newest}` in the kubeconfig"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_has_the_version_of_the_request() {
        let info = |kind: &str, version: &str| format!(r#"{{"kind":"{kind}","apiVersion":"{version}","spec":{{}}}}"#);
        for version_asked in VERSIONS {
            assert_eq!(version(Some(&info("ExecCredential", version_asked))).unwrap(), version_asked);
        }
        assert_eq!(version(None).unwrap(), VERSIONS[0]);
        assert_eq!(version(Some("")).unwrap(), VERSIONS[0]);
        for wrong in
            [info("ExecCredential", "client.authentication.k8s.io/v1alpha1"), info("Pod", VERSIONS[0]), "{".into()]
        {
            assert!(version(Some(&wrong)).is_err(), "{wrong}");
        }
    }
}
