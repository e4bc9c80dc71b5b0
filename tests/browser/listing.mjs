// The listing of a folder: looked at, clicked through, typed into.
import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { Site, finish, shot, test } from "./support.mjs";

/** What stands in a URL, a shell, a regular expression, HTML or a terminal for something else. */
const ODD_NAMES = ["plain.txt", "a b.txt", " leading.txt", "a%20b.txt", "100%.txt", "a#b.txt", "a?b=c.txt", "a&b;c.txt",
    "a+b.txt", "a:b.txt", "javascript:alert(1)", "javascript:alert(1).txt", "it's.txt", "\"quoted\".txt", "<b>bold<b>.txt",
    "\"><img src=x onerror=alert(1)>", "new\nline.txt", "tab\tstop.txt", "back\\slash.txt", "七步.txt", "e\u0301.txt",
    "rtl\u202Etxt.exe", "שלום.txt", "emoji🎈.txt", "-rf", "~tilde", "{brace}", "[x]", "$HOME", "`id`", "*", "%", "%2e%2e",
    "&amp;", "<script>alert(1)<", "x".repeat(255)];

/** A PNG of one colour, by its own checksums. */
function picture(red, green, blue) {
    const table = Array.from({ length: 256 }, (_, n) => {
        for (let bit = 0; bit < 8; bit += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
        return n >>> 0;
    });
    const chunk = (type, data) => {
        const body = Buffer.concat([Buffer.from(type), data]);
        const crc = body.reduce((crc, byte) => table[(crc ^ byte) & 255] ^ (crc >>> 8), 0xffffffff) ^ 0xffffffff;
        const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
        length.writeUInt32BE(data.length);
        sum.writeUInt32BE(crc >>> 0);
        return Buffer.concat([length, body, sum]);
    };
    const [width, height] = [64, 48];
    const header = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0]);
    const line = Buffer.concat([Buffer.from([0]), ...Array(width).fill(Buffer.from([red, green, blue]))]);
    const pixels = deflateSync(Buffer.concat(Array(height).fill(line)));
    return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", pixels),
        chunk("IEND", Buffer.alloc(0))]);
}

const README = `# Seven steps

A *small* project with a [guide](docs/guide.md), a [bad link](javascript:alert(1)) and <script>alert(1)</script>.

![a picture](photos/photo-1.png)

| step | verb |
|:-----|-----:|
| 1 | socket |

\`\`\`
qibu site/
\`\`\`

- [ ] to do
- [x] done

سلام qibu

- عنصر

## Summary
`;

const photos = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`photo-${n + 1}.png`,
    picture(40 + n * 3, 90 + (n * 37) % 120, 200 - n * 2)]));
const site = await Site.open({
    "README.md": README, "report.pdf": "x".repeat(123456), "notes.txt": "hello", "song.mp3": "x".repeat(4321000),
    "film.mp4": "x".repeat(9876543), "archive.tar.gz": "x".repeat(70000), "index.js": "let a", "data.json": "{}",
    "cover.png": photos["photo-1.png"], "unknown": "", "chapter 2.txt": "2", "chapter 10.txt": "10",
    broken: { "a.png": photos["photo-1.png"], "b.png": "no picture" }, persian: { "\u0646\u0627\u0645\u0647.txt": "a" },
    docs: { "guide.md": "# Guide", sub: { deep: { "a.txt": "deep" } } }, photos, empty: {},
    odd: {}, large: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`file-${n}.txt`, "x".repeat(n)])),
    gbk: { "README.txt": Buffer.from([0xc4, 0xe3, 0xba, 0xc3, 0xa3, 0xac, 0xca, 0xc0, 0xbd, 0xe7, 0xa1, 0xa3, 10]) },
});
site.write([...ODD_NAMES.map((name) => [name, `content of ${name}`]),
    [Buffer.from([0x61, 0xff, 0xfe, 0x62]), "content of bytes"]], Buffer.from(`${site.folder}/odd`));

const names = (page) => page.$$eval(".rows a", (all) => all.filter((a) => a.checkVisibility()).map((a) => a.textContent));
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

