//! The component, compiled.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use super::config::config;
use super::state::State;
use super::ticker::Ticker;
use super::wit::PluginPre;
use crate::error::Error;

/// Compiled by the build script: loading it takes a fraction of a millisecond, compiling it would take a hundred.
const PRECOMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.cwasm"));

/// A hundred times the built-in one. A larger file would only keep the compiler busy.
const LARGEST_COMPONENT: u64 = 32 << 20;

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

    /// A component from a file, compiled here and now.
    pub(crate) fn from_file(path: &Path) -> Result<Self, Error> {
        let unusable = |why: String| {
            Error::InvalidArgument(format!("{} is not a component that can be used: {why}", path.display()))
        };
        let size = std::fs::metadata(path).map_err(|error| unusable(error.to_string()))?.len();
        if size > LARGEST_COMPONENT {
            let largest = LARGEST_COMPONENT >> 20;
            return Err(Error::Limit(format!("the component {} has more than {largest} MiB", path.display())));
        }
        let engine = engine()?;
        let component = Component::from_file(&engine, path).map_err(|error| unusable(format!("{error:#}")))?;
        Self::new(&engine, component)
    }

    /// Links the world and nothing else: a component that imports more does not link.
    fn new(engine: &Engine, component: Component) -> Result<Self, Error> {
        let mut linker = Linker::new(engine);
        super::wit::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)
            .map_err(Error::plugin)?;
        let pre = linker.instantiate_pre(&component).and_then(PluginPre::new).map_err(|error| {
            Error::InvalidArgument(format!("the component is not of the world `plugin`: {error:#}"))
        })?;
        Ok(Self { pre, ticker: Arc::new(Ticker::new(engine)) })
    }
}

fn engine() -> Result<Engine, Error> {
    config(None).and_then(|config| Engine::new(&config)).map_err(Error::plugin)
}

#[expect(unsafe_code, reason = "the bytes come from the build script, which compiled them with the same engine")]
fn load(engine: &Engine) -> Result<Component, Error> {
    // SAFETY: nobody but the build script writes these bytes, and they are part of this program.
    unsafe { Component::deserialize(engine, PRECOMPILED) }.map_err(Error::plugin)
}
