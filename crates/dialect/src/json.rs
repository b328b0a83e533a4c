//! JSON read as tired servers write it: the fields we know, the last of a name, nothing copied, the rest skipped.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A value as it stands in the bytes; `None` for one that is missing or null.
pub(super) type RawField<'a> = Option<&'a RawValue>;

/// A value that is known and means nothing here.
pub(super) type Skipped = serde::de::IgnoredAny;

/// A struct of optional fields, read from an object in one pass. Unlike derived ones they take a field that comes twice
/// (the last wins, as in every JSON library that providers' clients use). With `+ more` behind it, the struct has a field of that name:
/// whether any other field holds something.
macro_rules! fields {
    ($(#[$meta:meta])* $vis:vis struct $name:ident<$life:lifetime> {
        $($(#[$doc:meta])* $field:ident: $type:ty,)*
    } $(+ $more:ident)?) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        $vis struct $name<$life> { $($(#[$doc])* $vis $field: $type,)* $($vis $more: bool,)? }

        impl<'de: $life, $life> serde::Deserialize<'de> for $name<$life> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(field_identifier)]
                #[allow(non_camel_case_types)]
                enum Key { $($field,)* #[serde(other)] Other }

                struct Object;

                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $name<'de>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A>(self, mut map: A) -> Result<Self::Value, A::Error>
                    where
                        A: serde::de::MapAccess<'de>,
                    {
                        let mut object = $name::default();
                        while let Some(key) = map.next_key()? {
                            match key {
                                $(Key::$field => object.$field = map.next_value()?,)*
                                Key::Other => fields!(@other map, object $(, $more)?),
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }
    };
    (@other $map:ident, $object:ident) => {{
        $map.next_value::<serde::de::IgnoredAny>()?;
    }};
    (@other $map:ident, $object:ident, $more:ident) => {{
        let value: crate::json::RawField<'_> = $map.next_value()?;
        $object.$more |= crate::json::is_filled(value);
    }};
}
pub(super) use fields;

/// Reads JSON. Text that is known to be UTF-8 is read faster: then no name and no value has to be checked by itself.
pub(super) fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    }
}

/// Whether a value holds something: not null, not blank text, not an empty list or object.
pub(super) fn is_filled(value: RawField<'_>) -> bool {
    let text = value.map_or("", RawValue::get).as_bytes();
    let blank = |inner: &[u8]| inner.iter().all(u8::is_ascii_whitespace);
    match text {
        [] | b"null" | b"false" | b"\"\"" => false,
        [b'[', inner @ .., b']'] | [b'{', inner @ .., b'}'] => !blank(inner),
        _ => true,
    }
}

/// A value as the type, where it is of that type.
pub(super) fn read<'a, T: Deserialize<'a>>(value: RawField<'a>) -> Option<T> {
    value.and_then(|value| serde_json::from_str(value.get()).ok())
}

/// Whether a value is `true`.
pub(super) fn is_true(value: RawField<'_>) -> bool {
    value.is_some_and(|value| value.get() == "true")
}

/// A value as text, where it is text.
pub(super) fn text(value: RawField<'_>) -> Option<String> {
    read(value)
}

/// Where a value stands in the bytes it was read from.
pub(super) fn span_in(value: &str, bytes: &[u8]) -> std::ops::Range<usize> {
    let start = value.as_ptr() as usize - bytes.as_ptr() as usize;
    start..start + value.len()
}

/// The bytes without white space and byte order mark before them.
pub(super) fn trim_bom(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.trim_ascii();
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii()
}

/// A value that is a plain word, without its quotes; empty where it is none.
pub(super) fn plain_str(value: RawField<'_>) -> &str {
    let text = value.map_or("", RawValue::get);
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default()
}

/// Whether an event only keeps the connection open, by its name. What it says need not be JSON.
pub(super) fn is_ping(name: &[u8]) -> bool {
    const PINGS: [&[u8]; 4] = [b"ping", b"keepalive", b"keep-alive", b"heartbeat"];
    PINGS.contains(&name)
}
