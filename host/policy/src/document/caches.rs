//! `[[caches]]`.

use std::path::PathBuf;

use shared_token_cache_entra::cache::{CAE, NOCAE};

use super::fields::{Fields, Places, Value};
use super::print::Printer;
use crate::{CacheGrant, CacheName, InvalidValue, Source};

pub(super) fn read(root: &mut Fields<'_, '_>) -> Vec<CacheGrant> {
    let mut grants: Vec<CacheGrant> = Vec::new();
    for fields in root.list("caches").into_iter().filter_map(Value::into_table) {
        let Some((grant, places)) = grant(fields) else { continue };
        if let Some(twice) = grants.iter().position(|other| is_twice(other, &grant)) {
            let what = format!("grants the same cache as caches[{twice}]");
            places.problem("source", &what, "leave one of them out: the wider one would win");
        }
        grants.push(grant);
    }
    grants
}

/// Whether two grants cover the same cache.
fn is_twice(one: &CacheGrant, other: &CacheGrant) -> bool {
    let all = |grant: &CacheGrant| grant.names().is_empty() && *grant.source() != Source::Shared;
    one.source() == other.source()
        && (all(one) || all(other) || one.names().iter().any(|name| other.names().contains(name)))
}

/// The name of a cache in a policy.
fn name(text: &str) -> Result<CacheName, InvalidValue> {
    match CacheName::of_document(text) {
        Some(name) => {
            let what = format!("{text:?} is the name of a file of the cache {name}");
            Err(InvalidValue::new(
                what,
                format!("write \"{name}\": its files with `{CAE}` and `{NOCAE}` are granted together"),
            ))
        }
        None => CacheName::parse(text),
    }
}

pub(super) fn print(grants: &[CacheGrant], to: &mut Printer) {
    for grant in grants {
        let named = !grant.names().is_empty() && !matches!(grant.source(), Source::File(_));
        // A grant without names grants nothing.
        if !named && *grant.source() == Source::Shared {
            continue;
        }
        to.item("caches");
        to.text("source", grant.source());
        if named {
            to.texts("names", grant.names());
        }
        to.text("access", grant.access());
        to.text("loose-permissions", grant.loose_permissions());
        to.text("other-owner", grant.other_owner());
        let targets: Vec<_> = grant.symlink_targets().iter().map(|target| target.display()).collect();
        if !targets.is_empty() {
            to.texts("symlink-targets", &targets);
        }
    }
}

fn grant<'p, 'i>(mut fields: Fields<'p, 'i>) -> Option<(CacheGrant, Places<'p, 'i>)> {
    let source = fields.required("source", "choose `shared`, `azure-cli` or `file:PATH`", source);
    let access = fields.required("access", "choose `read` or `read-write`", str::parse);
    let loose_permissions = fields.parse("loose-permissions", str::parse);
    let other_owner = fields.parse("other-owner", str::parse);
    let targets: Vec<_> =
        fields.list("symlink-targets").into_iter().filter_map(|target| target.parse(absolute)).collect();
    let names = fields.take("names");
    let names_at = names.as_ref().map(Value::at);
    let has_names = names.is_some();
    let names = names.map(Value::into_list).unwrap_or_default();
    match &source {
        Some(Source::File(_)) if !names.is_empty() => {
            fields.problem("names", names_at, "a file is used for every cache name", "leave its names out");
        }
        Some(source) if names.is_empty() && (has_names || *source == Source::Shared) => {
            fields.problem("names", names_at, "names no cache", "write for example `names = [\"msal.cache\"]`");
        }
        Some(Source::File(_) | Source::Shared | Source::AzureCli) | None => {}
    }
    let names: Vec<_> = names.into_iter().filter_map(|name| name.parse(self::name)).collect();
    let places = fields.finish();
    // Without its invalid names, the grant would cover all caches.
    if has_names && names.is_empty() {
        return None;
    }

    let mut grant = CacheGrant::new(source?, access?);
    if let Some(leniency) = loose_permissions {
        grant = grant.with_loose_permissions(leniency);
    }
    if let Some(leniency) = other_owner {
        grant = grant.with_other_owner(leniency);
    }
    grant = targets.into_iter().fold(grant, CacheGrant::with_symlink_target);
    Some((names.into_iter().fold(grant, CacheGrant::with_name), places))
}

pub(super) fn source(text: &str) -> Result<Source, InvalidValue> {
    let source = text.parse()?;
    match &source {
        Source::File(path) => absolute(&path.display().to_string()).map(|_| source),
        Source::Shared | Source::AzureCli => Ok(source),
    }
}

fn absolute(text: &str) -> Result<PathBuf, InvalidValue> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err(InvalidValue::new("the path is not absolute", "write it in full")) }
}
