// Drives the gateway with the official Node SDKs of OpenAI and Anthropic and with the AI SDK of Vercel: in health, and in the
// sixteen failures.
//
// It starts nothing by itself. The upstream is one whose models fail on purpose, and the tests of the gateway start both. Node
// looks for packages beside the script, so that the test runs a copy of it where they are installed:
//
//     mkdir -p target/node && cp crates/gateway/tests/node/package*.json target/node && npm ci --prefix target/node
//     EVENKEEL_NODE=$PWD/target/node cargo test -p evenkeel-gateway --lib -- --ignored node_sdks
//
// Called by hand, it takes the gateway's URL and checks what needs nothing but a provider that is well:
//
//     cp crates/gateway/tests/node/sdks.mjs target/node && node target/node/sdks.mjs http://127.0.0.1:8080 MODEL

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { APICallError, generateText, streamText } from "ai";
import OpenAI from "openai";

// What a script prints is what is asserted.
globalThis.AI_SDK_LOG_WARNINGS = false;

const PROMPT = "Where is my parcel?";
const MESSAGES = [{ role: "user", content: PROMPT }];
const FALLBACKS = { "evenkeel-fallbacks": "spare" };
const COMPLETE = { "evenkeel-commit": "complete" };
const BOTH = { ...FALLBACKS, ...COMPLETE };
// evenkeel is the layer that retries.
const NEVER = { maxRetries: 0 };
// Bytes are passed on as they are, and without `message_stop` an answer is incomplete for these: what they say then.
const UNMARKED = { "anthropic messages, streamed": "stream ended without", "ai anthropic, streamed": "interrupted" };
const apiKey = "key-of-the-caller";

// The errors of each SDK, by their status. An error event has none.
const OPENAI = (status) => (error) => error instanceof OpenAI.OpenAIError && is(error.status, status);
const ANTHROPIC = (status) => (error) => error instanceof Anthropic.AnthropicError && is(error.status, status);
// The AI SDK hands on an error event as it is, in whichever form its provider has for one.
const VERCEL = (status) => (error) => status === undefined || (APICallError.isInstance(error) && is(error.statusCode, status));

function is(seen, wanted) {
    return wanted === undefined || wanted === seen || (wanted === 5 && seen >= 500);
}

// === The ways to ask: each returns the text, or throws. ===

function openaiWays(url) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, ...NEVER });
    return {
        "openai chat": async (model, headers) => {
            const answer = await client.chat.completions.create({ model, messages: MESSAGES }, { headers });
            assert.equal(answer.choices[0].finish_reason, "stop");
            assert.ok(answer.usage.total_tokens > 0);
            return [answer.choices[0].message.content, answer.model];
        },
        "openai chat, streamed": async (model, headers) => {
            const body = { model, messages: MESSAGES, stream: true, stream_options: { include_usage: true } };
            let words = "", finish, by;
            for await (const chunk of await client.chat.completions.create(body, { headers })) {
                by = chunk.model;
                for (const choice of chunk.choices) {
                    words += choice.delta.content ?? "";
                    finish = choice.finish_reason ?? finish;
                }
            }
            assert.equal(finish, "stop");
            return [words, by];
        },
        "openai responses": async (model, headers) => {
            const answer = await client.responses.create({ model, input: PROMPT }, { headers });
            assert.equal(answer.status, "completed");
            return [answer.output_text, answer.model];
        },
        "openai responses, streamed": async (model, headers) => {
            let words = "", by;
            for await (const event of await client.responses.create({ model, input: PROMPT, stream: true }, { headers })) {
                if (event.type === "response.output_text.delta") words += event.delta;
                if (event.type === "response.completed") by = event.response.model;
            }
            assert.ok(by !== undefined, "the end is missing");
            return [words, by];
        },
    };
}

