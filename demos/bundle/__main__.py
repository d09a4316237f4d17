"""Packs the app with all that it needs into one archive, for machines without a network.

python -m demos.bundle [--into build] [further arguments for pip, such as --index-url URL]

The wheels are those for this platform and this version of Python. They are not compressed again.
"""

import argparse
import io
import platform
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Sequence
from pathlib import Path

from gen_core.files import in_one_move

ROOT = Path(__file__).resolve().parents[2]
NAME = "noise-to-data"
"""The folder into which the archive unpacks."""
SHORT = "{}.{}".format(*sys.version_info)
PLATFORM = sysconfig.get_platform()
SCRIPT = Path(__file__).with_name("install.sh")


class BundleError(RuntimeError):
    """Something is missing, or pip has failed. The message says what, and the way out."""


def project_files(root: Path = ROOT) -> list[str]:
    """What git knows of the project, weights and all, by paths within it. Raises BundleError."""
    command = ["git", "-C", str(root), "ls-files", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise BundleError(f"git cannot list the project's files: {said.strip()}") from error
    names = [name for name in done.stdout.split("\0") if name]
    if gone := [name for name in names if not (root / name).is_file()]:
        raise BundleError(f"{gone[0]} is missing: fetch it with `git checkout {gone[0]}`")
    return names


def fetch_wheels(requirements: Path, folder: Path, arguments: Sequence[str] = ()) -> list[Path]:
    """Wheels of all that is required, and of what that requires; arguments: further ones for pip.
    Raises BundleError."""
    command = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--quiet"]
    command += ["--requirement", str(requirements), "--wheel-dir", str(folder), *arguments]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR: ")]
        said = [f"it ended with {done.returncode}", *lines, *errors][-1]
        raise BundleError(f"pip could not fetch the wheels: {said.removeprefix('ERROR: ')}")
    return sorted(folder.glob("*.whl"))


def archive_name() -> str:
    """Such as "noise-to-data-linux-x86_64-python3.11.tar"."""
    return f"{NAME}-{PLATFORM}-python{SHORT}.tar"


def install_script() -> bytes:
    """What installs it, for this platform and Python."""
    said = {
        "@TAG@": sys.implementation.cache_tag,
        "@VERSION@": f"{platform.python_implementation()} {SHORT}",
        "@SHORT@": SHORT,
        "@PLATFORM@": PLATFORM,
    }
    text = SCRIPT.read_text(encoding="utf-8")
    for mark, value in said.items():
        text = text.replace(mark, value)
    return text.encode()


def write_archive(path: Path, root: Path, files: Sequence[str], wheels: Sequence[Path]) -> None:
    """files: by paths within root."""
    with in_one_move(path) as partial, tarfile.open(partial, "w") as archive:
        for name in files:
            archive.add(root / name, f"{NAME}/{name}", recursive=False)
        for wheel in wheels:
            archive.add(wheel, f"{NAME}/wheels/{wheel.name}")
        script = install_script()
        info = tarfile.TarInfo(f"{NAME}/install.sh")
        info.size, info.mode, info.mtime = len(script), 0o755, SCRIPT.stat().st_mtime
        archive.addfile(info, io.BytesIO(script))


def bundle(into: Path, arguments: Sequence[str] = (), root: Path = ROOT) -> Path:
    """Writes the archive into a folder; returns where it is. Raises BundleError, OSError."""
    files = project_files(root)  # before pip takes its minutes
    wheels = into / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    for old in wheels.glob("*.whl"):
        old.unlink()
    path = into / archive_name()
    found = fetch_wheels(root / "requirements.txt", wheels, arguments)
    write_archive(path, root, files, found)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m demos.bundle",
        description="Packs the app with all that it needs into one archive.",
        epilog="All other arguments go to pip.",
    )
    parser.add_argument("--into", type=Path, default=ROOT / "build", help="a folder")
    options, further = parser.parse_known_args(arguments)
    try:
        path = bundle(options.into, further)
    except (BundleError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{path} ({path.stat().st_size / 1e9:.1f} GB). On the other machine:")
    print(f"  tar -xf {path.name} && sh {NAME}/install.sh")
    return 0


if __name__ == "__main__":
    sys.exit(main())
