//! A component from a file, compiled at run time.

use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use shared_token_cache_policy::Policy;
use shared_token_cache_storage::files::open_input;

use super::compile::{Failed, compile};
use super::engine::{LoadedComponent, engine, of_another_world};
use super::inspect::Unfit;
use crate::error::{Error, LONGEST_TEXT, LimitExceeded};
use crate::escape::bounded;

impl LoadedComponent {
    /// Reads a component from a file, and compiles it here or in `compiler`. The policy checks the
    /// same bytes that are compiled.
    pub(crate) fn from_file(path: &Path, policy: &Policy, compiler: Option<&Path>) -> Result<Self, Error> {
        let unusable = |why: &dyn Display| {
            let why = format!("cannot use the component {}: {why:#}", path.display());
            Error::InvalidArgument(bounded(&why, LONGEST_TEXT))
        };
        let (largest, mut bytes) = (policy.limits().component_size, Vec::new());
        let read = open_input(path).and_then(|file| file.take(largest.saturating_add(1)).read_to_end(&mut bytes));
        if u64::try_from(read.map_err(|error| unusable(&error))?).is_ok_and(|size| size > largest) {
            let what = format!("the component {} has more than {} MiB", path.display(), largest >> 20);
            return Err(Error::Limit(LimitExceeded::new("limits.component-mib", &what)));
        }
        policy.check_component(&Sha256::digest(&bytes).into())?;
        let engine = engine()?;
        let component = compile(&engine, bytes, compiler).map_err(|failed| match failed {
            Failed::Unfit(Unfit::Limit(limit)) => Error::Limit(limit),
            Failed::Unfit(Unfit::World(why)) => of_another_world(&why),
            Failed::Unfit(Unfit::Malformed(why)) | Failed::Other(why) => unusable(&why),
        })?;
        Self::new(&engine, component)
    }
}
