"""Drives the gateway with the official Python SDKs of OpenAI and Anthropic: in health, and in the sixteen failures.

It starts nothing by itself. The upstream is one whose models fail on purpose, and the tests of the gateway start both:

    python3 -m venv target/python
    target/python/bin/pip install -r crates/gateway/tests/python/requirements.txt
    EVENKEEL_PYTHON=$PWD/target/python/bin/python cargo test -p evenkeel-gateway --lib -- --ignored python_sdks

Called by hand, it takes the gateway's URL and checks what needs nothing but a provider that is well:

    target/python/bin/python crates/gateway/tests/python/sdks.py http://127.0.0.1:8080 MODEL
"""

import os
import sys
import time

import anthropic
import openai

MESSAGES = [{"role": "user", "content": "Where is my parcel?"}]
FALLBACKS = {"evenkeel-fallbacks": "spare"}
COMPLETE = {"evenkeel-commit": "complete"}
BOTH = FALLBACKS | COMPLETE


class Check:
    """The SDKs before one gateway."""

    def __init__(self, url, words=None):
        # evenkeel is the layer that retries.
        self.openai = openai.OpenAI(base_url=f"{url}/v1", api_key="key-of-the-caller", max_retries=0)
        self.anthropic = anthropic.Anthropic(base_url=url, api_key="key-of-the-caller", max_retries=0)
        self.words = words

    def ways(self):
        return {
            "chat": self.chat,
            "chat, streamed": self.chat_streamed,
            "responses": self.responses,
            "responses, streamed": self.responses_streamed,
            "messages": self.messages,
            "messages, streamed": self.messages_streamed,
        }

    def chat(self, model, headers=None):
        answer = self.openai.chat.completions.create(model=model, messages=MESSAGES, extra_headers=headers)
        assert answer.choices[0].finish_reason == "stop", answer
        assert answer.usage.total_tokens > 0, answer
        return answer.choices[0].message.content

    def chat_streamed(self, model, headers=None):
        stream = self.openai.chat.completions.create(
            model=model, messages=MESSAGES, stream=True, stream_options={"include_usage": True}, extra_headers=headers
        )
        words, finish = [], None
        for chunk in stream:
            for choice in chunk.choices:
                words.append(choice.delta.content or "")
                finish = choice.finish_reason or finish
        assert finish == "stop", finish
        return "".join(words)

    def responses(self, model, headers=None):
        answer = self.openai.responses.create(model=model, input="Where is my parcel?", extra_headers=headers)
        assert answer.status == "completed", answer
        return answer.output_text

    def responses_streamed(self, model, headers=None):
        stream = self.openai.responses.create(
            model=model, input="Where is my parcel?", stream=True, extra_headers=headers
        )
        words, done = [], False
        for event in stream:
            if event.type == "response.output_text.delta":
                words.append(event.delta)
            done = done or event.type == "response.completed"
        assert done
        return "".join(words)

    def messages(self, model, headers=None):
        answer = self.anthropic.messages.create(
            model=model, max_tokens=500, messages=MESSAGES, extra_headers=headers
        )
        assert answer.stop_reason == "end_turn", answer
        return answer.content[0].text

    def messages_streamed(self, model, headers=None):
        with self.anthropic.messages.stream(
            model=model, max_tokens=500, messages=MESSAGES, extra_headers=headers
        ) as stream:
            words = "".join(stream.text_stream)
            assert stream.get_final_message().stop_reason == "end_turn"
        return words

    def whole(self, way, model, headers=None):
        said = self.ways()[way](model, headers)
        assert said and (self.words is None or said == self.words), f"{way}, {model}: {said!r}"
        print(f"ok    {way:22} {model}")

    def raises(self, way, model, kinds, says, headers=None):
        try:
            said = self.ways()[way](model, headers)
        except kinds as error:
            assert says in str(error), f"{way}, {model}: {error!r} does not say {says!r}"
            print(f"ok    {way:22} {model}: {type(error).__name__}")
        else:
            raise AssertionError(f"{way}, {model}: no error, but {said!r}")


def healthy(check, model):
    for way in check.ways():
        check.whole(way, model)
    head = check.openai.chat.completions.with_raw_response.create(model=model, messages=MESSAGES).headers
    assert head["evenkeel-attempts"] == "1" and head["evenkeel-served-by"], head
    print(f"ok    the answer tells its fallback   {model}")


def failures(check):
    assert [model.id for model in check.openai.models.list()] == ["good"]
    print("ok    models.list")
    for number, way in enumerate(check.ways()):
        failures_of(check, way, number)
    outage(check)


def failures_of(check, way, n):
    """The sixteen failures, in the order of `acceptance.py`. `n` is the number of the way's own models: those fail once, or
    close their route."""
    ours = anthropic if way.startswith("messages") else openai
    check.whole(way, f"429-once-{n}")
    check.whole(way, "limited", FALLBACKS)
    check.raises(way, f"limited-{n}", ours.RateLimitError, "Rate limit reached")
    check.whole(way, f"500-once-{n}")
    check.whole(way, f"503-once-{n}")
    check.whole(way, "down", FALLBACKS)
    check.whole(way, f"reset-once-{n}")
    check.whole(way, "hang", FALLBACKS)
    check.raises(way, f"silent-{n}", ours.InternalServerError, "evenkeel: ")
    check.whole(way, "late", FALLBACKS)
    check.whole(way, f"cut-once-{n}", COMPLETE)
    check.whole(way, f"stall-{n}", BOTH)
    check.whole(way, f"garbage-{n}", BOTH)
    check.whole(way, "unmarked")
    check.whole(way, "too-large", FALLBACKS)
    check.raises(way, "blocked", ours.BadRequestError, "content filtering policy", FALLBACKS)
    check.whole(way, f"cut-{n}", COMPLETE | {"evenkeel-fallbacks": "no-prefill"})
    if way.endswith("streamed"):
        check.raises(way, f"cut-{n}", ours.APIError, "evenkeel: ")
        check.raises(way, f"stall-{n}", ours.APIError, "evenkeel: ")
    check.raises(way, f"no-key-{n}", ours.AuthenticationError, "The provider answered 401")
    check.raises(way, "wrong", ours.BadRequestError, "The provider answered 400")
    check.raises(way, "gone", ours.NotFoundError, "The provider answered 404")
    check.raises(way, "good", ours.BadRequestError, "evenkeel-commit", {"evenkeel-commit": "soon"})


def outage(check):
    """An outage: every answer is whole, and names the model that gave it, which is the failed one again after it."""
    spare, until = 0, time.monotonic() + 60
    while True:
        answer = check.openai.chat.completions.create(model="outage", messages=MESSAGES, extra_headers=FALLBACKS)
        assert answer.choices[0].message.content == check.words
        spare += answer.model == "spare"
        if answer.model == "outage" and spare:
            break
        assert time.monotonic() < until, "the model is not used again"
        time.sleep(0.25)
    assert spare > 1, spare
    print(f"ok    the outage: {spare} answers of the fallback, then its own")


def main():
    if len(sys.argv) == 3:
        healthy(Check(sys.argv[1]), sys.argv[2])
        return
    if "EVENKEEL_GATEWAY" not in os.environ:
        sys.exit(__doc__)
    check = Check(os.environ["EVENKEEL_GATEWAY"], os.environ["EVENKEEL_WORDS"])
    healthy(check, "good")
    failures(check)
    # It is well after all that.
    healthy(check, "good")
    print("The SDKs saw nothing unusual in health, and whole answers or their own errors in the failures.")


if __name__ == "__main__":
    main()
