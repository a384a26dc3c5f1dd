"""Updates of a running device: the good one, the one that can't start, and everything that must be refused."""

import hashlib
import json
import pathlib
import subprocess
import zipfile

import pytest

from support.device import Device
from support.partitions import partitions
from support.tool import TOOL, Tool
from support.waiting import PATIENCE_S

# One worker builds in the shared project at a time.
changes_the_project = pytest.mark.xdist_group("blinky")


def digest(image: pathlib.Path, name: str) -> str:
    start, size = partitions(image)[name]
    with image.open("rb") as file:
        file.seek(start)
        return hashlib.sha256(file.read(size)).hexdigest()


def slot_digests(image: pathlib.Path, slot: str) -> tuple[str, str]:
    return digest(image, f"boot_{slot}"), digest(image, f"rootfs_{slot}")


def upload(blinky, device: Device, firmware: pathlib.Path):
    """`sinew upload`, whatever its status."""
    return blinky.tool.try_run(
        "upload",
        "localhost",
        "--port",
        str(device.port),
        "--firmware",
        str(firmware),
        folder=blinky.project.folder,
    )


def install(blinky, device: Device, version: str) -> dict:
    """Uploads a firmware that works; returns the status once it is validated."""
    done = upload(blinky, device, blinky.firmware(version))
    assert done.returncode == 0, done.stdout + done.stderr
    assert version in done.stdout
    return device.wait_until_running()


def test_an_update_goes_to_the_other_slot_and_is_validated(blinky, device):
    before = slot_digests(device.image, "a")
    status = install(blinky, device, "0.2.0")
    assert (status["version"], status["slot"], status["validated"]) == ("0.2.0", "b", True)
    assert status["uuid"] == blinky.reports["0.2.0"]["uuid"]
    assert device.ssh("cat /data/witness") == "kept\n"
    assert slot_digests(device.image, "a") == before, "the slot that ran was touched"


@pytest.mark.all
def test_a_validated_update_stays_and_the_next_one_goes_back_to_the_first_slot(blinky, device):
    install(blinky, device, "0.2.0")
    assert device.reboot()["version"] == "0.2.0", "a validated slot stays"
    status = install(blinky, device, "0.1.0")
    assert (status["version"], status["slot"]) == ("0.1.0", "a")


def go_back_from_a_bad_update(blinky, device: Device) -> None:
    done = upload(blinky, device, blinky.firmware("0.3.0"))
    assert done.returncode != 0
    assert "0.1.0" in done.stderr, done.stdout + done.stderr
    status = device.wait_until_running()
    assert (status["version"], status["slot"], status["rolled_back"]) == ("0.1.0", "a", True)
    assert device.ssh("cat /data/witness") == "kept\n"


def test_an_update_that_cannot_start_brings_the_old_slot_back(blinky, device):
    go_back_from_a_bad_update(blinky, device)


@pytest.mark.all
def test_a_good_update_works_after_a_bad_one(blinky, device):
    go_back_from_a_bad_update(blinky, device)
    assert install(blinky, device, "0.2.0")["version"] == "0.2.0"


@pytest.mark.all
@changes_the_project
def test_an_update_that_is_never_validated_falls_back_at_the_deadline(blinky, device):
    """The application starts, but its node hangs before it says that it is ready."""
    project = blinky.project
    project.edit("src/main.cpp", r"^(        auto board = )", "        for (;;) {}\n\\1")
    project.edit("sinew.toml", r"^# \[init\]$", '[device.startup_guard]\ndeadline = "20s"\n# [init]')
    hanging = blinky.build("0.4.0")
    project.edit("src/main.cpp", r"^        for \(;;\) \{\}\n", "")
    done = upload(blinky, device, hanging)
    assert done.returncode != 0
    status = device.wait_until_running()
    assert (status["version"], status["rolled_back"]) == ("0.1.0", True)


@pytest.mark.all
def test_a_platform_that_hangs_is_ended_by_the_watchdog(device):
    before = device.status()
    device.try_ssh("kill -STOP $(pidof sinewd)")
    status = device.wait_for_next_boot(before["boot_id"])
    assert status["version"] == before["version"]
    assert status["boot_reason"] == "watchdog_or_reset"


