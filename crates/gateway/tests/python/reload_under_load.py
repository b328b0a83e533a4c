"""Changes the configuration of a gateway five times while calls pass through it, and counts what becomes of them.

    cargo build --release -p evenkeel-gateway
    python3 crates/gateway/tests/python/reload_under_load.py target/release/evenkeel-gateway [seconds, at most 20]

Nothing of evenkeel is in it: provider and callers are sockets and Python's own library. Half of the calls are streamed. The file is
replaced by a rename five times, and once by a wrong one, which has to be refused; SIGHUP follows three of them, and the others are
seen by the gateway itself, which reads the file every second and takes what it has read twice. It prints its figures and exits with 1 where
a call was not answered exactly once.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
import time

CALLERS = 16
RELOADS = 5
WORDS = 8


def config(port, model, deadline):
    return f"""
[[target]]
name = "{model}"
base_url = "http://127.0.0.1:{port}/v1"
model = "{model}"
key_env = "RELOAD_KEY"

[limits]
deadline = {deadline}

[traffic]
concurrency = 32
"""


class Provider:
    """Answers every request, streamed or not, within a few milliseconds, and counts the requests of each model."""

    def __init__(self):
        self.seen = {}

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            while True:
                body = await read_message(reader)
                request = json.loads(body)
                self.seen[request["model"]] = self.seen.get(request["model"], 0) + 1
                await self.answer(writer, request.get("stream", False))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, writer, stream):
        if not stream:
            message = {"role": "assistant", "content": "word " * WORDS}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = json.dumps({"id": "1", "object": "chat.completion", "choices": [choice]}).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            await asyncio.sleep(0.005)
            writer.write(head.encode() + body)
            return await writer.drain()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for nth in range(WORDS + 1):
            end = nth == WORDS
            choice = {"index": 0, "delta": {} if end else {"content": "word "}, "finish_reason": "stop" if end else None}
            event = {"id": "1", "object": "chat.completion.chunk", "choices": [choice]}
            chunk(writer, b"data: " + json.dumps(event).encode() + b"\n\n")
            await writer.drain()
            await asyncio.sleep(0.002)
        chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def chunk(writer, data):
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


async def read_message(reader):
    """The body of one message, of a length or in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if "transfer-encoding: chunked" not in head:
        length = [line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length")]
        return await reader.readexactly(int(length[0]) if length else 0)
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        data = await reader.readexactly(size + 2)
        if size == 0:
            return body
        body += data[:-2]


class Callers:
    """Callers that each keep one connection and send one call after the other."""

    def __init__(self, port, until):
        self.port, self.until = port, until
        self.sent = self.answered = 0
        self.wrong = []
        self.slowest = 0.0

    async def call_on(self, nth):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while time.monotonic() < self.until:
            stream = (self.sent + nth) % 2 == 0
            body = json.dumps({"model": "any", "stream": stream, "messages": [{"role": "user", "content": "hi"}]})
            head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            self.sent += 1
            begun = time.monotonic()
            writer.write((head + body).encode())
            try:
                answer = (await asyncio.wait_for(read_message(reader), 10)).decode()
                whole = answer.count("word ") == WORDS and (not stream or answer.endswith("data: [DONE]\n\n"))
                if whole:
                    self.answered += 1
                else:
                    self.wrong.append(answer[:200])
            except (asyncio.TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
                self.wrong.append(repr(error))
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            self.slowest = max(self.slowest, time.monotonic() - begun)
        writer.close()


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)


async def run(binary, seconds):
    provider = Provider()
    upstream = await provider.start()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "gateway.toml")
        write(path, config(upstream, "model0", 20))
        log = open(os.path.join(folder, "log"), "w+")
        process = await asyncio.create_subprocess_exec(
            binary, "--listen", "127.0.0.1:0", "--config", path,
            stdout=asyncio.subprocess.PIPE, stderr=log, env={**os.environ, "RELOAD_KEY": "k", "RUST_LOG": "info"},
        )
        try:
            line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
            callers = Callers(int(line.rsplit(":", 1)[1]), time.monotonic() + seconds)
            calls = asyncio.gather(*(callers.call_on(nth) for nth in range(CALLERS)))
            for nth in range(1, RELOADS + 1):
                await asyncio.sleep(max(seconds / (RELOADS + 2), 2.6 if nth == 2 else 0))
                if nth == 3:
                    write(path, config(upstream, "wrong", '"never"'))
                    process.send_signal(signal.SIGHUP)
                    await asyncio.sleep(0.3)
                write(path, config(upstream, f"model{nth}", 20 + nth))
                if nth not in (1, 5):
                    process.send_signal(signal.SIGHUP)
            await calls
        finally:
            if process.returncode is None:
                process.terminate()
            status = await asyncio.wait_for(process.wait(), 40)
        log.seek(0)
        lines = log.read().splitlines()
    return provider, callers, status, lines


def main():
    seconds = min(float(sys.argv[2]) if len(sys.argv) > 2 else 14.0, 20.0)
    provider, callers, status, lines = asyncio.run(run(sys.argv[1], seconds))
    reloads = sum("is read again" in line for line in lines)
    refused = [line for line in lines if "is refused" in line]
    asked = sum(provider.seen.values())
    print(f"calls {callers.sent}, answered whole {callers.answered}, requests at the provider {asked}")
    print(f"by configuration: {dict(sorted(provider.seen.items()))}")
    print(f"reloads {reloads}, refused {len(refused)}, slowest call {callers.slowest * 1000:.0f} ms, exit status {status}")
    for line in callers.wrong[:5] + refused:
        print(f"  {line}")
    right = callers.sent == callers.answered == asked and not callers.wrong
    right = right and reloads == RELOADS and len(refused) == 1 and status == 0 and "wrong" not in provider.seen
    right = right and len(provider.seen) == RELOADS + 1
    print("right" if right else "WRONG")
    sys.exit(0 if right else 1)


main()
