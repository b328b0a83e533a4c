//! Decides which attempt has which fault. Pure: the number of the attempt and the time are arguments.

use std::time::Duration;

use super::{ChaosRule, rule::AttemptFacts};

/// The rule that takes an attempt, by its index: the share of each rule that is for it and due is a part of the range from 0 to
/// 1, one after the other, and the draw is in one of them or beyond.
pub(super) fn rule_of(
    rules: &[ChaosRule],
    attempt: &AttemptFacts<'_>,
    on: Duration,
    draw: f64,
) -> Option<usize> {
    let mut end = 0.0;
    rules.iter().position(|rule| {
        if !rule.is_for(attempt) || !rule.is_due(on) {
            return false;
        }
        end += rule.share;
        draw < end
    })
}

/// A number from 0 to 1, without 1, for an attempt: the same in every process and every release, so that a game day can be
/// repeated. The numbers of one seed are evenly spread (`SplitMix64`).
pub(super) fn draw(seed: u64, attempt: u64) -> f64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut z = seed.wrapping_add(attempt.wrapping_add(1).wrapping_mul(STEP));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    // The 53 bits that a float holds.
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chaos::FaultKind, context::Route, dialect::Operation};

    const SECOND: Duration = Duration::from_secs(1);

    fn of(rules: &[ChaosRule], on: Duration, draw: f64) -> Option<usize> {
        let route = Route::new("api.openai.com", "gpt-4o-mini", "team-a");
        let attempt = AttemptFacts {
            names: ["openai", ""],
            route: &route,
            model: route.model(),
            operation: Operation::Chat,
            stream: false,
        };
        rule_of(rules, &attempt, on, draw)
    }

    fn rule(share: f64) -> ChaosRule {
        ChaosRule::new(FaultKind::Reset).share(share)
    }

    #[test]
    fn the_share_of_a_rule_holds_over_many_attempts() {
        for (seed, share) in [(0, 0.3), (7, 0.3), (u64::MAX, 0.01), (1, 0.99)] {
            let rules = [rule(share)];
            let hit = |n| of(&rules, SECOND, draw(seed, n)).is_some();
            let hits = (0..20_000).filter(|n| hit(*n)).count() as f64;
            // Four standard deviations.
            let spread = 4.0 * (20_000.0 * share * (1.0 - share)).sqrt();
            assert!((hits - 20_000.0 * share).abs() < spread, "{seed} {share}: {hits}");
        }
    }

    #[test]
    fn the_draws_are_those_of_every_release() {
        // As another implementation of SplitMix64 gives them.
        let first: Vec<_> = (0..4).map(|n| (draw(7, n) * 1e6) as u32).collect();
        assert_eq!(first, [389_829, 16_788, 900_760, 582_930]);
    }

    #[test]
    fn the_shares_of_rules_for_the_same_attempt_add_up_and_a_whole_share_takes_all() {
        let rules = [rule(0.25), rule(0.5), rule(1.0)];
        let at = |draw| of(&rules, SECOND, draw);
        assert_eq!(
            [0.0, 0.24, 0.26, 0.74, 0.76, 0.999].map(at).map(Option::unwrap),
            [0, 0, 1, 1, 2, 2]
        );
        assert_eq!(of(&[rule(0.0)], SECOND, 0.0), None);
    }

    #[test]
    fn a_rule_is_for_the_attempts_that_it_names() {
        let takes = |rule: ChaosRule| of(&[rule], SECOND, 0.5).is_some();
        assert!(takes(rule(1.0)) && takes(rule(1.0).target("openai")));
        assert!(takes(rule(1.0).target("*.openai.com")) && takes(rule(1.0).target("team-a")));
        assert!(!takes(rule(1.0).target("mistral")));
        assert!(takes(rule(1.0).model("gpt-*")) && !takes(rule(1.0).model("gpt-4o")));
        assert!(takes(rule(1.0).operation(Operation::Chat)));
        assert!(!takes(rule(1.0).operation(Operation::Embeddings)));
        assert!(!takes(ChaosRule::new(FaultKind::NoDone)), "it is no stream");
    }

    #[test]
    fn a_rule_has_its_window() {
        let rules = [rule(1.0).after(60 * SECOND).lasts(600 * SECOND)];
        let due = |on: u32| of(&rules, on * SECOND, 0.5).is_some();
        assert_eq!([0, 59, 60, 659, 660].map(due), [false, false, true, true, false]);
    }
}
