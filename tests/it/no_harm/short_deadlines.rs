//! Calls with short deadlines do not open the breaker for other calls.

use evenkeel::Client;

use super::simulation::{Act, Got, World, numbered, one, play};
use crate::support::{all_closed, chat, ms, secs, with_deadline};

#[test]
fn five_short_deadlines_do_not_open_the_route_for_a_long_one() {
    for millis in [500, 1_000, 1_500, 2_500] {
        play(1, async move {
            let world = World::new(|_| Act::Answers(secs(3)));
            let client = Client::builder().build_with(world.transport()).unwrap();
            for call in 0..5 {
                let got =
                    one(client.clone(), numbered(with_deadline(chat(false), ms(millis)), call))
                        .await;
                assert!(!matches!(got, Got::Answer(_)), "{got:?} in {millis} ms");
            }
            let patient = one(client.clone(), numbered(chat(false), 5)).await;
            assert_eq!(patient, Got::Answer("primary".into()), "after hurries of {millis} ms");
            assert!(all_closed(&client), "{:?}", client.breakers().list());
        });
    }
}

#[test]
fn many_short_deadlines_at_once_do_not_open_the_route() {
    play(1, async {
        let world = World::new(|_| Act::Answers(secs(3)));
        let client = Client::builder().build_with(world.transport()).unwrap();
        let hurried = (0..60)
            .map(|call| one(client.clone(), numbered(with_deadline(chat(false), ms(1_500)), call)));
        futures_util::future::join_all(hurried).await;
        let patient = one(client.clone(), numbered(chat(false), 60)).await;
        assert_eq!(patient, Got::Answer("primary".into()));
    });
}
