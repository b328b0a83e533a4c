//! The operator's listener of the gateway, and its token.

use std::{fmt, net::SocketAddr, path::Path};

use super::{key_file::secret_line, targets::Env};
use crate::{ConfigError, config::tables::AdminTable};

/// The keys of the operator's listener, as they are set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AdminKeys {
    /// The address to listen on.
    pub listen: Option<SocketAddr>,
    /// The token that requests have to carry.
    pub token: Option<AdminToken>,
}

/// The token of the operator: at least [`SHORTEST`](Self::SHORTEST) visible ASCII characters. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken(Box<str>);

const ALLOWED: &str = "allowed are at least 16 visible ASCII characters";

// === impl AdminToken ===

impl AdminToken {
    /// The least length: with random letters and digits it cannot be guessed.
    pub const SHORTEST: usize = 16;

    /// Creates a token; blanks around it are removed.
    ///
    /// # Errors
    ///
    /// If it is too short, or not visible ASCII. The error does not show it.
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        let token = text.trim();
        let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        match visible && token.len() >= Self::SHORTEST {
            true => Ok(Self(token.into())),
            false => Err(ConfigError::because("admin.token", format!("is no token; {ALLOWED}"))),
        }
    }

    /// The token itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

/// The keys of the table.
pub(super) fn admin(table: &AdminTable, env: Env<'_>) -> Result<AdminKeys, ConfigError> {
    let listen = table.listen.as_ref().map(|listen| listen.0);
    let wrong = |key: &str, what: String| Err(ConfigError::because(format!("admin.{key}"), what));
    let token = match (&table.token_env, &table.token_file) {
        (None, None) => return Ok(AdminKeys { listen, token: None }),
        (Some(_), Some(_)) => {
            return wrong("token_file", "is beside token_env; allowed is one of the two".into());
        }
        (Some(variable), None) => {
            let name = &variable.0.0;
            match env(name).map(|text| AdminToken::new(&text)) {
                Some(Ok(token)) => token,
                Some(Err(_)) => {
                    return wrong(
                        "token_env",
                        format!("is {name}, which holds no token; {ALLOWED}"),
                    );
                }
                None => {
                    let allowed = "allowed is a variable of the environment that holds the token";
                    return wrong("token_env", format!("is {name}, which is not set; {allowed}"));
                }
            }
        }
        (None, Some(path)) => {
            // The path is not shown, as it may be the token.
            let text = secret_line(Path::new(&path.0.0));
            match text.and_then(|text| AdminToken::new(&text).map_err(Into::into)) {
                Ok(token) => token,
                Err(_) => {
                    let allowed = "allowed is the path of a file that holds the token";
                    return wrong("token_file", format!("cannot be used; {allowed}: {ALLOWED}"));
                }
            }
        }
    };
    Ok(AdminKeys { listen, token: Some(token) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_visible_and_never_shown() {
        let token = AdminToken::new(" 0123456789abcdef\n").unwrap();
        assert_eq!(token.as_str(), "0123456789abcdef");
        assert!(!format!("{token:?}").contains("0123"));
        for wrong in ["", "short", "0123456789abcde", "0123456789 abcdef", "0123456789abcdéf"] {
            let error = AdminToken::new(wrong).unwrap_err().to_string();
            assert!(error.contains(ALLOWED), "{error}");
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
    }
}
