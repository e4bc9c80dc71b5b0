// fetch with streams, EventSource and WebSocket, against the examples.
import assert from "node:assert/strict";
import { Example, finish, shot, test } from "./support.mjs";

const stream = await Example.open("27_stream");
let clock = await Example.open("28_events");
const chat = await Example.open("29_websocket_chat");

await test("fetch reads an answer while it is made", async (page) => {
    await page.goto(stream.url);
    const pieces = await page.evaluate(async () => {
        const answer = await fetch("/");
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        const pieces = [];
        for (let piece = await reader.read(); !piece.done; piece = await reader.read()) pieces.push(piece.value);
        return pieces;
    });
    assert.ok(pieces.length > 5, `ten lines, a fifth of a second apart, came in ${pieces.length} pieces`);
    assert.equal(pieces.join(""), Array.from({ length: 10 }, (_, index) => `${index + 1} of 10\n`).join(""));
});

await test("a fetch that is called off does not disturb the next", async (page) => {
    await page.goto(stream.url);
    const text = await page.evaluate(async () => {
        const stop = new AbortController();
        const reader = (await fetch("/", { signal: stop.signal })).body.getReader();
        await reader.read();
        stop.abort();
        await reader.read().catch(() => {});
        return await (await fetch("/")).text();
    });
    assert.ok(text.endsWith("10 of 10\n"));
});

await test("two pages see the same clock", async (page) => {
    const other = await page.context().newPage();
    await Promise.all([page.goto(clock.url), other.goto(clock.url)]);
    await page.waitForFunction(() => /second \d/.test(document.body.textContent));
    const first = await page.locator("#time").textContent();
    await page.waitForFunction((first) => document.querySelector("#time").textContent !== first, first);
    await other.waitForFunction(() => /second \d/.test(document.body.textContent));
    const [here, there] = await Promise.all([page, other].map((each) => each.locator("#time").textContent()));
    const seconds = [here, there].map((text) => Number(text.match(/\d+/)[0]));
    assert.ok(Math.abs(seconds[0] - seconds[1]) <= 1, `${here}, ${there}`);
    await shot(page, "clock");
});

await test("EventSource comes back by itself when the server does", async (page) => {
    page.expected.push(/ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/);
    await page.goto(clock.url);
    await page.evaluate(() => {
        window.seen = [];
        window.source = new EventSource("/time");
        window.source.onmessage = (event) => window.seen.push({ data: event.data, id: event.lastEventId });
    });
    await page.waitForFunction(() => window.seen.length >= 2);
    const { data, id } = await page.evaluate(() => window.seen.at(-1));
    assert.equal(data, `second ${id}`);
    const { port } = clock;
    await clock.close();
    await page.waitForFunction(() => window.source.readyState === EventSource.CONNECTING);
    clock = await Example.open("28_events", port);
    const before = await page.evaluate(() => window.seen.length);
    await page.waitForFunction((before) => window.seen.length > before, before);
    assert.equal(await page.evaluate(() => window.source.readyState), 1);
});

await test("what is typed in one window appears in the other", async (page) => {
    const other = await page.context().newPage();
    await page.goto(chat.url);
    await page.locator("li", { hasText: "has come" }).waitFor();
    await other.goto(chat.url);
    await page.locator("li", { hasText: "has come" }).nth(1).waitFor();
    await other.locator("#words").fill("七步 & <b>seven steps</b>");
    await other.locator("#words").press("Enter");
    for (const each of [page, other]) await each.locator("li", { hasText: ": 七步 & <b>seven steps</b>" }).waitFor();
    await shot(page, "chat");
    await other.close();
    await page.locator("li", { hasText: "has gone" }).waitFor();
});

/** Opens a WebSocket in the page, sends these, and tells what came back. */
function talk(page, url, messages) {
    return page.evaluate(([url, messages]) => new Promise((resolve) => {
        const heard = [];
        const socket = new WebSocket(url);
        socket.binaryType = "arraybuffer";
        socket.onopen = () => messages.forEach((message) =>
            socket.send(typeof message === "number" ? new Uint8Array(message).fill(7) : message));
        socket.onmessage = ({ data }) => {
            heard.push(typeof data === "string" ? data : data.byteLength);
            if (heard.length === messages.length) socket.close(4000, "thank you");
        };
        socket.onclose = ({ code, reason, wasClean }) => resolve({ heard, code, reason, wasClean });
    }), [url, messages]);
}

const echo = `${chat.url.replace("http", "ws")}echo`;

await test("text and bytes of every size come back over a WebSocket, and the goodbye too", async (page) => {
    await page.goto(chat.url);
    const messages = ["", "七步", "x".repeat(126), "x".repeat(70_000), 0, 125, 126, 65_536, 10_000_000];
    assert.deepEqual(await talk(page, echo, messages),
        { heard: messages, code: 4000, reason: "thank you", wasClean: true });
});

await test("a message that is too long is 1009 for the browser", async (page) => {
    await page.goto(chat.url);
    const { heard, code, wasClean } = await talk(page, echo.replace("echo", "chat"), ["x".repeat(2000), "never"]);
    assert.equal(code, 1009);
    assert.ok(wasClean);
    assert.equal(heard.length, 1, "its own arrival");
});

await test("a page of another site cannot open a WebSocket here", async (page) => {
    page.expected.push(/WebSocket connection to .* failed/);
    await page.goto(clock.url);
    assert.deepEqual(await talk(page, echo, ["hello"]), { heard: [], code: 1006, reason: "", wasClean: false });
});

await finish(stream, clock, chat);
