//! The bot on a terminal: reads keys and draws the screen.

use std::{io, thread, time::Duration};

use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use crate::{
    assistant::Assistant,
    explanation, keys,
    providers::Providers,
    screen::Screen,
    session::{AnswerFuture, TerminalSession},
};

/// The interval between two drawings without an event. The screen shows the remaining times of the breakers.
const DRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Runs until the user quits.
pub(crate) async fn run(providers: Providers, assistant: Assistant) -> io::Result<()> {
    let mut screen = Screen::take()?;
    let mut pressed = pressed_keys();
    let mut changes = assistant.breakers().watch();
    let mut tick = interval(DRAW_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut interrupt = Box::pin(tokio::signal::ctrl_c());
    let mut session = TerminalSession::new(providers, assistant);
    loop {
        screen.draw(&session.view())?;
        tokio::select! {
            // The parts of an answer are handled before the next key.
            biased;
            Some(part) = session.parts.recv() => session.conversation.add_part(part),
            () = in_progress(&mut session.answer) => session.end_answer(),
            Some(change) = changes.next() => {
                let note = explanation::of_change(&change, &session.providers);
                session.conversation.add_note(note);
            }
            key = pressed.recv() => {
                let Some(key) = key.transpose()? else { return Ok(()) };
                let action = keys::action(&key, session.is_busy());
                if action.is_some_and(|action| !session.apply(action)) {
                    return Ok(());
                }
            }
            _ = &mut interrupt => return Ok(()),
            _ = tick.tick() => {}
        }
    }
}

/// Waits for the end of the answer in progress. Never ready without one.
async fn in_progress(answer: &mut Option<AnswerFuture>) {
    match answer {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

/// The keys that the user presses.
fn pressed_keys() -> mpsc::Receiver<io::Result<KeyEvent>> {
    let (send, keys) = mpsc::channel(16);
    // The runtime would wait at its end for a blocking thread of its own, until the next key.
    thread::spawn(move || {
        loop {
            let key = match event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Ok(key),
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            let failed = key.is_err();
            if send.blocking_send(key).is_err() || failed {
                return;
            }
        }
    });
    keys
}
