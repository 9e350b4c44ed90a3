//! Features of `examples/node` beyond the scenarios, each tested by a script in `tests/hosts/node`.

mod files;
mod requests;
mod sdk;

use anyhow::Result;
use serde_json::{Value, json};
use shared_token_cache_interop::authority::Authority;
use shared_token_cache_interop::process::Finished;
use shared_token_cache_interop::sign_in::Home;
use token_endpoint::sign_in::{VAULT, token_reply};

use super::node::Node;
use crate::outcome::Outcome;
use crate::scene::{Components, Granted, Operation, Scene};

type Check = fn(&World<'_>) -> Result<()>;

const CHECKS: [(&str, Check); 13] = [
    ("types are those of the Azure SDK and of the contract", sdk::types),
    ("a pipeline of the Azure SDK, with a claims challenge", sdk::pipeline),
    ("a chain of @azure/identity goes on or ends", sdk::chain),
    ("the program goes on while the component waits", sdk::thread),
    ("a place that is not granted is neither read nor asked", requests::rules),
    ("a CA that is not trusted, whatever the environment says", requests::untrusted),
    ("8 writers at once lose nothing", files::writers),
    ("a cache that is locked is left alone", files::locked),
    ("a lock that a crash left is removed", files::abandoned_lock),
    ("only a file is read, and no link to one", files::no_file),
    ("a file that is being written is waited for", files::torn),
    ("the Azure CLI's cache, wherever AZURE_CONFIG_DIR says", files::azure_cli),
    ("a file for all to read is warned of, and becomes private", files::loose_permissions),
];

pub(super) fn checks(node: &Node, components: &Components) -> Vec<(&'static str, Result<()>)> {
    let world = World { node, components };
    CHECKS.iter().map(|(name, check)| (*name, check(&world))).collect()
}

struct World<'a> {
    node: &'a Node,
    components: &'a Components,
}

impl World<'_> {
    /// Runs a script with `more` merged into its scene.
    fn run(&self, script: &str, home: &Home, authority: &Authority, more: Value) -> Result<Finished> {
        self.run_in(script, &self.scene(home, authority), more, &[])
    }

    /// Runs a script in this scene and with these variables.
    fn run_in(&self, script: &str, scene: &Scene, more: Value, variables: &[(&str, &str)]) -> Result<Finished> {
        let mut input = serde_json::to_value(scene)?;
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        self.node.run(script, scene, &input, variables)
    }

    /// Requests a token for the vault.
    fn call(&self, home: &Home, authority: &Authority) -> Result<(Outcome, Finished)> {
        self.call_with(home, authority, json!({}), &[])
    }

    /// Requests a token for the vault with options of the credential, and with variables.
    fn call_with(
        &self,
        home: &Home,
        authority: &Authority,
        options: Value,
        variables: &[(&str, &str)],
    ) -> Result<(Outcome, Finished)> {
        let scene = self.scene(home, authority);
        let finished = self.run_in("bare.mjs", &scene, json!({ "options": options }), variables)?;
        Ok((Outcome::from_script(&finished.stdout)?, finished))
    }

    fn scene(&self, home: &Home, authority: &Authority) -> Scene {
        Scene {
            components: self.components.clone(),
            home: home.path().to_path_buf(),
            authority: authority.name(),
            ca: authority.ca(),
            granted: Granted::ALL,
            operation: Operation::GetToken,
            scopes: vec![VAULT.to_owned()],
        }
    }
}

fn is_token_endpoint(path: &str) -> bool {
    path.ends_with("/oauth2/v2.0/token")
}

/// An authority's response with one field replaced.
fn reply_with(field: &str, value: &str) -> Value {
    let mut reply = token_reply(0);
    if let Some(fields) = reply.as_object_mut() {
        fields.insert(field.to_owned(), value.into());
    }
    reply
}
