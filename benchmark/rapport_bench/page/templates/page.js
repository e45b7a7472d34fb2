"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  // --- theme ------------------------------------------------------------------------------------
  const themes = ["automatic", "dark", "light"];
  let theme = 0;
  by("theme").addEventListener("click", () => {
    theme = (theme + 1) % themes.length;
    if (theme) document.documentElement.dataset.theme = themes[theme];
    else delete document.documentElement.dataset.theme;
    by("theme").textContent = `Theme: ${themes[theme]}`;
  });

  // --- tables that sort -------------------------------------------------------------------------
  const compare = (a, b, way) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    const numbers = [Number(a), Number(b)];
    return way * (numbers.some(Number.isNaN) ? (a < b ? -1 : a > b ? 1 : 0) : numbers[0] - numbers[1]);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
        table.classList.add("sorted");
        const key = (row) => row.cells[column].dataset.sort;
        body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b), way)));
      });
    });
  }

  // --- case studies -----------------------------------------------------------------------------
  const block = by("data");
  if (!block) return;
  const data = JSON.parse(block.textContent);
  const STEP = 20;
  const CLIP = 1200;
  // Marks that turn the direction of writing, and other controls, are shown, never obeyed.
  const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
  const CONTROLS = new RegExp(`(${CONTROL.source})`);
  const write = (parent, text) => {
    for (const piece of text.split(CONTROLS)) {
      if (piece.length === 1 && CONTROL.test(piece)) {
        const code = piece.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
        const sign = make("span", "control", `U+${code}`);
        sign.title = "an invisible control character";
        parent.append(sign);
      } else if (piece) parent.append(piece);
    }
    return parent;
  };

  const sentence = ([act, ...runs]) => {
    const name = act < 0 ? "" : data.acts[act];
    const coloured = name && name !== "other";
    const node = make("span", coloured ? `act ${name}` : "");
    if (coloured) {
      const sign = make("sup", "", name[0].toUpperCase());
      sign.title = name;
      node.append(sign);
    }
    for (const run of runs) {
      if (typeof run === "string") write(node, run);
      else {
        const marked = make("span", "marker");
        marked.title = `marker: ${data.markers[run[0]]}`;
        node.append(write(marked, run[1]));
      }
    }
    return node;
  };
  const lengthOf = (row) => row.slice(1).reduce((n, run) => n + (typeof run === "string" ? run : run[1]).length, 0);

  const spoken = (reply) => {
    const box = make("div", "said");
    box.lang = reply.l;
    box.dir = "auto";
    let used = 0;
    let place = 0;
    for (; place < reply.s.length && used < CLIP; place += 1) {
      used += lengthOf(reply.s[place]);
      box.append(sentence(reply.s[place]));
    }
    const total = reply.s.reduce((n, row) => n + lengthOf(row), 0) + (reply.r || "").length;
    const rest = reply.s.slice(place);
    if (!rest.length && !reply.r && !reply.cut) {
      if (!total) box.append(make("span", "empty", "(nothing)"));
      return [box];
    }
    const nodes = [box];
    if (rest.length || reply.r) {
      const more = make("button", "", `Show all ${total.toLocaleString("en")} characters`);
      more.type = "button";
      more.addEventListener("click", () => {
        for (const row of rest) box.append(sentence(row));
        // One text node: a browser lays out a megabyte of plain text in a scrolling box at once.
        if (reply.r) box.append(CONTROL.test(reply.r) ? write(make("span"), reply.r.slice(0, 20000)) : reply.r);
        if (reply.r && CONTROL.test(reply.r) && reply.r.length > 20000)
          box.append(reply.r.slice(20000).replace(new RegExp(CONTROL.source, "g"), "\ufffd"));
        box.classList.add("long");
        box.tabIndex = 0;
        box.setAttribute("role", "region");
        box.setAttribute("aria-label", "the whole message");
        more.remove();
        box.focus();
      });
      nodes.push(more);
    }
    if (reply.cut) nodes.push(make("p", "note", `${reply.cut.toLocaleString("en")} more characters are left out of this page.`));
    return nodes;
  };

  const shownArms = () => [...document.querySelectorAll("#shown input:checked")].map((box) => Number(box.value));
  const turnOf = (turn, number) => {
    const node = make("div", "turn");
    const user = make("div", "user");
    user.append(make("span", "who", `user, turn ${number + 1}`), ...spoken(turn.user));
    const side = make("div", "side");
    for (const arm of shownArms()) {
      const replies = turn.arms[arm] || [];
      const box = make("div", "reply");
      box.append(make("span", "who", `${data.arms[arm][0]} · ${data.arms[arm][1]}`));
      if (!replies.length) box.append(make("p", "empty", "no reply kept"));
      replies.forEach((reply, draw) => {
        if (replies.length > 1) box.append(make("span", "who", `draw ${draw + 1}`));
        if (reply.b) box.append(make("span", "opens", "⇢ opens a new topic"));
        box.append(...spoken(reply));
      });
      side.append(box);
    }
    node.append(user, side);
    return node;
  };

  const digits = (value) => (value === null ? "–" : String(Number(value.toPrecision(3))).replace("-", "−"));
  const numbers = (one) => {
    const frame = make("div", "scroll");
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", `Numbers of dialogue ${one.id}, scrolls sideways`);
    const table = make("table");
    table.append(make("caption", "", "Each metric in this dialogue; – where it is undefined."));
    const head = table.createTHead().insertRow();
    const corner = make("th", "left", "metric");
    corner.scope = "col";
    head.append(corner);
    for (const [label] of data.arms) {
      const cell = make("th", "", label);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    data.metrics.forEach(([label], metric) => {
      if (one.v.every((values) => values[metric] === null)) return;
      const row = body.insertRow();
      const name = make("th", "", label);
      name.scope = "row";
      row.append(name);
      for (const values of one.v) row.insertCell().textContent = digits(values[metric]);
    });
    frame.append(table);
    return frame;
  };

  const fill = (body, one) => {
    body.replaceChildren(...(one.turns || []).map(turnOf), numbers(one));
  };

  const value = (id) => Number(by(id).value);
  const gap = (one, a, b, metric) => {
    const at = (m) => {
      const [x, y] = [one.v[a][m], one.v[b][m]];
      return x === null || y === null ? null : Math.abs(x - y) / data.metrics[m][2];
    };
    if (metric >= 0) return at(metric);
    const known = data.metrics.map((_, m) => at(m)).filter((found) => found !== null);
    return known.length ? known.reduce((x, y) => x + y, 0) / known.length : null;
  };
  const haystack = (one) => {
    if (one.text === undefined) {
      const words = (said) => said.s.flatMap((row) => row.slice(1).map((run) => (typeof run === "string" ? run : run[1]))).join("") + (said.r || "");
      const turns = (one.turns || []).flatMap((turn) => [turn.user, ...Object.values(turn.arms).flat()].map(words));
      one.text = [one.id, ...turns].join("\n").toLocaleLowerCase();
    }
    return one.text;
  };

  const list = by("case-list");
  let order = [];
  let until = STEP;
  const entry = (one) => {
    const item = make("li", "case");
    const head = make("h3");
    const button = make("button");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    const body = make("div", "body");
    body.hidden = true;
    body.id = `case-${one.place}`;
    button.setAttribute("aria-controls", body.id);
    button.append(write(make("bdi", "id"), one.id));
    if (one.d >= 0) button.append(make("bdi", "info", data.domains[one.d]));
    if (one.c) button.append(make("span", "tag", "crisis"));
    const apart = one.gap === null ? "not comparable" : `apart ${digits(one.gap)}`;
    button.append(make("span", "info", apart));
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      body.hidden = !open;
      if (open) fill(body, one);
      else body.replaceChildren();
    });
    head.append(button);
    item.append(head, body);
    return item;
  };
  const draw = () => {
    list.replaceChildren(...order.slice(0, until).map(entry));
    by("more").hidden = order.length <= until;
    const what = value("metric") < 0 ? "all metrics together" : data.metrics[value("metric")][0];
    by("count").textContent =
      `${order.length} of ${data.cases.length} dialogues; those first in which ` +
      `${data.arms[value("arm-a")][0]} and ${data.arms[value("arm-b")][0]} differ most on ${what} ` +
      "(in standard deviations between dialogues).";
  };
  const refresh = () => {
    const [a, b, metric, domain, crisis] = ["arm-a", "arm-b", "metric", "domain", "crisis"].map(value);
    const wanted = by("search").value.trim().toLocaleLowerCase();
    order = data.cases.filter(
      (one) => (domain < 0 || one.d === domain) && (crisis < 0 || one.c === crisis) && (!wanted || haystack(one).includes(wanted)),
    );
    for (const one of order) one.gap = gap(one, a, b, metric);
    order.sort((x, y) => (y.gap ?? -1) - (x.gap ?? -1) || x.place - y.place);
    until = STEP;
    draw();
  };
  data.cases.forEach((one, place) => { one.place = place; });
  let waiting = 0;
  by("filters").addEventListener("input", (event) => {
    if (event.target.closest("#shown")) {
      // What is open stays open.
      [...list.children].forEach((item, place) => {
        if (!item.lastChild.hidden) fill(item.lastChild, order[place]);
      });
      return;
    }
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 80);
  });
  by("filters").addEventListener("submit", (event) => event.preventDefault());
  by("more").addEventListener("click", () => {
    const first = until;
    until += STEP;
    draw();
    list.children[first]?.querySelector("button").focus();
  });
  for (const link of document.querySelectorAll("a[data-case]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      for (const id of ["domain", "crisis"]) by(id).value = "-1";
      by("search").value = data.cases[Number(link.dataset.case)].id;
      refresh();
      const place = order.findIndex((one) => one.place === Number(link.dataset.case));
      until = Math.max(until, place + 1);
      draw();
      const button = list.children[place].querySelector("button");
      button.click();
      button.focus();
      button.scrollIntoView({ block: "start" });
    });
  }
  refresh();
})();
