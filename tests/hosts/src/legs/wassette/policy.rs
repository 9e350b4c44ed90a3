//! The policy file of `examples/wassette`, adapted to a scene.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use shared_token_cache_interop::root;

use super::{ID, host};
use crate::scene::Scene;

/// The example's home folder and authority.
const HOME: &str = "/home/user0";
const AUTHORITY: &str = "login.microsoftonline.com";

/// The example's text.
pub(super) struct Example(String);

impl Example {
    pub(super) fn read() -> Result<Self> {
        let path = root().join("examples/wassette").join(format!("{ID}.policy.yaml"));
        Ok(Self(fs::read_to_string(&path).with_context(|| path.display().to_string())?))
    }

    /// The example with the user's home folder, its one edit.
    pub(super) fn at_home(self, home: &Path) -> Result<String> {
        Ok(self.with(&format!("fs://{HOME}"), &format!("fs://{}", home.display()))?.0)
    }

    /// Names the authority of the scene and the adapter's variables for it, and removes grants that
    /// the scene lacks.
    pub(super) fn for_scene(self, scene: &Scene) -> Result<String> {
        let variables: String =
            scene.environment("").iter().map(|(name, _)| format!("\n      - key: {name}")).collect();
        let mut policy = self
            .with(&format!("fs://{HOME}"), &format!("fs://{}", scene.home.display()))?
            .with(&format!("host: \"{AUTHORITY}\""), &format!("host: \"{}\"", host(&scene.authority)))?
            .with("\n      - key: \"HOME\"", &variables)?;
        for (granted, section) in [(scene.granted.storage, "storage"), (scene.granted.network, "network")] {
            if !granted {
                policy = policy.without(section)?;
            }
        }
        Ok(policy.0)
    }

    fn with(self, old: &str, new: &str) -> Result<Self> {
        ensure!(self.0.matches(old).count() == 1, "the example's policy does not have {old:?} once");
        Ok(Self(self.0.replace(old, new)))
    }

    /// Removes a section of `permissions`: its line and those with deeper indentation.
    fn without(self, section: &str) -> Result<Self> {
        let (mut kept, mut dropping, mut found) = (String::new(), false, false);
        for line in self.0.lines() {
            if !line.starts_with("   ") {
                dropping = line == format!("  {section}:");
                found |= dropping;
            }
            if !dropping {
                kept.push_str(line);
                kept.push('\n');
            }
        }
        ensure!(found, "the example's policy has no section {section}");
        Ok(Self(kept))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::scene::{Components, Granted, Operation};

    #[test]
    fn the_example_is_made_to_fit() {
        let none = PathBuf::new;
        let mut scene = Scene {
            components: Components { bare: none(), adapter: none(), composed: none() },
            home: "/tmp/u".into(),
            authority: "localhost:8080".into(),
            ca: None,
            granted: Granted::ALL,
            operation: Operation::GetToken,
            scopes: vec![],
        };
        let all = Example::read().unwrap().for_scene(&scene).unwrap();
        for part in ["fs:///tmp/u/.IdentityService\"", "\"localhost\"", "key: HOME", "key: AZURE_AUTHORITY_HOST"] {
            assert!(all.contains(part), "{all}");
        }
        scene.granted.network = false;
        let less = Example::read().unwrap().for_scene(&scene).unwrap();
        assert!(!less.contains("network") && !less.contains("localhost"), "{less}");
        assert!(less.contains("storage") && less.contains("key: HOME"), "{less}");
    }
}
