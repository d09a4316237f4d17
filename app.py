"""Starts Noise to Data: python app.py [--device auto] [--host 127.0.0.1] [--port 7860]."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="See how generative models turn noise into data.")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", 7860)))
    parser.add_argument("--data", help="a folder with FashionMNIST/raw (default: $GEN_DATA)")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    from demos import shell
    from demos.handlers import App

    page = shell.build_page(App(options.device, options.data))
    page.queue(default_concurrency_limit=4, max_size=64)
    page.launch(
        server_name=options.host, server_port=options.port, theme=shell.theme(),
        css_paths=shell.CSS, head=f"<script>{shell.SCRIPT.read_text()}</script>",
        ssr_mode=False, show_error=True, max_file_size="10mb", footer_links=["api"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
