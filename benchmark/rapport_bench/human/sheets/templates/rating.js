"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const sheet = read("sheet");
  const { page, notice, roles, sha256, slug } = read("wording");
  const CLIP = 4000;
  const KEY = `rapport:${sheet.study}:${sheet.rater}:${sha256}`;
  const steps = sheet.items.flatMap((item, place) =>
    item.replies.map((reply, number) => ({ item, reply, place, number })));
  const unitOf = (step, scale) => `${step.item.id}|${step.reply.letter}|${scale.name}`;
  const points = new Map(steps.flatMap((s) => sheet.scales.map((c) => [unitOf(s, c), c.points])));

  // --- state: what is kept in the browser -------------------------------------------------------

  const fresh = () => ({ values: {}, seconds: {}, skipped: {}, step: 0, started: false, brief: false,
    language: (navigator.language || "").toLowerCase().startsWith("zh") ? "zh" : "en" });
  let state = fresh();
  let blocked = false;   // the browser keeps nothing
  let unsaved = false;   // something changed that neither the browser nor a file holds
  let view = "notice";   // notice | step | overview
  let active = 0;        // scale that the number keys rate

  /** Take over what was kept, entry by entry: anything that is not of this sheet is dropped. */
  function adopt(kept) {
    const taken = fresh();
    for (const [unit, value] of Object.entries(kept.values || {})) {
      if (points.has(unit) && Number.isInteger(value) && value >= 1 && value <= points.get(unit)) {
        taken.values[unit] = value;
        const seconds = (kept.seconds || {})[unit];
        if (Number.isFinite(seconds) && seconds >= 0) taken.seconds[unit] = seconds;
      }
    }
    for (const item of sheet.items) if ((kept.skipped || {})[item.id] === true) taken.skipped[item.id] = true;
    if (Number.isInteger(kept.step) && kept.step >= 0 && kept.step < steps.length) taken.step = kept.step;
    taken.started = kept.started === true;
    taken.brief = kept.brief === true;
    if (kept.language === "zh" || kept.language === "en") taken.language = kept.language;
    return taken;
  }

  function load() {
    let text = null;
    try {
      localStorage.setItem(`${KEY}:probe`, "1");
      localStorage.removeItem(`${KEY}:probe`);
      text = localStorage.getItem(KEY);
    } catch {
      blocked = true;
    }
    try { if (text !== null) state = adopt(JSON.parse(text)); } catch { /* nothing of ours: begin anew */ }
  }

  function save() {
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
      blocked = unsaved = false;
    } catch {
      blocked = unsaved = true;
    }
  }

  // --- time: only while the page is seen ---------------------------------------------------------

  let mark = performance.now();
  let spent = 0;
  const lap = () => { const now = performance.now(); const time = (now - mark) / 1000; mark = now; return time; };
  document.addEventListener("visibilitychange", () => {
    const time = lap();
    if (document.hidden) spent += time;
  });
  function takeTime() {
    const time = spent + (document.hidden ? 0 : lap());
    spent = 0;
    return time;
  }

  // --- building blocks ---------------------------------------------------------------------------

  const say = (texts, values = {}) =>
    texts[state.language].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  const t = (name, values) => say(page[name], values);

  function make(tag, options = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }
  const button = (label, act, name = "", options = {}) =>
    make("button", { type: "button", class: name, onclick: act, ...options }, label);

  let quiet;
  function tell(message) {
    const status = document.getElementById("status");
    status.textContent = message;
    clearTimeout(quiet);
    quiet = setTimeout(() => { status.textContent = ""; }, 6000);
  }

  /** Text of others: never markup, its direction of writing shut in, the long tail behind a button. */
  function textBlock(content) {
    const block = make("div", { class: "text", dir: "auto" });
    if (content.length <= CLIP) { block.textContent = content; return block; }
    let end = CLIP;
    if (/[\uD800-\uDBFF]/.test(content[end - 1])) end -= 1;
    const number = content.length.toLocaleString("en");
    let whole = false;
    const more = button("", () => { whole = !whole; show(); }, "plain more");
    function show() {
      block.textContent = whole ? content : `${content.slice(0, end)} …`;
      more.textContent = whole ? t("show_less") : t("show_all", { n: number });
      more.setAttribute("aria-expanded", String(whole));
    }
    show();
    return make("div", {}, block, more);
  }

  // --- what is done ------------------------------------------------------------------------------

  const openScales = (step) => sheet.scales.filter((scale) => !(unitOf(step, scale) in state.values));
  const isRated = (step) => openScales(step).length === 0;
  const isSkipped = (step) => state.skipped[step.item.id] === true;
  const openSteps = () => steps.filter((step) => !isSkipped(step) && !isRated(step));

  function exported() {
    const ratings = [];
    for (const step of steps) {
      if (isSkipped(step)) continue;
      for (const scale of sheet.scales) {
        const unit = unitOf(step, scale);
        if (!(unit in state.values)) continue;
        const seconds = unit in state.seconds ? Math.round(state.seconds[unit] * 10) / 10 : null;
        ratings.push({ item: step.item.id, letter: step.reply.letter, scale: scale.name, value: state.values[unit], seconds });
      }
    }
    return { schema_version: "1.0", study: sheet.study, rater: sheet.rater, sheet_sha256: sha256, ratings, comments: 0 };
  }
  const fileName = `ratings-${slug}-${sheet.rater}.json`;
  const asText = () => `${JSON.stringify(exported(), null, 1)}\n`;

  // --- acts --------------------------------------------------------------------------------------

  function rate(scale, value) {
    const unit = unitOf(steps[state.step], scale);
    state.values[unit] = value;
    state.seconds[unit] = (state.seconds[unit] || 0) + takeTime();
    save();
    drawTop();
    const radio = document.querySelector(`input[name="${scale.name}"][value="${value}"]`);
    radio.checked = true;
    radio.closest("fieldset").classList.remove("missing");
  }

  function goTo(step, scale = 0) {
    view = "step";
    state.step = step;
    active = scale;
    takeTime();
    save();
    draw();
    window.scrollTo(0, 0);
    // The context was read with the first reply; a further one is what is new.
    if (steps[step].number > 0) document.querySelector(".reply").scrollIntoView({ block: "nearest" });
    focusScale(active, false);
  }

  function next(checked) {
    const step = steps[state.step];
    const open = openScales(step);
    if (checked && open.length && !isSkipped(step)) {
      for (const scale of open) field(scale).classList.add("missing");
      tell(t("incomplete", { what: open.map((scale) => say(scale.label)).join(", ") }));
      focusScale(sheet.scales.indexOf(open[0]));
      return;
    }
    if (state.step + 1 < steps.length) goTo(state.step + 1);
    else showOverview();
  }

  const previous = () => { if (state.step > 0) goTo(state.step - 1); };

  function skip() {
    const { item } = steps[state.step];
    state.skipped[item.id] = true;
    save();
    const after = steps.findIndex((step, n) => n > state.step && step.item !== item);
    if (after < 0) showOverview(); else goTo(after);
  }

  function unskip() {
    delete state.skipped[steps[state.step].item.id];
    goTo(state.step);
  }

  function showOverview() { view = "overview"; save(); draw(); window.scrollTo(0, 0); focusMain(); }

  function begin() {
    state.started = true;
    const first = steps.findIndex((step) => !isSkipped(step) && !isRated(step));
    if (first < 0) showOverview(); else goTo(isRated(steps[state.step]) ? first : state.step);
  }

  function download() {
    const link = make("a", { href: URL.createObjectURL(new Blob([asText()], { type: "application/json" })), download: fileName });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    unsaved = false;
    tell(t("exported", { name: fileName }));
  }

  async function takeFile(event) {
    const [file] = event.target.files;
    if (!file) return;
    let given = null;
    try { given = JSON.parse(await file.text()); } catch { /* said below */ }
    event.target.value = "";   // so that the same file can be chosen again
    if (!given || given.study !== sheet.study || given.rater !== sheet.rater
        || given.sheet_sha256 !== sha256 || !Array.isArray(given.ratings)) {
      tell(t("not_loaded"));
      return;
    }
    const values = {}, seconds = {};
    for (const r of given.ratings) {
      if (r === null || typeof r !== "object") continue;
      values[`${r.item}|${r.letter}|${r.scale}`] = r.value;
      seconds[`${r.item}|${r.letter}|${r.scale}`] = r.seconds;
    }
    const taken = adopt({ values, seconds });
    Object.assign(state.values, taken.values);
    Object.assign(state.seconds, taken.seconds);
    save();
    draw();
    tell(t("loaded", { n: Object.keys(taken.values).length }));
  }

  // --- screens -----------------------------------------------------------------------------------

  const field = (scale) => document.querySelector(`fieldset[data-scale="${scale.name}"]`);

  function focusScale(place, scroll = true) {
    const box = field(sheet.scales[Math.max(0, Math.min(place, sheet.scales.length - 1))]);
    if (!box) { focusMain(); return; }
    (box.querySelector("input:checked") || box.querySelector("input")).focus({ preventScroll: true });
    if (scroll) box.scrollIntoView({ block: "nearest" });
  }
  const focusMain = () => document.getElementById("main").focus({ preventScroll: true });

  function drawTop() {
    const top = document.getElementById("top");
    const rated = steps.filter((step) => isSkipped(step) || isRated(step)).length;
    const label = t("progress", { done: rated, total: steps.length });
    top.replaceChildren(
      make("span", { class: "where" }, `${sheet.study} · ${sheet.rater}`),
      make("progress", { max: steps.length, value: rated, "aria-label": label }),
      make("span", { class: "saved" }, label, state.started && !blocked ? ` · ${t("saved")}` : ""),
      make("span", { class: "right" },
        view === "step" ? button(t("overview"), showOverview, "", { id: "overview" }) : null,
        button(state.language === "zh" ? "English" : "中文", switchLanguage, "",
          { id: "language", lang: state.language === "zh" ? "en" : "zh" })));
  }

  function switchLanguage() {
    state.language = state.language === "zh" ? "en" : "zh";
    save();
    draw();
    document.getElementById("language").focus();
  }

  function storageWarning() {
    return blocked ? make("p", { class: "warning", role: "alert", id: "blocked" }, t("blocked")) : null;
  }

  function drawNotice(main) {
    main.className = "narrow";
    const parts = ["task", "how"].map((name) => make("p", {}, say(notice[name])));
    const content = make("p", {}, make("strong", {}, say(notice.content)),
      sheet.crisis ? ` ${say(notice.crisis)}` : "");
    main.append(
      make("h1", {}, say(notice.title)), storageWarning() || "",
      make("div", { class: "card" }, content, make("p", {}, say(notice.stop))),
      ...parts, make("p", {}, say(notice.private)),
      blocked ? "" : make("p", {}, t("local")), make("p", { class: "note" }, t("keys")),
      make("div", { class: "row" },
        button(t(state.started ? "go_on" : "start"), begin, "main", { id: "begin" }), fileButton()));
  }

  const fileButton = () => make("label", { class: "file" }, t("load"),
    make("input", { type: "file", accept: ".json,application/json", id: "load", onchange: takeFile }));

  function drawLines(context) {
    return make("div", { class: "lines" }, ...context.map((line) =>
      make("div", { class: `line ${line.role}` }, make("span", { class: "who" }, say(roles[line.role])), textBlock(line.content))));
  }

  function drawScale(step, scale) {
    const unit = unitOf(step, scale);
    const choices = Array.from({ length: scale.points }, (_, n) => n + 1).map((value) =>
      make("label", {},
        make("input", { type: "radio", name: scale.name, value, checked: state.values[unit] === value,
          "aria-label": scale.anchors[value] ? `${value}: ${say(scale.anchors[value])}` : String(value),
          onchange: () => rate(scale, value) }),
        make("span", { "aria-hidden": "true" }, String(value))));
    const box = make("fieldset", { "data-scale": scale.name, onfocusin: () => { active = sheet.scales.indexOf(scale); } },
      make("legend", {}, say(scale.label)),
      make("p", { class: "definition" }, state.brief ? "" : say(scale.definition)),
      make("div", { class: "points" }, ...choices));
    box.querySelector(".points").style.setProperty("--points", scale.points);
    if (!state.brief) {
      box.append(make("dl", { class: "anchors" }, ...Object.keys(scale.anchors).sort().flatMap((value) =>
        [make("dt", {}, value), make("dd", {}, say(scale.anchors[value]))])));
    }
    return box;
  }

  function drawStep(main) {
    main.className = "";
    const step = steps[state.step];
    const skipped = isSkipped(step);
    const left = make("div", { class: "reading", tabindex: "0", role: "region", "aria-label": t("context") },
      make("section", { class: "card" },
        make("h2", {}, t("item", { n: step.place + 1, total: sheet.items.length })), drawLines(step.item.context)),
      make("section", { class: "card reply", "aria-label": t("reply", { n: step.number + 1, total: step.item.replies.length }) },
        make("h2", {}, t("reply", { n: step.number + 1, total: step.item.replies.length })),
        textBlock(step.reply.content)));
    const right = make("section", { class: "card", "aria-label": t("ratings") });
    if (skipped) {
      right.append(make("p", {}, t("skipped")), button(t("unskip"), unskip, "", { id: "unskip" }));
    } else {
      if (step.number > 0) right.append(make("p", { class: "note" }, t("same_context")));
      right.append(...sheet.scales.map((scale) => drawScale(step, scale)),
        button(t(state.brief ? "anchors_show" : "anchors_hide"), () => {
          state.brief = !state.brief; save(); draw(); focusScale(active);
        }, "plain", { id: "anchors" }));
    }
    right.append(make("div", { class: "row" },
      button(t("previous"), previous, "", { id: "previous", disabled: state.step === 0 }),
      button(t("next"), () => next(true), "main", { id: "next" }),
      skipped ? null : button(t("skip"), skip, "plain end", { id: "skip" })));
    main.append(storageWarning() || "", make("div", { class: "columns" }, left, right));
  }

  function drawOverview(main) {
    main.className = "narrow";
    const open = openSteps();
    const cells = sheet.items.map((item, place) => {
      const own = steps.map((step, n) => [step, n]).filter(([step]) => step.item === item);
      const kind = state.skipped[item.id] ? "skip" : own.every(([step]) => isRated(step)) ? "complete" : "open";
      const target = (own.find(([step]) => !isRated(step)) || own[0])[1];
      const word = t({ skip: "was_skipped", complete: "complete", open: "open" }[kind]);
      return make("li", {}, button(`${{ skip: "–", complete: "✓", open: "·" }[kind]} ${place + 1}`,
        () => goTo(target), kind, { "aria-label": `${place + 1}: ${word}` }));
    });
    const text = make("textarea", { readonly: true, id: "text", spellcheck: "false", "aria-label": t("as_text") });
    text.value = asText();
    main.append(
      make("h1", {}, t("overview")), storageWarning() || "",
      make("p", { id: "missing" }, open.length ? t("missing", { n: open.length }) : t("all_done")),
      make("div", { class: "row" },
        button(t("export"), download, "main", { id: "export" }), fileButton(),
        button(t("back"), () => goTo(open.length ? steps.indexOf(open[0]) : state.step), "", { id: "back" }),
        button(t("again"), () => { view = "notice"; draw(); focusMain(); }, "plain", { id: "again" })),
      make("p", { class: "note" }, t("legend")), make("ol", { class: "grid" }, ...cells),
      make("details", { id: "as-text" }, make("summary", {}, t("as_text")), text,
        make("div", { class: "row" }, button(t("copy"), async () => {
          text.select();
          let copied = true;
          try { await navigator.clipboard.writeText(text.value); }
          catch { copied = document.execCommand("copy"); }
          if (copied) unsaved = false;
          tell(t(copied ? "copied" : "not_copied"));
        }, "", { id: "copy" }))));
  }

  function draw() {
    document.documentElement.lang = state.language === "zh" ? "zh-Hans" : "en";
    document.title = `${t("title")} · ${sheet.rater}`;
    const main = document.getElementById("main");
    main.replaceChildren();
    document.getElementById("status").textContent = "";
    drawTop();
    ({ notice: drawNotice, step: drawStep, overview: drawOverview })[view](main);
  }

  // --- keyboard ----------------------------------------------------------------------------------

  document.addEventListener("keydown", (event) => {
    if (view !== "step" || event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.target.closest("button, a, summary, textarea, .file") !== null;
    if (event.key === "Enter") {
      if (onButton) return;   // the button acts itself
      event.preventDefault();
      if (event.shiftKey) previous(); else next(true);
      return;
    }
    if (isSkipped(steps[state.step])) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!event.target.closest("fieldset")) return;   // elsewhere they scroll
      event.preventDefault();
      focusScale(active + (event.key === "ArrowDown" ? 1 : -1));
      return;
    }
    const value = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
    const scale = sheet.scales[active];
    if (value >= 1 && value <= scale.points) {
      event.preventDefault();
      rate(scale, value);
      if (active + 1 < sheet.scales.length) focusScale(active + 1);
      else focusScale(active);
    }
  });

  window.addEventListener("storage", (event) => {   // the same sheet in another tab
    if (event.key !== KEY || event.newValue === null) return;
    try { state = { ...adopt(JSON.parse(event.newValue)), step: state.step }; } catch { return; }
    draw();
    if (view === "step") focusScale(active);
  });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  load();
  draw();
})();
