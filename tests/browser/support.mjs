// What the browser tests share: a folder that vanishes, the program serving it, a browser, and `test`.
//
//     import { Site, test, finish } from "./support.mjs";
//     const site = await Site.open({ "a.txt": "hello" });      // or with flags of the program: Site.open(files, ["--spa"])
//     await test("a file is shown", async (page) => { await page.goto(site.url); ... });
//     await finish(site);
//
// A page of a test has a context of its own. A test fails that leaves an error in the page's console, unless it expects
// one (`page.expected`): that is how a breach of the Content-Security-Policy shows.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const { chromium } = createRequire(path.join(process.env.MODULES, "x.js"))("playwright-core");

// The closed network refuses what a browser asks of its maker, and the checks are about our pages alone.
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: FLAGS });

const counts = { passed: 0, failed: 0 };

/** A folder and the program that serves it. */
export class Site {
    static async open(files, flags = []) {
        const site = new Site();
        site.folder = fs.mkdtempSync(path.join(os.tmpdir(), "qibu-"));
        site.write(files);
        site.flags = flags;
        site.url = await site.#start("0");
        return site;
    }

    /** Ends the program and starts it again, on the same port. */
    async restart(between) {
        await this.#end();
        between();
        await this.#start(new URL(this.url).port);
    }

    /** Text, bytes, or a map for a folder. A name is a string or, for any bytes, a Buffer in a list of pairs. */
    write(files, folder = Buffer.from(this.folder)) {
        const pairs = Array.isArray(files) ? files : Object.entries(files);
        for (const [name, content] of pairs) {
            const place = Buffer.concat([folder, Buffer.from("/"), Buffer.from(name)]);
            if (typeof content === "string" || Buffer.isBuffer(content)) {
                fs.writeFileSync(place, content);
            } else {
                fs.mkdirSync(place, { recursive: true });
                this.write(content, place);
            }
        }
    }

    #start(port) {
        this.process = spawn(process.env.QIBU, ["-p", port, this.folder, ...this.flags], { stdio: ["ignore", "pipe", "pipe"] });
        process.on("exit", () => this.process.kill("SIGKILL")); // whatever becomes of us
        let said = "";
        return new Promise((resolve, reject) => {
            const hear = (text) => {
                said += text;
                const url = said.match(/http:\/\/127\.0\.0\.1:\d+\//);
                if (url) resolve(url[0]);
            };
            this.process.stdout.on("data", hear);
            this.process.stderr.on("data", (text) => (said += text));
            this.process.on("exit", (code) => reject(new Error(`the program ended with ${code}: ${said}`)));
        });
    }

    async #end() {
        const ended = new Promise((resolve) => this.process.on("exit", resolve));
        this.process.kill("SIGTERM");
        await ended;
    }

    async close() {
        await this.#end();
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}

/** One of examples/, as `cargo build --examples` leaves it. */
export class Example {
    static async open(name, port = 0) {
        const example = new Example();
        const options = { env: { ...process.env, ADDRESS: `127.0.0.1:${port}` }, stdio: ["ignore", "pipe", "inherit"] };
        example.process = spawn(path.join(process.env.EXAMPLES, name), options);
        example.url = await new Promise((resolve, reject) => {
            example.process.on("error", reject);
            example.process.on("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
            example.process.stdout.on("data", (text) => {
                const address = String(text).match(/127\.0\.0\.1:\d+/);
                if (address) resolve(`http://${address[0]}/`);
            });
        });
        return example;
    }

    get port() {
        return Number(new URL(this.url).port);
    }

    async close() {
        const ended = new Promise((resolve) => this.process.on("exit", resolve));
        this.process.kill("SIGTERM");
        await ended;
    }
}

/** Runs `body` with a fresh page; `options` are those of a browser context (viewport, colorScheme, javaScriptEnabled ...). */
export async function test(name, body, options = {}) {
    const context = await browser.newContext(options);
    try {
        const page = await context.newPage();
        const complaints = [];
        page.expected = [/favicon/];
        page.on("console", (message) => {
            const text = `${message.text()} ${message.location().url}`;
            if (message.type() === "error" && !page.expected.some((known) => known.test(text))) complaints.push(text);
        });
        page.on("pageerror", (error) => complaints.push(error.stack));
        await body(page);
        assert.deepEqual(complaints, [], "the page's console holds errors");
        counts.passed += 1;
        console.log(`ok      ${name}`);
    } catch (error) {
        counts.failed += 1;
        console.log(`FAILED  ${name}\n${error.stack}`);
    } finally {
        await context.close();
    }
}

/** Keeps a picture where pictures are wanted. */
export async function shot(page, name, options = {}) {
    if (process.env.SHOTS) await page.screenshot({ path: path.join(process.env.SHOTS, `${name}.png`), ...options });
}

/** Closes everything, and says how it went. */
export async function finish(...sites) {
    await Promise.all([browser.close(), ...sites.map((site) => site.close())]);
    console.log(`${counts.passed} passed, ${counts.failed} failed`);
    process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}
