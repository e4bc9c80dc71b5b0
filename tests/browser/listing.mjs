// The listing of a folder: looked at, and clicked through.
import assert from "node:assert/strict";
import { Site, finish, shot, test } from "./support.mjs";

/** What stands in a URL, a shell, a regular expression, HTML or a terminal for something else. */
const ODD_NAMES = ["plain.txt", "a b.txt", " leading.txt", "a%20b.txt", "100%.txt", "a#b.txt", "a?b=c.txt", "a&b;c.txt",
    "a+b.txt", "a:b.txt", "javascript:alert(1)", "it's.txt", "\"quoted\".txt", "<b>bold<b>.txt",
    "\"><img src=x onerror=alert(1)>", "new\nline.txt", "tab\tstop.txt", "back\\slash.txt", "七步.txt", "e\u0301.txt",
    "rtl\u202Etxt.exe", "emoji🎈.txt", "-rf", "~tilde", "{brace}", "[x]", "$HOME", "`id`", "*", "%", "%2e%2e", "&amp;"];

const odd = await Site.open([...ODD_NAMES.map((name) => [name, `content of ${name}`]),
    [Buffer.from([0x61, 0xff, 0xfe, 0x62]), "content of bytes"]]);

await test("every name leads to its file", async (page) => {
    await page.goto(odd.url);
    const links = await page.$$eval("td a, th a", (all) => all.map((link) => link.href));
    const contents = await Promise.all(links.map((link) => page.request.get(link).then((answer) => answer.text())));
    const found = contents.filter((text) => text.startsWith("content of ")).sort();
    assert.deepEqual(found, [...ODD_NAMES.map((name) => `content of ${name}`), "content of bytes"].sort());
    await shot(page, "odd-names", { fullPage: true });
});

await finish(odd);
