//! Takes over the terminal, draws the screen and restores the terminal.

use std::{
    io::{self, BufWriter, Write},
    panic,
};

use crossterm::{
    cursor, execute, queue,
    style::{Color, Print, ResetColor, SetForegroundColor},
    terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate},
};
use evenkeel::breaker::{Breakers, CircuitState};

use crate::{
    answers::QUESTIONS,
    assistant::LIMITS_TEXT,
    conversation::{Conversation, Speaker},
    explanation,
    keys::title,
    providers::{ProviderMode, Providers},
};

/// The terminal in raw mode. Drop and panics restore it.
pub(crate) struct Screen {
    out: BufWriter<io::Stdout>,
}

/// The content of the screen.
pub(crate) struct View<'a> {
    pub(crate) conversation: &'a Conversation,
    pub(crate) providers: &'a Providers,
    pub(crate) breakers: &'a Breakers,
    pub(crate) input: &'a str,
    /// The index of the question that Enter sends when the input is empty.
    pub(crate) example: usize,
    /// Whether an answer is in progress.
    pub(crate) busy: bool,
}

// === impl Screen ===

impl Screen {
    /// Takes over the terminal.
    pub(crate) fn take() -> io::Result<Self> {
        let previous_hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            restore_terminal();
            previous_hook(info);
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
        self.row(&[(Color::Cyan, &truncated(title(view.busy), width))])?;
        for line in LIMITS_TEXT {
            self.row(&[(Color::DarkGrey, &truncated(&format!(" {line}"), width))])?;
        }
        let rows = view.conversation.rows(width, room);
        for row in &rows {
            self.row(&[(colour(row.speaker), &row.text)])?;
        }
        for _ in rows.len()..room {
            self.row(&[])?;
        }
        self.row(&[(Color::DarkGrey, &"─".repeat(width))])?;
        self.provider_rows(view)?;
        self.row(&[(Color::DarkGrey, &"─".repeat(width))])?;
        self.input_row(view, width)?;
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()
    }

    /// Draws the mode and the breaker of each provider.
    fn provider_rows(&mut self, view: &View<'_>) -> io::Result<()> {
        for provider in &view.providers.0 {
            let status = explanation::breaker_status(provider, view.breakers);
            let name = format!(" {:<10}", provider.name);
            let mode = format!("● {:<29}", provider.mode.describe());
            let breaker_colour = match status.state {
                CircuitState::Closed => Color::Green,
                CircuitState::HalfOpen | CircuitState::Recovering => Color::Yellow,
                _ => Color::Red,
            };
            let mode_colour = match provider.mode {
                ProviderMode::Healthy => Color::Green,
                ProviderMode::Slow => Color::Yellow,
                _ => Color::Red,
            };
            let breaker = format!("breaker {}", status.text);
            self.row(&[(Color::Reset, &name), (mode_colour, &mode), (breaker_colour, &breaker)])?;
        }
        Ok(())
    }

    /// Draws the input in the last row and leaves the cursor in it.
    fn input_row(&mut self, view: &View<'_>, width: usize) -> io::Result<()> {
        // Only the end of a long input is visible.
        let hidden = view.input.chars().count().saturating_sub(width.saturating_sub(4));
        let visible: String = view.input.chars().skip(hidden).collect();
        queue!(
            self.out,
            SetForegroundColor(Color::Cyan),
            Print(" > "),
            ResetColor,
            Print(&visible)
        )?;
        queue!(self.out, cursor::SavePosition, Clear(ClearType::UntilNewLine))?;
        if visible.is_empty() {
            let hint = match view.busy {
                true => "the bot is answering; type the next question".into(),
                false => format!("{}  (Enter sends this question)", QUESTIONS[view.example]),
            };
            queue!(
                self.out,
                SetForegroundColor(Color::DarkGrey),
                Print(truncated(&hint, width.saturating_sub(4)))
            )?;
        }
        queue!(self.out, ResetColor, cursor::RestorePosition, cursor::Show)
    }

    /// Draws a row of coloured texts.
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
        restore_terminal();
    }
}

/// Restores the terminal, once. Errors are ignored, because there is no other way to restore it.
fn restore_terminal() {
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

fn colour(speaker: Speaker) -> Color {
    match speaker {
        Speaker::User => Color::Cyan,
        Speaker::Bot => Color::Reset,
        Speaker::Apology => Color::Yellow,
        Speaker::Explanation | Speaker::Note => Color::DarkGrey,
    }
}

fn truncated(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}
