//! The files of `packaging/`: that they name ports, paths and flags that exist, and the same ones.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{
    super::{config_file::parse_yaml, limits::GatewayLimits, options::CommandLine, setup::Setup},
    support::parse,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging")
}

fn read(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn yaml(file: &str) -> Value {
    parse_yaml(&read(file))
        .unwrap_or_else(|error| panic!("{file}:{}: {}", error.line, error.what))
        .0
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

/// The arguments of an instruction of the Dockerfile, without the name of the program.
fn instruction(name: &str) -> Vec<String> {
    let text = read("Dockerfile");
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let list: Vec<String> = serde_json::from_str(&line[line.find('[').unwrap()..]).unwrap();
    list.into_iter().filter(|argument| argument != "/evenkeel-gateway").collect()
}

/// The setup of a command line, with every key of the environment, and the configuration of the sources in place of that of the
/// image.
fn setup(arguments: &[&str], config: &str) -> Setup {
    let config = folder().join(config);
    let at = arguments.iter().position(|it| *it == "--config").unwrap();
    assert_eq!(arguments[at + 1], "/etc/evenkeel/gateway.toml");
    let mut arguments = arguments.to_vec();
    arguments[at + 1] = config.to_str().unwrap();
    let CommandLine::Serve(options) = parse(&arguments).unwrap() else { panic!("{arguments:?}") };
    Setup::with(options, &|_| Some("a-value-of-sixteen".to_owned())).unwrap()
}

#[test]
fn the_image_and_compose_start_the_gateway_with_flags_that_it_has_on_ports_that_are_published() {
    let compose = yaml("compose/compose.yaml");
    let gateway = &compose["services"]["gateway"];
    let entry = instruction("ENTRYPOINT");
    let entry = entry.iter().map(String::as_str);
    let arguments: Vec<_> = entry.clone().chain(strings(&gateway["command"])).collect();
    let run = setup(&arguments, "compose/gateway/gateway.toml");
    let by_default = instruction("CMD [");
    let by_default: Vec<_> = entry.chain(by_default.iter().map(String::as_str)).collect();
    assert_eq!(setup(&by_default, "../gateway.toml").listen, run.listen);
    assert!(run.listen.ip().is_unspecified(), "the others cannot reach its loopback interface");
    let inside: BTreeSet<_> = strings(&gateway["ports"])
        .iter()
        .map(|port| {
            let [host, _, inside] = port.split(':').collect::<Vec<_>>()[..] else {
                panic!("{port}")
            };
            assert_eq!(host, "127.0.0.1");
            inside.to_owned()
        })
        .collect();
    let dockerfile = read("Dockerfile");
    let exposed = dockerfile.lines().find_map(|line| line.strip_prefix("EXPOSE ")).unwrap();
    assert_eq!(inside, exposed.split(' ').map(str::to_owned).collect());
    assert!(inside.contains(&run.listen.port().to_string()));
    let probe = instruction("HEALTHCHECK");
    let probe: Vec<_> = probe.iter().map(String::as_str).collect();
    assert!(matches!(parse(&probe).unwrap(), CommandLine::Probe(_)));
    assert_eq!(run.listen.port(), crate::setup::DEFAULT_LISTEN.port(), "the probe asks it");
}

#[test]
fn everything_that_compose_mounts_exists_where_the_others_look_for_it() {
    let compose = yaml("compose/compose.yaml");
    let named = compose["volumes"].as_object().unwrap();
    let mut inside = BTreeSet::new();
    for service in compose["services"].as_object().unwrap().values() {
        for volume in strings(&service["volumes"]) {
            let (from, to) = volume.split_once(':').unwrap();
            let path = folder().join("compose").join(from);
            assert!(named.contains_key(from) || path.exists(), "{volume}");
            inside.insert(to.trim_end_matches(":ro").to_owned());
        }
    }
    let prometheus = yaml("compose/prometheus/prometheus.yml");
    for rules in strings(&prometheus["rule_files"]) {
        assert!(inside.contains(&format!("/etc/prometheus/{rules}")), "{rules}");
    }
    let secret = prometheus["scrape_configs"][0]["authorization"]["credentials_file"].as_str();
    let secret = secret.unwrap().strip_prefix("/run/secrets/").unwrap();
    assert_eq!(strings(&compose["services"]["prometheus"]["secrets"]), [secret]);
    assert!(compose["secrets"].get(secret).is_some());
    let dashboards = yaml("compose/grafana/dashboards.yaml");
    let dashboards = dashboards["providers"][0]["options"]["path"].as_str().unwrap();
    let home = &compose["services"]["grafana"]["environment"];
    let home = home["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].as_str().unwrap();
    assert!(inside.contains(home) && Path::new(home).parent() == Some(Path::new(dashboards)));
}

#[test]
fn prometheus_scrapes_the_admin_listener_and_grafana_asks_prometheus() {
    let compose = yaml("compose/compose.yaml");
    let services = compose["services"].as_object().unwrap();
    let prometheus = yaml("compose/prometheus/prometheus.yml");
    let target =
        prometheus["scrape_configs"][0]["static_configs"][0]["targets"][0].as_str().unwrap();
    let (host, port) = target.split_once(':').unwrap();
    let command = strings(&services[host]["command"]);
    let admin = command.iter().skip_while(|it| **it != "--admin").nth(1).unwrap();
    assert_eq!(admin.rsplit(':').next(), Some(port));
    let source = yaml("compose/grafana/datasources.yaml");
    let url = source["datasources"][0]["url"].as_str().unwrap();
    let host = url.strip_prefix("http://").unwrap().split(':').next().unwrap();
    assert!(services.contains_key(host), "{url}");
    let interval = &source["datasources"][0]["jsonData"]["timeInterval"];
    assert_eq!(*interval, prometheus["global"]["scrape_interval"]);
    let check = Command::new("promtool")
        .args(["check", "config", "--syntax-only", "compose/prometheus/prometheus.yml"])
        .current_dir(folder())
        .output();
    // Where there is none, the structure above is what is checked.
    if let Ok(output) = check {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_unit_of_systemd_starts_it_with_flags_that_it_has_and_waits_for_its_drain() {
    let unit = read("evenkeel-gateway.service");
    let of = |key: &str| {
        let mut values =
            unit.lines().filter_map(|line| line.split_once('=')).filter(|(it, _)| *it == key);
        values.next_back().map(|(_, value)| value).unwrap_or_else(|| panic!("{key} is missing"))
    };
    let start: Vec<_> = of("ExecStart").split(' ').collect();
    assert!(start[0].ends_with("/evenkeel-gateway"));
    let setup = setup(&start[1..], "../gateway.toml");
    let GatewayLimits { drain, edges, .. } = setup.limits;
    let connections = edges.connections;
    let seconds = |text: &str| text.strip_suffix('s').unwrap().parse::<u64>().unwrap();
    assert!(seconds(of("TimeoutStopSec")) > drain.as_secs());
    let grace = yaml("compose/compose.yaml");
    let grace = grace["services"]["gateway"]["stop_grace_period"].as_str().unwrap();
    assert!(seconds(grace) > drain.as_secs());
    // A call has a connection of its caller and one to an upstream.
    assert!(of("LimitNOFILE").parse::<usize>().unwrap() > 2 * connections);
    let (credential, _) = of("LoadCredential").split_once(':').unwrap();
    let path = format!("/run/credentials/evenkeel-gateway.service/{credential}_");
    assert!(unit.contains(&path), "{path}");
}
