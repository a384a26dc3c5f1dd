"""Where the partitions of an image are."""

import json
import pathlib
import subprocess


def partitions(image: pathlib.Path) -> dict[str, tuple[int, int]]:
    """Where the partitions of an image are, in bytes, as sfdisk(8) reads it."""
    names = {1: "boot_a", 2: "boot_b", 5: "rootfs_a", 6: "rootfs_b", 7: "data"}
    table = json.loads(subprocess.run(["sfdisk", "--json", image], capture_output=True, check=True).stdout)
    found = {}
    for entry in table["partitiontable"]["partitions"]:
        number = int(entry["node"].removeprefix(str(image)))
        if number in names:
            found[names[number]] = (entry["start"] * 512, entry["size"] * 512)
    return found
