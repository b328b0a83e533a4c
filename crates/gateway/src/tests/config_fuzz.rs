//! The reader of the configuration, with texts that are wrong in any way. `EVENKEEL_FUZZ_CASES` sets the number of cases of each
//! format; without it the tests take seconds.

use std::{fmt::Write, path::Path, time::Duration};

use evenkeel::config::Config;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::Value;
use tokio::time::Instant;

use super::super::config_file::ConfigFile;

/// The formats, by the extensions of their files.
const FORMATS: [&str; 3] = ["toml", "yaml", "json"];

/// No text of a mebibyte takes longer to read, on a machine that does much else.
const LONGEST: Duration = Duration::from_secs(20);

/// What breaks parsers: brackets, quotes, anchors, numbers at their limits, marks of other systems.
const TOKENS: [&str; 48] = [
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "{{",
    "=",
    ":",
    ": ",
    ",",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "#",
    "\\",
    "\\u0000",
    "\\ud800",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "!!str ",
    "!",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "%YAML 9.9\n",
    "? ",
    "- ",
    "null",
    "nan",
    "-inf",
    "1e999",
    "99999999999999999999",
    "-0",
    "0x",
    "1979-05-27",
    "set = { a = 1 }",
];

/// One change of a text. Positions are shares of its length, so that every change applies to every text.
#[derive(Clone, Debug)]
enum Change {
    Flip { at: f64, bit: u8 },
    Drop { from: f64, length: f64 },
    Repeat { from: f64, length: f64, times: usize },
    DropLine(f64),
    RepeatLine(f64),
    SwapLines(f64, f64),
    Insert { at: f64, token: usize },
    Nest { at: f64, token: usize, depth: usize },
    Long { at: f64, length: usize },
    Cut(f64),
}

fn change() -> impl Strategy<Value = Change> {
    let at = || 0.0..1.0_f64;
    let short = || 0.0..0.05_f64;
    let token = || 0..TOKENS.len();
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        3 => (at(), short()).prop_map(|(from, length)| Change::Drop { from, length }),
        1 => (at(), short(), 1..40_usize)
            .prop_map(|(from, length, times)| Change::Repeat { from, length, times }),
        3 => at().prop_map(Change::DropLine),
        3 => at().prop_map(Change::RepeatLine),
        2 => (at(), at()).prop_map(|(one, other)| Change::SwapLines(one, other)),
        6 => (at(), token()).prop_map(|(at, token)| Change::Insert { at, token }),
        1 => (at(), token(), 1..3_000_usize)
            .prop_map(|(at, token, depth)| Change::Nest { at, token, depth }),
        1 => (at(), 1..20_000_usize).prop_map(|(at, length)| Change::Long { at, length }),
        1 => at().prop_map(Change::Cut),
    ]
}

// === impl Change ===

impl Change {
    fn apply(&self, text: &mut Vec<u8>) {
        let size = text.len();
        let index = |share: f64| (share * size as f64) as usize;
        match *self {
            Self::Flip { at, bit } => {
                text.iter_mut().skip(index(at)).take(1).for_each(|b| *b ^= 1 << bit)
            }
            Self::Drop { from, length } => {
                text.drain(index(from)..index((from + length).min(1.0)));
            }
            Self::Repeat { from, length, times } => {
                let part = text[index(from)..index((from + length).min(1.0))].repeat(times);
                insert(text, index(from), &part);
            }
            Self::Insert { at, token } => insert(text, index(at), TOKENS[token].as_bytes()),
            Self::Nest { at, token, depth } => {
                insert(text, index(at), TOKENS[token].repeat(depth).as_bytes());
            }
            Self::Long { at, length } => insert(text, index(at), &vec![b'a'; length]),
            Self::Cut(at) => text.truncate(index(at)),
            Self::DropLine(_) | Self::RepeatLine(_) | Self::SwapLines(..) => {
                self.apply_to_lines(text)
            }
        }
    }

