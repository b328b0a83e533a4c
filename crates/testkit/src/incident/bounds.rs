//! What a client has to keep to in an incident.

use serde::Deserialize;

use crate::incident::field_error::FieldError;

/// What a client has to keep to in an incident, by its figures. A bound that is not set is not checked; a client that the file
/// does not name has those of [`Bounds::default`].
///
/// Shares are of 1. `error`, `late`, `hung` and `canned` are of all calls.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Bounds {
    /// The largest share of failed calls.
    pub error: Option<f64>,
    /// The largest share of late calls.
    pub late: Option<f64>,
    /// The largest share of calls that never ended.
    pub hung: Option<f64>,
    /// The largest share of canned replies.
    pub canned: Option<f64>,
    /// The least share of calls that the primary answers.
    pub primary: Option<f64>,
    /// The least share of the calls with a tool that is gone that the primary answers without it.
    pub without: Option<f64>,
    /// The least share of the calls without a tool that is gone that the primary answers meanwhile.
    pub others: Option<f64>,
    /// By how much the share of calls that are answered may be below that of the client with the SDKs' retries.
    pub below_retries: Option<f64>,
    /// The most attempts on a primary that is down, for each call of that time.
    pub pressure: Option<f64>,
    /// How soon an outage is noticed at the latest, in seconds.
    pub detect_s: Option<f64>,
    /// How soon the primary is in use again at the latest, in seconds.
    pub recover_s: Option<f64>,
}

/// The longest time and the most attempts of a bound.
const MOST: f64 = 86_400.0;

// === impl Bounds ===

impl Bounds {
    /// No bound at all.
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
            ("pressure", self.pressure, MOST),
            ("detect_s", self.detect_s, MOST),
            ("recover_s", self.recover_s, MOST),
        ];
        for (name, bound, most) in bounds {
            let Some(bound) = bound.filter(|bound| !(0.0..=most).contains(bound)) else { continue };
            return Err(FieldError::new(format!("{field}.{name}"), bound, format!("0 to {most}")));
        }
        Ok(self)
    }
}

/// Those of a full outage: no call fails, is late or hangs; at most one attempt for twenty calls on a primary that is down;
/// noticed within 15 s, in use again within 90 s.
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
