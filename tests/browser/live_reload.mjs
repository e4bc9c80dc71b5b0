// Live reload: files change on disk, and the page follows.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { Site, finish, shot, test } from "./support.mjs";

const HEAD = '<!doctype html><link rel="stylesheet" href="style.css"><link rel="stylesheet" href="other.css">';
const BASE = '<!doctype html><base href="http://127.0.0.1:9/x/"><p>';

/** What swallows all that follows. */
const UNFINISHED = ["<script>var a=1;", "<style>h1{", "<title>x", "<textarea>x", "<!-- todo", "<div", '<a href="foo', "<template><p>",
    "<svg><g>", "<noscript>x", '<frameset cols="*">', "<plaintext>"];
const halves = UNFINISHED.map((end, index) =>
    [`half-${index}.html`, `<!doctype html>\n<html lang="en">\n<head class="a">${end}`]);

const site = await Site.open({
    ...Object.fromEntries(halves),
    "base.html": `${BASE}first`,
    "page.html": `${HEAD}<title>page</title><body><p>first</p><input>`,
    "fragment.html": "<p>first",
    "imports.html": "<style>@import url(imported.css);</style><p>styled",
    "strict.html": `<meta http-equiv="content-security-policy" content="default-src 'self'"><p>first`,
    "style.css": "p { color: rgb(1, 0, 0) }",
    "other.css": "p { background: rgb(9, 9, 9) }",
    "imported.css": "p { color: rgb(1, 0, 0) }",
    "folder": { "a.txt": "a" },
}, ["--watch"]);

/** A page that listens to the stream already; a mark on its window vanishes with a reload. */
async function open(page, name) {
    const streams = page.waitForResponse((answer) => answer.url().endsWith("/.qibu/events"));
    await page.goto(site.url + name);
    await streams;
    await page.evaluate(() => { window.mark = "still here"; });
}

const color = (page) => page.$eval("p", (paragraph) => getComputedStyle(paragraph).color);
const text = (page, wanted) => page.waitForFunction((wanted) => document.body.textContent.includes(wanted), wanted);
const has = (page, wanted) => page.waitForFunction((wanted) => getComputedStyle(document.querySelector("p")).color === wanted, wanted);

await test("a style sheet is swapped without a reload", async (page) => {
    await open(page, "page.html");
    await page.fill("input", "typed");
    for (const red of [2, 3, 4]) {
        site.write({ "style.css": `p { color: rgb(${red}, 0, 0) }` });
        await has(page, `rgb(${red}, 0, 0)`);
    }
    await page.waitForFunction(() => document.querySelectorAll("link").length === 2);
    assert.equal(await page.inputValue("input"), "typed");
    assert.equal(await page.evaluate(() => window.mark), "still here");
    await shot(page, "live-reload-css");
});

await test("a page is reloaded when it changes, and again", async (page) => {
    await open(page, "page.html");
    for (const word of ["second", "third"]) {
        site.write({ "page.html": `${HEAD}<title>page</title><body><p>${word}</p><input>` });
        await text(page, word);
        await page.waitForLoadState("load");
    }
    assert.equal(await page.evaluate(() => window.mark), undefined);
});

await test("a page without head and body is reloaded", async (page) => {
    await open(page, "fragment.html");
    site.write({ "fragment.html": "<p>second" });
    await text(page, "second");
});

await test("a page whose policy permits its own site alone is reloaded", async (page) => {
    await open(page, "strict.html");
    site.write({ "strict.html": `<meta http-equiv="content-security-policy" content="default-src 'self'"><p>second` });
    await text(page, "second");
});

await test("a style sheet that the page itself imports is shown", async (page) => {
    await open(page, "imports.html");
    site.write({ "imported.css": "p { color: rgb(5, 0, 0) }" });
    await has(page, "rgb(5, 0, 0)");
});

await test("a listing shows what is new", async (page) => {
    await open(page, "folder/");
    site.write({ "folder/b.txt": "b" });
    await text(page, "b.txt");
});

await test("a page that is away for a moment comes back", async (page) => {
    page.expected.push(/404/);
    for (const name of ["page.html", "new.html"]) {
        await open(page, name);
        fs.rmSync(path.join(site.folder, name), { force: true });
        await text(page, "404 Not Found");
        await page.waitForLoadState("load");
        site.write({ [name]: `${HEAD}<title>page</title><body><p>back</p>` });
        await text(page, "back");
    }
});

for (const [index, end] of UNFINISHED.entries()) {
    await test(`a page that was saved when it ended in ${end} is reloaded`, async (page) => {
        page.expected.push(/Unexpected end of input/);
        await open(page, `half-${index}.html`);
        const seen = await page.evaluate(() =>
            [document.compatMode, document.documentElement.lang, document.head.className]);
        assert.deepEqual(seen, ["CSS1Compat", "en", "a"], "the page is as it was");
        site.write({ [`half-${index}.html`]: "<!doctype html><title>x</title><p>whole" });
        await text(page, "whole");
    });
}

await test("a page whose links lead to another server is reloaded", async (page) => {
    await open(page, "base.html");
    site.write({ "base.html": `${BASE}second` });
    await text(page, "second");
});

await test("a listing that is reloaded keeps its filter, and no other does", async (page) => {
    await open(page, "folder/");
    await page.fill("input[type=search]", "c.t");
    site.write({ "folder/c.txt": "c" });
    await page.waitForSelector("text=c.txt");
    assert.equal(await page.inputValue("input[type=search]"), "c.t");
    assert.ok(!(await page.locator("text=a.txt").isVisible()));
    await page.click("nav a");
    await page.click('.rows a[href$="folder/"]');
    await page.waitForSelector("text=a.txt");
    assert.equal(await page.inputValue("input[type=search]"), "");
});

await test("a folder that is built anew is followed, though the server has it open", async (page) => {
    page.expected.push(/404/);
    await open(page, "page.html");
    fs.rmSync(site.folder, { recursive: true });
    fs.mkdirSync(site.folder);
    site.write({ "page.html": `${HEAD}<title>page</title><body><p>rebuilt</p><input>`, "style.css": "", "other.css": "" });
    await text(page, "rebuilt");
});

await test("a page that nobody sees holds no stream, and is up to date when it is seen", async (page) => {
    await open(page, "page.html");
    await page.evaluate(() => {
        Object.defineProperty(document, "hidden", { get: () => window.isHidden ?? false });
        window.isHidden = true;
        document.dispatchEvent(new Event("visibilitychange"));
    });
    const witness = await page.context().newPage();
    await open(witness, "page.html");
    site.write({ "page.html": `${HEAD}<title>page</title><body><p>unseen</p><input>` });
    await text(witness, "unseen");
    assert.equal(await page.evaluate(() => window.mark), "still here");
    await page.evaluate(() => { window.isHidden = false; document.dispatchEvent(new Event("visibilitychange")); });
    await text(page, "unseen");
});

await test("the page comes back when the server does", async (page) => {
    page.expected.push(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/);
    await open(page, "page.html");
    await site.restart(() => site.write({ "page.html": `${HEAD}<title>page</title><body><p>after the restart</p>` }));
    await text(page, "after the restart");
});

await finish(site);
