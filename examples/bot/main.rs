//! A customer-service bot whose provider you can take down yourself: `cargo run --example bot`.
//!
//! Type a question; the answer is streamed word by word. F2 makes the primary provider slow, then down, silent, one that
//! cuts its answers off, and well again; F3 does the same to the secondary. Below each answer stands who gave it, and why.
//!
//! In a pipe a line is a question, and lines that begin with `/` are commands:
//!
//!     printf '%s\n' 'Where is my parcel?' /down 'Where is my parcel?' | cargo run --example bot

mod answers;
mod assistant;
mod command;
mod lines;
mod page;
mod screen;
mod shop;
mod terminal;
mod why;

use std::{
    error::Error,
    io::{self, ErrorKind, IsTerminal},
};

use assistant::Assistant;
use shop::Shop;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let shop = Shop::open().await?;
    let assistant = Assistant::new(&shop)?;
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let end = match interactive {
        true => terminal::run(shop, assistant).await,
        false => lines::run(shop, assistant).await,
    };
    match end {
        // Whoever read our lines has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        end => Ok(end?),
    }
}
