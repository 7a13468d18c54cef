"""Fetches files over HTTP or from S3, and checks their SHA-256: `python -m training.fetch`.

The environment variable SOURCES is a list in JSON: `url`, `path` (where the file is written),
`sha256`, and optionally `credentials` (a folder with a file for each value), `endpoint` and
`region`. A file that is there already with its hash is kept. A file that was cut off goes on.
"""

import json
import os
import sys
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from training.partial import CHUNK, IncompleteError, PartialFile, sha256_of

#: Seconds without a byte after which a server has failed.
TIMEOUT = 60
#: Seconds for which the URL of a file in S3 is valid: the longest that S3 allows.
VALID = 7 * 24 * 3600


class FetchError(Exception):
    """A file cannot be fetched; the message says which, and why."""


@dataclass(frozen=True)
class Source:
    """One entry of SOURCES."""

    url: str
    path: str
    sha256: str
    credentials: str | None = None
    endpoint: str | None = None
    region: str | None = None

    def credential(self, name: str) -> str | None:
        """A value of its Secret, if there is one."""
        file = Path(self.credentials or "") / name
        return file.read_text().strip() if self.credentials and file.exists() else None


def fetch(source: Source) -> bool:
    """Fetches a file unless it is there; returns whether it was fetched."""
    path = Path(source.path)
    if path.is_file() and sha256_of(path) == source.sha256:
        return False
    with PartialFile(path) as part:
        if part.sha256 != source.sha256:
            _download(source, part)
        part.finish(source.sha256)
    return True


def _download(source: Source, part: PartialFile) -> None:
    """Appends what is missing; from the start if the server cannot continue."""
    response = _request(source, part.size)
    if part.size > 0 and response.status_code != HTTPStatus.PARTIAL_CONTENT:
        part.restart()
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            response.close()
            response = _request(source, 0)
    with response:
        if not response.ok:
            raise FetchError(f"{source.url}: status {response.status_code} {response.reason}")
        # As it was sent: a file with the encoding gzip stays compressed.
        for chunk in response.raw.stream(CHUNK, decode_content=False):
            part.write(chunk)


def _request(source: Source, offset: int) -> requests.Response:
    url, headers = _address(source)
    if offset > 0:
        headers["Range"] = f"bytes={offset}-"
    return requests.get(
        url, headers={"Accept-Encoding": "identity", **headers}, stream=True, timeout=TIMEOUT
    )


def _address(source: Source) -> tuple[str, dict[str, str]]:
    """The URL over HTTP and the headers with which it is requested."""
    if source.url.startswith("s3:"):
        return _presigned(source), {}
    authorization = source.credential("authorization")
    # requests removes this header if it is redirected to another host.
    return source.url, {"Authorization": authorization} if authorization else {}


def _presigned(source: Source) -> str:
    """A URL of a file in S3 with a signature, or without one if there are no credentials."""
    # Loaded late, as it takes a second.
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    bucket, key = urlsplit(source.url).netloc, urlsplit(source.url).path.removeprefix("/")
    user = source.credential("AWS_ACCESS_KEY_ID")
    # Few servers other than AWS have a host name for each bucket; certificates do not match dots.
    style = "path" if source.endpoint or "." in bucket else "virtual"
    client = boto3.client(
        "s3",
        endpoint_url=source.endpoint,
        region_name=source.region or "us-east-1",
        aws_access_key_id=user,
        aws_secret_access_key=source.credential("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=source.credential("AWS_SESSION_TOKEN"),
        config=Config(
            signature_version="s3v4" if user else UNSIGNED, s3={"addressing_style": style}
        ),
    )
    url: str = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, VALID)
    return url


def _without_signature(message: str) -> str:
    """A message without the query of a URL, which may be a signature."""
    return " ".join(word.partition("?")[0] for word in message.split())


def main() -> int:
    """Command line entry; returns 0, or 1 after one line with the reason."""
    for entry in json.loads(os.environ["SOURCES"]):
        source = Source(**entry)
        try:
            state = "fetched" if fetch(source) else "exists, not changed"
        except (FetchError, IncompleteError) as error:
            return _failed(str(error))
        except (RequestException, HTTPError) as error:
            return _failed(f"{source.url}: {error}")
        except OSError as error:
            return _failed(f"{error.filename or source.path}: {error.strerror}")
        print(f"data: {source.path}: {state}, sha256 {source.sha256}")
    return 0


def _failed(reason: str) -> int:
    print(f"data: failed: {_without_signature(reason)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
