// Texts that are not UTF-8, in a browser that is told nothing but our Content-Type.
import assert from "node:assert/strict";
import { Site, finish, shot, test } from "./support.mjs";

const CHINESE = "七步：创建套接字，绑定端口号，设置监听，等待客户端连接，接收数据，发送数据，关闭套接字。";
const PAGE = `<!doctype html><html><head><title>静态网页服务器</title></head><body><h1>欢迎来到静态网页服务器</h1>
<p>${CHINESE}</p><form><input name="q"></form></body></html>`;
const TEXTS = {
    "gbk": CHINESE,
    "big5": "七步：建立通訊端，繫結連接埠，設定監聽，等待用戶端連線，接收資料，傳送資料，關閉通訊端。",
    "shift_jis": "七つの手順：ソケットを作り、ポートに結び、接続を待ち、データを受け取り、送り返し、閉じます。",
    "euc-kr": "일곱 단계: 소켓을 만들고, 포트에 묶고, 연결을 기다리고, 데이터를 받고, 보내고, 닫습니다.",
    "windows-1251": "Семь шагов: создать сокет, привязать порт, слушать, принять соединение, получить и отправить данные.",
};

/** What the browser would read as this text: each pair of bytes is tried once. */
function encode(text, charset) {
    const decoder = new TextDecoder(charset);
    const bytes = new Map();
    for (let first = 0x80; first < 0x100; first++) {
        bytes.set(decoder.decode(Buffer.from([first])), [first]);
        for (let second = 0x40; second < 0xff; second++) {
            const character = decoder.decode(Buffer.from([first, second]));
            if (character.length === 1 && !bytes.has(character)) bytes.set(character, [first, second]);
        }
    }
    return Buffer.from([...text].flatMap((character) => character < "\x80" ? [character.charCodeAt(0)] : bytes.get(character)));
}

const ascii = "# Every line of this long beginning is ASCII.\n".repeat(5000);
const site = await Site.open({
    "index.html": encode(PAGE, "gbk"),
    "long.txt": Buffer.concat([Buffer.from(ascii), encode(CHINESE, "gbk")]),
    ...Object.fromEntries(Object.entries(TEXTS).map(([charset, text]) => [`${charset}.txt`, encode(text, charset)])),
});

await test("a GBK page that does not say so is shown right", async (page) => {
    await page.goto(site.url);
    assert.equal(await page.evaluate(() => document.characterSet), "GBK");
    assert.equal(await page.title(), "静态网页服务器");
    assert.equal(await page.textContent("p"), CHINESE);
    await shot(page, "gbk-page");
});

for (const [charset, text] of Object.entries(TEXTS)) {
    await test(`a text in ${charset} is shown right`, async (page) => {
        await page.goto(`${site.url}${charset}.txt`);
        assert.equal(await page.textContent("body"), text);
        assert.equal((await page.evaluate(() => document.characterSet)).toLowerCase(), charset);
    });
}

await test("a text that begins with a page of ASCII is shown right", async (page) => {
    await page.goto(`${site.url}long.txt`);
    assert.ok((await page.textContent("body")).endsWith(CHINESE));
});

await finish(site);
