"""The report in headless Chromium: it renders, sorts, filters, opens cases, and can be used by all.

Left out where Chromium, its driver or Selenium is missing; the closing lines of a test run say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from report_material import DIALOGUES, TURNS, suite_with_text

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
DRIVER = shutil.which("chromedriver")
try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        None in (CHROMIUM, DRIVER, webdriver), reason="no Chromium, chromedriver or Selenium here"
    ),
]

HOSTILE = (
    "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>\u202e你应该睡。"
)
MEGABYTE = "很累。" * 350_000
SIZES = ((390, 844), (1440, 900))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"):  # fmt: skip
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A driver that is named is never looked for, or downloaded, by Selenium Manager.
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of a page with text and of one without, made as a user makes them."""
    folder = tmp_path_factory.mktemp("browser")
    options = suite_with_text(folder, {TURNS[0]: HOSTILE, TURNS[1]: MEGABYTE})
    found = {}
    for name, arguments in (("text", options), ("numbers", options[:1])):
        out = folder / f"{name}.html"
        command = [sys.executable, "-m", "rapport_bench", "report", *arguments, "-o", str(out)]
        subprocess.run(
            [*command, "--candidate", "mine", "--candidate", "tuned"],
            check=True,
            capture_output=True,
        )
        found[name] = out.as_uri()
    return found


def show(
    browser: Any, address: str, size: tuple[int, int] = SIZES[1], *, dark: bool = False
) -> None:
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.get(address)


def all_of(browser: Any, selector: str) -> list[Any]:
    return browser.find_elements("css selector", selector)


def one(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def choose(browser: Any, selector: str, value: str) -> None:
    """Set a field as a user would, and wait for the list to follow."""
    script = "const [s, v] = arguments; const f = document.querySelector(s); f.value = v; f.dispatchEvent(new Event('input', {bubbles: true}))"  # fmt: skip
    browser.execute_script(script, selector, value)
    time.sleep(0.3)


def ids(browser: Any) -> list[str]:
    return [found.text for found in all_of(browser, ".case .id")]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["text", "numbers"])
def test_it_renders_without_errors_and_fits_the_screen(browser, pages, kind, size):
    for dark in (False, True):
        show(browser, pages[kind], size, dark=dark)
        one(browser, ".case button").send_keys(Keys.ENTER)
        assert browser.get_log("browser") == []
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= size[0]
        background = browser.execute_script(
            "return getComputedStyle(document.documentElement).backgroundColor"
        )
        assert (int(background[4:].split(",")[0]) < 60) == dark
    for picture in all_of(browser, "svg.plot"):
        assert 0 < picture.size["width"] <= size[0]
        assert picture.accessible_name


def test_the_theme_can_be_chosen(browser, pages):
    show(browser, pages["numbers"])
    seen = []
    for _ in range(3):
        script = "return [getComputedStyle(document.body).color, document.getElementById('theme').textContent]"
        seen.append(browser.execute_script(script))
        one(browser, "#theme").send_keys(Keys.ENTER)
    assert [label for _, label in seen] == ["Theme: automatic", "Theme: dark", "Theme: light"]
    assert seen[0][0] == seen[2][0] != seen[1][0]


def test_headings_sort_the_leaderboard_by_keyboard(browser, pages):
    show(browser, pages["numbers"])
    heads = all_of(browser, "table.board thead th")
    column = next(i for i, head in enumerate(heads) if head.text.startswith("NLL per token"))

    def values() -> list[str | None]:
        script = "return [...document.querySelector('table.board').tBodies[0].rows].map(r => r.cells[arguments[0]].dataset.sort ?? null)"
        return browser.execute_script(script, column)

    for way, sign in (("ascending", 1), ("descending", -1)):
        heads[column].find_element("css selector", "button").send_keys(Keys.ENTER)
        assert heads[column].get_attribute("aria-sort") == way
        found = values()
        known = [float(value) for value in found if value is not None]
        assert known == sorted(known, key=lambda value: sign * value)
        assert None not in found[: len(known)]
        assert len(known) == 5
    assert [head.get_attribute("aria-sort") for head in heads].count("none") == len(heads) - 1
    name = next(head for head in heads if head.text.startswith("arm"))
    name.find_element("css selector", "button").send_keys(Keys.SPACE)
    script = (
        "return [...document.querySelectorAll('table.board tbody bdi')].map(n => n.textContent)"
    )
    assert browser.execute_script(script) == ["base", "gold", "mine", "parrot", "tuned"]


