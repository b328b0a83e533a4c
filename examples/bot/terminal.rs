//! The bot on a terminal: keys in, the screen out.

use std::{future::Future, io, pin::Pin, thread, time::Duration};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use crate::{
    answers::QUESTIONS,
    assistant::{Assistant, Said},
    command::{Command, HELP},
    page::Page,
    screen::{Screen, View},
    shop::Shop,
    why,
};

type Call = Pin<Box<dyn Future<Output = ()>>>;

/// The conversation under way.
struct Talk {
    shop: Shop,
    assistant: Assistant,
    page: Page,
    input: String,
    example: usize,
    said: mpsc::Receiver<Said>,
    say: mpsc::Sender<Said>,
    call: Option<Call>,
}

/// As much as can be typed.
const LONGEST: usize = 500;
/// How often the screen is drawn when nothing happens: the breakers' times run down on it.
const TICK: Duration = Duration::from_millis(100);

/// Talks until somebody has enough.
pub(crate) async fn run(shop: Shop, assistant: Assistant) -> io::Result<()> {
    let mut screen = Screen::take()?;
    let mut keys = keys();
    let mut changes = assistant.breakers().watch();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut interrupt = Box::pin(tokio::signal::ctrl_c());
    let mut talk = Talk::new(shop, assistant);
    loop {
        screen.draw(&talk.view())?;
        tokio::select! {
            // All of an answer is on the page before the next key counts.
            biased;
            Some(said) = talk.said.recv() => talk.page.said(said),
            () = under_way(&mut talk.call) => talk.over(),
            Some(change) = changes.next() => talk.page.note(why::changed(&change, &talk.shop)),
            key = keys.recv() => {
                let Some(key) = key.transpose()? else { return Ok(()) };
                if !talk.key(key) {
                    return Ok(());
                }
            }
            _ = &mut interrupt => return Ok(()),
            _ = tick.tick() => {}
        }
    }
}

/// The answer that is under way; never ready while there is none.
async fn under_way(call: &mut Option<Call>) {
    match call {
        Some(call) => call.await,
        None => std::future::pending().await,
    }
}

/// What is typed.
fn keys() -> mpsc::Receiver<io::Result<KeyEvent>> {
    let (send, keys) = mpsc::channel(16);
    // Not one of the runtime's own threads: it would wait for the next key before it ends.
    thread::spawn(move || {
        loop {
            let key = match event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Ok(key),
                Ok(_) => continue,
                Err(error) => Err(error),
            };
            let over = key.is_err();
            if send.blocking_send(key).is_err() || over {
                return;
            }
        }
    });
    keys
}

// === impl Talk ===

impl Talk {
    fn new(shop: Shop, assistant: Assistant) -> Self {
        let (say, said) = mpsc::channel(64);
        let (page, input) = (Page::default(), String::new());
        Self { shop, assistant, page, input, example: 0, said, say, call: None }
    }

    fn view(&self) -> View<'_> {
        View {
            page: &self.page,
            shop: &self.shop,
            breakers: self.assistant.breakers(),
            input: &self.input,
            example: self.example,
            busy: self.call.is_some(),
        }
    }

    fn over(&mut self) {
        self.call = None;
        while let Ok(said) = self.said.try_recv() {
            self.page.said(said);
        }
        self.page.over();
    }

    /// Does what a key says. Whether to go on.
    fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return false,
            KeyCode::Char('c' | 'd') if control => return false,
            KeyCode::Char('u') if control => self.input.clear(),
            KeyCode::Char(_) if control => {}
            KeyCode::Char(letter) if self.input.len() < LONGEST => self.input.push(letter),
            KeyCode::Backspace => drop(self.input.pop()),
            KeyCode::F(2) | KeyCode::Tab => self.turn(0),
            KeyCode::F(3) | KeyCode::BackTab => self.turn(1),
            // One question at a time: a line waits until the answer is there.
            KeyCode::Enter if self.call.is_none() => return self.enter(),
            _ => {}
        }
        true
    }

    fn turn(&mut self, at: usize) {
        let host = &mut self.shop.0[at];
        host.turn(host.mood.next());
    }

    fn enter(&mut self) -> bool {
        match Command::read(&std::mem::take(&mut self.input)) {
            Command::Nothing => {
                self.ask(QUESTIONS[self.example].into());
                self.example = (self.example + 1) % QUESTIONS.len();
            }
            Command::Ask(question) => self.ask(question),
            Command::Turn(at, mood) => self.shop.0[at].turn(mood),
            Command::Quit => return false,
            Command::Unknown(what) => self.page.note(format!("no such command: {what}; {HELP}")),
        }
        true
    }

    fn ask(&mut self, question: String) {
        self.shop.expect(&question);
        self.page.you(&question);
        self.call = Some(Box::pin(self.assistant.clone().answer(question, self.say.clone())));
    }
}