for (const [mode, options] of [["", {}], [", without JavaScript", { javaScriptEnabled: false }]]) {
    await test(`every odd name leads to its file${mode}`, async (page) => {
        await page.goto(`${site.url}odd/`);
        assert.equal(await page.locator(".rows img, .rows script, .rows b").count(), 0, "names are text");
        const links = await page.locator(".rows a").evaluateAll((all) => all.map((link) => link.href));
        const contents = await Promise.all(links.map((link) => page.request.get(link).then((answer) => answer.text())));
        assert.deepEqual(contents.sort(), [...ODD_NAMES.map((name) => `content of ${name}`), "content of bytes"].sort());
        for (const name of ["100%.txt", "a:b.txt", "javascript:alert(1).txt", "a#b.txt"]) {
            await page.goto(`${site.url}odd/`);
            await page.getByRole("link", { name, exact: true }).click();
            assert.equal(decodeURIComponent(new URL(page.url()).pathname), `/odd/${name}`);
        }
    }, { ...options, acceptDownloads: false });

    await test(`columns sort both ways, and folders stay first${mode}`, async (page) => {
        await page.goto(site.url);
        const files = async () => (await names(page)).filter((name) => !name.endsWith("/"));
        assert.deepEqual((await names(page)).slice(0, 6), ["broken/", "docs/", "empty/", "gbk/", "large/", "odd/"]);
        const list = await files();
        assert.ok(list.indexOf("chapter 2.txt") < list.indexOf("chapter 10.txt"));
        assert.equal(await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort"), "ascending");
        await page.getByRole("link", { name: "Size" }).click();
        assert.deepEqual((await files()).slice(0, 2), ["film.mp4", "song.mp3"]);
        assert.equal(await page.getByRole("columnheader", { name: "Size" }).getAttribute("aria-sort"), "descending");
        await page.getByRole("link", { name: "Size" }).click();
        assert.equal((await files()).at(-1), "film.mp4");
        await page.getByRole("link", { name: "Modified" }).click();
        assert.equal((await names(page)).length, 20);
        await page.getByRole("link", { name: "Name" }).click();
        assert.deepEqual(await files(), list);
    }, options);

    await test(`the filter leaves what fits${mode}`, async (page) => {
        await page.goto(`${site.url}?sort=size`);
        const box = page.getByRole("searchbox", { name: "Filter by name" });
        await box.fill("CHAPTER");
        await box.press("Enter");
        await page.waitForURL(/q=CHAPTER/);
        assert.match(page.url(), /sort=size/, "the order stays");
        assert.deepEqual(await names(page), ["chapter 10.txt", "chapter 2.txt"]);
        await page.getByRole("link", { name: "Show all" }).click();
        assert.equal((await names(page)).length, 20);
    }, options);
}

await test("the filter is at once, the slash leads to it, and the arrows walk the list", async (page) => {
    await page.goto(site.url);
    await page.keyboard.press("/");
    await page.keyboard.type("chap");
    await page.getByText("2 of 20 shown").waitFor();
    assert.deepEqual(await names(page), ["chapter 2.txt", "chapter 10.txt"]);
    assert.equal(page.url(), site.url, "nothing was asked of the server");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "chapter 10.txt");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Escape");
    assert.equal((await names(page)).length, 20);
    await page.keyboard.type("chapter 2");
    await page.getByText("1 of 20 shown").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/chapter%202\.txt/);
});

await test("what composes a character is left to the input method", async (page) => {
    await page.goto(site.url);
    const box = page.getByRole("searchbox");
    await box.fill("chap");
    const press = (key, init) => box.evaluate((box, [key, init]) =>
        box.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init })), [key, init]);
    for (const key of ["Escape", "ArrowDown"]) {
        assert.equal(await press(key, { isComposing: true }), true, `${key} is not taken`);
        assert.equal(await press(key, { keyCode: 229 }), true, `${key} is not taken`);
    }
    assert.equal(await box.inputValue(), "chap");
    assert.equal(await box.evaluate((box) => box === document.activeElement), true);
});

await test("the filter knows a letter however it is written", async (page) => {
    await page.goto(`${site.url}odd/`);
    await page.getByRole("searchbox").pressSequentially("\u00E9");
    await page.getByText("1 of ").waitFor();
    assert.deepEqual(await names(page), ["e\u0301.txt"]);
});

