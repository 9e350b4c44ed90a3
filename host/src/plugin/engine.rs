//! The component, compiled.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};
use shared_token_cache_storage::files::open_input;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use super::compile::{Failed, compile};
use super::config::config;
use super::inspect::Unfit;
use super::state::State;
use super::ticker::Ticker;
use super::wit::PluginPre;
use crate::error::{Error, LONGEST_TEXT, LimitExceeded};
use crate::escape::bounded;
use crate::policy::Policy;

/// Compiled by the build script: loading it takes a fraction of a millisecond, compiling it would take a hundred.
const PRECOMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.cwasm"));

/// A component, linked to the imports and ready to be instantiated.
#[derive(Clone)]
pub(crate) struct Plugin {
    pub(super) pre: PluginPre<State>,
    pub(super) ticker: Arc<Ticker>,
}

impl Plugin {
    /// The component that this crate was built with. It is loaded once a process.
    pub(crate) fn built_in() -> Result<Self, Error> {
        static PLUGIN: OnceLock<Result<Plugin, Error>> = OnceLock::new();
        PLUGIN
            .get_or_init(|| {
                let engine = engine()?;
                Self::new(&engine, load(&engine)?)
            })
            .clone()
    }

    /// A component from a file, compiled here or in `compiler`. The bytes that the policy sees are those that are compiled.
    pub(crate) fn from_file(path: &Path, policy: &Policy, compiler: Option<&Path>) -> Result<Self, Error> {
        let unusable = |why: &dyn std::fmt::Display| {
            let why = format!("{} is not a component that can be used: {why:#}", path.display());
            Error::InvalidArgument(bounded(&why, LONGEST_TEXT))
        };
        let (largest, mut bytes) = (policy.limits().component_size, Vec::new());
        let read = open_input(path).and_then(|file| file.take(largest.saturating_add(1)).read_to_end(&mut bytes));
        if u64::try_from(read.map_err(|error| unusable(&error))?).is_ok_and(|size| size > largest) {
            let what = format!("the component {} has more than {} MiB", path.display(), largest >> 20);
            return Err(Error::Limit(LimitExceeded::new("limits.component-mib", &what)));
        }
        policy.check_component(&Sha256::digest(&bytes).into())?;
        let engine = engine()?;
        let component = compile(&engine, bytes, compiler).map_err(|failed| match failed {
            Failed::Unfit(Unfit::Limit(limit)) => Error::Limit(limit),
            Failed::Unfit(Unfit::World(why)) => of_another_world(&why),
            Failed::Unfit(Unfit::Malformed(why)) | Failed::Other(why) => unusable(&why),
        })?;
        Self::new(&engine, component)
    }

    /// Links the world and nothing else: a component that imports more does not link.
    fn new(engine: &Engine, component: Component) -> Result<Self, Error> {
        let mut linker = Linker::new(engine);
        super::wit::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)
            .map_err(Error::plugin)?;
        let pre = linker
            .instantiate_pre(&component)
            .and_then(PluginPre::new)
            .map_err(|error| of_another_world(&format!("{error:#}")))?;
        Ok(Self { pre, ticker: Arc::new(Ticker::new(engine)) })
    }
}

/// The reason may name what the component imports.
fn of_another_world(why: &str) -> Error {
    Error::InvalidArgument(bounded(&format!("the component is not of the world `plugin`: {why}"), LONGEST_TEXT))
}

pub(super) fn engine() -> Result<Engine, Error> {
    config(None).and_then(|config| Engine::new(&config)).map_err(Error::plugin)
}

#[expect(unsafe_code, reason = "the bytes come from the build script, which compiled them with the same engine")]
fn load(engine: &Engine) -> Result<Component, Error> {
    // SAFETY: nobody but the build script writes these bytes, and they are part of this program.
    unsafe { Component::deserialize(engine, PRECOMPILED) }.map_err(Error::plugin)
}
