//! The name, URL and API key of a target.

use http::{HeaderName, Uri};
use toml::Spanned;

use evenkeel::credentials::CredentialPolicy;

use super::{config_location::ConfigSource, key_file::KeyFile};

pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The API key in the environment variable that the file names. The name is shown only where it cannot be a key itself.
pub(crate) fn key(
    source: ConfigSource<'_>,
    variable: Option<&Spanned<String>>,
    env: Env<'_>,
) -> Result<Option<String>, String> {
    let Some(variable) = variable else { return Ok(None) };
    let name = variable.get_ref();
    let is_name = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    let wrong = |what: &str| source.error_at(&variable.span(), "key_env", what);
    if !is_name {
        return Err(wrong(
            "is not shown here, as it may be a key; allowed is the name of a variable of the environment, such as MISTRAL_API_KEY",
        ));
    }
    match env(name) {
        Some(key) if !key.trim().is_empty() => {
            let key = key.trim();
            let sendable = key.bytes().all(|b| (0x20..0x7f).contains(&b));
            let what = format!(
                "is {name}, whose value cannot be sent in a header; allowed is visible ASCII"
            );
            if sendable { Ok(Some(key.to_owned())) } else { Err(wrong(&what)) }
        }
        _ => Err(wrong(&format!(
            "is {name}, which is not set; allowed is a variable of the environment that holds the key"
        ))),
    }
}

/// The source of the key in a file. The file has to hold one at the start.
pub(crate) fn key_file(
    source: ConfigSource<'_>,
    path: &Spanned<String>,
    header: Option<HeaderName>,
) -> Result<CredentialPolicy, String> {
    let file = KeyFile::new(path.get_ref(), header);
    match file.read() {
        Ok(_) => Ok(file.policy()),
        Err(error) => {
            // The path is not shown, as it may be a key.
            let what = format!(
                "cannot be used: {error}; allowed is the path of a file that holds the key"
            );
            Err(source.error_at(&path.span(), "key_file", &what))
        }
    }
}

/// The header that a key goes in, where it is not `authorization`.
pub(crate) fn key_header(
    source: ConfigSource<'_>,
    header: Option<&Spanned<String>>,
) -> Result<Option<HeaderName>, String> {
    let Some(header) = header else { return Ok(None) };
    let name = header.get_ref();
    if name.eq_ignore_ascii_case("authorization") {
        return Ok(None);
    }
    let read = name.parse().map_err(|_| {
        source.error_at(
            &header.span(),
            "key_header",
            "is no name of a header; allowed is one such as x-api-key",
        )
    });
    read.map(Some)
}

/// The origin of a base URL that may have a path.
pub(crate) fn base_url(source: ConfigSource<'_>, base: &Spanned<String>) -> Result<Uri, String> {
    let allowed = "allowed is a URL such as https://api.mistral.ai/v1, without a user and a query";
    let wrong =
        |what: &str| source.error_at(&base.span(), "base_url", &format!("{what}; {allowed}"));
    let text = base.get_ref();
    let uri: Uri = text.parse().map_err(|_| wrong("is no URL"))?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') || uri.query().is_some() || text.contains('#') {
        return Err(wrong("has a user or a query, where keys travel"));
    }
    let behind = authority.rsplit(']').next().unwrap_or(authority);
    let odd = behind.contains(':') && uri.port_u16().is_none_or(|port| port == 0);
    if !matches!(uri.scheme_str(), Some("http" | "https"))
        || uri.host().is_none_or(str::is_empty)
        || odd
    {
        return Err(wrong("has no http:// or https://, no host, or a port that is none"));
    }
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|_| wrong("is no URL"))
}

pub(crate) fn named(
    source: ConfigSource<'_>,
    field: &str,
    name: &Spanned<String>,
) -> Result<String, String> {
    let text = name.get_ref();
    let plain = |b: u8| b.is_ascii_graphic() && b != b',';
    if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
        let what =
            "is no name; allowed are 1 to 64 visible ASCII characters without blanks and commas";
        return Err(source.error_at(&name.span(), field, what));
    }
    Ok(text.clone())
}

pub(crate) fn filled(
    source: ConfigSource<'_>,
    field: &str,
    text: &Spanned<String>,
) -> Result<(), String> {
    match text.get_ref().trim() {
        "" => Err(source.error_at(&text.span(), field, "is blank; allowed is text")),
        _ => Ok(()),
    }
}