def test_filters_and_search_narrow_the_cases(browser, pages):
    show(browser, pages["text"])
    assert len(ids(browser)) == 12
    choose(browser, "#domain", "0")
    wanted = sorted({d["domain"] for d in DIALOGUES if d["domain"]})[0]
    assert sorted(ids(browser)) == sorted(d["id"] for d in DIALOGUES if d["domain"] == wanted)
    assert one(browser, "#count").text.startswith("4 of 12 dialogues")
    choose(browser, "#domain", "-1")
    choose(browser, "#crisis", "1")
    assert ids(browser) == ["d3"]
    choose(browser, "#crisis", "-1")
    choose(browser, "#search", "第7次")
    assert ids(browser) == ["d7"]
    choose(browser, "#search", "nothing has this")
    assert ids(browser) == []
    assert one(browser, "#count").text.startswith("0 of 12")
    show(browser, pages["numbers"])
    choose(browser, "#search", "d11")
    assert ids(browser) == ["d11"]


def test_the_cases_stand_in_the_order_of_the_chosen_difference(browser, pages):
    show(browser, pages["numbers"])
    data = browser.execute_script("return JSON.parse(document.getElementById('data').textContent)")
    metric = [label for label, *_ in data["metrics"]].index("continuity")
    for a, b in ((0, 1), (0, 2), (2, 3)):
        for field, value in (("#arm-a", a), ("#arm-b", b), ("#metric", metric)):
            choose(browser, field, str(value))
        gaps = {
            case["id"]: abs(case["v"][a][metric] - case["v"][b][metric]) for case in data["cases"]
        }
        assert ids(browser) == sorted(gaps, key=lambda identity: -gaps[identity])


def test_a_case_opens_by_keyboard_and_shows_what_was_said(browser, pages):
    show(browser, pages["text"])
    choose(browser, "#search", "第0次")
    button = one(browser, ".case button")
    assert button.get_attribute("aria-expanded") == "false"
    button.send_keys(Keys.SPACE)
    assert button.get_attribute("aria-expanded") == "true"
    body = one(browser, f"#{button.get_attribute('aria-controls')}")
    assert DIALOGUES[0]["messages"][0]["content"] in body.text
    assert len(body.find_elements("css selector", ".reply")) == 8  # 4 arms, 2 turns
    assert body.find_elements("css selector", ".act.advice")[0].text.startswith("A你应该早点睡")
    assert body.find_elements("css selector", ".marker")[0].text == "你应该"
    assert body.find_elements("css selector", ".user .said")[0].get_attribute("lang") == "zh"
    assert "NLL per token" in body.find_element("css selector", "table").text
    box = one(browser, "#shown input")
    box.send_keys(Keys.SPACE)
    assert len(body.find_elements("css selector", ".reply")) == 6
    button.send_keys(Keys.ENTER)
    assert not body.is_displayed()


def test_hostile_words_are_shown_and_never_obeyed(browser, pages):
    show(browser, pages["text"])
    choose(browser, "#search", "window.pwned")
    one(browser, ".case button").send_keys(Keys.ENTER)
    body = one(browser, ".case .body")
    assert "<img src=x onerror=window.pwned=1>" in body.text
    assert [found.text for found in body.find_elements("css selector", ".control")] == ["U+202E"]
    assert browser.execute_script("return window.pwned") is None
    assert all_of(browser, "img") == []
    assert len(all_of(browser, "script")) == 2


def test_a_megabyte_is_clipped_and_shown_on_demand(browser, pages):
    show(browser, pages["text"])
    choose(browser, "#search", "第0次")
    one(browser, ".case button").send_keys(Keys.ENTER)
    script = "return [...document.querySelectorAll('.said')].map(n => n.textContent.length)"
    assert max(browser.execute_script(script)) < 3_000
    button = one(browser, ".reply button")
    assert button.text == "Show all 1,050,000 characters"
    begun = time.monotonic()
    button.send_keys(Keys.ENTER)
    shown = one(browser, ".said.long")
    assert browser.execute_script("return arguments[0].textContent.length", shown) >= len(MEGABYTE)
    assert browser.execute_script("return document.activeElement === arguments[0]", shown)
    assert shown.size["height"] < 500
    assert time.monotonic() - begun < 20