    fn apply_to_lines(&self, text: &mut Vec<u8>) {
        let mut lines: Vec<_> =
            text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let count = lines.len();
        if count == 0 {
            return;
        }
        let index = |share: f64| (share * count as f64) as usize;
        match *self {
            Self::DropLine(at) => drop(lines.remove(index(at))),
            Self::RepeatLine(at) => lines.insert(index(at), lines[index(at)].clone()),
            Self::SwapLines(one, other) => lines.swap(index(one), index(other)),
            _ => {}
        }
        *text = lines.concat();
    }
}

fn insert(text: &mut Vec<u8>, at: usize, part: &[u8]) {
    text.splice(at..at, part.iter().copied());
}

/// The example of the library, in a format.
fn example(format: &str) -> String {
    let toml = include_str!("../../../../src/config/example.toml");
    // A build without the feature refuses the table, which is the last one.
    let toml = match cfg!(feature = "chaos") {
        true => toml,
        false => toml.split("[chaos]").next().unwrap(),
    };
    let tree: Value = toml::from_str(toml).unwrap();
    match format {
        "toml" => toml.to_owned(),
        "json" => serde_json::to_string_pretty(&tree).unwrap(),
        _ => {
            let mut yaml = String::new();
            write_yaml(&tree, 0, &mut yaml);
            yaml
        }
    }
}

/// Writes a tree in block style.
fn write_yaml(tree: &Value, depth: usize, yaml: &mut String) {
    let indent = "  ".repeat(depth);
    match tree {
        Value::Object(table) => table.iter().for_each(|(key, value)| {
            write!(yaml, "\n{indent}{key}: ").unwrap();
            write_yaml(value, depth + 1, yaml);
        }),
        Value::Array(list) if list.iter().any(Value::is_object) => list.iter().for_each(|value| {
            write!(yaml, "\n{indent}-").unwrap();
            write_yaml(value, depth + 1, yaml);
        }),
        value => yaml.push_str(&value.to_string()),
    }
}

fn path(format: &str) -> String {
    format!("file.{format}")
}

/// Reads a text, and checks what holds for every text.
fn read(format: &str, text: &str) -> Result<Option<Config>, TestCaseError> {
    let (path, began) = (path(format), Instant::now());
    let parsed = ConfigFile::parse(Path::new(&path), text);
    let built = parsed.and_then(|file| {
        let settings = file.config.settings(|name| Some(name.to_owned()));
        let settings = settings.map_err(|error| file.error(&error));
        settings.map(|_| file.config.clone()).or_else(|line| match is_about_a_key_file(&line) {
            // Whether a file is there says nothing about the text.
            true => Ok(Config::default()),
            false => Err(line),
        })
    });
    prop_assert!(began.elapsed() < LONGEST, "it took {:?}", began.elapsed());
    match built {
        Ok(config) => Ok(Some(config)),
        Err(line) => {
            let rest = line.strip_prefix(&format!("{path}:"));
            let number = rest.and_then(|rest| rest.split_once(": "));
            let (number, what) = number.unwrap_or_default();
            prop_assert!(number.parse::<usize>().is_ok_and(|it| it >= 1), "no line: {line}");
            let (key, reason) = what.split_once(": ").unwrap_or_default();
            prop_assert!(!key.is_empty() && !reason.is_empty(), "no key: {line}");
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            prop_assert!(line.len() < 4096, "{} bytes: {}…", line.len(), &line[..200]);
            Ok(None)
        }
    }
}

fn is_about_a_key_file(line: &str) -> bool {
    line.contains(".key_file: cannot be used")
}

/// A configuration that was read is the same when it was written and is read again.
fn round_trip(config: &Config) -> Result<(), TestCaseError> {
    let json = serde_json::to_string(config).unwrap();
    let again = ConfigFile::parse(Path::new("file.json"), &json);
    prop_assert_eq!(&again.map_err(TestCaseError::fail)?.config, config);
    // TOML has no null, which a field of a request may be.
    if let Ok(toml) = toml::to_string(config) {
        let again = ConfigFile::parse(Path::new("file.toml"), &toml);
        prop_assert_eq!(&again.map_err(TestCaseError::fail)?.config, config);
    }
    Ok(())
}

/// The number of cases of each format.
fn cases() -> u32 {
    let set = std::env::var("EVENKEEL_FUZZ_CASES").ok();
    set.map_or(400, |cases| cases.parse().expect("EVENKEEL_FUZZ_CASES is a number"))
}

