//! The bot on a terminal: reads keys and draws the screen.

use std::{future::Future, io, pin::Pin, thread, time::Duration};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use crate::{
    answers::QUESTIONS,
    assistant::{AnswerPart, Assistant},
    command::{Command, HELP},
    conversation::Conversation,
    explanation,
    providers::{ProviderRole, Providers},
    screen::{Screen, View},
};

type AnswerFuture = Pin<Box<dyn Future<Output = ()>>>;

/// The conversation on a terminal.
struct TerminalSession {
    providers: Providers,
    assistant: Assistant,
    conversation: Conversation,
    input: String,
    /// The index of the question that Enter sends when the input is empty.
    example: usize,
    parts: mpsc::Receiver<AnswerPart>,
    sender: mpsc::Sender<AnswerPart>,
    /// The answer in progress.
    answer: Option<AnswerFuture>,
}

/// The maximum length of the input, in bytes.
const MAX_INPUT: usize = 500;
/// The interval between two drawings without an event. The screen shows the remaining times of the breakers.
const DRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Runs until the user quits.
pub(crate) async fn run(providers: Providers, assistant: Assistant) -> io::Result<()> {
    let mut screen = Screen::take()?;
    let mut keys = keys();
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
            key = keys.recv() => {
                let Some(key) = key.transpose()? else { return Ok(()) };
                if !session.handle_key(key) {
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
fn keys() -> mpsc::Receiver<io::Result<KeyEvent>> {
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

// === impl TerminalSession ===

impl TerminalSession {
    fn new(providers: Providers, assistant: Assistant) -> Self {
        let (sender, parts) = mpsc::channel(64);
        Self {
            providers,
            assistant,
            conversation: Conversation::default(),
            input: String::new(),
            example: 0,
            parts,
            sender,
            answer: None,
        }
    }

    fn view(&self) -> View<'_> {
        View {
            conversation: &self.conversation,
            providers: &self.providers,
            breakers: self.assistant.breakers(),
            input: &self.input,
            example: self.example,
            busy: self.answer.is_some(),
        }
    }

    fn end_answer(&mut self) {
        self.answer = None;
        while let Ok(part) = self.parts.try_recv() {
            self.conversation.add_part(part);
        }
        self.conversation.end_answer();
    }

    /// Handles one key. Returns whether the session continues.
    fn handle_key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return false,
            KeyCode::Char('c' | 'd') if control => return false,
            KeyCode::Char('u') if control => self.input.clear(),
            KeyCode::Char(_) if control => {}
            KeyCode::Char(letter) if self.input.len() < MAX_INPUT => self.input.push(letter),
            KeyCode::Backspace => drop(self.input.pop()),
            KeyCode::F(2) | KeyCode::Tab => self.next_mode(ProviderRole::Primary),
            KeyCode::F(3) | KeyCode::BackTab => self.next_mode(ProviderRole::Secondary),
            // There is one question at a time. The input stays until the answer has ended.
            KeyCode::Enter if self.answer.is_none() => return self.submit(),
            _ => {}
        }
        true
    }

    /// Switches a provider to its next mode.
    fn next_mode(&mut self, role: ProviderRole) {
        let provider = self.providers.get_mut(role);
        provider.set_mode(provider.mode.next());
    }

    /// Executes the input. Returns whether the session continues.
    fn submit(&mut self) -> bool {
        match Command::read(&std::mem::take(&mut self.input)) {
            Command::Empty => {
                self.ask(QUESTIONS[self.example].into());
                self.example = (self.example + 1) % QUESTIONS.len();
            }
            Command::Ask(question) => self.ask(question),
            Command::SetMode(role, mode) => self.providers.get_mut(role).set_mode(mode),
            Command::Quit => return false,
            Command::Unknown(line) => {
                self.conversation.add_note(format!("unknown command: {line}; {HELP}"));
            }
        }
        true
    }

    fn ask(&mut self, question: String) {
        self.providers.prepare_answers(&question);
        self.conversation.add_question(&question);
        let answer = self.assistant.clone().answer(question, self.sender.clone());
        self.answer = Some(Box::pin(answer));
    }
}
