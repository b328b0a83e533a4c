"""What large calls cost the gateway as a process: bytes sent, memory, and how long a small call waits beside them.

    cargo build -p evenkeel-gateway
    python3 crates/gateway/tests/python/large_calls.py target/debug/evenkeel-gateway [case ...]

Each case has a gateway and an upstream of its own, and at most a minute. It prints one line for each; it exits with 1 if a bound
that the gateway documents is broken (bytes sent again, memory), never for a time.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

MIB = 1024 * 1024
ANSWER = json.dumps({
    "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
}).encode()
ERROR = json.dumps({"error": {"message": "overloaded", "type": "server_error"}}).encode()


class Upstream:
    """Counts requests and bytes. `mode` is what it does with a request of more than a mebibyte; others are answered."""

    def __init__(self, mode):
        self.mode, self.requests, self.bytes = mode, 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            while self.one(connection):
                pass
        except OSError:
            pass
        connection.close()

    def one(self, connection):
        data = bytearray()
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        head, _, rest = bytes(data).partition(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next((int(it.split(":")[1]) for it in lines if it.startswith("content-length:")), 0)
        large = length > MIB
        with self.lock:
            self.requests += large
            self.bytes += len(rest) if large else 0
        if large and self.mode == "early":
            # Answers before the body has arrived, as a load balancer does, and closes.
            self.answer(connection, "503 Service Unavailable", ERROR, "connection: close\r\n")
            return False
        left, buffer = length - len(rest), bytearray(MIB)
        while left > 0:
            size = connection.recv_into(buffer, min(left, MIB))
            if not size:
                return False
            left -= size
            with self.lock:
                self.bytes += size if large else 0
        if not large or self.mode == "answers":
            self.answer(connection, "200 OK", ANSWER)
        elif self.mode == "closes":
            return False
        else:
            self.answer(connection, {"fails": "500 Internal Server Error", "limits": "429 Too Many Requests"}[self.mode], ERROR)
        return True

    @staticmethod
    def answer(connection, status, body, more=""):
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)


class Gateway:
    def __init__(self, binary, config):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".toml")
        self.file.write(config)
        self.file.flush()
        environment = os.environ | {"A_KEY": "k", "RUST_LOG": "error"}
        command = [binary, "--listen", "127.0.0.1:0", "--config", self.file.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def memory(self, name="VmHWM"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name)) / 1024

    def seconds_of_cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def post(self, body, headers=(), timeout=60):
        """The status of a call, or the name of what went wrong."""
        more = "".join(f"{name}: {value}\r\n" for name, value in headers)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: {len(body)}\r\n{more}\r\n"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
                connection.sendall(head.encode())
                connection.sendall(body)
                return int(connection.recv(65536).split(b" ", 2)[1])
        except (OSError, IndexError) as error:
            return type(error).__name__

    def stop(self):
        self.process.terminate()
        self.process.wait()


def large(size, model="m"):
    text = "x" * (size - 100)
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()


def tiny_keys(size):
    """The most nodes for its size: an object of short names."""
    fields = ",".join(f'"{n:x}":0' for n in range(size // 10))
    return ('{"model":"m","messages":[{"role":"user","content":"hi"}],"x":{%s}}' % fields).encode()


def targets(port, number, model="f"):
    return "".join(
        f'[[target]]\nname = "t{n}"\nbase_url = "http://127.0.0.1:{port}/v1"\nmodel = "{model}{n}"\nkey_env = "A_KEY"\n'
        for n in range(number)
    )


def small_calls(gateway, until):
    """The times of small calls, one after another, until the event."""
    times, body = [], b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
    while not until.is_set():
        begun = time.monotonic()
        status = gateway.post(body)
        times.append((time.monotonic() - begun, status))
        time.sleep(0.01)
    return times


def run(binary, name, mode, config, bodies, bound_bytes=None, bound_memory=None, headers=()):
    upstream = Upstream(mode)
    gateway = Gateway(binary, config(upstream.port))
    gateway.post(b'{"model":"m","messages":[]}')
    before, done, times, statuses = gateway.memory("VmRSS"), threading.Event(), [], []
    small = threading.Thread(target=lambda: times.extend(small_calls(gateway, done)))
    small.start()
    begun = time.monotonic()
    calls = [threading.Thread(target=lambda body=body: statuses.append(gateway.post(body, headers))) for body in bodies]
    [it.start() for it in calls]
    [it.join() for it in calls]
    took = time.monotonic() - begun
    done.set()
    small.join()
    sent, total = upstream.bytes / MIB, sum(map(len, bodies)) / MIB
    peak, cpu = gateway.memory(), gateway.seconds_of_cpu()
    gateway.stop()
    upstream.listener.close()
    waits = sorted(wait for wait, _ in times)
    served = sum(status == 200 for _, status in times)
    wrong = [f"more than {bound_bytes:.0f} MiB sent"] if bound_bytes and sent > bound_bytes else []
    wrong += [f"more than {bound_memory:.0f} MiB of memory"] if bound_memory and peak > bound_memory else []
    counted = ", ".join(f"{statuses.count(it)} × {it}" for it in sorted(set(statuses), key=str))
    print(
        f"{name:<34} {len(bodies)} of {total:6.1f} MiB in all | sent {upstream.requests:3} times, {sent:8.1f} MiB | RSS {before:4.0f} → {peak:5.0f} MiB"
        f" | {took:5.1f} s, CPU {cpu:5.1f} s | small: {served}/{len(times)} answered, median {waits[len(waits) // 2] * 1000:.0f} ms,"
        f" longest {waits[-1] * 1000:.0f} ms | {counted} {'; '.join(wrong)}",
        flush=True,
    )
    return not wrong


def cases(binary):
    size = 28 * MIB
    body = large(size)
    plain = lambda port: f'upstream = "http://127.0.0.1:{port}"\n'
    eight = lambda port: plain(port) + targets(port, 8)
    pipeline = lambda port: 'profile = "pipeline"\n' + eight(port)
    equals = lambda port: plain(port) + targets(port, 8).replace('\nbase_url', '\ngroup = "all"\nbase_url')
    cache = lambda port: plain(port) + "[cache]\nserve_fresh_for = 60\n"
    edits = lambda port: plain(port) + targets(port, 8).replace(
        "key_env", 'compatibility = "mistral"\nmax_tokens = 500\nwithout_images = true\nfit_context = 32000000\nkey_env')
    wishes = [("evenkeel-fallbacks", ", ".join(f"w{n}" for n in range(8)))]
    again = 4 * size / MIB + size / MIB + 1
    return {
        "fails": lambda name: run(binary, name, "fails", eight, [body], again),
        "fails-pipeline": lambda name: run(binary, name, "fails", pipeline, [body], again),
        "fails-equals": lambda name: run(binary, name, "fails", equals, [body], again),
        "limits": lambda name: run(binary, name, "limits", eight, [body], again),
        # A connection that closes may have been dead before: each attempt is sent on a new one once more.
        "closes": lambda name: run(binary, name, "closes", eight, [body], 2 * again),
        "early": lambda name: run(binary, name, "early", eight, [body], again),
        "named-by-the-caller": lambda name: run(binary, name, "fails", plain, [body], again, headers=wishes),
        "edited": lambda name: run(binary, name, "fails", edits, [body], again),
        "eight-at-once": lambda name: run(binary, name, "fails", eight, [body] * 8, 8 * again),
        "answers": lambda name: run(binary, name, "answers", plain, [body]),
        "tiny-keys-cached": lambda name: run(binary, name, "answers", cache, [tiny_keys(16 * MIB)], bound_memory=200),
        "four-tiny-keys-cached": lambda name: run(binary, name, "answers", cache, [tiny_keys(16 * MIB)] * 4, bound_memory=400),
        "tiny-keys": lambda name: run(binary, name, "fails", edits, [tiny_keys(16 * MIB)]),
    }


def main():
    binary, *chosen = sys.argv[1:]
    every = cases(binary)
    results = [run_case(name) for name, run_case in every.items() if not chosen or name in chosen]
    sys.exit(0 if all(results) else 1)


main()
