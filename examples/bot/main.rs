//! A customer-service bot with providers that the user can make fail: `cargo run --example bot`.
//!
//! Type a question; the answer is streamed word by word. F2 or Tab switches the mode of the primary: slow, down, silent,
//! truncating, healthy again. F3 or Shift+Tab does the same for the secondary. Esc stops the answer, and quits when there is none.
//! Below each answer the bot shows its source and the failed attempts.
//!
//! In a pipe each line is a question, and a line that begins with `/` is a command:
//!
//!     printf '%s\n' 'Where is my parcel?' /down 'Where is my parcel?' | cargo run --example bot

mod answers;
mod assistant;
mod command;
mod content;
mod conversation;
mod explanation;
mod keys;
mod lines;
mod providers;
mod screen;
mod session;
mod terminal;

use std::{
    error::Error,
    io::{self, ErrorKind, IsTerminal},
};

use assistant::Assistant;
use providers::Providers;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let providers = Providers::start().await?;
    let assistant = Assistant::new(&providers)?;
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let result = match interactive {
        true => terminal::run(providers, assistant).await,
        false => lines::run(providers, assistant).await,
    };
    match result {
        // The reader of a pipe may close it before the end.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
