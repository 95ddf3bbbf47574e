"""Draw the README's pictures: start a made-up region, open its pages in Chromium, keep what shows.

    python -m tools.pictures [NAME …]

The stays are those of the demonstration's seed, so only instants and ids differ between two runs.
Each picture is a page as it is, in either language; `PICTURES` is what there is.
"""

import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
from playwright.sync_api import Browser, Page

from tests.browser import launch
from tongcheng.kernel import yaml_file
from tongcheng.kernel.region import PACKS_DIR
from tongcheng.kernel.words import LANGUAGES
from tongcheng.services.settlement.api_caller import PATH as API

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
BYTES_MAX = 300_000
REGION = "jingjinji"
MEMBER = "tianjin-hsb"
STAYS = 60
NODES = 3
READY = "the nodes keep serving"
WAITING = "Running, no figure yet"
DESK = (1360, 900)
PHONE = (390, 844)
COMPARED_AFTER_S = 40
"""By then the nodes have compared their books again, with every stay in them."""

PREPARED_S_MAX = 240
"""For the kernels to be compiled and the region to be read, on a slow machine."""

LOCALES = {"zh": "zh-CN", "en": "en-GB"}
"""How the browser itself writes days."""


class Picture(NamedTuple):
    """One page: `path` without language; "{stay}" is the story's stay, "{bill}" its bill."""

    name: str
    path: str
    size: tuple[int, int]


class Shown(NamedTuple):
    """A running region, seen from one node: its address, and what opens the story's bill."""

    address: str
    stay_id: str
    bill_token: str
    characters: str


PICTURES = (
    Picture("home", "", DESK),
    Picture("mobility", "/mobility", (1360, 1120)),
    Picture("compare", "/mobility/compare?scenario=capital-ring", (1360, 1120)),
    Picture("desk", "/settlement", DESK),
    Picture("demo", "/demo", (1360, 1120)),
    Picture("ledger", "/ledger", (1360, 1120)),
    Picture("stay", "/settlement/stays/{stay}", (1360, 1500)),
    Picture("bill", "/bill/{bill}", PHONE),
    Picture("exchange", "/exchange", DESK),
    Picture("journal", "/journal", DESK),
)


def names() -> list[str]:
    """Return the file of every picture."""
    return sorted(f"{each.name}.{language}.png" for each in PICTURES for language in LANGUAGES)


def main() -> int:
    """Draw those that are named, or all; 1 when one weighs too much, 2 when a name is none."""
    wanted = sys.argv[1:]
    unknown = set(wanted) - {each.name for each in PICTURES}
    if unknown:
        print(f"no such picture: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    heavy = []
    with _region() as (address, folder), launch() as browser:
        shown = _shown(address, folder)
        time.sleep(COMPARED_AFTER_S)
        _prepare(address)
        for picture in PICTURES:
            if wanted and picture.name not in wanted:
                continue
            for language in LANGUAGES:
                file = FOLDER / f"{picture.name}.{language}.png"
                file.write_bytes(_drawn(browser, shown, picture, language))
                print(f"{file.name}  {file.stat().st_size:,} bytes")
                if file.stat().st_size > BYTES_MAX:
                    heavy.append(file.name)
    if heavy:
        print(f"heavier than {BYTES_MAX:,} bytes: {', '.join(heavy)}", file=sys.stderr)
    return 1 if heavy else 0


@contextmanager
def _region() -> Iterator[tuple[str, Path]]:
    """Run the demonstration with nobody arriving; gives the node's address and the folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("tongcheng")), "up", "--data", folder]
        command += ["--region", REGION, "--stays", str(STAYS), "--pace", "0"]
        command += ["--port", str(_free_port())]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
            try:
                yield _address(process), Path(folder)
            finally:
                process.terminate()


def _free_port() -> int:
    """Return a port that is free, with those after it for the other nodes."""
    for first in range(8700, 9700, NODES):
        try:
            for port in range(first, first + NODES):
                with socket.socket() as tried:
                    tried.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    message = "no free ports"
    raise SystemExit(message)


def _address(process: subprocess.Popen[str]) -> str:
    """Return the node's address as soon as all stays are settled."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if READY in line:
            found = re.search(rf"{MEMBER}\s+(http://\S+?)/\s", said)
            assert found is not None, said
            return found[1]
    raise SystemExit(said)


def _shown(address: str, folder: Path) -> Shown:
    """Ask as the hospital's system does for the story's stay, and for a link to its bill."""
    story: Any = yaml_file.load(PACKS_DIR / REGION / "story.yaml")
    demo: Any = yaml_file.load(PACKS_DIR / REGION / "demo.yaml")
    tokens = msgspec.json.decode((folder / "demo-credentials.json").read_bytes())
    home = httpx.get(f"{address}/en").text
    found = re.search(r'href="/en/settlement/stays/([0-9a-z]+)"', home)
    assert found is not None, "the home page does not lead to the story's stay"
    bearer = {"Authorization": f"Bearer {tokens[story['stay']['institution_id']]}"}
    with httpx.Client(base_url=address + API, headers=bearer) as hospital:
        stay = hospital.get(f"/stays/{found[1]}").raise_for_status().json()
        link = hospital.post(f"/settlements/{stay['settlement_id']}/bill-link", json={})
        path = link.raise_for_status().json()["path"]
    return Shown(address, found[1], path.rpartition("/")[2], demo["persons"][0]["id_number"][-4:])


def _prepare(address: str) -> None:
    """Wait for the maps, and for what the home page says of them."""
    until = time.monotonic() + PREPARED_S_MAX
    while "geo-still" not in httpx.get(f"{address}/en/mobility", timeout=60).text or (
        WAITING in httpx.get(f"{address}/en").text
    ):
        if time.monotonic() > until:
            message = "the maps are not there"
            raise SystemExit(message)
        time.sleep(1)


def _drawn(browser: Browser, shown: Shown, picture: Picture, language: str) -> bytes:
    """Return one picture, seen by the first of the sample accounts that may open the page."""
    path = picture.path.format(stay=shown.stay_id, bill=shown.bill_token)
    width, height = picture.size
    account = 0
    while True:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=LOCALES[language]
        )
        page = context.new_page()
        page.goto(f"{shown.address}/{language}{path}")
        if _entered(page, shown, account):
            _settle(page)
            return page.screenshot()
        context.close()
        account += 1


def _settle(page: Page) -> None:
    """Wait until a map that moves is drawn; our policy forbids what Playwright would evaluate."""
    while page.locator(".may-move").count() and not page.locator(".is-moving").count():
        page.wait_for_timeout(100)


def _entered(page: Page, shown: Shown, account: int) -> bool:
    """Pass whatever stands before a page; False when this account may not open it."""
    characters, samples = page.locator("#characters"), page.locator("button.sample")
    asked = page.locator("#password").count() > 0
    if characters.count():
        characters.fill(shown.characters)
        characters.press("Enter")
        page.wait_for_selector("[data-box=total]")
    if not asked:
        return True
    assert account < samples.count(), f"no sample account may open {page.url}"
    with page.expect_navigation() as arrived:
        samples.nth(account).click()
    return arrived.value.ok


if __name__ == "__main__":
    raise SystemExit(main())
