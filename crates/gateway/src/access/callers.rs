//! The callers that are known by a token.

use std::{sync::Arc, time::Duration};

use evenkeel::{
    ConfigError,
    config::{CallerKeys, TokenDigest},
};
use http::StatusCode;
use subtle::ConstantTimeEq;

use super::{
    caller::Caller,
    refusal::Refusal,
    rereads::{EVERY, Rereads, SOONEST},
};

/// The callers that are known by a token.
#[derive(Debug)]
pub(super) struct Callers {
    all: Arc<[Arc<Caller>]>,
    rereads: Option<Rereads>,
}

// === impl Callers ===

impl Callers {
    /// Reads the files of tokens. `deadline`: of a call that names none.
    pub(super) fn new(
        keys: &[CallerKeys],
        deadline: Duration,
        before: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let before = before.map_or(&[][..], |before| &before.all);
        let mut all: Vec<Arc<Caller>> = Vec::new();
        for keys in keys {
            let caller = Caller::new(keys.clone(), deadline, before)?;
            if let Some(twin) = all.iter().find(|twin| twin.digest() == caller.digest()) {
                let what = format!(
                    "the token is that of {:?}; allowed is a token of its own",
                    twin.name()
                );
                return Err(ConfigError::because(format!("{}.name", keys.path), what));
            }
            all.push(caller.into());
        }
        let files = all.iter().any(|caller| caller.has_file());
        Ok(Self { all: all.into(), rereads: files.then(Rereads::new) })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The caller of the first token that is known, and that token. Files that have changed are read again.
    pub(super) async fn find(&self, tokens: Vec<String>) -> Result<(Arc<Caller>, String), Refusal> {
        let digests: Vec<_> = tokens.iter().map(|token| TokenDigest::of(token)).collect();
        self.reread(EVERY).await;
        let mut found = self.known(&digests);
        if found.is_none() && !digests.is_empty() && self.reread(SOONEST).await {
            found = self.known(&digests);
        }
        let (at, caller) = found.ok_or_else(unknown)?;
        // There are as many tokens as digests.
        let token = tokens.into_iter().nth(at).ok_or_else(unknown)?;
        Ok((caller, token))
    }

    async fn reread(&self, age: Duration) -> bool {
        let Some(rereads) = &self.rereads else { return false };
        let all = self.all.clone();
        rereads.after(age, move || all.iter().for_each(|caller| caller.reread())).await
    }

    /// The position of the first digest that is known, and its caller. Every digest is compared with all that are known.
    fn known(&self, digests: &[TokenDigest]) -> Option<(usize, Arc<Caller>)> {
        let mut found = None;
        for (at, digest) in digests.iter().enumerate() {
            for caller in self.all.iter() {
                let same = caller.digest().as_bytes().ct_eq(digest.as_bytes());
                if bool::from(same) && found.is_none() {
                    found = Some((at, caller.clone()));
                }
            }
        }
        found
    }
}

fn unknown() -> Refusal {
    let message = "the request has no token that this gateway knows; allowed is the token of a caller in the place of the key";
    Refusal::new(StatusCode::UNAUTHORIZED, "unknown_caller", message)
}
