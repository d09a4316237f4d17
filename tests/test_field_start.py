"""When the app is started"""

from __future__ import annotations

import math
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
import torch
from playwright.sync_api import Browser, Page, expect

import app
from conftest import ROOT, free_port, running_app
from demos.environment import clean, has_proxies, own_folder, past_proxies
from demos.page import memory, network, shell
from demos.page.handlers import App
from demos.page.tab import discover
from gen_core import __main__ as command_line
from gen_core import limits
from gen_core.devices import devices, pick_device
from gen_core.hub import downloads
from gen_core.hub.listed import this_machine
from gen_core.hub.models import DEFAULTS
from gen_core.knobs import KnobError
from gen_core.training import checkpoint
from gen_core.training.recipes import RECIPES
from serving import page_of
from shell_page import TABS

PROXIES = {"ALL_PROXY": "socks5://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
NO_PROXIES = {"HTTPS_PROXY": "socks4://x", "all_proxy": "banana://[", "HTTP_PROXY": "h:99999999"}
LEFT = {
    "GRADIO_NUM_PORTS": "many",
    "GRADIO_SERVER_PORT": "banana",
    "GRADIO_SHARE": "true",
    "GRADIO_SSR_MODE": "true",
    "GRADIO_ALLOWED_PATHS": "/",
    "GRADIO_NODE_SERVER_PORT": "x",
    "GRADIO_WATCH_DIRS": "/no/such",
    "WEB_CONCURRENCY": "x",
    "OMP_NUM_THREADS": "banana",
    "MPLBACKEND": "banana",
}
"""By other apps, and by mistake."""
ASCII = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
WITHOUT = ["env", "-u", "no_proxy", "-u", "NO_PROXY"]
CLOSED = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process is left as it was found."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def answers(address: str) -> bool:
    """Whether the page comes, and a picture can be uploaded."""
    files = {"files": ("boot.png", b"0" * 1000)}
    sent = httpx.post(f"{address}/gradio_api/upload", files=files, trust_env=False)
    return sent.is_success and "Noise to Data" in httpx.get(address, trust_env=False).text


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """The line with which the app ends, which Python prints instead of a stack trace."""
    monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
    with pytest.raises(SystemExit) as end:
        app.main()
    assert isinstance(end.value.code, str) and "\n" not in end.value.code
    return end.value.code


# --- what the environment says -------------------------------------------------------------------


@pytest.fixture(scope="module")
def beset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app to which three things happen at once, for a start takes seconds:
    proxies answer nobody, its surroundings are odd, and its trained models are damaged."""
    folder = tmp_path_factory.mktemp("beset")
    odd = os.path.join(os.fsencode(folder), b"\xff d \xc3\xa9#%41")
    os.mkdir(odd)
    os.symlink(ROOT, os.path.join(odd, b"app"))
    place = os.fsdecode(os.path.join(odd, b"app", b"app.py"))
    for file in [f"{name}.safetensors" for name in RECIPES] + ["text-to-image-emoji/card.json"]:
        (folder / "weights" / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / "weights" / file).write_bytes(b"no safetensors at all")
    own = {"HOME": "/no/such", "GEN_WEIGHTS": str(folder / "weights"), "GRADIO_TEMP_DIR": ""}
    told = PROXIES | ASCII | own
    with running_app([place], before=[*WITHOUT, *CLOSED], cwd=folder, **told) as address:
        yield address


@pytest.mark.heavy
def test_behind_proxies_that_answer_nobody(beset: str):
    """It starts, for it needs no network."""
    assert answers(beset)


@pytest.mark.heavy
def test_with_proxies_that_are_none_and_variables_of_other_apps(tmp_path: Path):
    """It starts, and heeds none of them."""
    folder = {"GRADIO_TEMP_DIR": str(tmp_path / "ä b#%41")}
    before = [*WITHOUT, "-u", "HOME"]
    with running_app(before=before, **NO_PROXIES, **LEFT, **folder) as address:
        assert answers(address)
        (uploads,) = (tmp_path / "ä b#%41").iterdir()
        assert any(uploads.rglob("boot.png"))
        secret = f"{address}/gradio_api/file={ROOT / 'pyproject.toml'}"
        assert httpx.get(secret, trust_env=False).status_code == 403  # "/" is not allowed
    assert not uploads.exists(), "they go with the app"


@pytest.mark.heavy
def test_from_an_oddly_named_folder_to_nobody_who_listens(beset: str):
    """It starts: names that are not UTF-8, a closed terminal, an alphabet of 1963."""
    assert answers(beset)


class Recorder(BaseHTTPRequestHandler):
    """Answers for every address, as proxies do."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *said: object) -> None: ...


@pytest.fixture
def proxy() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_downloading_by_way_of_a_proxy(proxy: str, monkeypatch: pytest.MonkeyPatch):
    """The proxy has it; the page's own address is asked without."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.setenv("HTTP_PROXY", proxy)
    assert has_proxies()
    with past_proxies():
        assert httpx.get(f"{proxy}/here").text == "/here"  # a proxy would be told the host
    far = "http://far.invalid/model"
    assert httpx.get(far).text == far
    assert urllib.request.build_opener().open(far).read().decode() == far
    assert os.environ["no_proxy"] == "example.org"


@pytest.mark.parametrize(
    "proxy", ["socks4://127.0.0.1:9", "banana://x", "http://user:se#cret@127.0.0.1:9"]
)
@pytest.mark.says("this server's proxy cannot be used. Please tell the host")
def test_downloading_by_way_of_a_proxy_that_is_none(says, proxy, monkeypatch, caplog):
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(Exception) as fault:
        httpx.Client()
    told = str(downloads._refusal(DEFAULTS[0], fault.value))
    assert says in told and str(fault.value) not in told and str(fault.value) in caplog.text


def test_variables_of_other_apps(monkeypatch: pytest.MonkeyPatch):
    """All that Gradio reads are taken away, but for the folder of uploads."""
    for name, value in LEFT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/uploads")
    clean()
    left = {name: value for name, value in os.environ.items() if name.startswith("GRADIO_")}
    assert left == {"GRADIO_TEMP_DIR": "/uploads", "GRADIO_ANALYTICS_ENABLED": "False"}
    assert "WEB_CONCURRENCY" not in os.environ


# --- where uploads go ----------------------------------------------------------------------------


def of_somebody_else(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:  # to whom all folders are open
        os.chown(folder, 12345, 12345)


@pytest.mark.parametrize(
    "make", [of_somebody_else, Path.touch, lambda path: path.symlink_to("/no")]
)
def test_a_folder_for_uploads_that_is_somebody_elses(make: Callable, tmp_path, monkeypatch):
    """Uploads lie in a folder of this process alone, wherever one can be."""
    make(tmp_path / "gradio")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = own_folder()
    assert folder.parent == tmp_path and folder.name != "gradio"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
    assert own_folder() != folder, "another process has another"


def test_naming_a_folder_for_uploads_that_can_not_be_used(tmp_path, monkeypatch):
    """The system's temporary folder is used instead."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "file" / "uploads"))
    assert own_folder().parent == Path(tempfile.gettempdir()).resolve()


@pytest.mark.says("MB free, 200 MB needed); set TMPDIR to a folder with room")
def test_a_disk_that_is_full(says: str, monkeypatch: pytest.MonkeyPatch):
    full = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: full)
    assert says in ended(monkeypatch, "--port", str(free_port()))


