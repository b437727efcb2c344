"""Where things are on disk, and environment variables set for the length of a block."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# Sums depend on the number of threads, and processes that run side by side would fight for the cores.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@contextmanager
def environment(**variables: str | None) -> Iterator[None]:
    """Set variables for the length of the block, and take out those that are None; then all are as they were."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


# --- paths ------------------------------------------------------------------------------------------------------------
# Where things are on disk.

LEADS_OUT = "is a link that leads out of the study's folder; put the file itself there"
PACKAGE = Path(__file__).resolve().parents[1]
STUDY_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def home_dir() -> Path | None:
    """Return the user's home folder; None where there is none, as for a user of a container who has no name."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if home.is_dir() else None


def expanded(path: str | Path) -> Path:
    """Return a path with ``~`` replaced by the home folder, where there is one."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def leads_out(path: Path, within: Path | None) -> bool:
    """Whether a path, its links followed, lies outside a folder; never where no folder is given."""
    return within is not None and not path.resolve().is_relative_to(within.resolve())


def repository() -> Path | None:
    """Return the clone that the package runs from; None where it was installed from a wheel."""
    root = PACKAGE.parents[1]
    return root if root / "src" / "analysis" == PACKAGE and (root / "pyproject.toml").is_file() else None


def project_dir() -> Path:
    """Return where ``data/`` and ``reports/`` are by default: in the clone, else in the working folder."""
    return repository() or Path.cwd()


def data_dir(given: str | Path | None = None) -> Path:
    """Return the folder of study folders: `given`, else ``MENTORING_DATA``, else the project's ``data/``."""
    return Path(given or os.environ.get("MENTORING_DATA") or project_dir() / "data")


def reports_dir(given: str | Path | None = None) -> Path:
    """Return the folder of reports: `given`, else ``MENTORING_REPORTS``, else the project's ``reports/``."""
    return Path(given or os.environ.get("MENTORING_REPORTS") or project_dir() / "reports")


def shipped(name: str) -> Path:
    """Return the path of a file or folder that ships with the project under ``data/``."""
    return shipped_dir() / "data" / name


# The start page and the notebook of one's own questions are for who works in them.
NOT_OF_A_REPORT = ("00_start.ipynb", "own_analysis.ipynb")


def notebooks_dir() -> Path:
    """Return the folder of the project's notebooks."""
    return shipped_dir() / "notebooks"


def shipped_dir() -> Path:
    """Return what holds the shipped ``data/`` and ``notebooks/``: the clone; in a wheel, a folder of the package."""
    return repository() or PACKAGE / "shipped"


def study_folders(data: Path) -> list[Path]:
    """Return the study folders in `data`, by name; files and other folders beside them are ignored."""
    return sorted(p.parent for p in data.glob("*/study.yaml"))


def digest_of_files(files: Iterable[Path], folder: Path) -> str:
    """Return a digest of files, their names included; one that cannot be read counts as such."""
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
        digest.update(f"{name.as_posix()}\0".encode())
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except IsADirectoryError:  # a link to a folder: the files are there, and which folder it is counts
            digest.update(str(path.readlink()).encode())
        except OSError:
            digest.update(b"unreadable")
    return digest.hexdigest()
