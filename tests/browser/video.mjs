// A video element that seeks: it asks for the part that it is to show, not for all that stands before it.
import assert from "node:assert/strict";
import { Site, finish, shot, test } from "./support.mjs";

const RATE = 8000;
const SECONDS = 3600;

/** An hour of a quiet tone as a WAV file, 8 bits a sample: the browser plays it in a video element as it plays a film. */
function recording() {
    const samples = RATE * SECONDS;
    const file = Buffer.alloc(44 + samples, 128);
    file.write("RIFF", 0);
    file.writeUInt32LE(36 + samples, 4);
    file.write("WAVEfmt ", 8);
    [16, 0x10001, RATE, RATE, 0x80001].forEach((word, index) => file.writeUInt32LE(word, 16 + 4 * index));
    file.write("data", 36);
    file.writeUInt32LE(samples, 40);
    for (let at = 44; at < file.length; at += 20) file[at] = 140;
    return file;
}

const site = await Site.open({
    "film.wav": recording(),
    "index.html": `<!doctype html><title>Film</title><video src="film.wav" controls muted preload="metadata"></video>`,
});

await test("a film is wound forward without what stands before", async (page) => {
    const parts = [];
    page.on("response", (answer) => {
        if (answer.url().endsWith(".wav")) parts.push([answer.status(), answer.headers()["content-range"]]);
    });
    await page.goto(site.url);
    const { duration, end } = await page.evaluate(async () => {
        const video = document.querySelector("video");
        if (video.readyState < 1) await new Promise((loaded) => video.onloadedmetadata = loaded);
        return { duration: video.duration, end: video.seekable.end(0) };
    });
    assert.equal(Math.round(duration), SECONDS);
    assert.equal(Math.round(end), SECONDS, "all of it can be sought");
    const shown = await page.evaluate(async (goal) => {
        const video = document.querySelector("video");
        await new Promise((sought, failed) => {
            video.onseeked = sought;
            video.onerror = () => failed(new Error(video.error.message));
            video.currentTime = goal;
        });
        return video.currentTime;
    }, SECONDS - 60);
    assert.equal(Math.round(shown), SECONDS - 60);
    await page.evaluate(() => document.querySelector("video").play());
    await page.waitForFunction((goal) => document.querySelector("video").currentTime > goal, SECONDS - 59.5);
    const starts = parts.filter(([status]) => status === 206).map(([, range]) => Number(range.match(/bytes (\d+)-/)[1]));
    const sought = (SECONDS - 60) * RATE;
    assert.ok(starts.some((start) => Math.abs(start - sought) < 1 << 20), `asked for ${JSON.stringify(parts)}, not for ${sought}`);
    await shot(page, "video");
});

await finish(site);