@pytest.mark.says("set TMPDIR to a folder with room that this user may write to")
def test_nowhere_to_write(says: str, tmp_path, monkeypatch):
    def nothing() -> str:
        raise FileNotFoundError("No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", nothing)
    monkeypatch.setenv("GRADIO_TEMP_DIR", os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    said = ended(monkeypatch, "--port", str(free_port()))
    assert says in said and "not UTF-8" in said and said.isascii()


# --- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "0"], "--port 0: choose a whole number from 1 to 65535"),
        (["--port", "65536"], "--port 65536: choose a whole number from 1 to 65535"),
        (["--port", "٧"], "--port ٧: choose a whole number from 1 to 65535"),
        (["--root-path", "noise"], "--root-path noise: write a path such as /noise, or an address"),
        (["--data", "/no/such/folder"], "--data /no/such/folder: choose a folder that exists"),
        (["--replicas", "many"], "'many': choose a number such as 2, or a range: 1-4"),
        (["--replicas", "4-1"], "'4-1': choose a number such as 2, or a range: 1-4"),
    ],
)
def test_an_option_that_is_none(arguments, said, capsys):
    """One line names it, and what to choose."""
    with pytest.raises(SystemExit) as end:
        app.parse(arguments)
    assert end.value.code == 2 and said in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.says("choose a whole number from 1 to 65535")
@pytest.mark.parametrize("port", ["banana", "70000", "-1", "7860.0", " "])
def test_a_port_of_the_environment_that_is_none(says: str, port: str, monkeypatch, capsys):
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    with pytest.raises(SystemExit):
        app.parse([])
    assert f"--port {port}: {says}" in capsys.readouterr().err
    assert app.parse(["--port", "8000"]).port == 8000  # which goes before


