//! The manual page and the completions of shells in `packaging/`, which are made of the command line.
//!
//! `EVENKEEL_WRITE_MANUAL=1 cargo test -p evenkeel-gateway --lib manual` writes them again.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, roman},
};

use super::super::options::Options;

const NAME: &str = "evenkeel-gateway";

/// A heading, and pairs of a term and its meaning.
type Section = (&'static str, &'static [(&'static str, &'static str)]);

const BEFORE_HEADERS: &[Section] = &[
    (
        "FILES",
        &[
            (
                "FILE",
                "The configuration that --config names. gateway.toml in the sources has every key with its default. There is no default path, and no API key in the file: key_env names an environment variable that holds one, key_file a file.",
            ),
            ("/etc/evenkeel/gateway.toml", "The configuration of the systemd unit in the sources."),
            (
                "/run/credentials/evenkeel-gateway.service/key_NAME",
                "For a key_file: the copy of /etc/evenkeel/keys/NAME that the unit gets from systemd at its start.",
            ),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            (
                "RUST_LOG",
                "The logs on standard error: error, warn, info, debug or trace, or target=level with commas. Default: info.",
            ),
            (
                "SSL_CERT_FILE, SSL_CERT_DIR",
                "The certificates to trust for https:// upstreams. Default: those of the system.",
            ),
            (
                "HTTPS_PROXY, ALL_PROXY, NO_PROXY",
                "The proxy for https:// upstreams, and the hosts that are reached without it.",
            ),
            (
                "EVENKEEL_ADMIN_TOKEN",
                "The token of the operator's listener, where the file names none.",
            ),
            ("any name", "Holds an API key where key_env of a target in the file names it."),
        ],
    ),
];

const AFTER_HEADERS: &[Section] = &[
    (
        "ENDPOINTS",
        &[
            (
                "GET /healthz",
                "The states of the routes as JSON. Always status 200 while the process answers.",
            ),
            ("all other paths", "Sent to the upstream."),
            (
                "at --admin: GET /, /healthz, /readyz, /metrics",
                "The operator's page, the states of the routes, whether calls are accepted, the metrics for Prometheus. openapi.yaml in the sources describes these and all others.",
            ),
        ],
    ),
    (
        "SIGNALS",
        &[
            (
                "SIGTERM, SIGINT",
                "No new connections are accepted. Requests in flight have 30 s (limits.drain) to end. A second signal ends the process at once.",
            ),
            ("SIGHUP", "The configuration file is read again."),
        ],
    ),
    (
        "EXIT STATUS",
        &[
            (
                "0",
                "After a shutdown, --help or --version. With --check: every target answered. With --probe: the gateway answered.",
            ),
            (
                "1",
                "It cannot listen. With --check: a target failed or could not be asked. With --probe: the gateway did not answer.",
            ),
            (
                "2",
                "The command line or the file is wrong. Standard error has one line that names what, where, and what is allowed.",
            ),
            ("3", "After a shutdown that cut answers: they had not ended within limits.drain."),
        ],
    ),
    (
        "EXAMPLES",
        &[
            (
                "evenkeel-gateway --upstream https://api.openai.com",
                "A client uses it with the base URL http://127.0.0.1:8080/v1.",
            ),
            (
                "evenkeel-gateway --config gateway.toml --check",
                "Asks every target of the file once, and exits.",
            ),
            (
                "evenkeel-gateway --config gateway.toml --probe",
                "The health check of a container or of a supervisor.",
            ),
        ],
    ),
];

/// The manual page.
fn page() -> String {
    let command = Options::command();
    let headers = headers(&command);
    let man = Man::new(command)
        .manual("User Commands")
        .source(format!("evenkeel {}", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page).unwrap();
    let name = [roman(format!(
        "{NAME} - a local proxy that keeps calls to AI APIs going when the API fails"
    ))];
    let mut roff = Roff::new();
    roff.control("SH", ["NAME"]).text(name);
    page.extend(roff.render().into_bytes());
    man.render_synopsis_section(&mut page).unwrap();
    man.render_description_section(&mut page).unwrap();
    man.render_options_section(&mut page).unwrap();
    let mut roff = Roff::new();
    BEFORE_HEADERS.iter().for_each(|section| terms(&mut roff, section));
    for (heading, lines) in &headers {
        roff.control("SH", [heading.as_str()]).control("nf", []);
        for line in lines {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    AFTER_HEADERS.iter().for_each(|section| terms(&mut roff, section));
    page.extend(roff.render().into_bytes());
    String::from_utf8(page).unwrap()
}

fn terms(roff: &mut Roff, (heading, terms): &Section) {
    roff.control("SH", [*heading]);
    for (term, meaning) in *terms {
        let line: [Inline; 1] = [bold(*term)];
        roff.control("TP", []).text(line).text([roman(*meaning)]);
    }
}

/// The lists of headers in the text that follows the options.
fn headers(command: &clap::Command) -> Vec<(String, Vec<String>)> {
    let text = command.get_after_help().unwrap().to_string();
    let blocks = text.split("\n\n").filter(|block| block.starts_with("Headers of a "));
    let section = |block: &str| {
        let mut lines = block.lines().map(str::to_owned);
        let heading = lines.next().unwrap();
        let kind = if heading.contains("request") { "REQUEST" } else { "RESPONSE" };
        (format!("HEADERS OF A {kind}"), lines.map(|line| line.trim_end().to_owned()).collect())
    };
    blocks.map(section).collect()
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Options::command(), NAME, &mut script);
    String::from_utf8(script).unwrap()
}

/// Compares a file of `packaging/` with what it has to be, or writes it.
fn compare(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(file);
    if std::env::var_os("EVENKEEL_WRITE_MANUAL").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == wanted,
        "packaging/{file} is not that of the command line; EVENKEEL_WRITE_MANUAL=1 writes it"
    );
}

#[test]
fn the_manual_page_has_every_option_and_every_header() {
    let page = page();
    compare("evenkeel-gateway.1", &page);
    for argument in Options::command().get_arguments() {
        let option = argument.get_long().unwrap().replace('-', "\\-");
        assert!(page.contains(&format!("\\-\\-{option}")), "{option}");
    }
    assert_eq!(headers(&Options::command()).len(), 2, "requests and responses");
    for header in ["evenkeel\\-fallbacks", "evenkeel\\-dialect", "evenkeel\\-served\\-by"] {
        assert!(page.contains(header), "{header}");
    }
}

#[test]
fn the_completions_are_those_of_the_command_line() {
    compare("completions/evenkeel-gateway.bash", &completions(Shell::Bash));
    compare("completions/evenkeel-gateway.fish", &completions(Shell::Fish));
    compare("completions/_evenkeel-gateway", &completions(Shell::Zsh));
}
