//! The settings, with a warning about unknown variables.

use std::sync::Once;

use crate::settings::{self, Settings};
use crate::stderr::warn;

/// [`settings::read`]. The first call warns of unknown variables.
pub(crate) fn settings() -> Result<&'static Settings, &'static str> {
    static UNKNOWN: Once = Once::new();
    let settings = settings::read();
    if let Ok(settings) = settings {
        UNKNOWN.call_once(|| {
            for name in &settings.unknown {
                warn(&format!("the variable {name} is not a setting; check its spelling"));
            }
        });
    }
    settings
}