@pytest.mark.says("is taken by")
def test_a_port_in_use(says: str, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = ended(monkeypatch, "--port", port)
    assert f"{port} {says}" in said and "such as --port" in said


@pytest.mark.parametrize("host", ["192.0.2.7", "no.such.host.invalid", "http://0.0.0.0", "a" * 64])
@pytest.mark.says("is no address of this machine")
def test_a_host_that_is_elsewhere(says: str, host: str, monkeypatch):
    said = ended(monkeypatch, "--host", host, "--port", str(free_port()))
    assert f"{host} {says}" in said and "--host 0.0.0.0" in said


def test_a_host_of_version_6():
    """Its address stands in brackets, as links have it."""
    assert app.parse(["--host", "[::1]"]).host == "::1"
    assert network.own_address("::1", 80) == network.own_address("::", 80) == "http://[::1]:80/"
    assert network.own_address("0.0.0.0", 80) == "http://localhost:80/"
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no version 6")
    with page_of(host="::1") as address:
        assert httpx.get(address, trust_env=False).is_success and address.startswith("http://[::1]")


@pytest.mark.parametrize(
    "name", ["cpu:banana", "cpu:1", "cuda:-1", "cuda:99", "CPU", "tpu", "", "cuda:", "cuda:٠", None]
)
@pytest.mark.says("choose one of auto, cpu")
def test_a_device_that_is_not_there(says: str, name, monkeypatch, capsys):
    with pytest.raises(KnobError, match=f"^device={name!r}: {says}"):
        pick_device(name)
    if name == "cpu:banana":
        assert says in ended(monkeypatch, "--device", name, "--port", str(free_port()))
        assert command_line.main(["sample", "vae-fashion", "--device", name]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_one_of_two_gpus(monkeypatch: pytest.MonkeyPatch):
    """Each can be named, and no third."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices()[:4] == ["cpu", "cuda", "cuda:0", "cuda:1"]
    assert pick_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(KnobError, match="device='cuda:2': choose one of auto, cpu, cuda, cuda:0"):
        pick_device("cuda:2")


# --- trained models that are not as they should be -----------------------------------------------


@pytest.mark.heavy
def test_without_trained_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The page comes, and says in each tab what is missing."""
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "none"))
    with page_of(*discover()) as address:
        assert "Noise to Data" in httpx.get(address).text


@pytest.mark.heavy
def test_with_trained_models_that_are_damaged(beset: str):
    """The page comes, and says so where they are needed."""
    assert "Noise to Data" in httpx.get(beset, trust_env=False).text


@pytest.mark.says("is a pointer of Git LFS in place of the weights: fetch them with `git lfs pull`")
def test_with_pointers_of_git_in_place_of_trained_models(says: str, tmp_path: Path):
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
    (tmp_path / "vae-fashion.safetensors").write_text(text)
    with pytest.raises(checkpoint.CheckpointError) as error:
        checkpoint.load("vae-fashion", "cpu", tmp_path)
    assert says in str(error.value)


# --- in a container ------------------------------------------------------------------------------


