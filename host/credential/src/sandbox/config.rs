// Compiled into `shared-token-cache-precompile` as well: what compiles the component and what loads it have to agree on every setting.

/// How deep the component's calls may nest, in bytes of stack. What the imports need comes on top.
const COMPONENT_STACK: usize = 512 << 10;
const WHOLE_STACK: usize = 2 << 20;

/// The engine's settings. A target makes code for that platform's oldest processors instead of this machine's.
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
