"""The lines for nginx in docs/hosting.md, in nginx."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conftest import ROOT, free_port, wait_until
from proxy import moments
from serving import page_of
from shell_page import TABS

NGINX = shutil.which("nginx")
pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed here")
AROUND = """
daemon off;
master_process off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {lines}
    }}
}}
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    (lines,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs/hosting.md").read_text(), re.DOTALL)
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    with page_of(*TABS, root_path="/noise") as served:
        lines = lines.replace("http://127.0.0.1:7860/", served)
        config = folder / "nginx.conf"
        config.write_text(AROUND.format(folder=folder, port=port, lines=lines))
        command = [NGINX, "-e", "stderr", "-p", folder, "-c", config]
        process = subprocess.Popen(command)
        address = f"http://127.0.0.1:{port}/noise/"
        wait_until(lambda: answers(address, process), 20)
        yield address
        process.terminate()
        process.wait(20)


def answers(address: str, process: subprocess.Popen) -> bool:
    assert process.poll() is None
    try:
        return httpx.get(address).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_link_with_a_long_prompt_passes(address: str) -> None:
    assert httpx.get(f"{address}?tab=first&words={'a' * 60_000}").status_code == 200


def test_the_page_knows_its_own_address(address: str) -> None:
    assert f"{httpx.get(f'{address}config').json()['root']}/" == address
    without = httpx.get(address.removesuffix("/"))
    assert without.status_code == 301 and without.headers["location"].endswith("/noise/")


def test_events_come_as_they_are_sent(address: str) -> None:
    assert len(moments(address)) > 3


def test_as_large_a_file_may_be_uploaded_as_without_it(address: str, tmp_path: Path) -> None:
    for size, status in ((9_900_000, 200), (11_000_000, 413)):
        files = {"files": ("large.png", b"0" * size)}
        assert httpx.post(f"{address}gradio_api/upload", files=files).status_code == status
