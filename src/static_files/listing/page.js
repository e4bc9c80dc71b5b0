(() => {
    "use strict";
    const box = document.querySelector("input[type=search]"), summary = document.querySelector(".summary");
    const rows = [...document.querySelectorAll(".rows > *")].filter((row) => row.querySelector("a"));
    const grid = document.querySelector(".grid");
    const groups = [...document.querySelectorAll("tbody.rows")];
    // Some systems write an accented letter in two characters, and keyboards write it in one.
    const plain = (text) => text.normalize().toLowerCase();
    const served = plain(box.defaultValue), whole = summary.textContent;
    let names, waiting = 0;

    function filter() {
        waiting = 0;
        history.replaceState(box.value, ""); // so that a reload keeps it
        const wanted = plain(box.value);
        // What the server has left out only the server can show.
        if (!wanted.includes(served)) return wanted === "" ? box.form.requestSubmit() : undefined;
        names ??= rows.map((row) => plain(row.querySelector("a").textContent));
        let left = 0;
        rows.forEach((row, index) => left += !(row.hidden = !names[index].includes(wanted)));
        for (const group of groups) {
            const height = [...group.rows].reduce((sum, row) => sum + !row.hidden, 0);
            group.hidden = height === 0;
            group.style.setProperty("--rows", height);
        }
        const format = (count) => count.toLocaleString("en");
        summary.textContent = wanted === served ? whole : `${format(left)} of ${format(rows.length)} shown`;
    }

    /** So many names lie between one and the one below it. */
    function breadth() {
        return grid ? getComputedStyle(grid).gridTemplateColumns.split(" ").length : 1;
    }

    /** From a row, or from the box, to another one. Beyond both ends lies the box. */
    function walk(row, step) {
        const shown = rows.filter((row) => !row.hidden), last = shown.length - 1, from = shown.indexOf(row);
        let to = from < 0 ? 0 : from + step;
        if (from < last) to = Math.min(to, last); // below may be no name, though there is another line
        (shown[to]?.querySelector("a") ?? box).focus();
    }

    box.addEventListener("input", () => waiting ||= requestAnimationFrame(filter));
    document.addEventListener("keydown", (event) => {
        // What composes a character is for the input method: 229 is how Safari says so of the key that ends it.
        if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
        const row = event.target.closest?.(".rows > *"), isTyping = event.target === box;
        const right = row && grid ? 1 : 0;
        const steps = { ArrowDown: () => breadth(), ArrowUp: () => -breadth(), ArrowRight: () => right, ArrowLeft: () => -right };
        const step = steps[event.key]?.();
        if (event.key === "/" && !isTyping) {
            box.focus();
            box.select();
        } else if (event.key === "Escape" && isTyping && box.value) {
            box.value = "";
            filter();
        } else if (step && (row || (isTyping && step > 0))) {
            walk(row ?? null, step);
        } else {
            return;
        }
        event.preventDefault();
    });
    // A picture that cannot be shown leaves its tile to the icon; some have failed before this script.
    grid?.addEventListener("error", (event) => event.target.remove(), true);
    for (const picture of grid?.querySelectorAll("img") ?? []) {
        if (picture.complete && picture.naturalWidth === 0) picture.decode().catch(() => picture.remove());
    }
    // A page that comes back from the browser's history keeps what was typed, and so does one that is reloaded.
    addEventListener("pageshow", () => {
        box.value = history.state ?? box.value;
        if (box.value !== box.defaultValue) filter();
    });
})();
