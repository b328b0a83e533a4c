"""Plays sixteen failures of a provider at full length and in real time against the gateway as a process.

    cargo build --release -p evenkeel-gateway
    python3 crates/gateway/tests/python/acceptance.py target/release/evenkeel-gateway [stall ...]

Nothing of evenkeel is in it: provider and caller are sockets and a few lines of Python's own library. Each case has a
gateway and a provider to itself; all run at once, so that it takes as long as the longest (outage: 90 s). It
prints a table and exits with 1 where a row is wrong: `right` is what has to be so, `wrong` is what may not be.
"""

import asyncio
import json
import os
import sys
import tempfile
import time

WORDS = [f"word{n}" for n in range(60)]
WHOLE = " ".join(WORDS)
BETWEEN = 0.02
FAIL = "primary-model"
WELL = "fallback-model"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def head(status="200 OK", kind="application/json", more=""):
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{more}".encode()


class Provider:
    """One provider on a port of its own. `plan(attempt, now)` says what becomes of a request for the failing model."""

    def __init__(self, plan):
        self.plan, self.seen, self.begun = plan, [], time.monotonic()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    def attempts(self, model):
        return [at for at, asked in self.seen if asked == model]

    async def serve(self, reader, writer):
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
                body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
                assert not [name for name in headers if name.startswith("evenkeel")], "a wish went on"
                now = time.monotonic() - self.begun
                self.seen.append((now, body["model"]))
                number = len(self.attempts(body["model"]))
                plan = self.plan(number, now) if body["model"] == FAIL else {}
                if body["model"] == WELL and body["messages"][-1]["role"] == "assistant":
                    plan = error(400, "invalid_request_error", "assistant prefill is not supported")
                await self.answer(writer, body, plan)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, Cut):
            pass
        finally:
            writer.close()

    async def answer(self, writer, body, plan):
        if "reset" in plan:
            writer.transport.abort()
            raise Cut
        await asyncio.sleep(plan.get("before", 0))
        if "status" in plan:
            text = json.dumps(plan["body"]).encode()
            more = "".join(f"{k}: {v}\r\n" for k, v in plan.get("headers", {}).items())
            writer.write(head(plan["status"], more=f"{more}content-length: {len(text)}\r\n\r\n") + text)
        elif body.get("stream"):
            await self.stream(writer, body, plan)
        else:
            await self.unary(writer, body, plan)
        await writer.drain()

    async def unary(self, writer, body, plan):
        text = json.dumps({
            "id": "c1", "object": "chat.completion", "created": 1, "model": body["model"], "usage": USAGE,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": WHOLE}}],
        }).encode()
        writer.write(head(more="transfer-encoding: chunked\r\n\r\n"))
        await writer.drain()
        await asyncio.sleep(plan.get("first", 0))
        if "words" in plan:
            writer.write(chunk(text[: len(text) * plan["words"] // 60]))
            await writer.drain()
            await asyncio.sleep(plan["silent"])
            raise Cut
        if "garbage" in plan:
            text = text[:200] + b"{{{{" + text[230:]
        writer.write(chunk(text) + b"0\r\n\r\n")

    async def stream(self, writer, body, plan):
        writer.write(head(kind="text/event-stream", more="transfer-encoding: chunked\r\n\r\n"))
        await writer.drain()
        await asyncio.sleep(plan.get("first", 0))

        def event(delta, finish=None, **more):
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
            value = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body["model"], "choices": choices}
            return chunk(b"data: " + json.dumps(value | more).encode() + b"\n\n")

        for number, word in enumerate(WORDS):
            if number == plan.get("words"):
                await asyncio.sleep(plan["silent"])
                raise Cut
            if number == 9 and "garbage" in plan:
                writer.write(chunk(b'data: {"id":"c1","choices":[{"delta":{"content":\n\n'))
            role = {"role": "assistant"} if number == 0 else {}
            writer.write(event(role | {"content": word if number == 0 else " " + word}))
            await writer.drain()
            await asyncio.sleep(BETWEEN)
        writer.write(event({}, "stop") + event({}, None, choices=[], usage=USAGE))
        writer.write(b"" if "unmarked" in plan else chunk(b"data: [DONE]\n\n"))
        writer.write(b"0\r\n\r\n")


class Cut(Exception):
    """The connection ends here."""


USAGE = {"prompt_tokens": 7, "completion_tokens": 60, "total_tokens": 67}


def error(status, code, message, **headers):
    body = {"error": {"message": message, "type": code, "param": None, "code": code}}
    return {"status": f"{status} Said", "body": body, "headers": headers}


class Saw:
    """What a caller saw."""

    def __init__(self):
        self.status, self.headers, self.text, self.error, self.finish = 0, {}, "", None, None
        self.model, self.usage, self.began, self.took, self.cut = None, None, None, 0.0, False

    @property
    def whole(self):
        return self.status == 200 and self.text == WHOLE and self.finish == "stop" and not self.error and not self.cut

    @property
    def clear(self):
        """An error that nobody takes for an answer."""
        return self.status >= 400 or self.error is not None or self.cut

    @property
    def words(self):
        return "whole" if self.whole else f"{self.status} {self.error or ('cut' if self.cut else 'TRUNCATED')}"[:44]

    def take(self, value):
        self.error = value.get("error") and str(value["error"].get("code") or value["error"]) or self.error
        self.model, self.usage = value.get("model", self.model), value.get("usage") or self.usage
        for choice in value.get("choices", []):
            self.text += (choice.get("delta") or choice.get("message") or {}).get("content") or ""
            self.finish = choice.get("finish_reason") or self.finish


async def ask(port, stream, headers, limit=130):
    body = {"model": FAIL, "stream": stream, "messages": [{"role": "user", "content": "Where is my parcel?"}]}
    body = json.dumps(body | ({"stream_options": {"include_usage": True}} if stream else {})).encode()
    saw, begun = Saw(), time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer key-of-the-caller\r\n"
                 f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode() + body)
    try:
        async with asyncio.timeout(limit):
            await read(reader, saw, begun)
    except (asyncio.IncompleteReadError, ConnectionError):
        saw.cut = True
    except TimeoutError:
        saw.cut, saw.error = True, "HANGS"
    saw.took = time.monotonic() - begun
    writer.close()
    return saw


async def read(reader, saw, begun):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    saw.status = int(lines[0].split()[1])
    saw.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    if "content-length" in saw.headers:
        text = await reader.readexactly(int(saw.headers["content-length"]))
    else:
        text = b""
        while size := int(await reader.readline() or b"x", 16):
            text += (await reader.readexactly(size + 2))[:-2]
            saw.began = saw.began or time.monotonic() - begun
        await reader.readexactly(2)
    if saw.headers["content-type"] != "text/event-stream":
        saw.take(json.loads(text))
        return
    for event in text.decode().split("\n\n"):
        data = "".join(line[5:].strip() for line in event.split("\n") if line.startswith("data:"))
        if data and data != "[DONE]":
            try:
                saw.take(json.loads(data))
            except ValueError:
                saw.error = saw.error or "an event that is no JSON"


class Gateway:
    """The process."""

    def __init__(self, binary, upstream):
        self.binary, self.upstream = binary, upstream

    async def __aenter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = await asyncio.create_subprocess_exec(
            self.binary, "--listen", "127.0.0.1:0", "--upstream", f"http://127.0.0.1:{self.upstream}",
            stdout=asyncio.subprocess.PIPE, stderr=self.log, env=os.environ | {"RUST_LOG": "trace"})
        line = (await self.process.stdout.readline()).decode()
        self.port = int(line.rsplit(":", 1)[1])
        return self

    async def __aexit__(self, *_):
        self.process.terminate()
        code = await asyncio.wait_for(self.process.wait(), 40)
        self.log.seek(0)
        log = self.log.read().decode()
        assert code == 0, f"it ended with {code}: {log}"
        for secret in ["key-of-the-caller", "Where is my parcel", WORDS[3]]:
            assert secret not in log, f"{secret!r} is in the log"


class Case:
    """One failure: the plan, and what has to be so of what was seen."""

    def __init__(self, name, plan, check, forms=(True, False), headers=None, note=""):
        self.name, self.plan, self.check, self.forms, self.note = name, plan, check, forms, note
        self.headers = {"evenkeel-fallbacks": WELL} | (headers or {})


COMPLETE = {"evenkeel-commit": "complete"}
DEAD = error(503, "server_error", "down")
LIMITED = error(429, "rate_limit_exceeded", "slow down")


def always(plan):
    return lambda number, now: plan


def once(plan):
    return lambda number, now: plan if number == 1 else {}


def calls(saw, first, second):
    """What holds of every call: the headers tell what was done."""
    told = int(saw.headers.get("evenkeel-attempts", -1))
    return {"attempts are told": told == len(first) + len(second),
            "the fallback is told": saw.headers.get("evenkeel-served-by") == ("primary" if not second else WELL)
            or not saw.whole}


def rate_limit_with_wait(saw, a, b):
    return {"whole": saw.whole, "2 s waited": len(a) == 1 and len(b) == 1 or len(a) == 2 and a[1] - a[0] >= 1.8,
            "<= 2 attempts in 1.5 s": sum(at - a[0] <= 1.5 for at in a + b) <= 2}


def rate_limit(saw, a, b):
    return {"whole": saw.whole, "by the fallback": len(b) == 1, "<= 4 in 3 s": sum(at - a[0] <= 3 for at in a) <= 4,
            "<= 6 in all": len(a) + len(b) <= 6, "backs off": all(y > x + 0.04 for x, y in zip(a, a[1:]))}


def silence(saw, a, b):
    return {"whole": saw.whole, "asked once": len(a) == 1, "the fallback": len(b) == 1, "< 100 s": saw.took < 100}


def stall(saw, a, b):
    return {"whole or clear": saw.whole or saw.clear, "< 45 s": saw.took < 45}


def whole(**bounds):
    def check(saw, a, b):
        told = {"whole": saw.whole}
        for name, most in bounds.items():
            seen = {"first": len(a), "second": len(b), "all": len(a) + len(b), "seconds": saw.took}[name]
            told[f"{name} <= {most}"] = seen <= most
        return told
    return check


def too_large(saw, a, b):
    return {"whole": saw.whole, "asked once": len(a) == 1, "the larger": len(b) == 1}


def blocked(saw, a, b):
    return {"asked once": len(a) == 1, "no way around": not b, "400": saw.status == 400,
            "the reason": saw.error == "content_policy_violation"}


def served_model(saw, a, b):
    return {"whole": saw.whole, "its model": saw.model == WELL, "its usage": saw.usage == USAGE, "<= 6": len(a) + len(b) <= 6}


CUT40 = {"words": 40, "silent": 0}
SILENT20 = {"words": 20, "silent": 30}
CASES = [
    Case("rate-limit-with-wait", once(error(429, "rate_limit_exceeded", "slow down", **{"retry-after": "2"})), rate_limit_with_wait),
    Case("rate-limit-with-wait", once(error(429, "rate_limit_exceeded", "slow down", **{"retry-after": "2"})), rate_limit_with_wait,
         headers={"evenkeel-fallbacks": None}, note="no fallback"),
    Case("rate-limit", always(LIMITED), rate_limit),
    Case("one-500", once(error(500, "server_error", "oops")), whole(first=2, second=0)),
    Case("always-503", always(DEAD), whole(all=6)),
    Case("reset", once({"reset": True}), whole(all=3)),
    Case("silence", always({"before": 120}), silence),
    Case("late-first-token", always({"first": 20}), whole(first=1, second=1, seconds=25), forms=[True]),
    Case("late-first-token", always({"first": 20}), whole(first=1, second=1, seconds=25), forms=[False]),
    Case("cut", always(CUT40), lambda saw, a, b: {"whole or clear": saw.whole or saw.clear}),
    Case("cut", always(CUT40), whole(), headers=COMPLETE, note="complete"),
    Case("cut", once(CUT40), whole(), headers=COMPLETE, note="once, complete"),
    Case("stall", always(SILENT20), stall),
    Case("stall", always(SILENT20), whole(first=1, second=1, seconds=45), headers=COMPLETE, note="complete"),
    Case("invalid-json", always({"garbage": True}), lambda saw, a, b: {"whole or clear": saw.whole or saw.clear}),
    Case("invalid-json", always({"garbage": True}), whole(), headers=COMPLETE, note="complete"),
    Case("no-sentinel", always({"unmarked": True}), lambda saw, a, b: whole(first=1, second=0, seconds=5)(saw, a, b)
         | {"usage": saw.usage == USAGE}),
    Case("no-sentinel", always({"unmarked": True}), lambda saw, a, b: whole(first=1, second=0, seconds=5)(saw, a, b)
         | {"usage": saw.usage == USAGE}, headers=COMPLETE, note="complete"),
    Case("too-large", always(error(400, "context_length_exceeded", "too long")), too_large),
    Case("blocked", always(error(400, "content_policy_violation", "not that")), blocked),
    Case("prefill", always(CUT40), lambda saw, a, b: {"whole or clear": saw.whole or saw.clear,
         "the real failure": "prefill" not in str(saw.error)}),
    Case("prefill", always(CUT40), whole(), headers=COMPLETE, note="complete"),
    Case("served-model", always(DEAD), served_model),
]


async def play(binary, case, stream):
    provider = Provider(case.plan)
    await provider.start()
    async with Gateway(binary, provider.port) as gateway:
        headers = {name: value for name, value in case.headers.items() if value}
        saw = await ask(gateway.port, stream, headers)
        first, second = provider.attempts(FAIL), provider.attempts(WELL)
        told = case.check(saw, first, second) | calls(saw, first, second)
        # It is healthy afterwards.
        provider.plan = always({})
        after = await ask(gateway.port, stream, headers)
        told["healthy afterwards"] = after.whole
    form = "stream" if stream else "unary"
    return row(case.name, f"{form} {case.note}", saw, (first, second), told)


def row(name, form, saw, attempts, told):
    failed = [what for what, so in told.items() if not so]
    times = ["/".join(f"{at - min(sum(attempts, [0]) or [0]):.1f}" for at in some) or "-" for some in attempts]
    print(f"{'ok  ' if not failed else 'FAIL'} {name:20} {form:22} {saw.words:34} {saw.took:6.1f} s  "
          f"{len(attempts[0])} + {len(attempts[1])}  at {times[0][:40]} + {times[1][:20]}"
          f"{'  NOT: ' + ', '.join(failed) if failed else ''}", flush=True)
    return not failed


async def outage(binary, stream):
    """A minute of 503; a call every four seconds."""
    provider = Provider(lambda number, now: DEAD if now < 60 else {})
    await provider.start()
    async with Gateway(binary, provider.port) as gateway:
        provider.begun, answers = time.monotonic(), []

        async def one(number):
            await asyncio.sleep(4 * number)
            answers.append((4 * number, await ask(gateway.port, stream, {"evenkeel-fallbacks": WELL})))

        await asyncio.gather(*map(one, range(23)))
    first, second = provider.attempts(FAIL), provider.attempts(WELL)
    dead = [at for at in first if at < 60]
    back = min((at for at, saw in answers if at >= 60 and saw.model == FAIL), default=999)
    told = {"every answer whole": all(saw.whole for _, saw in answers), "none slow": all(saw.took < 5 for _, saw in answers),
            f"back within 30 s ({back} s)": back <= 90, f"few at the dead ({len(dead)})": len(dead) <= 12}
    print(f"     outage: {len(dead)} attempts at the dead primary over 15 calls, used again at {back} s, the slowest call "
          f"{max(saw.took for _, saw in answers):.1f} s")
    return row("outage", "stream" if stream else "unary", answers[0][1], (first, second), told)


async def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary, only = sys.argv[1], sys.argv[2:]
    begun = time.monotonic()
    plays = [play(binary, case, stream) for case in CASES for stream in case.forms if not only or case.name in only]
    if not only or "outage" in only:
        plays += [outage(binary, True), outage(binary, False)]
    results = await asyncio.gather(*plays)
    print(f"{sum(results)} of {len(results)} in {time.monotonic() - begun:.0f} s")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    asyncio.run(main())
