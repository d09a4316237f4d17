"""Starts Noise to Data: python app.py [--device auto] [--host 127.0.0.1] [--port 7860]."""

import argparse
import io
import logging
import os
import re
import sys
import threading
from pathlib import Path

REPLICAS = "1-2"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="See how generative models turn noise into data.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    host, port = os.environ.get("GRADIO_SERVER_NAME"), os.environ.get("GRADIO_SERVER_PORT")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument("--host", default=host or "127.0.0.1", help="0.0.0.0: all of this network")
    parser.add_argument("--port", default=port or "7860", help="of the page")
    root_path = os.environ.get("GRADIO_ROOT_PATH", "")
    parser.add_argument("--root-path", default=root_path, help="of the page at a proxy: /noise")
    parser.add_argument("--data", type=Path, help="folder with FashionMNIST/raw, else $GEN_DATA")
    add = parser.add_argument_group("where models run").add_argument
    add("--engine", choices=["here", "ray"], default="here", help="in this process, or in Ray's")
    add("--replicas", type=replicas, default=REPLICAS, help="with Ray: 2, or 1-4 as needed")
    add("--ray-address", help="of a running cluster, such as auto; without it Ray starts one here")
    parser.add_argument("--quiet", action="store_true", help="no line for each run")
    add = parser.add_argument_group("is this machine ready for a workshop?").add_argument
    add("--check", action="store_true", help="says so, in a minute or two, and ends")
    add("--visitors", type=int, default=40, help="how many will come")
    add("--json", action="store_true", help="says it in JSON")
    options = parser.parse_args(arguments)
    if options.data and not options.data.is_dir():
        parser.error(f"--data {options.data}: choose a folder that exists")
    named = options.port
    options.port = int(named) if re.fullmatch("[0-9]{1,9}", named) else 0
    if not 1 <= options.port <= 65535:
        parser.error(f"--port {named}: choose a whole number from 1 to 65535")
    options.host = options.host.strip("[]")  # as an address of version 6 stands in a link
    if not 1 <= options.visitors <= 1000:
        parser.error(f"--visitors {options.visitors}: choose 1 to 1000")
    if not options.root_path.startswith(("/", "http://", "https://")) and options.root_path:
        parser.error(f"--root-path {options.root_path}: write a path such as /noise, or an address")
    if options.check and (of_others := _of_other_machines(options)):
        parser.error(f"--check measures this machine alone: leave out {', '.join(of_others)}")
    return options


def _of_other_machines(options: argparse.Namespace) -> list[str]:
    """Options that are given for an engine elsewhere."""
    given = {
        f"--engine {options.engine}": options.engine != "here",
        "--replicas": options.replicas != replicas(REPLICAS),
        "--ray-address": options.ray_address,
    }
    return [name for name, value in given.items() if value]


def replicas(text: str) -> tuple[int, int]:
    """The least and the most of them: "2" or "1-4"."""
    least, _, most = text.partition("-")
    try:
        found = int(least), int(most or least)
    except ValueError:
        found = 0, 0
    if not 1 <= found[0] <= found[1] <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r}: choose a number such as 2, or a range: 1-4")
    return found


def sound_streams() -> None:
    """Where a stream is closed, what is printed goes nowhere; what its encoding has not, as "?"."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def main() -> None:
    sound_streams()
    options = parse()
    if options.check:  # before anything is imported that may be missing
        from demos.check.report import check

        sys.exit(check(options))
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("noise-to-data").setLevel(logging.WARNING if options.quiet else logging.INFO)
    from demos.check.machine import free_port  # after parse: --help answers at once
    from demos.environment import own_folder

    if (found := free_port(options.host, options.port)).state == "problem":
        sys.exit(f"{found.said}: {found.todo}")
    try:
        own_folder()  # before anything that may bring Gradio
    except OSError as error:
        sys.exit(f"{error}")
    from demos.page.memory import spare_memory

    spare_memory()
    from demos.page import server, shell
    from demos.page.handlers import App
    from demos.page.network import network_address
    from gen_core.knobs import KnobError

    try:
        data = str(options.data) if options.data else None
        app = App("cpu" if options.engine == "ray" else options.device, data)
        if options.engine == "ray":
            from demos.cluster import ray_serve

            app.compute_with(
                ray_serve.start(options.device, data, options.replicas, options.ray_address)
            )
        page = shell.build_page(app)
        address = server.serve(page, app, options.host, options.port, options.root_path)
    except (KnobError, OSError) as error:
        sys.exit(f"{error}")
    network = network_address(options.host, options.port)
    others = f", and for other devices at {network}" if network else ""
    print(f"Noise to Data is at {address}{others} (stop with Ctrl+C)", flush=True)
    if not app.replicas:  # which load the models themselves
        threading.Thread(target=app.warm, daemon=True).start()
    page.block_thread()


if __name__ == "__main__":
    main()
