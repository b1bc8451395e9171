// What moves and what keys do. Every page works without this; the desk then reloads by itself.
"use strict";

(() => {
  const at = (selector, from = document) => from.querySelector(selector);
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

  // Keys: one letter, never with a modifier, never while writing.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const key = event.key.toLowerCase();
    if (key === "/") {
      const search = at("[data-search]");
      event.preventDefault();
      if (search) search.focus();
      else at('.menu a[href*="/passages"]')?.click();
      return;
    }
    if (desk?.key(key)) {
      event.preventDefault();
      return;
    }
    const wanted = [...document.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key);
    if (wanted) {
      event.preventDefault();
      wanted.click();
    }
  });

  // Lists: narrow what is on the page.
  const narrow = at("[data-narrow]");
  narrow?.addEventListener("input", () => {
    const words = narrow.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of document.querySelectorAll("tbody tr")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((w) => text.includes(w));
    }
  });

  const desk = (() => {
    const room = at("[data-desk]");
    if (!room) return null;
    const picture = at("[data-live]", room);
    const line = at(".picture-line", room);
    const fragment = at("[data-fragment]", room);
    const orders = at("[data-orders]", room);
    const reason = at("[data-reason]", room);
    const source = picture.src;
    let chosen = null;
    let drawn = room.dataset.keyNow;

    // The picture: the next is asked for when the last one came, so a slow link never queues up.
    const again = (after) => setTimeout(() => {
      picture.src = `${source}?${Date.now()}`;
    }, document.hidden ? 3000 : after);
    picture.addEventListener("load", () => {
      picture.classList.remove("gone");
      line.classList.remove("stale");
      line.hidden = false;
      again(400);
    });
    picture.addEventListener("error", () => {
      picture.classList.add("gone");
      line.hidden = true;
      again(3000);
    });
    if (picture.complete) again(picture.naturalWidth ? 400 : 3000);
    if (picture.complete && !picture.naturalWidth) picture.dispatchEvent(new Event("error"));

    // The decision: drawn again when the server says that something changed.
    const draw = async () => {
      const answer = await fetch(room.dataset.now, { headers: { Accept: "text/html" } }).catch(() => null);
      if (answer?.status === 401) return location.reload();
      if (!answer?.ok) return;
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      turn(at(".barrier", fragment), at(".barrier", fresh.content));
      fragment.replaceChildren(fresh.content);
    };
    // Keep the old arm for one frame so that it is seen to move, and only then.
    const turn = (old, fresh) => {
      if (!old || !fresh || old.getAttribute("class") === fresh.getAttribute("class")) return;
      const goal = fresh.getAttribute("class");
      fresh.setAttribute("class", old.getAttribute("class"));
      requestAnimationFrame(() => requestAnimationFrame(() => fresh.setAttribute("class", goal)));
    };
    const listen = () => {
      const events = new EventSource(room.dataset.events);
      events.addEventListener("state", (event) => {
        const { key } = JSON.parse(event.data);
        if (key === drawn) return;
        drawn = key;
        draw();
      });
      events.addEventListener("error", () => {
        if (events.readyState === EventSource.CLOSED) setTimeout(() => { draw(); listen(); }, 3000);
      });
    };
    listen();

    const choose = (button) => {
      chosen?.removeAttribute("aria-current");
      chosen = button;
      chosen.setAttribute("aria-current", "true");
      reason.focus();
    };
    reason.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !chosen) return;
      event.preventDefault();
      orders.requestSubmit(chosen);
    });
    return {
      key(key) {
        const button = at(`[data-order="${key}"]`, orders);
        if (!button) return false;
        if (key === "r") orders.requestSubmit(button);
        else choose(button);
        return true;
      },
    };
  })();
})();
