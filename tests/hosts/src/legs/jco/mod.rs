//! Node.js by way of jco: the bare component behind the class of `examples/node`, and the composed
//! one on preview2-shim.

mod example;
mod node;

use anyhow::Result;
use shared_token_cache_interop::authority::Scheme;

use super::{Host, Leg};
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::scene::{Components, Scene};
use node::Node;

pub(crate) struct Bare;

pub(crate) struct Composed;

struct BareOnNode(Node);

struct ComposedOnNode(Node);

impl Leg for Bare {
    fn name(&self) -> &'static str {
        "jco-bare"
    }

    fn authority(&self) -> Scheme {
        Scheme::Https
    }

    fn cannot(&self, scenario: Scenario) -> Option<&'static str> {
        match scenario {
            Scenario::NoFolder => Some("the class grants files by name, and there is no folder to grant"),
            Scenario::NoHome => Some("the class asks Node.js for the home folder, which knows it without HOME"),
            _ => None,
        }
    }

    fn install(&self, components: &Components) -> Result<Box<dyn Host>> {
        Ok(Box::new(BareOnNode(Node::with_example(components)?)))
    }
}

impl Host for BareOnNode {
    fn version(&self) -> String {
        self.0.version()
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        Outcome::from_script(&self.0.run("bare.mjs", scene, scene, &[])?.stdout)
    }

    fn extras(&mut self, components: &Components) -> Vec<(&'static str, Result<()>)> {
        example::checks(&self.0, components)
    }
}

impl Leg for Composed {
    fn name(&self) -> &'static str {
        "jco-composed"
    }

    fn authority(&self) -> Scheme {
        Scheme::Https
    }

    fn install(&self, components: &Components) -> Result<Box<dyn Host>> {
        Ok(Box::new(ComposedOnNode(Node::with_composed(components)?)))
    }
}

impl Host for ComposedOnNode {
    fn version(&self) -> String {
        self.0.version()
    }

    fn call(&mut self, scene: &Scene) -> Result<Outcome> {
        Outcome::from_script(&self.0.run("composed.mjs", scene, scene, &[])?.stdout)
    }
}
