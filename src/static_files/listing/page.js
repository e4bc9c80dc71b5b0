(() => {
    "use strict";
    const box = document.querySelector("input[type=search]"), summary = document.getElementById("summary");
    const rows = [...document.querySelectorAll(".rows > *")].filter((row) => row.querySelector("a"));
    const groups = [...document.querySelectorAll("tbody.rows")];
    const served = box.defaultValue.toLowerCase(), whole = summary.textContent;
    let names, waiting = 0;

    function filter() {
        waiting = 0;
        const wanted = box.value.toLowerCase();
        // What the server has left out only the server can show.
        if (!wanted.includes(served)) return wanted === "" ? box.form.requestSubmit() : undefined;
        names ??= rows.map((row) => row.querySelector("a").textContent.toLowerCase());
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

    function walk(row, step) {
        let index = rows.indexOf(row) + step;
        while (rows[index]?.hidden) index += step;
        const next = rows[index] ?? null;
        (next ? next.querySelector("a") : box).focus();
    }

    box.addEventListener("input", () => waiting ||= requestAnimationFrame(filter));
    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const row = event.target.closest?.(".rows > *"), isTyping = event.target === box;
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
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
    // A page that comes back from the browser's history keeps what was typed.
    addEventListener("pageshow", () => box.value !== box.defaultValue && filter());
})();
