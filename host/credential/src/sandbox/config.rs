// Also compiled into `shared-token-cache-precompile`: the compiler and the loader of a component
// must agree on every setting.

/// The stack of the component's own calls, in bytes. The imports get the rest of the whole stack.
const COMPONENT_STACK: usize = 512 << 10;
const WHOLE_STACK: usize = 2 << 20;

/// The engine's settings. With a target, code is made for the platform's oldest processors instead
/// of this machine's.
pub(crate) fn config(target: Option<&str>) -> wasmtime::Result<wasmtime::Config> {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    // The contract has no async functions.
    config.concurrency_support(false);
    config.max_wasm_stack(COMPONENT_STACK);
    config.async_stack_size(WHOLE_STACK);
    if let Some(target) = target {
        config.target(target)?;
    }
    Ok(config)
}