function anthropicWays(url) {
    const client = new Anthropic({ baseURL: url, apiKey, ...NEVER });
    const body = (model) => ({ model, max_tokens: 500, messages: MESSAGES });
    return {
        "anthropic messages": async (model, headers) => {
            const answer = await client.messages.create(body(model), { headers });
            assert.equal(answer.stop_reason, "end_turn");
            return [answer.content[0].text, answer.model];
        },
        "anthropic messages, streamed": async (model, headers) => {
            const stream = client.messages.stream(body(model), { headers });
            let words = "";
            for await (const event of stream) {
                if (event.type === "content_block_delta") words += event.delta.text;
            }
            const answer = await stream.finalMessage();
            assert.equal(answer.stop_reason, "end_turn");
            return [words, answer.model];
        },
    };
}

function vercelWays(url) {
    const baseURL = `${url}/v1`;
    const openai = createOpenAI({ baseURL, apiKey });
    const models = {
        "ai openai chat": (model) => openai.chat(model),
        "ai openai responses": (model) => openai.responses(model),
        "ai anthropic": createAnthropic({ baseURL, apiKey }),
        "ai openai-compatible": createOpenAICompatible({ name: "gateway", baseURL, apiKey, includeUsage: true }),
    };
    const ways = Object.entries(models).flatMap(([name, model]) => [
        [name, (named, headers) => generated(model(named), headers)],
        [`${name}, streamed`, (named, headers) => streamed(model(named), headers)],
    ]);
    return Object.fromEntries(ways);
}

async function generated(model, headers) {
    const answer = await generateText({ model, prompt: PROMPT, headers, ...NEVER });
    assert.equal(answer.finishReason, "stop");
    assert.ok(answer.usage.totalTokens > 0);
    return [answer.text, answer.response.modelId];
}

async function streamed(model, headers) {
    // Without onError it writes errors to the console; they are in the stream as well.
    const answer = streamText({ model, prompt: PROMPT, headers, onError: () => {}, ...NEVER });
    let words = "", finish, by;
    for await (const part of answer.fullStream) {
        if (part.type === "text-delta") words += part.text;
        if (part.type === "finish-step") by = part.response.modelId;
        if (part.type === "finish") finish = part.finishReason;
        if (part.type === "error") throw part.error;
    }
    assert.equal(finish, "stop");
    return [words, by];
}

// === What is checked ===

class Check {
    constructor(url, words) {
        this.url = url;
        this.words = words;
        this.count = 0;
        const all = [
            [openaiWays(url), OPENAI],
            [anthropicWays(url), ANTHROPIC],
            [vercelWays(url), VERCEL],
        ];
        this.ways = all.flatMap(([ways, kind]) => Object.entries(ways).map(([name, ask]) => ({ name, ask, kind })));
    }

    ok(way, what) {
        this.count += 1;
        console.log(`ok    ${way.name.padEnd(30)} ${what}`);
    }

    async whole(way, model, headers, served) {
        const [words, by] = await way.ask(model, headers).catch((error) => {
            throw new Error(`${way.name}, ${model}: ${words_of(error)}`, { cause: error });
        });
        assert.ok(words && (this.words === undefined || words === this.words), `${way.name}, ${model}: ${words}`);
        if (served !== undefined) assert.equal(by, served, `${way.name}, ${model}: the model that answered`);
        this.ok(way, model);
    }

    async raises(way, model, status, says, headers) {
        let error;
        try {
            const answer = await way.ask(model, headers);
            error = new Error(`no error, but ${answer}`);
        } catch (thrown) {
            error = thrown;
            if (way.kind(status)(error) && words_of(error).includes(says)) {
                this.ok(way, `${model}: ${error.constructor.name} ${status ?? ""}`);
                return;
            }
        }
        const what = `wanted ${status ?? "an error event"} with ${says}`;
        throw new Error(`${way.name}, ${model}: ${what}, got ${error.constructor.name} ${words_of(error)}`, { cause: error });
    }
}

// The words of an error. An error event of the AI SDK may be an object without a message of its own; and it shows the body of an
// error that is not in the form of its provider, as the failing models have the same for all, in place of its message.
function words_of(error) {
    return `${error?.message ?? ""} ${error?.responseBody ?? ""} ${error instanceof Error ? "" : JSON.stringify(error)}`;
}

