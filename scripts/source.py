"""Where the export files are: a local folder or any fsspec URL, behind one small interface."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import click
import fsspec
from fsspec.implementations.local import LocalFileSystem

from scripts.errors import UsageProblem, plainly

# What object stores call the thing that changes with the content, best first.
_CHANGE_MARKS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated", "mtime")


@dataclass(frozen=True)
class Entry:
    """One file of the source.

    Attributes:
        path: relative to the source, with `/`, as text (bytes that are not UTF-8 are escaped).
        key: what `open` takes.
        size: bytes.
        modified: changes whenever the content may have changed; "" where the store cannot tell.
        problem: why it cannot be an export file at all.
    """

    path: str
    key: str
    size: int
    modified: str
    problem: str | None = None


class Source(Protocol):
    """A place with files. Picklable, so that worker processes can open what they are given."""

    @property
    def name(self) -> str:
        """Say where it is, without passwords."""

    def entries(self) -> Iterator[Entry]:
        """List all files, at any depth."""

    def open(self, key: str) -> BinaryIO:
        """Open one file as stored."""

    def local_path(self, key: str) -> str | None:
        """Path by which DuckDB can read the file itself, or None."""


def find_source(location: str, exclude: Path) -> Source:
    """Make a source of a folder or URL; files under the folder `exclude` are not part of it.

    Raises:
        UsageProblem: nothing there, or the protocol needs a package that is not installed.
    """
    if "://" not in location:
        return _local(Path(location), exclude)
    try:
        filesystem, root = fsspec.core.url_to_fs(location)
    except ImportError as error:
        raise UsageProblem(
            f"Cannot read {_without_password(location)}: {error}."
            " Install the package with pip, then try again."
        ) from None
    except Exception as error:  # each store has errors of its own
        raise UsageProblem(f"Cannot read {_without_password(location)}: {error}.") from None
    if isinstance(filesystem, LocalFileSystem):
        return _local(Path(root), exclude)
    return RemoteSource(_without_password(location), location, str(root))


def _local(folder: Path, exclude: Path) -> "LocalSource":
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        above = next(parent for parent in folder.absolute().parents if parent.exists())
        raise UsageProblem(
            f"The source folder {folder} does not exist: look into {above}, the last folder on its"
            " path that does."
        ) from None
    except OSError as error:
        raise UsageProblem(f"Cannot read the source {folder}: {plainly(error)}") from None
    if not is_folder:
        raise UsageProblem(f"The source {folder} is a file; give the folder it is in.")
    return LocalSource(str(folder.resolve()), str(exclude.resolve()))


@dataclass(frozen=True)
class LocalSource:
    """A folder. Walked by hand, for links that lead in circles and names that are not UTF-8."""

    name: str
    exclude: str

    def entries(self) -> Iterator[Entry]:
        """List all files, at any depth, in the order of their names."""
        seen = {os.path.realpath(self.name)}
        folders = [self.name]
        while folders:
            with _readable(folders.pop()) as listing:
                for item in sorted(listing, key=lambda item: item.name):
                    if _is_folder(item):
                        if self._enter(item, seen):
                            folders.append(item.path)
                    elif entry := self._entry(item):
                        yield entry

    def open(self, key: str) -> BinaryIO:
        """Open one file as stored."""
        return Path(key).open("rb")

    def local_path(self, key: str) -> str | None:
        """Path by which DuckDB can read the file itself; None where it is not UTF-8."""
        return key if _text(key) == key else None

    def _enter(self, item: os.DirEntry[str], seen: set[str]) -> bool:
        real = os.path.realpath(item.path)
        inside = Path(real).is_relative_to(os.path.realpath(self.name))
        if real == self.exclude or real in seen or (item.is_symlink() and inside):
            return False
        seen.add(real)
        return True

    def _entry(self, item: os.DirEntry[str]) -> Entry | None:
        path = _text(os.path.relpath(item.path, self.name).replace(os.sep, "/"))
        try:
            found = item.stat()
        except FileNotFoundError:
            if not item.is_symlink():
                return None  # removed since it was listed
            return Entry(path, item.path, 0, "", "a link that leads nowhere")
        except OSError as error:
            return Entry(path, item.path, 0, "", error.strerror)
        problem = None if stat.S_ISREG(found.st_mode) else "not a regular file"
        return Entry(path, item.path, *_version(found), problem)


@dataclass(frozen=True)
class RemoteSource:
    """A URL that fsspec understands: an object store, as a rule."""

    name: str
    url: str
    root: str

    def entries(self) -> Iterator[Entry]:
        """List all files, at any depth.

        Raises:
            UsageProblem: nothing there, or the store refuses.
        """
        try:
            filesystem = self._filesystem()
            found = filesystem.find(self.root, detail=True)
            if not found and not filesystem.exists(self.root):
                raise UsageProblem(f"{self.name} does not exist or is empty.")
        except UsageProblem:
            raise
        except Exception as error:  # each store has errors of its own
            raise UsageProblem(f"Cannot list {self.name}: {error}") from None
        for key, info in sorted(found.items()):
            path = key.removeprefix(self.root).strip("/")
            if path and info.get("type") != "directory":
                yield Entry(_text(path), key, int(info.get("size") or 0), _change_mark(info))

    def open(self, key: str) -> BinaryIO:
        """Open one file as stored."""
        return cast(BinaryIO, self._filesystem().open(key, "rb"))

    def local_path(self, key: str) -> None:
        """No path: it is not on this machine."""

    def _filesystem(self) -> Any:
        return fsspec.core.url_to_fs(self.url)[0]


def is_as_listed(path: str, size: int, modified: str) -> bool:
    """Whether a local file is still the version that was listed."""
    try:
        return _version(Path(path).stat()) == (size, modified)
    except OSError:
        return False


def _version(found: os.stat_result) -> tuple[int, str]:
    return found.st_size, str(found.st_mtime_ns)


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:  # a link to itself
        return False


def _readable(folder: str) -> Any:
    try:
        return os.scandir(folder)
    except OSError as error:
        raise UsageProblem(f"Cannot read the folder {_text(folder)}: {plainly(error)}") from None


def _text(path: str) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")


def _change_mark(info: dict[str, Any]) -> str:
    return next((str(info[mark]) for mark in _CHANGE_MARKS if info.get(mark)), "")


def _without_password(url: str) -> str:
    return re.sub("://[^/]*@", "://", url)


source_option = click.option(
    "--source",
    envvar="USERPILOT_SOURCE",
    help="Folder or URL (s3://, gs://, ...) with export files [env: USERPILOT_SOURCE].",
)
