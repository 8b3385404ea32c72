"""A headless Chromium that opens pages from files, in any width and theme, without a network."""

import base64
import importlib.util
import shutil
from pathlib import Path
from typing import Any

_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--disable-dev-shm-usage",
)  # fmt: skip

CANARY = """
window.fired = [];
for (const name of ["alert", "confirm", "prompt", "open", "fetch"]) {
  window[name] = (...given) => { window.fired.push(name + ": " + given.join(" ")); };
}
"""
"""Runs in a page before anything of its own does, and remembers what payloads try to call."""


def missing() -> str | None:
    """Return what there is not, where pages cannot be opened."""
    if importlib.util.find_spec("selenium") is None:
        return "needs selenium: pip install 'costopt[test]'"
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None or shutil.which("chromedriver") is None:
        return "needs chromium and chromedriver on the PATH"
    return None


class Chromium:
    """One browser for all tests; every page is opened anew."""

    def __init__(self, folder: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
        for option in (*_OPTIONS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.folder = folder
        # selenium-manager would look for drivers on the network: the driver is named.
        service = Service(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self._call("Page.addScriptToEvaluateOnNewDocument", source=CANARY)
        self._call("Network.enable")
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        self._call("Network.emulateNetworkConditions", **offline)

    def open(
        self, page: str, *, width: int = 1280, theme: str = "light", script: bool = True
    ) -> "Chromium":
        """Open a page from a file."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        themed = [{"name": "prefers-color-scheme", "value": theme}]
        self._call("Emulation.setEmulatedMedia", features=themed)
        self._call("Emulation.setScriptExecutionDisabled", value=not script)
        file = self.folder / "page.html"
        file.write_text(page, encoding="utf-8")
        self.driver.get_log("browser")
        self.driver.get(file.as_uri())
        return self

    def run(self, script: str, *given: Any) -> Any:
        """Return what a script gives in the page; it is not bound by the page's policy."""
        return self.driver.execute_script(script, *given)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of the elements that a selector finds."""
        found = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return self.run(found, selector)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, where the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def console(self) -> list[str]:
        """Return what the page wrote to the console; breaches of its policy are among it."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, file: Path) -> None:
        """Write the whole page as a PNG."""
        high = self.run("return document.documentElement.scrollHeight")
        wide = self.run("return document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": wide, "height": high, "scale": 1}
        found = self._call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(found["data"]))

    def close(self) -> None:
        self.driver.quit()

    def _call(self, method: str, **given: Any) -> Any:
        return self.driver.execute_cdp_cmd(method, given)
