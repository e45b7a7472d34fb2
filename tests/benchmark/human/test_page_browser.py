"""The rating page in a browser: rated, reloaded, continued, exported; by keyboard; small; hostile."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from made_sheets import HOSTILE, sheet
from rapport_bench.human.sheets.page import render
from rapport_bench.human.sheets.scales import NAMES
from rapport_bench.human.sheets.sheet import Sheet

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
NO_STORAGE = (
    "Object.defineProperty(window, 'localStorage',"
    " { get() { throw new DOMException('denied', 'SecurityError'); } });"
)


class Page:
    """One browser, and what a rater does in it."""

    def __init__(self, downloads: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--window-size=1280,900",
            "--lang=en-US",
        ):
            options.add_argument(flag)
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.browser = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.downloads = downloads

    def open(self, made: Sheet, folder: Path) -> Page:
        path = folder / f"{made.rater}.html"
        path.write_text(render(made), encoding="utf-8")
        self.browser.get(path.as_uri())
        self.browser.execute_script("try { localStorage.clear(); } catch {} location.reload();")
        return self

    @contextmanager
    def keeping_nothing(self) -> Iterator[None]:
        """Pages opened inside have no storage."""
        send = self.browser.execute_cdp_cmd
        script = send("Page.addScriptToEvaluateOnNewDocument", {"source": NO_STORAGE})
        try:
            yield
        finally:
            send("Page.removeScriptToEvaluateOnNewDocument", script)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def all(self, selector: str) -> list[Any]:
        return self.browser.find_elements("css selector", selector)

    def one(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def click(self, selector: str) -> None:
        self.js("arguments[0].scrollIntoView({block: 'center'})", self.one(selector))
        self.one(selector).click()

    def rate(self, *values: int) -> None:
        for name, value in zip(NAMES, values, strict=False):
            self.click(f"fieldset[data-scale={name}] label:nth-child({value})")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def export(self) -> dict[str, Any]:
        self.click("#export")
        return self.downloaded()

    def downloaded(self) -> dict[str, Any]:
        """The one file that came; it is taken away."""
        for _ in range(100):
            found = list(self.downloads.glob("ratings-*.json"))
            if found:
                text = found[0].read_text(encoding="utf-8")
                found[0].unlink()
                exported: dict[str, Any] = json.loads(text)
                return exported | {"file": found[0].name}
            time.sleep(0.05)
        raise AssertionError("nothing was downloaded")

    def width(self) -> int:
        return int(self.js("return document.documentElement.scrollWidth"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = Page(tmp_path_factory.mktemp("downloads"))
    yield page
    page.browser.quit()


@pytest.fixture
def page(browser: Page) -> Iterator[Page]:
    yield browser
    browser.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert not browser.browser.get_log("browser")  # no error, no refused request


def units(exported: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    return {(r["item"], r["letter"], r["scale"]): r["value"] for r in exported["ratings"]}


def test_rate_reload_continue_export(page, tmp_path) -> None:
    made = sheet(3)
    page.open(made, tmp_path)
    assert "Content notice" in page.one("main").text
    assert not page.all("fieldset")  # the notice comes first
    page.click("#begin")
    page.rate(1, 2, 3)
    page.click("#next")
    page.rate(4, 5)
    page.browser.refresh()
    assert "go on" in page.one("#begin").text
    page.click("#begin")
    assert page.one(".reply h2").text == "Reply 2 of 2"
    assert page.one(".reply .text").text == "另一条0：早点睡吧。"
    assert [i.get_attribute("value") for i in page.all("input:checked")] == ["4", "5"]
    page.click("#next")  # one scale is missing: the page stays and says which
    assert page.one(".reply h2").text == "Reply 2 of 2"
    assert "Advice appropriateness" in page.one("#status").text
    assert page.one("fieldset.missing").get_attribute("data-scale") == NAMES[2]
    page.rate(4, 5, 1)
    page.click("#next")
    page.click("#skip")  # the second dialogue
    assert page.one(".reply .text").text == "第2段的回复，我在听。"
    page.rate(2, 2, 2)
    page.click("#previous")  # back into what was skipped, and on
    assert page.one("#unskip").is_displayed()
    page.click("#next")
    page.click("#overview")
    assert page.one("#missing").text.startswith("1 replies")
    assert [b.get_attribute("class") for b in page.all(".grid button")] == [
        "complete",
        "skip",
        "open",
    ]
    page.click(".grid li:nth-child(3) button")
    page.rate(3, 4, 5)
    page.rate(3, 4, 4)  # a change of mind counts
    page.click("#next")
    assert page.one("#missing").text.startswith("All done")
    exported = page.export()
    assert exported["file"] == "ratings-pilot-r01.json"
    head = {name: exported[name] for name in ("schema_version", "study", "rater", "comments")}
    assert head == {"schema_version": "1.0", "study": "pilot", "rater": "r01", "comments": 0}
    assert exported["sheet_sha256"] == made.sha256
    expected = {
        ("i001", "B"): (1, 2, 3),
        ("i001", "A"): (4, 5, 1),
        ("i003", "B"): (2, 2, 2),
        ("i003", "A"): (3, 4, 4),
    }
    assert units(exported) == {
        (*reply, name): value
        for reply, values in expected.items()
        for name, value in zip(NAMES, values, strict=True)
    }
    assert all(0 <= r["seconds"] < 300 for r in exported["ratings"])
    assert json.loads(page.one("#text").get_attribute("value")) == {
        name: value for name, value in exported.items() if name != "file"
    }


def test_by_keyboard_alone(page, tmp_path) -> None:
    page.open(sheet(2), tmp_path)
    for _ in range(10):
        page.press(Keys.TAB)
        if page.browser.switch_to.active_element.get_attribute("id") == "begin":
            break
    page.press(Keys.ENTER)
    page.press("3", "4", Keys.ENTER)  # the third is missing
    assert page.one(".reply h2").text == "Reply 1 of 2"
    page.press("5")
    outline = page.js("return getComputedStyle(document.activeElement.nextSibling).outlineStyle")
    assert outline == "solid"  # where the focus is can be seen
    page.press(Keys.ARROW_UP, "2")  # back to the second scale: 4 becomes 2, and on to the third
    page.press(Keys.ARROW_LEFT)  # within a scale, as everywhere: 5 becomes 4
    page.press(Keys.ENTER)
    assert page.one(".reply h2").text == "Reply 2 of 2"
    page.press("1", "1", "1", Keys.SHIFT + Keys.ENTER)
    values = [i.get_attribute("value") for i in page.all("input:checked")]
    assert values == ["3", "2", "4"]
    page.press(Keys.ENTER, Keys.ENTER)
    assert page.one("h2").text == "Conversation 2 of 2"
    page.press("9", "0", "a")  # no value
    assert not page.all("input:checked")
    page.press("5", "5", "5", Keys.ENTER, "4", "4", "4", Keys.ENTER)
    assert page.one("#missing").text.startswith("All done")
    for _ in range(10):
        page.press(Keys.TAB)
        if page.browser.switch_to.active_element.get_attribute("id") == "export":
            break
    page.press(Keys.ENTER)
    rows = units(page.downloaded())
    assert [rows["i001", "B", name] for name in NAMES] == [3, 2, 4]
    assert [rows["i002", "A", name] for name in NAMES] == [4, 4, 4]
    assert len(rows) == 12


def test_390_pixels_and_dark(page, tmp_path) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    texts = [HOSTILE[4], HOSTILE[6]]  # right to left, and one word of 6,000 characters
    page.open(sheet(1, *texts, study="一个很长很长的研究名称" * 4), tmp_path)
    seen = []
    for step in range(2 * len(texts)):
        assert page.width() <= 390
        if step == 0:
            page.click("#begin")
            page.js("window.scrollTo(0, 0)")
        seen.append(page.js("return document.querySelector('.reply .text').textContent"))
        boxes = [
            page.js("return arguments[0].getBoundingClientRect().right", e) for e in page.all("*")
        ]
        assert max(boxes) <= 390
        page.press("1", "2", "3", "\n")
    assert len(set(seen)) == 2 * len(texts)
    assert page.width() <= 390  # the overview
    media = {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    grounds = []
    for scheme in ("light", "dark"):
        media["features"][0]["value"] = scheme
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        colours = page.js(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
        )
        grounds.append([sum(map(int, c[4:-1].split(","))) for c in colours])
    (light, ink), (dark, chalk) = grounds
    assert light > 600 > 200 > ink
    assert dark < 200 < 600 < chalk


def test_hostile_text_stays_text(page, tmp_path) -> None:
    page.open(sheet(1, *HOSTILE), tmp_path)
    page.click("#begin")
    for text in HOSTILE:
        block = page.one(".reply .text")
        shown = page.js("return arguments[0].textContent", block)
        assert (shown == text) is (len(text) < 2_000)
        assert text.startswith(shown.removesuffix(" …"))
        assert not page.js("return arguments[0].children.length", block)
        assert block.value_of_css_property("unicode-bidi") == "isolate"
        assert block.get_attribute("dir") == "auto"
        page.press("3", "3", "3", "\n", "3", "3", "3", "\n")
    assert page.js("return window.hacked === undefined && document.images.length === 0")
    assert len(units(page.export())) == 6 * len(HOSTILE)


def test_a_reply_of_a_megabyte_is_clipped_and_can_be_shown(page, tmp_path) -> None:
    # A character of two units stands where the text is clipped.
    long = "x" * 3_999 + "🙂" + "a long reply. " * 74_615
    assert len(long) > 1_048_576
    page.open(sheet(1, long), tmp_path)
    page.click("#begin")
    text = "return document.querySelector('.reply .text').textContent"
    assert page.js(text) == "x" * 3_999 + " …"
    more = page.one(".reply .more")
    assert f"{len(long) + 1:,}" in more.text
    more.click()
    assert page.js(f"{text}.length") == len(long) + 1
    more.click()
    assert page.js(f"{text}.length") == 4_001


def test_200_items(page, tmp_path) -> None:
    page.open(sheet(200), tmp_path)
    page.click("#begin")
    page.click("#overview")
    assert len(page.all(".grid button")) == 200
    assert page.one("#missing").text.startswith("400 replies")
    page.click(".grid li:nth-child(200) button")
    assert page.one("h2").text == "Conversation 200 of 200"
    page.rate(1, 1, 1)
    page.click("#next")
    page.rate(5, 5, 5)
    page.click("#next")
    assert page.one("#missing").text.startswith("398 replies")
    page.browser.refresh()
    assert page.one("progress").get_attribute("value") == "2"


def test_a_browser_that_keeps_nothing_is_told_and_a_file_goes_on(page, tmp_path) -> None:
    made = sheet(2)
    with page.keeping_nothing():
        page.open(made, tmp_path)
        assert "loses your ratings" in page.one("#blocked").text
        page.click("#begin")
        page.rate(1, 2, 3)
        assert "Saved" not in page.one("header").text
        page.click("#overview")
        exported = page.export()
        page.browser.refresh()
        kept = tmp_path / "kept.json"
        for damage in ({"rater": "r02"}, {"sheet_sha256": "0" * 64}, {"ratings": None}):
            kept.write_text(json.dumps(exported | damage), encoding="utf-8")
            page.one("#load").send_keys(str(kept))
            assert page.js("return document.querySelector('progress').value") == 0
        bad = [
            {"item": "i002", "letter": "A", "scale": NAMES[0], "value": v} for v in (0, 6, "5", 2.5)
        ]
        kept.write_text(json.dumps(exported | {"ratings": [*exported["ratings"], *bad, None]}))
        page.one("#load").send_keys(str(kept))
        for _ in range(50):
            if page.one("#status").text.startswith("3 ratings"):
                break
            time.sleep(0.05)
        page.click("#begin")
        page.click("#overview")
        assert units(page.export()) == units(exported)


@pytest.mark.parametrize("copied", [True, False])
def test_ratings_that_an_old_browser_copied_need_no_warning(page, tmp_path, copied) -> None:
    leave = (
        "const leave = new Event('beforeunload', {cancelable: true});"
        "window.dispatchEvent(leave); return leave.defaultPrevented"
    )
    with page.keeping_nothing():
        page.open(sheet(1), tmp_path)
        page.click("#begin")
        page.rate(4, 3, 5)
        page.click("#overview")
        page.js(
            "const copied = arguments[0]; document.execCommand = () => copied;"
            "Object.defineProperty(navigator, 'clipboard', {value: undefined})",
            copied,
        )
        assert page.js(leave)
        page.click("#as-text summary")
        page.click("#copy")
        assert page.js(leave) is not copied


def test_what_was_kept_is_checked_and_never_crosses_sheets(page, tmp_path) -> None:
    made = sheet(2)
    key = f"rapport:pilot:r01:{made.sha256}"
    unit = f"i001|B|{NAMES[0]}"
    page.open(made, tmp_path)
    for kept in (
        "not json",
        "null",
        "[]",
        json.dumps({"values": {unit: 7, "x|y|z": 1}, "step": 99}),
    ):
        page.js("localStorage.setItem(arguments[0], arguments[1])", key, kept)
        page.browser.refresh()
        assert not page.all("#blocked")
        page.click("#begin")
        assert page.one("h2").text == "Conversation 1 of 2"
        assert not page.all("input:checked")
    page.rate(4)
    other = sheet(2, "别的内容")
    path = tmp_path / "other.html"
    path.write_text(render(other), encoding="utf-8")
    page.browser.get(path.as_uri())
    page.click("#begin")
    assert not page.all("input:checked")


def test_two_tabs_of_one_sheet_lose_nothing(page, tmp_path) -> None:
    page.open(sheet(2), tmp_path)
    page.click("#begin")
    first = page.browser.current_window_handle
    address = page.browser.current_url
    page.browser.switch_to.new_window("tab")
    try:
        page.browser.get(address)
        page.click("#begin")
        page.rate(5, 4, 3)
    finally:
        page.browser.close()
        page.browser.switch_to.window(first)
    for _ in range(100):
        if len(page.all("input:checked")) == 3:
            break
        time.sleep(0.05)
    page.click("#next")
    page.rate(1, 2, 3)
    page.click("#overview")
    assert sorted(units(page.export()).values()) == [1, 2, 3, 3, 4, 5]


def test_the_language_can_be_switched_and_is_kept(page, tmp_path) -> None:
    page.open(sheet(1), tmp_path)
    assert page.js("return document.documentElement.lang") == "en"
    page.click("#language")
    assert "内容提示" in page.one("main").text
    page.click("#begin")
    assert page.one("legend").text == "共情共鸣"
    page.browser.refresh()
    assert page.js("return document.documentElement.lang") == "zh-Hans"
    page.click("#begin")
    page.click("#anchors")
    assert not page.all(".anchors")
    labels = [i.get_attribute("aria-label") for i in page.all(f"input[name={NAMES[0]}]")]
    assert labels[0].startswith("1: 没有回应感受")
    assert labels[1] == "2"
