"""Does to the gateway as a process what peers do that send little, read nothing, or are many.

    cargo build --release -p evenkeel-gateway
    python3 crates/gateway/tests/python/edges.py target/release/evenkeel-gateway [one_byte ...]

Nothing but Python's own library. Each case has a gateway and a provider to itself, and takes at most two minutes; they run one
after the other. It prints what was measured, and exits with 1 where a bound is not kept. Linux only: memory and descriptors are
read from /proc. `EDGES_STREAMS` is the number of streams of `unread` and `open_streams` [default: 1000 and 3000].
"""

import json
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BINARY = sys.argv[1]
LONG = 100
EVENT = b'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Provider:
    """An upstream that streams: `flood` without an end and as fast as it is read, otherwise one event and then silence."""

    def __init__(self, flood):
        self.flood = flood
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
        self.port = self.listener.getsockname()[1]
        self.count = multiprocessing.Value("i", 0)
        # A process of its own: the threads of one share a lock with those that measure.
        multiprocessing.get_context("fork").Process(target=self.accept, daemon=True).start()
        self.listener.close()

    @property
    def open(self):
        return self.count.value

    def accept(self):
        threading.stack_size(128 * 1024)
        while True:
            stream, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        with self.count.get_lock():
            self.count.value += 1
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                head += stream.recv(65536) or exit_thread()
            stream.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            if self.flood:
                part = chunk(EVENT % (b"x" * 4000)) * 8
                while True:
                    stream.sendall(part)
            stream.sendall(chunk(EVENT % b"hello"))
            stream.recv(1)
        except (OSError, SystemExit):
            pass
        finally:
            stream.close()
            with self.count.get_lock():
                self.count.value -= 1


def exit_thread():
    raise SystemExit


class Gateway:
    def __init__(self, provider, config="", stderr=subprocess.DEVNULL, files=None):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".toml")
        self.file.write(config)
        self.file.flush()
        limit = files and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))
        arguments = [BINARY, "--listen", "127.0.0.1:0", "--upstream", f"http://127.0.0.1:{provider.port}"]
        self.process = subprocess.Popen(
            arguments + ["--config", self.file.name], stdout=subprocess.PIPE, stderr=stderr, preexec_fn=limit
        )
        self.port = int(self.process.stdout.readline().rsplit(b":", 1)[1])

    def connect(self, data=b"", buffer=None):
        stream = socket.socket()
        if buffer:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        stream.settimeout(LONG)
        stream.connect(("127.0.0.1", self.port))
        stream.sendall(data)
        return stream

    def health(self):
        """The seconds until /healthz answers on a new connection."""
        begun = time.monotonic()
        with self.connect(b"GET /healthz HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n") as stream:
            answer = b""
            while part := stream.recv(65536):
                answer += part
        assert answer.startswith(b"HTTP/1.1 200"), answer[:100]
        return time.monotonic() - begun

    def chat(self, buffer=None):
        body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % len(body)
        return self.connect(head + body, buffer)

    def rss(self):
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu(self):
        """The seconds of processor time that it has used."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            return sum(map(int, file.read().split()[13:15])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        """Asks it to end: the seconds, and the exit status; `None` if it does not."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = None
        return time.monotonic() - begun, status


def mib(size):
    return round(size / 1024 / 1024, 1)


def one_byte():
    """1 100 sockets that have sent one byte."""
    gateway = Gateway(Provider(False))
    idle = [gateway.connect(b"G") for _ in range(1100)]
    health = gateway.health()
    after, status = gateway.stop()
    del idle
    yield "seconds until /healthz", round(health, 2), health < 5
    yield "seconds until the end", round(after, 2), after < 5
    yield "exit status", status, status == 0


