"""Makes a virtual environment with the pinned packages, and knows when it has done so before."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from interpreters import Interpreter

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"


class SetupError(Exception):
    """Something that only the reader can mend; the message is the whole of what they are told."""


@dataclass(frozen=True)
class Environment:
    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.bin / "python"

    def stamp(self, requirements: Path) -> Path:
        return self.folder / f".installed-{requirements.stem}"

    def holds(self, requirements: Path) -> bool:
        """True when a finished installation of this very file, by this interpreter, is there."""
        stamp = self.stamp(requirements)
        return (
            self.python.exists()
            and stamp.exists()
            and stamp.read_text() == self._fingerprint(requirements)
        )

    def create(self, interpreter: Interpreter) -> None:
        """Replace the folder by an empty environment of that interpreter."""
        print(f"Making {self.folder.name} with {interpreter}", flush=True)
        uv = shutil.which("uv")
        if uv:
            run([uv, "venv", "--quiet", "--clear", "--python", interpreter.path, self.folder])
        elif interpreter.has_venv:
            run([interpreter.path, "-m", "venv", "--clear", self.folder])
        else:
            raise SetupError(no_venv(interpreter))

    def install(self, requirements: Path) -> None:
        """Install the pins; raises SetupError when neither uv nor pip can."""
        print(f"Installing requirements/{requirements.name}", flush=True)
        self.stamp(requirements).unlink(missing_ok=True)
        if not self._install_with_uv(requirements):
            self._install_with_pip(requirements)
        self.stamp(requirements).write_text(self._fingerprint(requirements))

    def _install_with_uv(self, requirements: Path) -> bool:
        uv = shutil.which("uv") or self._own_uv()
        if uv is None:
            return False
        command: list[Path | str] = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            self.python,
            "-r",
            requirements,
        ]
        return succeeds(command)

    def _own_uv(self) -> str | None:
        """Uv inside the environment; pip alone does the work where uv has no build."""
        own = self.bin / "uv"
        if not own.exists() and not succeeds([*self._pip(), "-r", REQUIREMENTS / "uv.txt"]):
            return None
        return str(own)

    def _install_with_pip(self, requirements: Path) -> None:
        if not succeeds([self.python, "-m", "pip", "--version"]):
            run([self.python, "-m", "ensurepip"])
        run([*self._pip(), "-r", requirements])

    def _pip(self) -> list[Path | str]:
        return [
            *(self.python, "-m", "pip", "--disable-pip-version-check", "--quiet"),
            *("install", "--no-input"),
        ]

    def _fingerprint(self, requirements: Path) -> str:
        interpreter = str(self.python.resolve()).encode()
        return hashlib.sha256(requirements.read_bytes() + interpreter).hexdigest()


def no_venv(interpreter: Interpreter) -> str:
    return (
        f"{interpreter} has no working venv module: install it "
        f"(on Debian and Ubuntu: apt-get install python{interpreter.minor}-venv), "
        "or put uv on PATH, and run the same command again."
    )


def run(command: list[Path | str], cwd: Path = ROOT) -> None:
    """Run a step whose output the reader should see; raises SetupError when it fails."""
    if not succeeds(command, cwd, quiet=False):
        raise SetupError(f"This step failed: {' '.join(str(part) for part in command)}")


def succeeds(command: list[Path | str], cwd: Path = ROOT, *, quiet: bool = True) -> bool:
    output = subprocess.DEVNULL if quiet else None
    try:
        done = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    except OSError:
        return False
    return done.returncode == 0
