//! An open breaker closes again, whatever callers do with its probes.

use std::time::Duration;

use evenkeel::{Client, Profile, breaker::CircuitState, timeout::TimeoutPolicy};
use futures_util::future::join;

use super::simulation::{Act, Attempt, Came, Got, Traffic, World, between, part, play, refused};
use crate::support::{all_closed, chat, ms, secondary, secs, with_deadline};

/// Down from the start until `end`, healthy after it.
fn down_until(end: Duration, well: Act) -> World {
    World::new(move |it| if it.at < end { Act::Status(503, ms(300)) } else { well.clone() })
}

fn client(world: &World) -> Client {
    Client::builder().build_with(world.transport()).unwrap()
}

/// The calls from that time on.
fn since(came: &[Came], from: Duration) -> Vec<Came> {
    came.iter().filter(|came| came.at >= from).cloned().collect()
}

/// The longest time until the breaker closes: the longest open time with its jitter, the probes, and the ramp.
const BACK: Duration = Duration::from_secs(90);

#[test]
fn answers_of_17_s_do_not_make_slow_probes() {
    play(1, async {
        let outage = secs(300);
        let world = down_until(outage, Act::Answers(secs(17)));
        let client = client(&world);
        let came = Traffic::new(1.0 / 16.0, secs(7_500), 1).play(client.clone(), |_| chat(false));
        // Two probes, one after the other, each with an answer of 17 s.
        let came = since(&came.await, outage + BACK + secs(34));
        assert!(came.len() > 350, "{} calls", came.len());
        assert_eq!(refused(&came), 0.0, "of {} calls", came.len());
        assert_eq!(part(&came, Came::is_answered), 1.0);
        assert!(all_closed(&client), "{:?}", client.breakers().list());
    });
}

#[test]
fn raised_timeouts_raise_what_is_slow() {
    play(1, async {
        let timeout = TimeoutPolicy::default().first_event(secs(60));
        let profile = Profile::interactive().deadline(secs(90)).timeout(timeout);
        let world = World::new(|_| Act::Answers(secs(25)));
        let client = Client::builder().profile(profile).build_with(world.transport()).unwrap();
        let request = |_| with_deadline(chat(true), secs(90));
        let came = Traffic::new(0.5, secs(1_200), 1).play(client, request).await;
        assert!(came.len() > 500, "{} calls", came.len());
        assert_eq!(part(&came, Came::is_answered), 1.0, "{} refused", refused(&came));
    });
}

#[test]
fn calls_with_short_deadlines_do_not_keep_the_route_from_others() {
    play(1, async {
        let outage = secs(60);
        let world = down_until(outage, Act::Answers(ms(1_500)));
        let client = client(&world);
        let hurried = Traffic { from: 1_000_000, ..Traffic::new(5.0, secs(900), 2) };
        let hurried = hurried.play(client.clone(), |_| with_deadline(chat(false), ms(800)));
        let patient = Traffic::new(1.0 / 3.0, secs(900), 1).play(client.clone(), |_| chat(false));
        let (_, patient) = join(hurried, patient).await;
        let after = since(&patient, outage + BACK);
        assert!(after.len() > 200, "{} calls", after.len());
        assert_eq!(part(&after, Came::is_answered), 1.0, "{} refused", refused(&after));
    });
}

#[test]
fn a_probe_that_its_caller_drops_hands_its_place_to_the_next() {
    play(1, async {
        let outage = secs(60);
        let world = down_until(outage, Act::Answers(secs(4)));
        let client = client(&world);
        // Every second caller leaves after a second, before any answer.
        let request = |call: u64| match call % 2 {
            0 => with_deadline(chat(false), secs(1)),
            _ => chat(false),
        };
        let came = Traffic::new(1.0, secs(400), 1).play(client.clone(), request).await;
        let after = since(&came, outage + BACK);
        let patient: Vec<_> = after.into_iter().filter(|came| came.call % 2 == 1).collect();
        assert!(patient.len() > 90, "{} calls", patient.len());
        assert_eq!(part(&patient, Came::is_answered), 1.0, "{} refused", refused(&patient));
    });
}

