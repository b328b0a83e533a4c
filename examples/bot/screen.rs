//! The terminal: taken over and given back, and drawn.

use std::{
    io::{self, BufWriter, Write},
    panic,
};

use crossterm::{
    cursor, execute, queue,
    style::{Color, Print, ResetColor, SetForegroundColor},
    terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate},
};
use evenkeel::breaker::{Breakers, State};

use crate::{
    answers::QUESTIONS,
    assistant::LIMITS,
    page::{Page, Voice},
    shop::{Mood, Shop},
    why,
};

/// The terminal as long as it is ours: dropped, or in a panic, it is as it was.
pub(crate) struct Screen {
    out: BufWriter<io::Stdout>,
}

/// What is on the screen.
pub(crate) struct View<'a> {
    pub(crate) page: &'a Page,
    pub(crate) shop: &'a Shop,
    pub(crate) breakers: &'a Breakers,
    pub(crate) input: &'a str,
    /// The question that is asked when nothing is typed.
    pub(crate) example: usize,
    pub(crate) busy: bool,
}

const TITLE: &str = " evenkeel bot · Enter asks · F2/F3 take primary/secondary down · Esc quits";

// === impl Screen ===

impl Screen {
    pub(crate) fn take() -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
        let screen = Self { out: BufWriter::new(io::stdout()) };
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), terminal::EnterAlternateScreen, terminal::DisableLineWrap)?;
        Ok(screen)
    }

    pub(crate) fn draw(&mut self, view: &View<'_>) -> io::Result<()> {
        let (width, height) = terminal::size()?;
        let (width, room) = (usize::from(width), usize::from(height.saturating_sub(8)));
        queue!(self.out, BeginSynchronizedUpdate, cursor::Hide, cursor::MoveTo(0, 0))?;
        self.row(&[(Color::Cyan, &fitted(TITLE, width))])?;
        for line in LIMITS {
            self.row(&[(Color::DarkGrey, &fitted(&format!(" {line}"), width))])?;
        }
        let rows = view.page.rows(width, room);
        for row in &rows {
            self.row(&[(colour(row.voice), &row.text)])?;
        }
        for _ in rows.len()..room {
            self.row(&[])?;
        }
        self.row(&[(Color::DarkGrey, &"─".repeat(width))])?;
        self.hosts(view)?;
        self.row(&[(Color::DarkGrey, &"─".repeat(width))])?;
        self.input(view, width)?;
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()
    }

    /// How each provider does, and its breaker.
    fn hosts(&mut self, view: &View<'_>) -> io::Result<()> {
        for host in &view.shop.0 {
            let (state, breaker) = why::state(host, view.breakers);
            let name = format!(" {:<10}", host.name);
            let mood = format!("● {:<29}", host.mood.says());
            let state = match state {
                State::Closed => Color::Green,
                State::HalfOpen | State::Recovering => Color::Yellow,
                _ => Color::Red,
            };
            let well = match host.mood {
                Mood::Well => Color::Green,
                Mood::Slow => Color::Yellow,
                _ => Color::Red,
            };
            let breaker = format!("breaker {breaker}");
            self.row(&[(Color::Reset, &name), (well, &mood), (state, &breaker)])?;
        }
        Ok(())
    }

    /// The last row: the cursor stays in it.
    fn input(&mut self, view: &View<'_>, width: usize) -> io::Result<()> {
        // The end of a long line is what is being typed.
        let long = view.input.chars().count().saturating_sub(width.saturating_sub(4));
        let typed: String = view.input.chars().skip(long).collect();
        queue!(self.out, SetForegroundColor(Color::Cyan), Print(" > "), ResetColor, Print(&typed))?;
        queue!(self.out, cursor::SavePosition, Clear(ClearType::UntilNewLine))?;
        if typed.is_empty() {
            let hint = match view.busy {
                true => "…".into(),
                false => format!("{}  (Enter asks this)", QUESTIONS[view.example]),
            };
            queue!(
                self.out,
                SetForegroundColor(Color::DarkGrey),
                Print(fitted(&hint, width.saturating_sub(4)))
            )?;
        }
        queue!(self.out, ResetColor, cursor::RestorePosition, cursor::Show)
    }

    fn row(&mut self, parts: &[(Color, &str)]) -> io::Result<()> {
        for (colour, text) in parts {
            queue!(self.out, SetForegroundColor(*colour), Print(text))?;
        }
        queue!(self.out, ResetColor, Clear(ClearType::UntilNewLine))?;
        queue!(self.out, Print("\r\n"))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Puts the terminal back as it was, once. Where that fails nothing is left to be done.
fn give_back() {
    if !terminal::is_raw_mode_enabled().unwrap_or(true) {
        return;
    }
    let _ = execute!(
        io::stdout(),
        terminal::EnableLineWrap,
        terminal::LeaveAlternateScreen,
        cursor::Show
    );
    let _ = terminal::disable_raw_mode();
}

fn colour(voice: Voice) -> Color {
    match voice {
        Voice::You => Color::Cyan,
        Voice::Bot => Color::Reset,
        Voice::Sorry => Color::Yellow,
        Voice::Why | Voice::Note => Color::DarkGrey,
    }
}

fn fitted(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}