await test("who walks up the list sees the name where he is", async (page) => {
    await page.goto(`${site.url}large/`);
    await page.locator(".rows a").nth(60).focus();
    for (let step = 0; step < 50; step += 1) {
        await page.keyboard.press("ArrowUp");
        const [head, name] = await page.evaluate(() =>
            [document.querySelector("thead"), document.activeElement].map((element) => element.getBoundingClientRect()));
        assert.ok(name.top >= head.bottom - 1, `${name.top} is under ${head.bottom} after ${step + 1} steps`);
    }
}, { viewport: { width: 800, height: 400 } });

await test("the arrows walk the grid, a line down and a name to the side", async (page) => {
    await page.goto(`${site.url}photos/?view=grid`);
    const here = () => page.evaluate(() => document.activeElement.textContent);
    const line = await page.evaluate(() => getComputedStyle(document.querySelector(".grid")).gridTemplateColumns.split(" ").length);
    assert.ok(line > 1);
    await page.keyboard.press("/");
    for (const [key, name] of [["ArrowDown", 1], ["ArrowRight", 2], ["ArrowDown", 2 + line], ["ArrowLeft", 1 + line],
        ["ArrowUp", 1], ["ArrowDown", 1 + line]]) {
        await page.keyboard.press(key);
        assert.equal(await here(), `photo-${name}.png`, key);
    }
    await page.locator(".rows a").nth(58).focus();
    await page.keyboard.press("ArrowDown");
    assert.equal(await here(), "photo-60.png");
    assert.equal(await page.locator(".grid li").nth(3).getAttribute("title"), "photo-4.png");
});

await test("a picture that is none leaves its tile to the icon", async (page) => {
    await page.goto(`${site.url}broken/?view=grid`);
    await page.locator(".grid img").nth(1).waitFor({ state: "detached" });
    const icons = await page.$$eval(".grid a", (all) => all.map((a) => getComputedStyle(a, "::before").display));
    assert.deepEqual(icons, ["none", "block"]);
});

await test("breadcrumbs lead up", async (page) => {
    await page.goto(`${site.url}docs/sub/deep/`);
    await shot(page, "deep");
    await page.getByRole("navigation").getByRole("link", { name: "docs" }).click();
    assert.equal(page.url(), `${site.url}docs/`);
    await page.getByRole("navigation").getByRole("link", { name: "Home" }).click();
    assert.equal(page.url(), site.url);
});

await test("the grid fetches pictures when they come into sight", async (page) => {
    const fetched = new Set();
    page.on("request", (request) => request.resourceType() === "image" && fetched.add(request.url()));
    await page.goto(`${site.url}photos/`);
    assert.equal(fetched.size, 0, "the list needs no picture");
    await page.getByRole("link", { name: "Grid" }).click();
    await page.locator(".grid img").first().evaluate((image) => image.decode());
    await page.waitForLoadState("networkidle");
    assert.ok(fetched.size > 0);
    const first = fetched.size;
    await page.locator(".grid li").last().scrollIntoViewIfNeeded();
    await page.locator(".grid img").last().evaluate((image) => image.decode());
    assert.ok(fetched.size > first || first < 60, `${first}, then ${fetched.size}`);
    assert.equal(await page.locator(".grid img[loading=lazy]").count(), 60);
    await page.getByRole("link", { name: "List" }).click();
    assert.equal(await page.getByRole("table").count(), 1);
}, { viewport: { width: 800, height: 400 } });

await test("a README is rendered and cannot act", async (page) => {
    await page.goto(site.url);
    const readme = page.getByRole("region", { name: "README.md" });
    assert.equal(await readme.getByRole("heading", { name: "Seven steps" }).count(), 1);
    assert.equal(await readme.locator("script").count(), 0);
    assert.equal(await page.evaluate(() => [...document.links].filter((link) => link.protocol === "javascript:").length), 0);
    await readme.getByRole("link", { name: "guide" }).click();
    assert.equal(page.url(), `${site.url}docs/guide.md`);
    await page.goto(`${site.url}gbk/`);
    assert.match(await page.getByRole("region", { name: "README.txt" }).textContent(), /你好，世界。/);
});