#[test]
fn one_probe_that_hangs_keeps_the_route_for_no_longer_than_its_limit() {
    play(1, async {
        let outage = secs(60);
        let hung = std::sync::Mutex::new(false);
        let world = World::new(move |it: Attempt| {
            if it.at < outage {
                return Act::Status(503, ms(300));
            }
            match std::mem::replace(&mut *hung.lock().unwrap(), true) {
                false => Act::Hangs,
                true => Act::Answers(ms(500)),
            }
        });
        let client = client(&world);
        let came = Traffic::new(1.0, secs(400), 1).play(client.clone(), |_| chat(false)).await;
        // The probe may use all of its time, and the wait after it is a full one.
        let after = since(&came, outage + BACK + secs(30));
        assert!(after.len() > 180, "{} calls", after.len());
        assert_eq!(part(&after, Came::is_answered), 1.0, "{} refused", refused(&after));
    });
}

#[test]
fn a_pipeline_of_long_answers_is_back_to_several_at_a_time_after_the_first() {
    play(1, async {
        let outage = secs(600);
        let world = down_until(outage, Act::Answers(secs(180)));
        let profile = Profile::pipeline();
        let client = Client::builder().profile(profile).build_with(world.transport()).unwrap();
        let request = |_| with_deadline(chat(false), secs(900));
        Traffic::new(4.0 / 60.0, secs(2_400), 1).play(client.clone(), request).await;
        let back = world.first_with(3, outage).expect("several are under way at last");
        // A wait of 30 s with its jitter, one whole answer, and the time until the next callers.
        assert!(back < outage + secs(36 + 180 + 60), "{:?} after the outage", back - outage);
        assert!(all_closed(&client), "{:?}", client.breakers().list());
    });
}

#[test]
fn a_recovered_primary_is_in_use_within_twenty_calls() {
    let late: Vec<_> = (0..17_u64)
        .filter_map(|seed| {
            play(seed, async move {
                let outage = secs(120 + 7 * seed);
                let (primary, second) = (
                    down_until(outage, Act::Answers(ms(500))),
                    World::new(|_| Act::Answers(ms(500))),
                );
                let client = Client::builder()
                    .fallback(secondary())
                    .build_with(between(&primary, &second))
                    .unwrap();
                // A call every 4 s.
                let mut after = Vec::new();
                for call in 0..(outage.as_secs() / 4 + 21) {
                    let at = primary.time();
                    let got = super::simulation::one(
                        client.clone(),
                        super::simulation::numbered(chat(false), call),
                    );
                    after.extend((at >= outage).then_some(got.await));
                    tokio::time::sleep((at + secs(4)).saturating_sub(primary.time())).await;
                }
                let primary = Got::Answer("primary".into());
                let used = after.contains(&primary);
                (!used).then_some((seed, after.len()))
            })
        })
        .collect();
    assert!(late.is_empty(), "not in use again within twenty calls: {late:?}");
}

#[test]
fn a_route_of_two_calls_a_minute_is_in_use_as_soon_as_a_busy_one() {
    for seed in 0..10 {
        play(seed, async move {
            let outage = secs(1_200);
            let world = down_until(outage, Act::Answers(ms(500)));
            let client = client(&world);
            let came = Traffic::new(1.0 / 30.0, secs(3_600), seed);
            let came = came.play(client.clone(), |_| chat(false)).await;
            let after = since(&came, outage + BACK);
            assert!(after.len() > 30, "{} calls", after.len());
            let share = part(&after, Came::is_answered);
            assert_eq!(share, 1.0, "seed {seed}: {} refused", refused(&after));
            let list = client.breakers().list();
            assert!(list.iter().all(|(_, shown)| shown.state != CircuitState::Open), "{list:?}");
        });
    }
}
