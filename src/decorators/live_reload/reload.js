// Keeps a page up to date with the files that it was made of. Added to pages by qibu's live reload.
(() => {
  "use strict";
  const script = document.currentScript;
  let version = script.dataset.version; // of the files, when this page was sent
  let events = null;

  function connect() {
    if (events || document.hidden) return;
    events = new EventSource(new URL("/.qibu/events", location)); // whatever <base> the page has
    // Something has changed between the page and the stream, or while there was no stream.
    events.addEventListener("hello", (event) => event.data === version || location.reload());
    events.addEventListener("change", (event) => {
      version = event.lastEventId;
      const paths = event.data.split("\n");
      if (!paths.every((path) => /\.css$/i.test(path)) || !restyle(paths)) location.reload();
    });
    events.addEventListener("error", () => {
      if (events?.readyState !== EventSource.CLOSED) return; // it comes back by itself
      disconnect();
      setTimeout(connect, 1000);
    });
  }

  function disconnect() {
    events?.close();
    events = null;
  }

  // A browser has six connections for one site: a page that nobody sees must not hold one.
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", connect);
  connect();

  const leaving = new WeakSet(); // links that another one is about to replace
  const replaced = new WeakMap(); // a link that was added, and all that must go when it is there

  // Loads style sheets anew; false if that cannot show the change.
  function restyle(paths) {
    const links = [...document.querySelectorAll('link[rel~="stylesheet" i][href]')];
    const own = links.filter((link) => !leaving.has(link) && new URL(link.href).origin === location.origin);
    const named = own.filter((link) => paths.includes(path(link)));
    // A sheet without a link of its own was imported: by a linked one, or by an element that is part of the page.
    const isLinked = paths.every((changed) => own.some((link) => path(link) === changed));
    const imports = [...document.querySelectorAll("style")].some((style) => style.textContent.includes("@import"));
    if (!isLinked && imports) return false;
    (isLinked ? named : own).forEach(replace);
    return true;
  }

  function path(link) {
    const { pathname } = new URL(link.href);
    try {
      return decodeURIComponent(pathname);
    } catch {
      return pathname; // not UTF-8
    }
  }

  // The old one stays until the new one is there, so that the page is never without its style.
  function replace(link) {
    const next = link.cloneNode();
    const url = new URL(link.href);
    url.searchParams.set("qibu", version);
    next.href = url;
    const old = [link, ...(replaced.get(link) ?? [])];
    leaving.add(link);
    replaced.set(next, old);
    next.addEventListener("load", () => old.forEach((link) => link.remove()));
    next.addEventListener("error", () => {
      leaving.delete(link);
      next.remove();
    });
    link.after(next);
  }
})();
