"""Runs a script of somebody else in this process, in a writable copy of its folder."""

import os
import shutil
import sys
import traceback
import types
from pathlib import Path

#: Larger files are linked, not copied: they are data, which a script reads.
_LARGE = 16 * 1024 * 1024


def copy_folder(folder: Path, copy: Path, data_dir: Path) -> None:
    """Makes a copy of a folder whose files can be changed, wherever the folder is read-only.

    Volumes and large files are linked.
    """
    for entry in folder.iterdir():
        own = copy / entry.name
        if entry.is_dir() and not _is_volume(entry, data_dir):
            own.mkdir()
            copy_folder(entry, own, data_dir)
        elif entry.is_file() and entry.stat().st_size <= _LARGE:
            shutil.copyfile(entry, own)
        else:
            own.symlink_to(entry.resolve())


def _is_volume(folder: Path, data_dir: Path) -> bool:
    return folder.is_mount() or folder.is_symlink() or folder.resolve() == data_dir.resolve()


def execute(script: Path, arguments: list[str]) -> tuple[int, dict[str, object]]:
    """Runs a script in its folder, as `python SCRIPT` does; returns its exit code and variables."""
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=str(script), __builtins__=__builtins__)
    sys.modules["__main__"] = module  # where pickles find its classes
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    os.chdir(script.parent)
    return _exit_code(script, module), vars(module)


def _exit_code(script: Path, module: types.ModuleType) -> int:
    try:
        exec(compile(script.read_bytes(), script, "exec"), module.__dict__)  # noqa: S102 (its purpose)
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return stop.code or 0
        print(stop.code, file=sys.stderr)
        return 1
    except BaseException as error:
        own = error.__traceback__  # the line of this module
        traceback.print_exception(error.with_traceback(own and own.tb_next))
        return 1
    return 0
