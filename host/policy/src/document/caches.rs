//! `[[caches]]`.

use std::path::PathBuf;

use super::fields::{Fields, Value};
use super::print::Printer;
use crate::{CacheGrant, CacheName, InvalidValue, Source};

pub(super) fn read(root: &mut Fields<'_, '_>) -> Vec<CacheGrant> {
    root.list("caches").into_iter().filter_map(Value::into_table).filter_map(grant).collect()
}

pub(super) fn print(grants: &[CacheGrant], to: &mut Printer) {
    for grant in grants {
        let named = !grant.names().is_empty() && !matches!(grant.source(), Source::File(_));
        // What names nothing grants nothing.
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

fn grant(mut fields: Fields<'_, '_>) -> Option<CacheGrant> {
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
            fields.problem("names", names_at, "a file serves whichever cache is asked for", "leave its names out");
        }
        Some(source) if names.is_empty() && (has_names || *source == Source::Shared) => {
            fields.problem("names", names_at, "names no cache", "write for example `names = [\"msal.cache\"]`");
        }
        Some(Source::File(_) | Source::Shared | Source::AzureCli) | None => {}
    }
    let names: Vec<_> = names.into_iter().filter_map(|name| name.parse(CacheName::parse)).collect();
    fields.finish();

    let mut grant = CacheGrant::new(source?, access?);
    if let Some(leniency) = loose_permissions {
        grant = grant.with_loose_permissions(leniency);
    }
    if let Some(leniency) = other_owner {
        grant = grant.with_other_owner(leniency);
    }
    grant = targets.into_iter().fold(grant, CacheGrant::with_symlink_target);
    Some(names.into_iter().fold(grant, CacheGrant::with_name))
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
