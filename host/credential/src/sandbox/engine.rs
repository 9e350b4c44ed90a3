//! The compiled component.

use std::env::consts::{ARCH, OS};
use std::sync::{Arc, OnceLock};

use shared_token_cache_component::PRECOMPILED;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use super::config::config;
use super::state::State;
use super::ticker::Ticker;
use super::wit::PluginPre;
use crate::error::{Error, LONGEST_TEXT};
use crate::escape::bounded;

/// A component, linked to the imports and ready for instantiation.
#[derive(Clone)]
pub(crate) struct LoadedComponent {
    pub(super) pre: PluginPre<State>,
    pub(super) ticker: Arc<Ticker>,
}

impl LoadedComponent {
    /// The built-in component. It is loaded once per process.
    pub(crate) fn built_in() -> Result<Self, Error> {
        static LOADED: OnceLock<Result<LoadedComponent, Error>> = OnceLock::new();
        LOADED
            .get_or_init(|| {
                let engine = engine()?;
                Self::new(&engine, built_in(&engine, PRECOMPILED)?)
            })
            .clone()
    }

    /// Links the world and nothing else: a component with other imports does not link.
    pub(super) fn new(engine: &Engine, component: Component) -> Result<Self, Error> {
        let mut linker = Linker::new(engine);
        super::wit::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)
            .map_err(Error::component)?;
        let pre = linker
            .instantiate_pre(&component)
            .and_then(PluginPre::new)
            .map_err(|error| of_another_world(&format!("{error:#}")))?;
        Ok(Self { pre, ticker: Arc::new(Ticker::new(engine)) })
    }
}

/// The reason may contain names of the component's imports.
pub(super) fn of_another_world(why: &str) -> Error {
    Error::InvalidArgument(bounded(&format!("the component is not of the world `plugin`: {why}"), LONGEST_TEXT))
}

pub(super) fn engine() -> Result<Engine, Error> {
    config(None).and_then(|config| Engine::new(&config)).map_err(Error::component)
}

/// Loads the component's machine code, which takes a fraction of a millisecond; compiling takes a
/// hundred. The component is compiled at run time if this platform has no machine code, or the
/// engine rejects it, and this crate has the compiler.
fn built_in(engine: &Engine, compiled: Option<&[u8]>) -> Result<Component, Error> {
    match compiled.map(|compiled| load(engine, compiled)) {
        Some(Ok(component)) => Ok(component),
        Some(Err(error)) => compile_built_in(engine, &format!("does not fit this engine ({error:#})")),
        None => compile_built_in(engine, "is not part of this build"),
    }
}

#[expect(unsafe_code, reason = "the bytes are a constant of this program")]
fn load(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are those that this project's `precompile` wrote and that were compiled
    // into this program; no file is read.
    unsafe { Component::deserialize(engine, compiled) }
}

#[cfg(feature = "runtime-compilation")]
fn compile_built_in(engine: &Engine, why: &str) -> Result<Component, Error> {
    tracing::debug!("compiling the component, because its machine code for {ARCH}-{OS} {why}");
    Component::from_binary(engine, shared_token_cache_component::COMPONENT).map_err(Error::component)
}

#[cfg(not(feature = "runtime-compilation"))]
fn compile_built_in(_: &Engine, why: &str) -> Result<Component, Error> {
    let hint = "build with the feature `runtime-compilation` to compile it when the program starts";
    Err(Error::component(wasmtime::format_err!("the component's machine code for {ARCH}-{OS} {why}; {hint}")))
}

#[cfg(all(test, feature = "runtime-compilation"))]
mod tests {
    use super::*;

    #[test]
    fn machine_code_that_is_missing_or_of_another_engine_is_compiled_now() {
        let engine = engine().unwrap();
        let mut other = config(None).unwrap();
        other.epoch_interruption(false);
        let of_another =
            Engine::new(&other).unwrap().precompile_component(shared_token_cache_component::COMPONENT).unwrap();
        for compiled in [None, Some(&of_another[..]), Some(b"not machine code")] {
            let component = built_in(&engine, compiled).unwrap();
            assert!(LoadedComponent::new(&engine, component).is_ok());
        }
    }

    #[test]
    fn the_engine_counts_no_fuel_which_would_make_a_component_two_to_three_times_slower() {
        assert!(wasmtime::Store::new(&engine().unwrap(), ()).get_fuel().is_err());
    }

    #[test]
    fn the_machine_code_of_this_build_fits_this_engine() {
        let compiled = PRECOMPILED.expect("`cargo xtask build` makes it for this platform");
        assert!(load(&engine().unwrap(), compiled).is_ok());
    }
}
