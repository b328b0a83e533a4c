//! Who may use the operator's listener: see the page of [`admin`](super).

mod check;
mod cookie;
mod login;
mod origin;
mod token;

pub(super) use self::{check::check, login::login, token::Access};
