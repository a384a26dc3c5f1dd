"""What makes a hole in a device's programs harder to use: read from the ELF files of an image, and asked of a device."""

import json
import pathlib
import re
import shutil
import subprocess
import zipfile

import pytest

from support.tool import Project

OURS = ["usr/sbin/init", "usr/bin/sinewd", "usr/bin/fwup", "usr/bin/sinew-sim", "srv/app/bin/blinky"]


def readelf(option: str, file: pathlib.Path) -> str:
    return subprocess.run(["readelf", option, "-W", file], capture_output=True, text=True, check=True).stdout


def unpack(firmware: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """The root file system in an archive."""
    packed, tree = folder / "rootfs.img", folder / "rootfs"
    with zipfile.ZipFile(firmware) as archive:
        squashed = [content for name in archive.namelist() if (content := archive.read(name))[:4] == b"hsqs"]
    assert len(squashed) == 1
    packed.write_bytes(squashed[0])
    subprocess.run(["unsquashfs", "-q", "-n", "-d", tree, packed], check=True, capture_output=True)
    packed.unlink()
    return tree


@pytest.fixture(scope="module")
def image(blinky, tmp_path_factory) -> pathlib.Path:
    return unpack(blinky.firmware("0.1.0"), tmp_path_factory.mktemp("image"))


def elf_files(image: pathlib.Path) -> list[pathlib.Path]:
    files = [file for file in image.rglob("*") if file.is_file() and not file.is_symlink()]
    found = [file for file in files if file.open("rb").read(4) == b"\x7fELF" and file.suffix != ".ko"]
    assert {str(file.relative_to(image)) for file in found} >= set(OURS)
    return found


def test_every_program_of_an_image_moves_and_keeps_its_tables_read_only(image):
    for file in elf_files(image):
        name = file.relative_to(image)
        segments = readelf("-l", file)
        assert "Elf file type is DYN" in segments, f"{name} is not position-independent"
        assert "GNU_RELRO" in segments, f"{name} has no read-only relocations"
        stack = re.search(r"GNU_STACK.*?(R\w*)\s+0x\w+$", segments, re.MULTILINE)
        assert stack and "E" not in stack[1], f"{name} has an executable stack"
        assert "(TEXTREL)" not in readelf("-d", file), f"{name} writes to its code"


@pytest.mark.parametrize("name", OURS)
def test_our_programs_bind_at_once_and_guard_their_stack(image, name):
    file = image / name
    dynamic = readelf("-d", file)
    assert re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic), "full RELRO needs every symbol at the start"
    if "(NEEDED)" in dynamic:  # PID 1 has these functions in itself, without their names.
        symbols = readelf("--dyn-syms", file)
        assert "__stack_chk_fail" in symbols
        assert re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", "")), "nothing is fortified"


@pytest.mark.parametrize("name", OURS)
def test_our_programs_do_not_tell_where_they_were_made(image, blinky, name):
    content = (image / name).read_bytes()
    for place in (blinky.project.folder, pathlib.Path(__file__).parents[2], pathlib.Path.home() / ".cache"):
        assert str(place).encode().lstrip(b"/") not in content, f"{name} holds a path of this machine"


def test_a_device_keeps_addresses_to_itself_and_believes_no_stranger(device):
    asked = [
        "kernel/kptr_restrict",
        "kernel/dmesg_restrict",
        *(f"net/ipv4/conf/{name}/rp_filter" for name in ("all", "default", "eth0")),
        *(f"net/ipv4/conf/{name}/accept_redirects" for name in ("all", "default", "eth0")),
    ]
    said = device.ssh(f"cd /proc/sys && cat {' '.join(asked)}").split()
    assert said == ["2", "1", "1", "1", "1", "0", "0", "0"]
    mounts = {
        line.split()[1]: line.split()[3].split(",") for line in device.ssh("cat /proc/mounts").splitlines()
    }
    assert {"nosuid", "nodev", "ro"} <= set(mounts["/"])
    assert {"nosuid", "nodev"} <= set(mounts["/data"])
    assert {"nosuid", "nodev", "noexec"} <= set(mounts["/run"])


def test_a_firmware_for_production_has_no_parts_and_no_keys_for_development(blinky, tmp_path):
    tool = blinky.tool
    shutil.copytree(blinky.project.folder, tmp_path / "blinky", ignore=shutil.ignore_patterns("build"))
    project = Project(tool, tmp_path / "blinky")
    output = tmp_path / "production.fw"
    refused = tool.try_run("firmware", "--production", "--output", str(output), folder=project.folder)
    assert refused.returncode == 1 and "isn't for production" in refused.stderr
    if "production" not in tool.run("key", "list"):
        tool.run("key", "generate", "production")
    public = (tool.home / "ssh" / "id_ed25519.pub").read_text().strip()
    project.edit("sinew.toml", r'^signing_key = ".*"$', 'signing_key = "production"')
    project.edit("sinew.toml", r"^authorized_keys = .*$", f"authorized_keys = [{json.dumps(public)}]")
    tool.run("firmware", "--production", "--output", str(output), folder=project.folder)
    rootfs = unpack(output, tmp_path)
    assert (rootfs / "usr/bin/sinewd").exists()
    for left_out in ("usr/bin/sinew-sim", "usr/bin/vi", "usr/sbin/i2cset"):
        assert not (rootfs / left_out).is_symlink() and not (rootfs / left_out).exists(), left_out
    assert not list(rootfs.rglob("uhid.ko"))
    assert "sinew-sim" not in (rootfs / "etc/sinew/device.toml").read_text()
