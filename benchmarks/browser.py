"""Every released model on its page in a headless Chromium: what loads, and how fast it answers.

    python benchmarks/browser.py [NAME ...] [--models saved_models] [--rounds 5]

Needs Chromium, chromedriver and selenium. A first visit has an empty cache; a second one asks for
every file whether it has changed. An answer is what the page's form asks for, tokenizers, resizing
and decode loops included; the least of some rounds counts. One thread: LiteRT.js without threads.
"""

import argparse
import pathlib
import tempfile
import threading
import time

from selenium import webdriver

from rnnsuite import demo

ROOT = pathlib.Path(__file__).parent.parent
PICTURE = (
    "{data: new Uint8ClampedArray(4 * 256 * 256).map((_, n) => n * 7), height: 256, width: 256}"
)
SOUND = "Float32Array.from({length: 160000}, (_, n) => 0.1 * Math.sin(n / 9) * Math.sin(n / 9999))"
ROWS = "Array.from({length: %d}, (_, n) => Array.from({length: %d}, (_, k) => Math.sin(n / 5 + k)))"
ASKED = {
    "activity_recognition": (ROWS % (320, 6), "320 frames"),
    "anomaly_detection": (ROWS % (1000, 1), "1,000 observations"),
    "captioning": (PICTURE, "a picture of 256 x 256"),
    "event_detection": (ROWS % (1500, 6), "30 s of 50 samples a second"),
    "forecasting": (
        "{values: Array.from({length: 336}, (_, n) => 100 + 20 * Math.sin(n / 4)), "
        "times: Array.from({length: 336}, (_, n) => n)}",
        "336 values",
    ),
    "language_model": ("'The river rises in the mountains and', {maxLength: 50}", "50 words"),
    "object_recognition": (PICTURE, "a picture of 256 x 256"),
    "sentiment": ("'The plot was dull, but the acting was superb. '.repeat(5)", "45 words"),
    "speech_commands": (SOUND, "10 s as a stream, 500 steps"),
    "speech_recognition": (SOUND, "10 s as a stream, 63 steps"),
    "translation": ("'Two dogs are playing in the snow.'", "a sentence of 7 words"),
    "video_captioning": (ROWS % (20, 512), "20 frames"),
}
TIMED = """
const done = arguments[arguments.length - 1];
(async () => {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await ask(ASKED);
    times.push(performance.now() - started);
  }
  done(Math.min(...times));
})();
"""
LOADED = (
    "return performance.getEntriesByType('resource').reduce((sum, each) => sum + "
    "each.transferSize, 0)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "saved_models")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pages = demo.pages(options.models, options.names)
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "demo"
        demo.write(pages, folder)
        with demo.server(folder) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_address[1]}"
            columns = ("model", "first visit, s", "MB", "second, s", "kB", "asked for", "ms")
            print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
            for page in pages:
                print(row(address, page.app, options.rounds), flush=True)
            server.shutdown()


def row(address: str, app: str, rounds: int) -> str:
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(word)
    driver = webdriver.Chrome(options=options)
    driver.set_script_timeout(300)
    try:
        (first, much), (second, little) = (visit(driver, f"{address}/{app}.html") for _ in "12")
        expression, meaning = ASKED[app]
        script = TIMED.replace("ROUNDS", str(rounds)).replace("ASKED", expression)
        least = driver.execute_async_script(script)
    finally:
        driver.quit()
    return (
        f"| {app} | {first:.2f} | {much / 1e6:.1f} | {second:.2f} | {little / 1e3:.0f} | {meaning} "
        f"| {least:.1f} |"
    )


def visit(driver: webdriver.Chrome, address: str) -> tuple[float, float]:
    """Seconds until a page answers, and the bytes that came."""
    started = time.perf_counter()
    driver.get(address)
    while driver.execute_script("return document.body.dataset.state") is None:
        time.sleep(0.01)
    return time.perf_counter() - started, driver.execute_script(LOADED)


if __name__ == "__main__":
    main()
