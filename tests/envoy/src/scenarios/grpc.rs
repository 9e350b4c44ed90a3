//! Clients on gRPC's own library, which sends the socket's path as `:authority`.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use shared_token_cache_interop::process::output;
use shared_token_cache_interop::{install, root};

use super::Entry;
use crate::config::{Config, VAULT_PROFILE};
use crate::leg::Leg;
use crate::stage::Stage;
use crate::wait::{SOON, until};

pub(super) const SCENARIOS: &[Entry] = &[
    ("Envoy takes the token over google_grpc too", cannot, is_taken_over_google_grpc),
    ("Envoy checks the agent's health", cannot, is_checked_by_envoy),
    ("Python's grpcio gets the token and the health of each service", cannot, is_taken_by_python),
    ("curl is answered over HTTP/2", cannot, is_answered_to_curl),
];

const LIMIT: Duration = Duration::from_secs(60);

/// Requests the health of the server, the service and the profile, and the profile's token. Prints
/// the statuses and whether a token came, never the token. The authority is the library's own, then
/// a path, then empty.
const CLIENT: &str = r#"
import sys, grpc
path, profile = sys.argv[1:]
def text(number, value):
    value = value.encode()
    return bytes([number << 3 | 2, len(value)]) + value
same = dict(request_serializer=bytes, response_deserializer=bytes)
for authority in [None, "/run/sds.sock", "localhost"]:
    options = [("grpc.default_authority", authority)] if authority else []
    with grpc.insecure_channel("unix:" + path, options=options) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check", **same)
        for service in ["", "envoy.service.secret.v3.SecretDiscoveryService", profile]:
            print(check(text(1, service) if service else b"", timeout=10).hex())
        stream = channel.stream_stream("/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", **same)
        responses = stream(iter([text(3, profile)]), timeout=10)
        print(profile.encode() in next(responses))
        responses.cancel()
"#;

fn cannot(leg: Leg) -> Option<String> {
    (leg != Leg::Sds).then(|| "it has no socket".to_owned())
}

fn is_taken_over_google_grpc(stage: &mut Stage<'_>) -> Result<()> {
    stage.start_agent()?;
    let config = Config::new(stage.leg, &stage.place)?.with_google_grpc(&stage.place)?;
    stage.start_envoy(&config)?;
    stage.passes()?;
    let token = stage.issued.next();
    stage.cache(&token)?;
    stage.sends(&token)?;
    stage.sign_out()?;
    stage.refuses()?;
    Ok(())
}

fn is_checked_by_envoy(stage: &mut Stage<'_>) -> Result<()> {
    stage.start_agent()?;
    let config = Config::new(stage.leg, &stage.place)?.with_health_check(VAULT_PROFILE)?;
    stage.start_envoy(&config)?;
    stage.passes()?;
    let counted = |stage: &mut Stage<'_>, outcome: &str| {
        let name = format!("cluster.token-agent.health_check.{outcome}");
        until(SOON, &name, || Ok((stage.envoy()?.stat(&name)? > 0).then_some(())))
    };
    counted(stage, "success")?;
    stage.sign_out()?;
    // A profile without a token is not serving.
    counted(stage, "failure")
}

fn is_taken_by_python(stage: &mut Stage<'_>) -> Result<()> {
    let python = install::python("grpcio", &root().join("tests/envoy/requirements-grpc.txt"))?;
    stage.start_agent()?;
    let socket = stage.place.socket();
    let said = output(Command::new(python).args(["-c", CLIENT]).arg(socket).arg(VAULT_PROFILE), LIMIT)?;
    let expected = ["0801", "0801", "0801", "True"].repeat(3);
    ensure!(said.split_whitespace().eq(expected), "{said}");
    Ok(())
}

fn is_answered_to_curl(stage: &mut Stage<'_>) -> Result<()> {
    stage.start_agent()?;
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--http2-prior-knowledge", "--max-time", "10", "--unix-socket"]).arg(stage.place.socket());
    curl.args(["--header", "content-type: application/grpc", "--header", "te: trailers", "--data-binary", ""]);
    curl.args(["--output", "-", "--write-out", "%{http_code}", "http://x/grpc.health.v1.Health/Nothing"]);
    let said = output(&mut curl, LIMIT)?;
    ensure!(said.ends_with("200"), "{said}");
    Ok(())
}
