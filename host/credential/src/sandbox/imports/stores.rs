//! Opens the store of a document's name, if the policy grants it.

use shared_token_cache_storage::{self as storage, ExaminationNote, FileStore, Rules, Store};

use crate::sandbox::Context;
use shared_token_cache_policy::{CacheGrant, Denied, Leniency, Source};

/// The reason why a name has no store.
pub(crate) enum Refused {
    /// The policy does not grant it.
    Denied(Denied),
    /// The place is unknown on this machine.
    NoPlace(String),
}

/// The store of a document of the context's source, and the grant for it.
pub(crate) fn open<'a>(context: &'a Context, name: &str) -> Result<(&'a CacheGrant, Box<dyn Store>), Refused> {
    let grant = context.policy.grant(&context.source, name).map_err(Refused::Denied)?;
    let rules = rules(grant, context.policy.limits().document_size);
    let store = match &context.source {
        Source::Shared => context.places.shared(name, rules),
        // One file serves every name: the Azure CLI has no second cache.
        Source::AzureCli => context.places.azure_cli(rules),
        Source::File(path) => Ok(Box::new(FileStore::new(path.clone(), rules)) as Box<dyn Store>),
    };
    Ok((grant, store.map_err(|why| Refused::NoPlace(why.to_owned()))?))
}

/// Notes about files near the place where a document was not found.
pub(crate) fn near(context: &Context, name: &str) -> Vec<ExaminationNote> {
    let places = &context.places;
    match &context.source {
        Source::Shared => {
            let grant = storage::other(name).and_then(|(_, other)| context.policy.grant(&context.source, &other).ok());
            places.near_shared(name, grant.map(|grant| rules(grant, context.policy.limits().document_size)))
        }
        Source::AzureCli => places.near_azure_cli(),
        Source::File(path) => storage::near_file(path),
    }
}

fn rules(grant: &CacheGrant, largest: u64) -> Rules {
    let leniency = |leniency| match leniency {
        Leniency::Refuse => storage::Leniency::Refuse,
        Leniency::Warn => storage::Leniency::Warn,
    };
    Rules {
        largest,
        loose_permissions: leniency(grant.loose_permissions()),
        other_owner: leniency(grant.other_owner()),
        symlink_targets: grant.symlink_targets().to_vec(),
    }
}
