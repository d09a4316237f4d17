"""The page: its tabs and panels, controls, links, queue and server."""

from demos.environment import clean, has_proxies, past_proxies

clean()
if has_proxies():
    with past_proxies():
        import gradio  # noqa: F401  which makes a client, whatever they are