#[test]
fn law_any_text_is_read_or_refused_with_a_line_and_a_key_and_what_is_read_can_be_written() {
    for format in FORMATS {
        let example = example(format);
        let config = ProptestConfig {
            cases: cases(),
            failure_persistence: None,
            max_shrink_iters: 200,
            ..ProptestConfig::default()
        };
        let (right, wrong) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u32));
        let law = TestRunner::new(config).run(&prop::collection::vec(change(), 1..5), |changes| {
            let mut text = example.clone().into_bytes();
            changes.iter().for_each(|change| change.apply(&mut text));
            match read(format, &String::from_utf8_lossy(&text))? {
                Some(config) => {
                    right.set(right.get() + 1);
                    round_trip(&config)
                }
                None => {
                    wrong.set(wrong.get() + 1);
                    Ok(())
                }
            }
        });
        println!("{format}: {} texts were right, {} were refused", right.get(), wrong.get());
        law.unwrap_or_else(|error| panic!("{format}: {error}"));
        assert!(right.get() > 0 && wrong.get() > 0, "the changes are too few or too many");
    }
}

#[test]
fn the_examples_of_all_formats_are_the_same_configuration() {
    let [toml, yaml, json] = FORMATS.map(|format| read(format, &example(format)).unwrap().unwrap());
    assert!(toml == yaml && yaml == json && toml != Config::default());
    round_trip(&toml).unwrap();
}

#[test]
fn texts_of_a_mebibyte_that_are_made_to_be_slow_are_refused_in_time() {
    const SIZE: usize = 1 << 20;
    let fill = |part: &str| part.repeat(SIZE / part.len());
    let numbered = |line: fn(usize) -> String| {
        let mut text = String::new();
        (0..)
            .map(line)
            .take_while(|line| {
                text.push_str(line);
                text.len() < SIZE
            })
            .count();
        text
    };
    let laughs =
        (1..40).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(40)));
    let long_key = "k".repeat(SIZE / 2);
    let texts: Vec<(&str, String)> = vec![
        ("yaml", format!("a0: &a0 lol\n{}", laughs.collect::<String>())),
        ("yaml", fill("[")),
        ("yaml", fill("- ")),
        ("yaml", fill("{a: ")),
        ("yaml", fill("? ")),
        ("yaml", fill("&a ")),
        ("yaml", format!("{long_key}: {{{}}}", numbered(|n| format!("k{n}: 1, ")))),
        ("yaml", numbered(|n| format!("k{n}: 1\n"))),
        ("json", fill("[")),
        ("json", fill("{\"a\":")),
        ("json", format!("[{}1]", fill("1,"))),
        ("json", format!("{{{}\"k\": 1}}", numbered(|n| format!("\"k{n}\": 1, ")))),
        ("toml", format!("a = {}", fill("["))),
        ("toml", format!("a = {}", fill("{a = "))),
        ("toml", format!("{}a = 1", fill("a."))),
        ("toml", format!("[{}a]", fill("a."))),
        ("toml", numbered(|n| format!("k{n} = 1\n"))),
        ("toml", numbered(|n| format!("[[target]]\nname = \"t{n}\"\n"))),
        ("toml", numbered(|n| format!("a.b.c.d.e.f.g.k{n} = 1\n"))),
        ("toml", format!("a = [{}]", fill("1,"))),
        ("toml", format!("\"{long_key}\" = {{ {} }}", numbered(|n| format!("k{n} = 1,\n")))),
        ("toml", format!("listen = \"{}\"", fill("9"))),
        ("toml", format!("listen = {}", fill("9"))),
        ("toml", format!("listen = '''{}", fill("\n"))),
        ("toml", fill("\"")),
        ("toml", fill("#\n\0")),
    ];
    for (format, text) in texts {
        let shown = &text[..60.min(text.len())];
        let config =
            read(format, &text).unwrap_or_else(|error| panic!("{format} {shown}: {error}"));
        assert!(config.is_none_or(|config| config == Config::default()), "{format} {shown}");
    }
}