def grouped(root: Path, groups: str, files: dict[str, str]) -> Path:
    """A file system in which the process is in these control groups, which have these files."""
    for name, text in ({"proc/self/cgroup": groups} | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


def second(folder: str, most: str, used: int, idle: int) -> dict[str, str]:
    stat = f"anon 9\ninactive_file {idle}\nactive_file 7"
    named = {"max": most, "current": str(used), "stat": stat}
    return {f"sys/fs/cgroup{folder}/memory.{name}": text for name, text in named.items()}


def first(folder: str, most: int, used: int, idle: int) -> dict[str, str]:
    stat = f"cache 9\ninactive_file 3\ntotal_inactive_file {idle}"
    named = {"limit_in_bytes": str(most), "usage_in_bytes": str(used), "stat": stat}
    return {f"sys/fs/cgroup/memory{folder}/memory.{name}": text for name, text in named.items()}


NONE = 9223372036854771712
"""How version 1 says that there is no limit."""
MEMORIES = [
    ("0::/", second("", "1000", 300, 50), 1000, 750),
    ("0::/", second("", "200", 300, 50), 200, 0),
    ("0::/", second("", "max", 300, 50), math.inf, math.inf),
    ("0::/a/b", second("/a", "1000", 900, 0) | second("/a/b", "5000", 10, 0), 1000, 100),
    ("0::/a/b", second("/a", "max", 1, 0) | second("/a/b", "700", 100, 0), 700, 600),
    ("0::/../b", second("", "1000", 300, 50), 1000, 750),  # of a process that was moved out
    ("0::/docker/f00", second("", "1000", 300, 50), 1000, 750),  # the container's own is the root
    ("4:memory:/", first("", 1000, 300, 50), 1000, 750),
    ("4:memory:/", first("", NONE, 300, 50), NONE, NONE - 250),
    ("3:cpu,cpuacct:/x\n4:memory:/a/b", first("/a", 1000, 900, 0), 1000, 100),
    ("4:memory:/docker/f00\n0::/", first("", 1000, 300, 50), 1000, 750),
    ("", {}, math.inf, math.inf),
    ("no such thing", second("", "much", 300, 50), math.inf, math.inf),
]


@pytest.mark.parametrize(("groups", "files", "most", "free"), MEMORIES)
def test_memory_limited_by_a_container(groups, files, most, free, tmp_path, monkeypatch):
    """The limit counts, the least of all groups around it: on /host, in --check, for models."""
    root = grouped(tmp_path, groups, files)
    assert limits.memory(root) == (most, free)
    found = limits.memory(root)
    monkeypatch.setattr(limits, "memory", lambda: found)
    if free < 10_000:
        assert memory.free_memory() == free
        assert this_machine(torch.device("cpu")).memory == pytest.approx(most / 1e9)
    else:
        assert 10_000 < memory.free_memory() < 1e15
        assert 0.1 < this_machine(torch.device("cpu")).memory < 1e6


def quota(folder: str, quota: int, period: int = 100_000) -> dict[str, str]:
    named = {"quota": str(quota), "period": str(period)}
    return {f"sys/fs/cgroup/cpu{folder}/cpu.cfs_{n}_us": text for n, text in named.items()}


MANY = 48
CORES = [
    ("0::/", {"sys/fs/cgroup/cpu.max": "150000 100000"}, 1),
    ("0::/", {"sys/fs/cgroup/cpu.max": "400000 100000"}, 4),
    ("0::/", {"sys/fs/cgroup/cpu.max": "20000 100000"}, 1),
    ("0::/", {"sys/fs/cgroup/cpu.max": "max 100000"}, MANY),
    ("0::/", {"sys/fs/cgroup/cpu.max": "max"}, MANY),
    (
        "0::/a/b",
        {
            "sys/fs/cgroup/a/cpu.max": "299999 100000",
            "sys/fs/cgroup/a/b/cpu.max": "800000 100000",
        },
        2,
    ),
    ("2:cpu,cpuacct:/", quota("", 350_000), 3),
    ("2:cpu:/a/b", quota("/a", 100_000, 50_000) | quota("/a/b", -1), 2),
    ("2:cpu:/", quota("", -1), MANY),
    ("2:cpu:/", quota("", 6_400_000), MANY),
    ("", {}, MANY),
]


@pytest.mark.parametrize(("groups", "files", "cores"), CORES)
def test_cores_limited_by_a_container(groups, files, cores, tmp_path, monkeypatch):
    """As many threads compute as there are whole cores for them."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {*range(MANY)}, raising=False)
    assert limits.cores(grouped(tmp_path, groups, files)) == cores
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: MANY)
    assert limits.cores(tmp_path) == cores


def test_a_thread_for_each_core_that_is_left(monkeypatch: pytest.MonkeyPatch):
    """Others would wait for those that the system holds back."""
    usual = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        monkeypatch.setattr(limits, "cores", lambda: 3)
        App("cpu")
        assert torch.get_num_threads() == 3
        monkeypatch.setattr(limits, "cores", lambda: 2)
        command_line.main(["sample", "banana"])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(usual)


# --- several tabs of one browser -----------------------------------------------------------------


@pytest.mark.browser
def test_ten_tabs_of_one_browser(chromium: Browser):
    """All answer, though a browser holds six connections to a host: a page at rest needs none."""
    context, resting = chromium.new_context(), []
    context.on("request", lambda request: resting.append(request.url))
    for end in ("requestfinished", "requestfailed"):  # the page ends a stream of events itself
        context.on(end, lambda request: resting.remove(request.url))
    with page_of(*TABS) as address:
        pages = [context.new_page() for _ in range(10)]
        for number, page in enumerate(pages):
            page.goto(f"{address}?tab=first&panel=draw&draw.steps={10 + number}")
            expect(page.locator("#first-draw-steps input").first).to_have_value(f"{10 + number}")
        wait_until_still(pages[0], resting)
        for page in pages:  # by a hand, one in the background takes a second to be pressed
            page.get_by_role("button", name="Draw pictures").dispatch_event("click")
        for number, page in enumerate(pages):
            drawn = page.locator("#first-note textarea")
            expect(drawn).to_have_value(f"{10 + number} steps, euler")
    context.close()


def wait_until_still(page: Page, resting: list[str]) -> None:
    """While the browser's events are seen."""
    for _ in range(100):
        if not resting:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"held open: {resting}")


def test_a_page_at_rest():
    """It holds no connection: Gradio's heartbeat, which states and unload events need, is off."""
    page = shell.build_page(App("cpu"))
    assert page.get_config_file()["connect_heartbeat"] is False