async function healthy(check, model) {
    for (const way of check.ways) await check.whole(way, model, undefined, check.words && model);
    const client = new OpenAI({ baseURL: `${check.url}/v1`, apiKey, ...NEVER });
    const { response } = await client.chat.completions.create({ model, messages: MESSAGES }).withResponse();
    assert.equal(response.headers.get("evenkeel-attempts"), "1");
    assert.ok(response.headers.get("evenkeel-served-by"));
}

// The sixteen failures of one way, in the order of `acceptance.py`. `n` is the number of its own models: those fail once, or
// close their route.
async function failures(check, way, n) {
    const streamed = way.name.endsWith("streamed");
    await check.whole(way, `429-once-${n}`);
    await check.whole(way, "limited", FALLBACKS);
    await check.raises(way, `limited-${n}`, 429, "Rate limit reached");
    await check.whole(way, `500-once-${n}`);
    await check.whole(way, `503-once-${n}`);
    await check.whole(way, "down", FALLBACKS, "spare");
    await check.whole(way, `reset-once-${n}`);
    await check.whole(way, "hang", FALLBACKS);
    await check.raises(way, `silent-${n}`, 5, "evenkeel: ");
    await check.whole(way, "late", FALLBACKS);
    await check.whole(way, `cut-once-${n}`, COMPLETE);
    await check.whole(way, `stall-${n}`, BOTH);
    await check.whole(way, `garbage-${n}`, BOTH);
    const incomplete = UNMARKED[way.name];
    if (incomplete === undefined) await check.whole(way, "unmarked");
    else await check.raises(way, "unmarked", undefined, incomplete);
    await check.whole(way, "too-large", FALLBACKS);
    await check.raises(way, "blocked", 400, "content filtering policy", FALLBACKS);
    await check.whole(way, `cut-${n}`, { ...COMPLETE, "evenkeel-fallbacks": "no-prefill" });
    if (streamed) {
        await check.raises(way, `cut-${n}`, undefined, "evenkeel: ");
        await check.raises(way, `stall-${n}`, undefined, "evenkeel: ");
    }
    await check.raises(way, `no-key-${n}`, 401, "The provider answered 401");
    await check.raises(way, "wrong", 400, "The provider answered 400");
    await check.raises(way, "gone", 404, "The provider answered 404");
    await check.raises(way, "good", 400, "evenkeel-commit", { "evenkeel-commit": "soon" });
}

// An outage: every answer is whole, and the model is used again after it.
async function outage(check) {
    const name = "the outage";
    const asks = check.ways.filter((way) => way.name.startsWith("openai chat"));
    const until = Date.now() + 60_000;
    let spare = 0;
    for (let number = 0; ; number += 1) {
        const [words, by] = await asks[number % asks.length].ask("outage", FALLBACKS);
        assert.equal(words, check.words);
        if (by === "spare") spare += 1;
        if (by === "outage" && spare > 0) break;
        assert.ok(Date.now() < until, "the model is not used again");
        await sleep(250);
    }
    assert.ok(spare > 1, `${spare} answers of the fallback`);
    check.ok({ name }, `${spare} answers of the fallback, then its own`);
}

async function main() {
    const [url, model] = process.argv.slice(2);
    if (model !== undefined) {
        await healthy(new Check(url), model);
        return;
    }
    const { EVENKEEL_GATEWAY, EVENKEEL_WORDS } = process.env;
    assert.ok(EVENKEEL_GATEWAY && EVENKEEL_WORDS, "EVENKEEL_GATEWAY and EVENKEEL_WORDS are missing");
    const check = new Check(EVENKEEL_GATEWAY, EVENKEEL_WORDS);
    const client = new OpenAI({ baseURL: `${check.url}/v1`, apiKey, ...NEVER });
    const listed = await client.models.list();
    assert.deepEqual(listed.data.map((it) => it.id), ["good"]);
    await healthy(check, "good");
    await Promise.all([...check.ways.map((way, n) => failures(check, way, n)), outage(check)]);
    // It is well after all that.
    await healthy(check, "good");
    console.log(`${check.count} checks in ${check.ways.length} ways.`);
    console.log("The SDKs saw nothing unusual in health, and whole answers or their own errors in the failures.");
}

await main();
