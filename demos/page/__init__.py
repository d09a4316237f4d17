"""The page: its tabs and panels, controls, links, queue and server."""
