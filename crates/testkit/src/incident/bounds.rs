//! The limits on the metrics of a client in an incident.

use serde::Deserialize;

use crate::incident::field_error::FieldError;

/// The limits on the metrics of a client in an incident. A bound that is not set is not checked. A client that the file does
/// not name has [`Bounds::default`].
///
/// Shares are from 0 to 1. `error`, `late`, `hung` and `canned` are shares of all calls.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Bounds {
    /// The largest share of failed calls.
    pub error: Option<f64>,
    /// The largest share of late calls.
    pub late: Option<f64>,
    /// The largest share of calls that did not end.
    pub hung: Option<f64>,
    /// The largest share of canned replies.
    pub canned: Option<f64>,
    /// The smallest share of calls that the primary answers.
    pub primary: Option<f64>,
    /// The smallest share of the calls with an unavailable tool that the primary answers without the tool.
    pub without: Option<f64>,
    /// The smallest share of the calls without an unavailable tool that the primary answers at the same time.
    pub others: Option<f64>,
    /// The largest difference by which the share of answered calls is below that of the client with the SDKs' retries.
    pub below_retries: Option<f64>,
    /// The largest number of attempts on a primary that is down, for each call in that time.
    pub pressure: Option<f64>,
    /// The longest time until an outage is detected, in seconds.
    pub detect_s: Option<f64>,
    /// The longest time until the primary is in use again, in seconds.
    pub recover_s: Option<f64>,
}

/// The largest value of a bound that is not a share.
const MAX: f64 = 86_400.0;

// === impl Bounds ===

impl Bounds {
    /// No bound.
    const NONE: Self = Self {
        error: None,
        late: None,
        hung: None,
        canned: None,
        primary: None,
        without: None,
        others: None,
        below_retries: None,
        pressure: None,
        detect_s: None,
        recover_s: None,
    };

    pub(super) fn check(self, field: &str) -> Result<Self, FieldError> {
        let bounds = [
            ("error", self.error, 1.0),
            ("late", self.late, 1.0),
            ("hung", self.hung, 1.0),
            ("canned", self.canned, 1.0),
            ("primary", self.primary, 1.0),
            ("without", self.without, 1.0),
            ("others", self.others, 1.0),
            ("below_retries", self.below_retries, 1.0),
            ("pressure", self.pressure, MAX),
            ("detect_s", self.detect_s, MAX),
            ("recover_s", self.recover_s, MAX),
        ];
        for (name, bound, max) in bounds {
            let Some(bound) = bound.filter(|bound| !(0.0..=max).contains(bound)) else { continue };
            return Err(FieldError::new(format!("{field}.{name}"), bound, format!("0 to {max}")));
        }
        Ok(self)
    }
}

/// The bounds of a full outage: no call fails, is late or hangs; at most one attempt for twenty calls on a primary that is
/// down; detected within 15 s, in use again within 90 s.
impl Default for Bounds {
    fn default() -> Self {
        Self {
            error: Some(0.0),
            late: Some(0.0),
            hung: Some(0.0),
            pressure: Some(0.05),
            detect_s: Some(15.0),
            recover_s: Some(90.0),
            ..Self::NONE
        }
    }
}
