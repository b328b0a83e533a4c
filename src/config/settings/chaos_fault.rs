//! The fault of a rule, with its settings.

use std::time::Duration;

use crate::{ConfigError, chaos::Fault, config::tables::ChaosRuleTable};

/// The settings of faults that a rule has and its fault has not taken.
struct Left<'a> {
    table: &'a ChaosRuleTable,
    taken: Vec<&'static str>,
}

/// The fault with the settings of its table. A setting of another fault is refused.
pub(super) fn fault(table: &ChaosRuleTable, at: usize) -> Result<Fault, ConfigError> {
    let mut fault = Fault::from(table.fault.0);
    let mut left = Left { table, taken: Vec::new() };
    left.fill(&mut fault);
    let Some(key) = left.first() else { return Ok(fault) };
    let reason =
        format!("is no setting of {}; allowed is it for a fault that has it", fault.kind());
    Err(ConfigError::because(format!("chaos.rule[{at}].{key}"), reason))
}

// === impl Left ===

impl Left<'_> {
    fn fill(&mut self, fault: &mut Fault) {
        match fault {
            Fault::Status { status } => {
                let set = self.table.status.map(|status| status.0);
                self.take("status", status, set);
            }
            Fault::RateLimited { wait } => {
                let set = self.table.wait.map(|wait| Some(wait.0));
                self.take("wait", wait, set);
            }
            Fault::SlowHead { delay } | Fault::SlowContent { delay } => {
                let set = self.table.delay.map(|delay| delay.0);
                self.take("delay", delay, set);
            }
            Fault::ResetAfter { bytes } => self.bytes(bytes),
            Fault::SlowEvents { every } => self.every(every),
            Fault::Cut { events }
            | Fault::Stall { events }
            | Fault::InvalidEvent { events }
            | Fault::ErrorEvent { events } => self.events(events),
            Fault::Silence { events, lasts } => {
                self.events(events);
                let set = self.table.lasts.map(|lasts| lasts.0);
                self.take("lasts", lasts, set);
            }
            Fault::Endless { events, every } => {
                self.events(events);
                self.every(every);
            }
            Fault::Drip { bytes, every } => {
                self.bytes(bytes);
                self.every(every);
            }
            Fault::Comments { every, count } => {
                self.every(every);
                let set = self.table.count.map(|count| count.u32());
                self.take("count", count, set);
            }
            _ => {}
        }
    }

    fn events(&mut self, events: &mut u32) {
        let set = self.table.events.map(|events| events.u32());
        self.take("events", events, set);
    }

    fn bytes(&mut self, bytes: &mut usize) {
        let set = self.table.bytes.map(|bytes| bytes.usize());
        self.take("bytes", bytes, set);
    }

    fn every(&mut self, every: &mut Duration) {
        let set = self.table.every.map(|every| every.0);
        self.take("every", every, set);
    }

    fn take<T>(&mut self, key: &'static str, place: &mut T, set: Option<T>) {
        self.taken.push(key);
        if let Some(set) = set {
            *place = set;
        }
    }

    /// The first setting that the fault does not have.
    fn first(&self) -> Option<&'static str> {
        let table = self.table;
        let all = [
            ("status", table.status.is_some()),
            ("wait", table.wait.is_some()),
            ("delay", table.delay.is_some()),
            ("events", table.events.is_some()),
            ("bytes", table.bytes.is_some()),
            ("every", table.every.is_some()),
            ("lasts", table.lasts.is_some()),
            ("count", table.count.is_some()),
        ];
        let left = |(key, set): &&(&'static str, bool)| *set && !self.taken.contains(key);
        all.iter().find(left).map(|(key, _)| *key)
    }
}