for (const [width, options] of [["desktop", {}], ["phone", PHONE]]) {
    await test(`a README's boxes are small, and Arabic begins on the right, ${width}`, async (page) => {
        await page.goto(site.url);
        const box = (selector) => page.locator(selector).first().evaluate((element) => {
            const text = document.createRange();
            text.selectNodeContents(element);
            return [element, text].map((part) => part.getBoundingClientRect()).map(({ left, right, width, height }) => ({ left, right, width, height }));
        });
        const [tick] = await box(".readme [type=checkbox]");
        assert.ok(tick.width < 24 && tick.height < 24, JSON.stringify(tick));
        for (const selector of [".readme p:has(+ ul:not(:has(input)))", ".readme ul:not(:has(input)) li"]) {
            const [block, text] = await box(selector);
            assert.ok(block.right - text.right < 1 && text.left - block.left > 20, `${selector}: ${JSON.stringify([block, text])}`);
        }
        assert.equal(await page.locator("#summary").evaluate((element) => element.localName), "h3");
        await page.goto(`${site.url}persian/`);
        // The extension is to the left of a name that is read from the right, and the name stays beside its icon.
        const [dot, first, link] = await page.locator(".rows a").evaluate((a) => {
            const part = (start, end) => {
                const range = document.createRange();
                range.setStart(a.firstChild, start);
                range.setEnd(a.firstChild, end);
                return range.getBoundingClientRect();
            };
            return [part(4, 5), part(0, 1), a.getBoundingClientRect()].map(({ left, right }) => ({ left, right }));
        });
        assert.ok(dot.right <= first.left && first.right < link.left + 150, JSON.stringify([dot, first, link]));
    }, options);
}

await test("a screen reader meets a table with a caption, rows, cells and an order", async (page) => {
    await page.goto(`${site.url}docs/`);
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const roles = nodes.filter((node) => !node.ignored).map((node) => node.role.value);
    const count = (role) => roles.filter((found) => found === role).length;
    assert.deepEqual([count("table"), count("row"), count("columnheader"), count("cell")], [1, 3, 3, 6]);
    assert.equal(nodes.find((node) => node.role?.value === "table").name.value, "Files");
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
});

await test("nothing is wider than a phone", async (page) => {
    for (const path of ["", "odd/", "docs/sub/deep/", "photos/?view=grid", "large/"]) {
        await page.goto(site.url + path);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(width, 360, path);
        await shot(page, `phone-${path.replace(/\W+/g, "-") || "top"}`, { fullPage: path !== "large/" });
    }
}, PHONE);

await test("a thousand files are there, in order, and the filter finds one of them", async (page) => {
    await page.goto(`${site.url}large/`);
    assert.equal(await page.getByText("1,000 files").count(), 1);
    assert.equal(await page.locator(".rows a").count(), 1000);
    await page.getByRole("searchbox").pressSequentially("file-999");
    await page.getByText("1 of 1,000 shown").waitFor();
    assert.deepEqual(await names(page), ["file-999.txt"]);
    await page.getByRole("searchbox").fill("");
    await page.getByText("1,000 files").waitFor();
    await page.locator(".rows a").last().scrollIntoViewIfNeeded();
    await page.locator(".rows a").last().click();
    assert.equal(page.url(), `${site.url}large/file-999.txt`);
});

for (const [name, options] of [["light", {}], ["dark", { colorScheme: "dark" }]]) {
    await test(`pictures, ${name}`, async (page) => {
        const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        await page.goto(site.url);
        assert.equal(await back(), name === "dark" ? "rgb(20, 23, 27)" : "rgb(255, 255, 255)");
        await page.keyboard.press("/");
        await page.keyboard.press("ArrowDown");
        await shot(page, `top-${name}`, { fullPage: true });
        for (const path of ["odd/", "photos/?view=grid", "?view=grid", "large/", "empty/", "gbk/?q=you", "docs/?q=e"]) {
            await page.goto(site.url + path);
            await page.waitForLoadState("networkidle");
            await shot(page, `${path.replace(/\W+/g, "-")}-${name}`);
        }
    }, options);
}

await finish(site);
