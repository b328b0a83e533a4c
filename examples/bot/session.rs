//! The conversation on a terminal, and what the keys do in it.

use std::{future::Future, pin::Pin};

use tokio::sync::mpsc;

use crate::{
    answers::QUESTIONS,
    assistant::{AnswerPart, Assistant},
    command::{Command, HELP},
    conversation::Conversation,
    keys::KeyAction,
    providers::{ProviderRole, Providers},
    screen::View,
};

pub(crate) type AnswerFuture = Pin<Box<dyn Future<Output = ()>>>;

/// The conversation on a terminal.
pub(crate) struct TerminalSession {
    pub(crate) providers: Providers,
    assistant: Assistant,
    pub(crate) conversation: Conversation,
    input: String,
    /// The index of the question that Enter sends when the input is empty.
    example: usize,
    pub(crate) parts: mpsc::Receiver<AnswerPart>,
    sender: mpsc::Sender<AnswerPart>,
    /// The answer in progress.
    pub(crate) answer: Option<AnswerFuture>,
}

/// The maximum length of the input, in bytes.
const MAX_INPUT: usize = 500;
// === impl TerminalSession ===

impl TerminalSession {
    pub(crate) fn new(providers: Providers, assistant: Assistant) -> Self {
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

    pub(crate) fn view(&self) -> View<'_> {
        View {
            conversation: &self.conversation,
            providers: &self.providers,
            breakers: self.assistant.breakers(),
            input: &self.input,
            example: self.example,
            busy: self.is_busy(),
        }
    }

    pub(crate) fn end_answer(&mut self) {
        self.answer = None;
        while let Ok(part) = self.parts.try_recv() {
            self.conversation.add_part(part);
        }
        self.conversation.end_answer();
    }

    /// Whether an answer is in progress.
    pub(crate) fn is_busy(&self) -> bool {
        self.answer.is_some()
    }

    /// Performs the action of a key. Returns whether the session continues.
    pub(crate) fn apply(&mut self, action: KeyAction) -> bool {
        match action {
            KeyAction::Insert(letter) if self.input.len() < MAX_INPUT => self.input.push(letter),
            KeyAction::Insert(_) => {}
            KeyAction::DeleteLast => drop(self.input.pop()),
            KeyAction::ClearInput => self.input.clear(),
            KeyAction::NextMode(role) => self.next_mode(role),
            KeyAction::StopAnswer => self.stop_answer(),
            KeyAction::Submit => return self.submit(),
            KeyAction::Quit => return false,
        }
        true
    }

    /// Drops the answer in progress, which ends the attempt at the provider.
    fn stop_answer(&mut self) {
        self.answer = None;
        self.end_answer();
        self.conversation.add_note("stopped".into());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::ProviderMode;

    async fn session() -> TerminalSession {
        let providers = Providers::start().await.unwrap();
        let assistant = Assistant::new(&providers).unwrap();
        TerminalSession::new(providers, assistant)
    }

    /// The conversation as text.
    fn text(session: &TerminalSession) -> String {
        let rows = session.conversation.rows(1000, 1000);
        rows.into_iter().map(|row| row.text + "\n").collect()
    }

    fn type_text(session: &mut TerminalSession, text: &str) {
        for letter in text.chars() {
            assert!(session.apply(KeyAction::Insert(letter)));
        }
    }

    /// Reads the answer in progress until `words` have arrived.
    async fn read_until(session: &mut TerminalSession, words: &str) {
        while !text(session).contains(words) {
            tokio::select! {
                Some(part) = session.parts.recv() => session.conversation.add_part(part),
                () = session.answer.as_mut().unwrap() => session.end_answer(),
            }
        }
    }

    #[tokio::test]
    async fn letters_are_typed_and_deleted() {
        let mut session = session().await;
        type_text(&mut session, "Ä?x");
        session.apply(KeyAction::DeleteLast);
        assert_eq!(session.input, "Ä?");
        type_text(&mut session, &"x".repeat(2 * MAX_INPUT));
        assert_eq!(session.input.len(), MAX_INPUT);
        session.apply(KeyAction::ClearInput);
        session.apply(KeyAction::DeleteLast);
        assert_eq!(session.input, "");
    }

    #[tokio::test]
    async fn a_mode_key_goes_through_all_modes_of_its_provider_alone() {
        let mut session = session().await;
        for (role, index) in [(ProviderRole::Primary, 0), (ProviderRole::Secondary, 1)] {
            let modes: Vec<_> = (0..5)
                .map(|_| {
                    assert!(session.apply(KeyAction::NextMode(role)));
                    assert_eq!(session.providers.0[1 - index].mode, ProviderMode::Healthy);
                    session.providers.0[index].mode
                })
                .collect();
            use ProviderMode::*;
            assert_eq!(modes, [Slow, Down, Silent, Truncating, Healthy]);
        }
    }

    #[tokio::test]
    async fn enter_sends_the_input_or_the_example_question_that_is_shown() {
        let mut session = session().await;
        type_text(&mut session, "When are you open?");
        assert!(session.apply(KeyAction::Submit) && session.is_busy());
        assert_eq!((session.input.as_str(), session.example), ("", 0));
        read_until(&mut session, "↳ primary answered").await;
        assert!(text(&session).contains("you  When are you open?"));
        session.answer = None;
        assert!(session.apply(KeyAction::Submit));
        assert!(text(&session).contains(QUESTIONS[0]));
        assert_eq!(session.example, 1);
    }

    #[tokio::test]
    async fn a_stop_ends_the_answer_and_the_attempt() {
        let mut session = session().await;
        session.apply(KeyAction::Submit);
        read_until(&mut session, "bot  ").await;
        session.apply(KeyAction::StopAnswer);
        assert!(!session.is_busy() && text(&session).trim_end().ends_with("stopped"));
        let provider = session.providers.0[0].provider().clone();
        while provider.in_flight() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(provider.cancelled(), 1);
    }

    #[tokio::test]
    async fn a_command_sets_a_mode_or_is_reported_as_unknown() {
        let mut session = session().await;
        type_text(&mut session, "/down secondary");
        assert!(session.apply(KeyAction::Submit) && !session.is_busy());
        assert_eq!(session.providers.0[1].mode, ProviderMode::Down);
        type_text(&mut session, "/wat");
        assert!(session.apply(KeyAction::Submit));
        assert!(text(&session).contains("unknown command: /wat"));
        type_text(&mut session, "/quit");
        assert!(!session.apply(KeyAction::Submit));
        assert!(!session.apply(KeyAction::Quit));
    }
}
