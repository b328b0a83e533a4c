use super::*;
use crate::dialect::{Dialect, StreamMonitor};

const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const ROLE: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n";

/// A stream with one of these pieces per frame.
fn body(frames: &[&'static str]) -> Body {
    let frames: Vec<_> =
        frames.iter().map(|text| Ok::<_, Error>(Frame::data((*text).into()))).collect();
    let mut body = Body::wrap(http_body_util::StreamBody::new(futures_util::stream::iter(frames)));
    body.guarded()
        .watch(StreamMonitor::new(Dialect::OpenAiChat, &crate::outcome::ErrorCodeTable::default()));
    body
}

fn hold(commit: CommitPolicy) -> HoldLimits {
    HoldLimits { commit, events: 64, bytes: 256 * 1024, whole: 32 * 1024 * 1024 }
}

#[tokio::test(start_paused = true)]
async fn a_pulse_beats_with_each_frame_of_content_that_is_held_back() {
    let frames = [ROLE, WORD, ": ping\n\n", WORD, WORD, STOP];
    for (commit, beats) in [(CommitPolicy::FirstContent, 1), (CommitPolicy::Complete, 3)] {
        let pulse = ProgressSignal::default();
        let mut body = body(&frames);
        let outcome = peek(body.guarded(), &hold(commit), Some(&pulse)).await;
        assert_eq!((outcome.ok(), pulse.beats()), (Some(Outcome::Success), beats));
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_read_than_is_needed() {
    let mut body = body(&[ROLE, WORD, WORD, STOP]);
    peek(body.guarded(), &hold(CommitPolicy::FirstContent), None).await.unwrap();
    assert_eq!(body.guarded().front().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn frames_are_counted_though_they_be_empty() {
    let mut body = body(&[""; 10_000]);
    peek(body.guarded(), &hold(CommitPolicy::FirstContent), None).await.unwrap();
    assert_eq!(body.guarded().front().len(), 256 * 1024 / FRAME + 1);
}
