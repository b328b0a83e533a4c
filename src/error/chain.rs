//! Walks through the errors that an error was made from.

use std::{error::Error as StdError, io, iter};

/// The longest chain that is walked: a source may lead back to an error before it.
const MAX: usize = 64;

type Dyn<'a> = &'a (dyn StdError + 'static);

/// An error and those below it, also those that a wrapper skips when it is asked for its source.
pub(crate) fn chain(error: Dyn<'_>) -> impl Iterator<Item = Dyn<'_>> {
    iter::successors(Some(error), |error| below(*error)).take(MAX)
}

/// The first error of type `E` in a chain of sources, starting with `error`.
pub(crate) fn find<'a, E: StdError + 'static>(error: Dyn<'a>) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn below(error: Dyn<'_>) -> Option<Dyn<'_>> {
    in_io(error).or_else(|| in_middleware(error)).or_else(|| in_openai(error)).or(error.source())
}

/// The source of an I/O error is that of the error it wraps.
fn in_io(error: Dyn<'_>) -> Option<Dyn<'_>> {
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(inner)
}

/// The error of a middleware is transparent: its source is that of the error it wraps.
#[cfg(feature = "reqwest-middleware")]
fn in_middleware(error: Dyn<'_>) -> Option<Dyn<'_>> {
    match error.downcast_ref()? {
        reqwest_middleware::Error::Middleware(inner) => Some(&**inner),
        reqwest_middleware::Error::Reqwest(inner) => Some(inner),
    }
}

#[cfg(not(feature = "reqwest-middleware"))]
fn in_middleware(_: Dyn<'_>) -> Option<Dyn<'_>> {
    None
}

/// The error of the HTTP service of an async-openai client is transparent too.
#[cfg(feature = "async-openai")]
fn in_openai(error: Dyn<'_>) -> Option<Dyn<'_>> {
    match error.downcast_ref()? {
        async_openai::error::OpenAIError::Boxed(inner) => Some(&**inner),
        _ => None,
    }
}

#[cfg(not(feature = "async-openai"))]
fn in_openai(_: Dyn<'_>) -> Option<Dyn<'_>> {
    None
}
