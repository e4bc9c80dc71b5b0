// The notes application in two windows: what is written in one is seen in the other.
import assert from "node:assert/strict";
import { Example, finish, shot, test } from "./support.mjs";

const notes = await Example.open("notes");

async function logIn(page) {
    await page.goto(notes.url);
    await page.fill("[name=password]", "seven steps");
    await Promise.all([page.waitForNavigation(), page.click("#login button")]);
    await page.waitForSelector("#write", { state: "visible" });
    assert.ok(!(await page.locator("#login").isVisible()));
}

await test("a note that is written in one window is seen in the other, as text", async (page) => {
    page.expected.push(/401/); // before the login
    await logIn(page);
    const other = await page.context().newPage();
    await other.goto(notes.url);
    await page.fill("#write [name=text]", "<b>seven</b> steps");
    await page.setInputFiles("[name=picture]", {
        name: "dot.png",
        mimeType: "image/png",
        buffer: Buffer.from(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
            "base64",
        ),
    });
    await page.click("#write button");
    await other.waitForSelector("#notes img");
    assert.ok((await other.locator("#notes li").textContent()).startsWith("<b>seven</b> steps (demo)"));
    assert.equal(await other.evaluate(() => document.querySelector("#notes img").naturalWidth), 1);
    await shot(other, "notes");
    await page.click("#notes button");
    await other.waitForFunction(() => document.querySelectorAll("#notes li").length === 0);
});

await finish(notes);