def unread():
    """Streams that are not read, of a provider that sends as fast as it can."""
    count = int(os.environ.get("EDGES_STREAMS", 1000))
    provider = Provider(True)
    gateway = Gateway(provider, f"[limits]\nconnections = {count + 24}\n")
    before = gateway.rss()
    streams = [gateway.chat(buffer=4096) for _ in range(count)]
    most, worst, freed = before, 0, None
    begun = time.monotonic()
    while time.monotonic() - begun < LONG:
        most, worst = max(most, gateway.rss()), max(worst, gateway.health())
        if provider.open <= count // 100 and time.monotonic() - begun > 5:
            freed = time.monotonic() - begun
            break
        time.sleep(0.5)
    descriptors, after = gateway.descriptors(), gateway.rss()
    end, status = gateway.stop()
    del streams
    yield "streams", count, True
    yield "MiB before, at most, after", [mib(before), mib(most), mib(after)], most - before < count * 150 * 1024
    yield "KiB for each at most", round((most - before) / count / 1024, 1), True
    yield "slowest /healthz in seconds", round(worst, 2), worst < 5
    yield "seconds until they are closed", freed and round(freed, 1), freed is not None
    yield "descriptors after", descriptors, descriptors < 100
    yield "seconds until the end, exit status", [round(end, 2), status], status == 0 and end < 5


def open_streams():
    """Streams that are open, each with one event that was read: the memory of one."""
    count = int(os.environ.get("EDGES_STREAMS", 3000))
    provider = Provider(False)
    gateway = Gateway(provider, f'[limits]\nconnections = {count + 24}\nidle = "10min"\ndrain = 1\n')
    before = gateway.rss()
    streams = [gateway.chat() for _ in range(count)]
    for stream in streams:
        while b"hello" not in stream.recv(65536):
            pass
    most, descriptors = gateway.rss(), gateway.descriptors()
    end, status = gateway.stop()
    del streams
    yield "streams, descriptors", [count, descriptors], True
    yield "MiB before, with them", [mib(before), mib(most)], True
    yield "KiB for each", round((most - before) / count / 1024, 1), True
    yield "exit status of a drain that cut them", status, status == 3
    yield "seconds until the end", round(end, 2), end < 10


def full_stderr():
    """Standard error is a pipe that nobody reads."""
    provider = Provider(False)
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    try:
        while True:
            os.write(writes, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writes, True)
    os.environ["RUST_LOG"] = "trace"
    gateway = Gateway(provider, "", stderr=writes)
    del os.environ["RUST_LOG"]
    answered = 0
    for _ in range(20):
        stream = gateway.chat()
        stream.settimeout(5)
        try:
            while b"hello" not in stream.recv(65536):
                pass
            answered += 1
        except (TimeoutError, OSError):
            break
        finally:
            stream.close()
    end, status = gateway.stop()
    os.close(reads)
    yield "calls answered of 20", answered, answered == 20
    yield "seconds until the end", round(end, 2), end < 10
    yield "exit status", status, status == 0


def few_descriptors():
    """Fewer file descriptors than the connections need: 256, and 400 clients."""
    log = tempfile.TemporaryFile()
    gateway = Gateway(Provider(False), "", stderr=log, files=256)
    clients, worst = [], 0
    for n in range(400):
        clients.append(gateway.chat() if n % 2 else gateway.connect(b"G"))
        if n % 50 == 49:
            worst = max(worst, gateway.health())
    before = gateway.cpu()
    time.sleep(3)
    busy = (gateway.cpu() - before) / 3
    descriptors = gateway.descriptors()
    for client in clients:
        client.close()
    end, status = gateway.stop()
    log.seek(0)
    lines = [line for line in log.read().decode().splitlines() if "open files" in line]
    yield "slowest /healthz in seconds", round(worst, 2), worst < 5
    yield "descriptors of 256", descriptors, descriptors < 256
    yield "share of a core while it is full", round(busy, 2), busy < 0.5
    yield "the log says so", len(lines), len(lines) == 1
    yield "seconds until the end, exit status", [round(end, 2), status], status == 0


CASES = [one_byte, unread, open_streams, full_stderr, few_descriptors]


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    wanted = sys.argv[2:] or [case.__name__ for case in CASES]
    wrong = 0
    for case in CASES:
        if case.__name__ not in wanted:
            continue
        print(f"{case.__name__}: {case.__doc__}", flush=True)
        try:
            for what, value, right in case():
                wrong += not right
                print(f"  {'right' if right else 'WRONG'}  {what}: {value}", flush=True)
        except (OSError, AssertionError) as error:
            wrong += 1
            print(f"  WRONG  {error!r}", flush=True)
    sys.exit(1 if wrong else 0)


main()