def test_the_verdict_leads_to_its_dialogues(browser, pages):
    show(browser, pages["numbers"])
    choose(browser, "#domain", "0")
    link = one(browser, "a[data-case]")
    wanted = link.text
    link.send_keys(Keys.ENTER)
    opened = [found for found in all_of(browser, ".case button") if found.get_attribute("aria-expanded") == "true"]  # fmt: skip
    assert [found.find_element("css selector", ".id").text for found in opened] == [wanted]
    assert browser.execute_script("return document.activeElement === arguments[0]", opened[0])


UNNAMED = """
return [...document.querySelectorAll('input, select, textarea, button, a, [role=region], [role=img], nav')].filter(node => {
  const by = (node.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id)?.textContent || '').join('');
  const labels = [...(node.labels || [])].map(label => label.textContent).join('');
  const own = ['BUTTON', 'A'].includes(node.tagName) ? node.textContent : '';
  return !(node.getAttribute('aria-label') || by || labels || own).trim();
}).map(node => node.outerHTML.slice(0, 120));
"""

FAINT = """
const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return text.startsWith('color(') ? [n[0]*255, n[1]*255, n[2]*255, n[3] ?? 1] : [n[0], n[1], n[2], n[3] ?? 1]; };
const light = ([r, g, b]) => { const f = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; }; return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
const ground = node => { for (let at = node; at; at = at.parentElement) { const c = parse(getComputedStyle(at).backgroundColor); if (c[3] > .99) return c; } return parse(getComputedStyle(document.documentElement).backgroundColor); };
const bad = {}; let seen = 0;
for (const node of document.querySelectorAll('body *')) {
  if (![...node.childNodes].some(c => c.nodeType === 3 && c.textContent.trim()) || !node.getClientRects().length) continue;
  if (node.closest('.hidden, script, style, noscript, option')) continue;
  const style = getComputedStyle(node);
  const svg = node.closest('svg');
  const ink = parse(svg ? style.fill : style.color), paper = ground(svg || node);
  const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
  const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  seen += 1;
  const ratio = (a + .05) / (b + .05);
  if (ratio < (large ? 3 : 4.5)) bad[`${node.tagName}.${node.getAttribute('class')}`] = [ratio.toFixed(2), style.color, paper.join()];
}
return [seen, bad];
"""


@pytest.mark.parametrize("dark", [False, True])
def test_everything_has_a_name_and_enough_contrast(browser, pages, dark):
    show(browser, pages["text"], dark=dark)
    for button in all_of(browser, ".case button")[:3]:
        button.send_keys(Keys.ENTER)
    for summary in all_of(browser, "summary")[:4]:
        summary.send_keys(Keys.ENTER)
    assert browser.execute_script(UNNAMED) == []
    seen, faint = browser.execute_script(FAINT)
    assert seen > 200
    assert faint == {}


def test_the_keyboard_reaches_what_the_mouse_reaches(browser, pages):
    show(browser, pages["numbers"])
    script = """
    return [...document.querySelectorAll('button, a, input, select, summary, .scroll')].filter(n => n.tabIndex < 0 && !n.hidden).length
    """
    assert browser.execute_script(script) == 0
    one(browser, "body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to the content"
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"


def test_the_leaderboard_page_sorts_too(browser, pages, tmp_path):
    results = str(Path(pages["text"].removeprefix("file://")).parent / "results")
    command = [sys.executable, "-m", "rapport_bench", "leaderboard", results, "--format", "html"]
    page = tmp_path / "board.html"
    page.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    show(browser, page.as_uri(), SIZES[0])
    button = all_of(browser, "table.board thead button")[2]
    button.send_keys(Keys.ENTER)
    script = (
        "return [...document.querySelectorAll('table.board tbody bdi')].map(n => n.textContent)"
    )
    assert browser.execute_script(script) == ["base", "gold", "mine", "parrot", "tuned"]
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert browser.get_log("browser") == []
