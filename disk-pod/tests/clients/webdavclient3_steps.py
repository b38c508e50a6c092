"""webdavclient3, of Python: webdavclient3_steps.py URL NAME PASSWORD

With a fourth word, `hold`, it locks the file `held` at the URL, writes it under its lock, says `held`, and gives the
lock up when a line comes in."""

import io
import sys
from urllib.parse import urlsplit

from steps import LARGE, NAMES, run, same
from webdav3.client import Client
from webdav3.exceptions import WebDavException

url, name, password = sys.argv[1:4]
at = urlsplit(url)
options = {"webdav_hostname": f"{at.scheme}://{at.netloc}", "webdav_root": at.path}
if name:
    options |= {"webdav_login": name, "webdav_password": password}
client = Client(options)
# It shows its token with every request, also with the one by which it looks for the directory, of which that is not true.
holder = Client(options | {"webdav_disable_check": True})
HERE = "webdavclient3 한"


def read(path):
    content = io.BytesIO()
    client.download_from(content, path)
    return content.getvalue()


def put(path, content, by=client):
    by.upload_to(io.BytesIO(content), path)


if sys.argv[4:] == ["hold"]:
    with holder.lock("held", timeout=300) as locked:
        put("held", b"of the holder", locked)
        print("held", flush=True)
        sys.stdin.readline()
    print("given up", flush=True)
    sys.exit()


def directory():
    client.mkdir(HERE)
    client.mkdir(f"{HERE}/d")
    same(client.is_dir(f"{HERE}/d"), True)


def upload():
    for each in NAMES:
        put(f"{HERE}/{each}", each.encode())
    put(f"{HERE}/large", LARGE)


def listing():
    # What it lists first is the directory itself.
    found = {each["path"].rstrip("/").rsplit("/", 1)[-1] for each in client.list(HERE, get_info=True)}
    found -= {HERE}
    same(len(found), len(NAMES) + 2)
    same(client.info(f"{HERE}/large")["size"], str(len(LARGE)))
    for each in NAMES:
        same(client.check(f"{HERE}/{each}"), True)


def download():
    for each in NAMES:
        same(read(f"{HERE}/{each}").decode(), each)
    same(read(f"{HERE}/large"), LARGE)


def copy():
    client.copy(f"{HERE}/plain.txt", f"{HERE}/d/copy 한")
    same(read(f"{HERE}/d/copy 한"), b"plain.txt")


def move():
    client.move(f"{HERE}/d", f"{HERE}/f")
    same(client.check(f"{HERE}/d"), False)
    same(read(f"{HERE}/f/copy 한"), b"plain.txt")


def properties():
    at = f"{HERE}/large"
    client.set_property(at, {"namespace": "urn:x", "name": "colour", "value": "blue"})
    same(client.get_property(at, {"namespace": "urn:x", "name": "colour"}), "blue")


def lock():
    at = f"{HERE}/large"
    with holder.lock(at, timeout=60) as locked:
        try:
            put(at, b"without the token")
            raise AssertionError("the lock stops nobody")
        except WebDavException:
            pass
        put(at, b"with the token", locked)
    put(at, b"after it")
    same(read(at), b"after it")


def delete():
    client.clean(HERE)
    same(client.check(HERE), False)


run([
    ("directory", directory), ("upload", upload), ("list", listing), ("download", download), ("copy", copy),
    ("move", move), ("properties", properties), ("lock", lock), ("delete", delete),
])
