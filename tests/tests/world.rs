//! The component's imports are the security claim, so the test compares them literally.

use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

fn names(exports: bool) -> wasmtime::Result<Vec<String>> {
    let engine = Engine::default();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/component/shared-token-cache.wasm");
    let component = Component::from_file(&engine, path)?;
    let component = component.component_type();
    let mut names: Vec<String> = if exports {
        component.exports(&engine).map(|(name, _)| name.to_owned()).collect()
    } else {
        component.imports(&engine).map(|(name, _)| name.to_owned()).collect()
    };
    names.sort();
    Ok(names)
}

#[test]
fn the_component_imports_its_own_four_interfaces_and_no_wasi() {
    let imports = names(false).unwrap();
    assert!(!imports.iter().any(|import| import.starts_with("wasi:")), "{imports:?}");
    let own = ["cache-file", "clock", "https", "log"];
    assert_eq!(imports, own.map(|name| format!("azure-identity:shared-token-cache/{name}@0.2.0")));
}

#[test]
fn the_component_exports_the_credential_as_a_resource_and_as_plain_functions() {
    let own = ["credential", "tokens"];
    assert_eq!(names(true).unwrap(), own.map(|name| format!("azure-identity:shared-token-cache/{name}@0.2.0")));
}