def damaged(firmware: pathlib.Path, folder: pathlib.Path, how: str) -> pathlib.Path:
    content = bytearray(firmware.read_bytes())
    if how == "truncated":
        content = content[: len(content) * 2 // 3]
    elif how == "flipped byte":
        content[len(content) // 2] ^= 0x10
    elif how == "flipped byte in meta.conf":
        with zipfile.ZipFile(firmware) as archive:
            entry = archive.getinfo("meta.conf")
        content[entry.header_offset + 30 + len("meta.conf") + 40] ^= 0x10
    elif how == "not an archive":
        content = bytearray(b"this is no firmware\n" * 5000)
    elif how == "empty":
        content = bytearray()
    path = folder / "damaged.fw"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "how",
    [
        "truncated",
        *(
            pytest.param(how, marks=pytest.mark.all)
            for how in ("flipped byte", "flipped byte in meta.conf", "not an archive", "empty")
        ),
    ],
)
def test_a_damaged_archive_is_refused_with_a_sentence(blinky, device, tmp_path, how):
    """Straight into the device's sinew-update, because `sinew upload` would already refuse it."""
    before = slot_digests(device.image, "a")
    with damaged(blinky.firmware("0.2.0"), tmp_path, how).open("rb") as file:
        done = device.try_ssh("sinew-update", stdin=file)
    assert done is not None and done.returncode != 0
    said = (done.stdout + done.stderr).strip().splitlines()[-1]
    assert len(said) > 20, said
    status = device.reboot()
    assert (status["version"], status["slot"]) == ("0.1.0", "a")
    assert slot_digests(device.image, "a") == before
    assert device.ssh("cat /data/witness") == "kept\n"
    done = upload(blinky, device, damaged(blinky.firmware("0.2.0"), tmp_path, how))
    assert done.returncode != 0 and done.stderr.startswith("error: "), done.stderr


def refused_by_device(device: Device, firmware: pathlib.Path) -> str:
    """What sinew-update says when it refuses; fails when it doesn't."""
    before = slot_digests(device.image, "a"), slot_digests(device.image, "b")
    with firmware.open("rb") as file:
        done = device.try_ssh("sinew-update", stdin=file)
    assert done is not None and done.returncode != 0
    device.ssh("sync")
    assert (
        slot_digests(device.image, "a"),
        slot_digests(device.image, "b"),
    ) == before, "something was written"
    return (done.stdout + done.stderr).strip()


def rewritten(blinky, tmp_path: pathlib.Path, change, signer: Tool) -> pathlib.Path:
    """blinky 0.2.0 with meta.conf changed by `change` and signed anew with the signer's key."""
    source, target = blinky.firmware("0.2.0"), tmp_path / "rewritten.fw"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "meta.conf.ed25519":
                continue
            new.writestr(entry.filename, change(content) if entry.filename == "meta.conf" else content)
    key = signer.home / "keys" / "development.priv"
    signed = tmp_path / "signed.fw"
    signer.run("fw", "sign", str(target), "--key", str(key), "--output", str(signed))
    return signed


def test_a_foreign_signature_is_refused_before_anything_is_written(blinky, device, tmp_path):
    stranger = Tool(tmp_path / "stranger")
    stranger.run("key", "generate", "development")
    foreign = rewritten(blinky, tmp_path, lambda meta: meta, stranger)
    assert "sign" in refused_by_device(device, foreign)


def test_another_platform_is_refused_before_anything_is_written(blinky, device, tmp_path):
    other = rewritten(
        blinky,
        tmp_path,
        lambda meta: meta.replace(b"meta-platform=x86_64", b"meta-platform=rpi9"),
        blinky.tool,
    )
    said = refused_by_device(device, other)
    assert "rpi9" in said and "x86_64" in said


@pytest.mark.all
@changes_the_project
def test_what_is_larger_than_its_slot_is_refused_before_anything_is_written(blinky, device, tmp_path):
    big = blinky.project.folder / "rootfs_overlay" / "srv"
    big.mkdir(parents=True)
    with (big / "big").open("wb") as file, open("/dev/urandom", "rb") as noise:
        file.write(noise.read(70 << 20))
    done = blinky.tool.try_run("firmware", "--output", str(tmp_path / "big.fw"), folder=blinky.project.folder)
    (big / "big").unlink()
    big.rmdir()
    assert done.returncode != 0
    assert "its slot has 65536 KiB" in done.stderr, done.stderr


@pytest.mark.all
def test_two_updates_at_once_do_not_mix(blinky, device):
    with blinky.firmware("0.2.0").open("rb") as file:
        first = subprocess.Popen(
            [*device.ssh_arguments(), "sinew-update"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        first.stdin.write(file.read(1 << 20))
        first.stdin.flush()
        device.ssh("until pidof fwup >/dev/null; do sleep 0.1; done")
        with blinky.firmware("0.2.0").open("rb") as again:
            second = device.try_ssh("sinew-update", stdin=again)
        assert second is not None and second.returncode != 0
        assert "another update" in second.stdout + second.stderr
        first.stdin.write(file.read())
        first.stdin.close()
    assert first.wait(timeout=PATIENCE_S) == 0, first.stdout.read() + first.stderr.read()
    assert device.wait_for("0.2.0", lambda s: s["version"] == "0.2.0" and s["validated"])["slot"] == "b"


@changes_the_project
def test_two_builds_at_once_wait_for_each_other(blinky, tmp_path):
    def build(name: str) -> subprocess.Popen:
        return subprocess.Popen(
            [str(TOOL), "firmware", "--output", str(tmp_path / name), "--json"],
            cwd=blinky.project.folder,
            env=blinky.tool.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )

    uuids = []
    for builder in [build("one.fw"), build("two.fw")]:
        said, _ = builder.communicate(timeout=PATIENCE_S)
        assert builder.returncode == 0, said
        uuids.append(json.loads(said)["uuid"])
    for name, uuid in zip(("one.fw", "two.fw"), uuids):
        assert uuid in blinky.tool.run("fw", "metadata", str(tmp_path / name))
