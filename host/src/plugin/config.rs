// Compiled into the build script as well: what compiles the component and what loads it have to agree on every setting.

/// The engine's settings. A target makes code for that platform's oldest processors instead of this machine's.
pub(crate) fn config(target: Option<&str>) -> wasmtime::Result<wasmtime::Config> {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    // The contract has no async functions.
    config.concurrency_support(false);
    if let Some(target) = target {
        config.target(target)?;
    }
    Ok(config)
}
