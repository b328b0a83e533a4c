"""Calls a second and CPU time a call: direct, through evenkeel, and through LiteLLM's proxy, alternately in one run.

    python3 -m venv /tmp/litellm && /tmp/litellm/bin/pip install 'litellm[proxy]'
    cargo bench -p evenkeel-gateway --bench endurance --no-run      # prints the path of the benchmark
    python3 crates/gateway/benches/beside_litellm.py PATH /tmp/litellm/bin/litellm [ROUNDS]

Everything listens on loopback, and ends with this script.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

CONFIG = """
model_list:
  - model_name: m
    litellm_params:
      model: openai/m
      api_base: {provider}/v1
      api_key: key
litellm_settings:
  num_retries: 0
  telemetry: false
"""


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def children(pid):
    """The process and its descendants."""
    found, of = [pid], {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                of.setdefault(int(stat.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
        except OSError:
            pass
    for one in found:
        found.extend(of.get(one, []))
    return found


def main(bench, litellm, rounds="5"):
    serving = subprocess.Popen([bench, "load", "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    provider = serving.stdout.readline().strip()
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(CONFIG.format(provider=provider))
        config.flush()
        arguments = [litellm, "--config", config.name, "--host", "127.0.0.1", "--port", str(port)]
        proxy = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", proxy)
            pids = ",".join(map(str, children(proxy.pid)))
            also = f"litellm=http://127.0.0.1:{port}={pids}"
            measure = [bench, "load", "--provider", provider, "--also", also, "--rounds", rounds]
            return subprocess.run(measure, timeout=900).returncode
        finally:
            for process in (proxy, serving):
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def wait_for(url, process):
    for _ in range(120):
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            if process.poll() is not None:
                sys.exit(f"it ended with status {process.returncode} before it answered")
            time.sleep(1)
    sys.exit(f"{url} did not answer within two minutes")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
