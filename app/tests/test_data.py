"""Training data: valid files, and errors with file, line and reason."""

import hashlib
import re
from pathlib import Path

import pytest

from training.data import MIN_ROWS, DataError, load

HEADER = "feature1,feature2,target\n"
ROWS = "".join(f"{n},{n * 2.5},{n * 10}\n" for n in range(MIN_ROWS))


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "training_data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROWS,
        "\ufeff" + HEADER + ROWS,
        (HEADER + ROWS).replace("\n", "\r\n"),
        HEADER + "\n" + ROWS + "\n\n",
        " feature1 , feature2,target\n" + ROWS,
        "target,id,feature2,feature1\n"
        + "".join(f"{n * 10},x{n},{n * 2.5},{n}\n" for n in range(MIN_ROWS)),
    ],
    ids=["plain", "byte order mark", "CRLF", "blank lines", "spaces", "other order and columns"],
)
def test_reads(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    data = load(path)
    assert data.features.tolist() == [[n, n * 2.5] for n in range(MIN_ROWS)]
    assert data.target.tolist() == [n * 10 for n in range(MIN_ROWS)]
    assert data.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column 'feature1' is missing; the header is []"),
        ("feature1,target\n" + ROWS, "column 'feature2' is missing"),
        ("feature1,feature2,feature2,target\n", "column 'feature2' appears more than once"),
        (HEADER, f"has 0 rows of data; at least {MIN_ROWS} are needed"),
        (HEADER + "1,2,3\n" * (MIN_ROWS - 1), f"has {MIN_ROWS - 1} rows of data"),
        (HEADER + ROWS + "1,2\n", f"line {MIN_ROWS + 2}: has 2 cells, the header has 3"),
        (HEADER + "1,2,3,4\n" + ROWS, "line 2: has 4 cells"),
        (HEADER + ROWS + "1,,3\n", "column 'feature2': '' is not a finite number"),
        (HEADER + "1,2,abc\n" + ROWS, "line 2, column 'target': 'abc' is not a finite number"),
        (HEADER + "nan,2,3\n" + ROWS, "column 'feature1': 'nan' is not a finite number"),
        (HEADER + "1,-inf,3\n" + ROWS, "column 'feature2': '-inf' is not a finite number"),
        (HEADER + "1e999,2,3\n" + ROWS, "column 'feature1': '1e999' is not a finite number"),
        (HEADER + "1_000,2,3\n" + ROWS, "column 'feature1': '1_000' is not a finite number"),
        (HEADER + "1,\uff12,3\n" + ROWS, "column 'feature2': '\uff12' is not a finite number"),
        (HEADER + "1,2,\u00a03\n" + ROWS, "column 'target': '\\xa03' is not a finite number"),
        (HEADER + '"' + "x" * 200_000, "is not a CSV file: field larger than field limit"),
        (b"\xff\xfe" + HEADER.encode("utf-16"), "is not UTF-8 text (byte 0)"),
    ],
)
def test_refuses(tmp_path: Path, text: str | bytes, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file or directory"):
        load(tmp_path / "training_data.csv")
