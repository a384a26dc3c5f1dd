"""GPIO on a real kernel: libs/circuits and sinew-sim in a virtual machine, each the other's witness.

What is checked is in apps/sinew-sim/test/circuits_kernel_test.cpp.
"""

from pathlib import Path

import pytest
from support.small_guest import SmallGuest, built_program


@pytest.fixture(name="guest")
def guest_fixture(tmp_path: Path) -> SmallGuest:
    return SmallGuest(
        scratch=tmp_path, programs=[built_program("sinew-sim"), built_program("circuits_kernel_test")]
    )


def test_circuits_and_the_simulated_chip_agree_about_every_line(guest: SmallGuest) -> None:
    guest.modules = ["hid", "uhid", "hid-cp2112", "i2c-dev"]
    status, output = guest.run("GTEST_COLOR=no circuits_kernel_test /bin/sinew-sim", timeout_s=300)
    print(output)
    assert status == 0, output
    assert "[  PASSED  ] 16 tests." in output


def test_without_the_modules_each_program_says_what_to_load(guest: SmallGuest) -> None:
    _, output = guest.run("sinew-sim serve --socket /run/sinew-sim.sock", timeout_s=120)
    assert "run: modprobe uhid" in output


def test_without_the_driver_the_simulator_gives_up_with_a_remedy(guest: SmallGuest) -> None:
    guest.modules = ["hid", "uhid"]
    status, output = guest.run("sinew-sim serve --socket /run/sinew-sim.sock", timeout_s=120)
    assert status == 1
    assert "run: modprobe hid-cp2112" in output
