"""`python app.py` on a ZeroGPU Space that has no GPU: what would be moved there stays where it is.

All else is the package's own: it emulates a GPU in the app's process, asks its host (here a server
of the test) for the real one, forks, and sends the call and what it yields from process to process.
"""

import runpy
import sys

import gradio  # noqa: F401  the package wants to be second
import spaces  # noqa: F401
import spaces.zero.torch as gpu
from spaces.zero.torch import patching


def move(callback: object = None) -> None:
    """The weights, which in the app's own process only look as if they were on a GPU."""
    for shown, real in patching.cuda_aliases.items():
        shown.data = real


gpu.pack = lambda: 0  # writes the weights to the disk, from where they are sent to a GPU
gpu.init = lambda uuid: None
gpu.move = move
sys.path[0] = "."  # in place of the tests, as if app.py had been started
runpy.run_path("app.py", run_name="__main__")
