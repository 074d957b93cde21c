"""report.html in a real Chromium: silent, offline, and a reader finds the evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from report_checks import find_chromium

from pipelines.reports.bundle import Bundle


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, bundle: Bundle) -> Iterator[Page]:
    """The opened report; the test fails when the page complains, runs injected code or asks the network for anything."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    address = (bundle.path / "report.html").as_uri()
    page.goto(address)
    yield page
    page.close()
    assert not complaints
    assert [url for url in requests if not url.startswith("data:")] == [address]


def test_the_conclusions_stand_at_the_top(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Identity controls, 2026-H1")
    row = page.get_by_role("row", name=re.compile("OFF Leaver offboarding"))
    expect(row).to_contain_text("Exceptions noted")
    assert (row.bounding_box() or {"y": 9999})["y"] < 1000


def test_search_and_filters_narrow_the_operations(page: Page) -> None:
    page.locator("#operations").scroll_into_view_if_needed()
    status = page.locator("#filter-status")
    expect(status).to_have_text(re.compile(r"^(\d+) of \1 operations$"))
    page.get_by_label("Search").fill("lena leaver")
    expect(status).to_have_text(re.compile(r"^1 of "))
    page.get_by_role("button", name="Clear filters").click()
    page.locator("#filter-control").select_option("LOG")
    page.locator("[name=outcome][value=operated]").uncheck()
    expect(status).to_have_text(re.compile(r"^2 of "))
    expect(page.locator("#rows")).to_contain_text("No file covers 2026-04-08")
    page.get_by_label("Search").fill("nothing is called that")
    expect(page.locator("#rows")).to_contain_text("No operation matches.")


def test_a_row_opens_by_keyboard_and_shows_its_evidence(page: Page) -> None:
    page.locator("#operations").scroll_into_view_if_needed()
    page.get_by_label("Search").fill("lena")
    expect(page.locator("#filter-status")).to_have_text(re.compile(r"^1 of "))
    opener = page.get_by_role("button", name="Fields and evidence of Lena Leaver")
    opener.focus()
    page.keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    detail = page.locator("tr.detail")
    expect(detail).to_contain_text("workday-terminations-2026-03.csv")
    expect(detail.locator(".cited code").first).to_have_text(re.compile(r"^[0-9a-f]{64}:\d+$"))
    expect(detail).to_contain_text(re.compile(r"upheld trace [0-9a-f]{32}"))
    page.keyboard.press("Space")
    expect(detail).to_have_count(0)


def test_an_evidence_record_finds_the_operations_that_rest_on_it(page: Page) -> None:
    token = page.locator("#control-OFF .citations code").first.inner_text()
    page.locator("#operations").scroll_into_view_if_needed()
    page.get_by_label("Search").fill(token)
    expect(page.locator("#rows")).to_contain_text("Lena Leaver")
    page.get_by_label("Search").fill(token.split(":")[0][:12])
    expect(page.locator("#rows")).to_contain_text("Lena Leaver")


def test_a_control_leads_to_its_own_operations(page: Page) -> None:
    page.get_by_role("link", name=re.compile("See all .* operations of REV")).click()
    expect(page.locator("#filter-status")).to_have_text(re.compile(r"^76 of "))
    expect(page.locator("#page-status")).to_have_text("1 to 50 of 76")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#page-status")).to_have_text("51 to 76 of 76")


def test_every_deviation_leads_to_its_evidence(page: Page) -> None:
    links = page.locator("[data-show-operation]")
    assert links.count() == 8
    for number in range(links.count()):
        link = links.nth(number)
        operation_id = link.get_attribute("data-show-operation") or ""
        cited = link.locator("xpath=ancestor::tr").locator(".citations li")
        link.click()
        expect(page.locator("#filter-status")).to_have_text(re.compile(r"^1 of "))
        detail = page.locator("tr.detail")
        expect(detail).to_contain_text(f"upheld trace {operation_id}")
        if cited.count():
            expect(detail.locator(".cited code").first).to_have_text(re.compile(r"^[0-9a-f]{64}:\d+$"))
        else:
            expect(detail).to_contain_text("Evidence: none is cited")


def test_one_identity_is_shown_over_time(page: Page) -> None:
    page.locator("#identities").scroll_into_view_if_needed()
    expect(page.locator("#identity-status")).to_contain_text("not in order.")
    page.get_by_label("Find an identity").fill("lena")
    expect(page.locator("#identity-status")).to_have_text("1 operation of person:lena; 1 not in order.")
    expect(page.locator("#identity-picture .bar.is-deviation")).to_have_count(1)
    expect(page.locator("#identity-list")).to_contain_text(
        "Disabled 31 h after the end of the last day; 24 h allowed."
    )
    page.get_by_label("Find an identity").fill("staff0")
    page.locator("#identity").select_option("person:staff0")
    expect(page.locator("#identity-list li")).to_have_count(3)
    page.get_by_role("button", name="Show in the table of operations").click()
    expect(page.locator("#filter-status")).to_have_text(re.compile(r"^3 of "))
    page.get_by_label("Find an identity").fill("nobody is called that")
    expect(page.locator("#identity-status")).to_have_text("No identity matches.")


def test_what_nothing_links_stands_for_itself(page: Page) -> None:
    page.locator("#identities").scroll_into_view_if_needed()
    page.get_by_label("Find an identity").fill("svc-backup")
    expect(page.locator("#identity-status")).to_contain_text("which nothing links to an identity")


def test_hostile_identities_are_shown_as_text(page: Page) -> None:
    page.locator("#identities").scroll_into_view_if_needed()
    page.get_by_label("Find an identity").fill("onerror")
    expect(page.locator("#identity option")).to_have_count(1)
    expect(page.locator("#identity-list")).to_contain_text("</script><img src=x onerror=alert(1)>")
    expect(page.locator("#identity-picture title").first).to_contain_text("<img src=x onerror=alert(1)>")


def test_requirements_open_by_keyboard(page: Page) -> None:
    summary = page.locator("#frameworks summary").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Requirements of NIST-CSF 2.0")).to_be_visible()
    page.get_by_role("link", name="ROT", exact=True).first.click()
    assert page.url.endswith("#control-ROT")


def test_columns_sort_both_ways(page: Page) -> None:
    page.locator("#operations").scroll_into_view_if_needed()
    page.locator("#filter-control").select_option("ROT")
    header = page.get_by_role("button", name="Performed")
    header.click()
    first = page.locator("#rows tr.row").first.locator("td").nth(5)
    expect(first).to_have_text(re.compile("^2026-01"))
    header.click()
    expect(first).to_have_text(re.compile("^2026-06"))
    expect(header.locator("xpath=..")).to_have_attribute("aria-sort", "descending")


def test_hostile_names_are_shown_as_text(page: Page) -> None:
    page.locator("#operations").scroll_into_view_if_needed()
    page.get_by_label("Search").fill("hostile")
    rows = page.locator("#rows")
    expect(rows).to_contain_text("</script><img src=x onerror=alert(1)>")
    expect(rows).to_contain_text("invoice\\u202egnp.exe")
    for opener in page.locator("#rows .open").all():
        opener.click()
    expect(page.locator("tr.detail")).to_have_count(15)


def test_text_has_enough_contrast(page: Page) -> None:
    """WCAG AA, 4.5 to 1, for every text the page shows on a plain ground."""
    page.locator("#identities").scroll_into_view_if_needed()
    page.locator("#frameworks summary").first.click()
    page.locator("#operations").scroll_into_view_if_needed()
    expect(page.locator("#rows tr.row").first).to_be_visible()
    weak = page.evaluate(
        """() => {
          const parse = (c) => c.match(/[\\d.]+/g).map(Number);
          const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
          const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
          const weak = [];
          for (const e of document.querySelectorAll("main *, header *, nav *")) {
            if (e.closest("svg, .unseen") || e.disabled || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
            if (!e.checkVisibility()) continue;
            const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
            if ((a + .05) / (b + .05) < 4.5) weak.push(e.className + ": " + e.textContent.slice(0, 40));
          }
          return weak;
        }"""
    )
    assert not weak


def test_every_place_to_type_and_press_has_a_name(page: Page) -> None:
    page.locator("#operations").scroll_into_view_if_needed()
    expect(page.locator("#rows tr.row").first).to_be_visible()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, select")].filter((e) =>
            !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map((e) => e.outerHTML)"""
    )
    assert not nameless
    landmarks = page.evaluate(
        """() => ["main", "nav", "header"].map((name) => document.querySelectorAll(name).length > 0)"""
    )
    assert landmarks == [True, True, True]


def test_on_a_narrow_screen_nothing_widens_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_prints_with_the_digest_on_every_page(page: Page, bundle: Bundle) -> None:
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert printed.startswith(b"%PDF")
    style = page.evaluate("document.querySelector('style').textContent")
    assert f"data digest {bundle.data_digest}" in style.split("@bottom-left")[1].split("}")[0]
    page.emulate_media(media="print")
    expect(page.locator("#explorer")).to_be_hidden()
    expect(page.locator(".on-paper")).to_be_visible()
