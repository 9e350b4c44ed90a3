//! Values as the wasmtime CLI prints them (WAVE), read by the types of `wit/`.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use wasm_wave::value::{Type, Value as Wave, resolve_wit_func_type};
use wasm_wave::wasm::{WasmFunc as _, WasmTypeKind, WasmValue as _};
use wit_parser::Resolve;

use crate::scene::root;

/// The text that a call of `tokens.<function>` printed, as JSON: records as objects, variants as an object of one member, none as null.
pub(crate) fn read(function: &str, text: &str) -> Result<Value> {
    let value: Wave = wasm_wave::from_str(&result_of(function)?, text.trim())
        .with_context(|| format!("this is not what `{function}` returns: {}", text.trim()))?;
    json(&value)
}

fn result_of(function: &str) -> Result<Type> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit"))?;
    let package = resolve.packages.get(package).context("the contract's package")?;
    let tokens = package.interfaces.get("tokens").and_then(|tokens| resolve.interfaces.get(*tokens));
    let function = tokens.and_then(|tokens| tokens.functions.get(function)).context("no such function in `tokens`")?;
    let types = resolve_wit_func_type(&resolve, function)?;
    types.results().next().context("the function returns nothing")
}

fn json(value: &Wave) -> Result<Value> {
    let payload = |payload: Option<std::borrow::Cow<'_, Wave>>| payload.map_or(Ok(Value::Null), |value| json(&value));
    Ok(match value.kind() {
        WasmTypeKind::Bool => value.unwrap_bool().into(),
        WasmTypeKind::U8 => value.unwrap_u8().into(),
        WasmTypeKind::U16 => value.unwrap_u16().into(),
        WasmTypeKind::U32 => value.unwrap_u32().into(),
        WasmTypeKind::U64 => value.unwrap_u64().into(),
        WasmTypeKind::String => value.unwrap_string().into_owned().into(),
        WasmTypeKind::Enum => value.unwrap_enum().into_owned().into(),
        WasmTypeKind::Option => payload(value.unwrap_option())?,
        WasmTypeKind::List => Value::Array(value.unwrap_list().map(|item| json(&item)).collect::<Result<_>>()?),
        WasmTypeKind::Record => {
            let fields = value.unwrap_record().map(|(name, field)| Ok((name.into_owned(), json(&field)?)));
            Value::Object(fields.collect::<Result<Map<_, _>>>()?)
        }
        WasmTypeKind::Variant => {
            let (case, value) = value.unwrap_variant();
            json!({ case.as_ref(): payload(value)? })
        }
        WasmTypeKind::Result => match value.unwrap_result() {
            Ok(value) => json!({ "ok": payload(value)? }),
            Err(error) => json!({ "err": payload(error)? }),
        },
        other => anyhow::bail!("the contract has no {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cli_prints_is_read_by_the_contract() {
        assert_eq!(read("supported", "true\n").unwrap(), json!(true));
        let token = "ok({token: \"t\", expires-on: 7, refresh-on: none, token-type: \"Bearer\"})";
        let expected = json!({ "ok": { "token": "t", "expires-on": 7, "refresh-on": null, "token-type": "Bearer" } });
        assert_eq!(read("get-token", token).unwrap(), expected);
        let error = "err(credential-unavailable({reason: no-accounts, message: \"it\\'s\", candidates: []}))";
        let details = json!({ "reason": "no-accounts", "message": "it's", "candidates": [] });
        assert_eq!(read("get-token", error).unwrap(), json!({ "err": { "credential-unavailable": details } }));
        assert!(read("get-token", "ok({})").is_err());
    }
}
