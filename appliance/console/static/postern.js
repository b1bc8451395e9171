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

  // A part of the page that the server draws again when something changed.
  const live = (room, { before, after, told } = {}) => {
    const fragment = at("[data-fragment]", room);
    let drawn = room.dataset.keyNow;
    const draw = async () => {
      const answer = await fetch(room.dataset.now, { headers: { Accept: "text/html" } }).catch(() => null);
      if (answer?.status === 401) return location.reload();
      if (!answer?.ok) return;
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      before?.(fragment, fresh.content);
      carry(fragment, fresh.content);
      after?.(fragment);
    };
    const listen = () => {
      const events = new EventSource(room.dataset.events);
      events.addEventListener("state", (event) => {
        const news = JSON.parse(event.data);
        told?.(news);
        if (news.key === drawn) return;
        drawn = news.key;
        draw();
      });
      events.addEventListener("error", () => {
        if (events.readyState === EventSource.CLOSED) setTimeout(() => { draw(); listen(); }, 3000);
      });
    };
    listen();
    return draw;
  };
  // What somebody is writing, and where the keyboard is, outlives a new drawing.
  const carry = (fragment, fresh) => {
    const held = fragment.contains(document.activeElement) ? document.activeElement.id : "";
    for (const field of fragment.querySelectorAll("input[id]")) {
      const same = fresh.getElementById(field.id);
      if (same) same.value = field.value;
    }
    fragment.replaceChildren(fresh);
    if (held) document.getElementById(held)?.focus();
  };

  setInterval(() => {
    for (const count of document.querySelectorAll("[data-countdown]")) {
      count.textContent = Math.max(0, Number(count.textContent) - 1);
    }
  }, 1000);
  for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => print());
  }
  const reload = at("[data-reload]");
  if (reload) setTimeout(() => location.replace(location.href), reload.dataset.reload * 1000);

  // The arm turns as fast as it is told to, and only because it was told.
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const arm = (room) => {
    let shown = Number(at("[data-lane]", room).dataset.raised);
    let goal = shown, rate = 0, last = 0, running = false;
    const put = () => {
      const lane = at("[data-lane]", room);
      const turned = shown * 84;
      at("[data-arm]", lane)?.setAttribute("transform", `rotate(${-turned} 118 318)`);
      at("[data-shadow]", lane)?.setAttribute("d", `M118 502h${306 * Math.cos(turned * Math.PI / 180)}`);
    };
    const step = (now) => {
      const way = rate * Math.min(100, now - last);
      last = now;
      shown = Math.abs(goal - shown) <= way ? goal : shown + Math.sign(goal - shown) * way;
      put();
      running = shown !== goal;
      if (running) requestAnimationFrame(step);
    };
    return {
      put,
      to(share) {
        goal = share;
        if (still.matches || document.hidden) { shown = goal; return put(); }
        const apart = Math.abs(goal - shown);
        rate = apart / Math.min(900, Math.max(180, apart * 1600));
        if (running || !apart) return;
        running = true;
        last = performance.now();
        requestAnimationFrame(step);
      },
    };
  };
  const barrier = at("[data-barrier]");
  if (barrier) {
    const drawn = arm(barrier);
    const said = at("[data-said]", barrier);
    const draw = live(barrier, {
      told: (news) => drawn.to(news.raised),
      after: (fragment) => {
        drawn.put();
        drawn.to(Number(at("[data-lane]", fragment).dataset.raised));
        const sentence = at("[data-sentence]", fragment).dataset.sentence;
        if (said.textContent !== sentence) said.textContent = sentence;
      },
    });
    barrier.addEventListener("submit", async (event) => {
      if (!event.target.matches("[data-quiet]")) return;
      event.preventDefault();
      const sent = new FormData(event.target, event.submitter);
      const answer = await fetch(event.target.action, { method: "POST", body: sent }).catch(() => null);
      if (!answer || answer.status === 401) return location.reload();
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const note = at("main > .note", page);
      if (note) barrier.before(note);
      draw();
    });
  }
  const watched = at("[data-live-room]");
  if (watched) live(watched);

  const desk = (() => {
    const room = at("[data-desk]");
    if (!room) return null;
    const picture = at("[data-live]", room);
    const line = at(".picture-line", room);
    const orders = at("[data-orders]", room);
    const reason = at("[data-reason]", room);
    const source = picture.src;
    let chosen = null;

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

    // The decision: drawn again when the server says that something changed. The old arm is kept for
    // one frame so that it is seen to move, and only then.
    const turn = (old, fresh) => {
      if (!old || !fresh || old.getAttribute("class") === fresh.getAttribute("class")) return;
      const goal = fresh.getAttribute("class");
      fresh.setAttribute("class", old.getAttribute("class"));
      requestAnimationFrame(() => requestAnimationFrame(() => fresh.setAttribute("class", goal)));
    };
    live(room, { before: (old, fresh) => turn(at(".barrier", old), at(".barrier", fresh)) });

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
        const code = key === "c" && at("[data-factor]", room);
        if (code) {
          code.focus();
          return true;
        }
        const button = at(`[data-order="${key}"]`, orders);
        if (!button) return false;
        if (key === "r") orders.requestSubmit(button);
        else choose(button);
        return true;
      },
    };
  })();
})();
