"""webdav4, of Python: webdav4_steps.py URL NAME PASSWORD"""

import io
import sys

from steps import LARGE, NAMES, run, same
from webdav4.client import Client, ResourceAlreadyExists, ResourceNotFound

url, name, password = sys.argv[1:]
client = Client(url, auth=(name, password) if name else None)
HERE = "webdav4 한"


def read(path):
    content = io.BytesIO()
    client.download_fileobj(path, content)
    return content.getvalue()


def put(path, content, **more):
    client.upload_fileobj(io.BytesIO(content), path, **more)


def directory():
    client.mkdir(HERE)
    client.mkdir(f"{HERE}/d")
    # Not `isdir`: it asks for everything below a directory, which few servers tell.
    same([each["type"] for each in client.ls(HERE)], ["directory"])


def upload():
    for each in NAMES:
        put(f"{HERE}/{each}", each.encode(), size=len(each.encode()))
    put(f"{HERE}/large", LARGE)
    try:
        put(f"{HERE}/plain.txt", b"other", overwrite=False)
        raise AssertionError("it was replaced")
    except ResourceAlreadyExists:
        pass


def listing():
    found = {each["name"].rsplit("/", 1)[-1]: each for each in client.ls(HERE)}
    same(sorted(found), sorted([*NAMES, "large", "d"]))
    same(found["large"]["content_length"], len(LARGE))
    same(found["d"]["type"], "directory")
    if not found["large"]["modified"]:
        raise AssertionError("no time")


def download():
    for each in NAMES:
        same(read(f"{HERE}/{each}").decode(), each)
    same(read(f"{HERE}/large"), LARGE)
    with client.open(f"{HERE}/large", "rb") as file:
        file.seek(1_000_000)
        same(file.read(1000), LARGE[1_000_000:1_001_000])


def copy():
    client.copy(f"{HERE}/plain.txt", f"{HERE}/d/copy 한")
    client.copy(f"{HERE}/d", f"{HERE}/e")
    same(read(f"{HERE}/e/copy 한"), b"plain.txt")


def move():
    client.move(f"{HERE}/e", f"{HERE}/f")
    same(client.exists(f"{HERE}/e"), False)
    client.move(f"{HERE}/plain.txt", f"{HERE}/f/copy 한", overwrite=True)
    same(read(f"{HERE}/f/copy 한"), b"plain.txt")


def delete():
    client.remove(HERE)
    try:
        client.ls(HERE)
        raise AssertionError("it is listed")
    except ResourceNotFound:
        pass


run([
    ("directory", directory), ("upload", upload), ("list", listing), ("download", download), ("copy", copy),
    ("move", move), ("delete", delete),
])
