//! No faults on purpose: a build without the feature `chaos` refuses them.

use crate::{ConfigError, chaos::ChaosSlot, config::tables::ChaosTable};

/// No policy; an error where there is a table.
pub(super) fn chaos(table: Option<&ChaosTable>) -> Result<ChaosSlot, ConfigError> {
    match table {
        None => Ok(ChaosSlot),
        Some(_) => {
            let reason = "is set, and this program was built without the feature `chaos`; allowed is no such table, or a build with it";
            Err(ConfigError::because("chaos", reason))
        }
    }
}
