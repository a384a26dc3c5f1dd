"""GPIO on a real kernel: libs/circuits and sinew-sim in a virtual machine, each the other's witness.

What is checked is in apps/sinew-sim/test/circuits_kernel_test.cpp.
"""

import pytest
from support.programs import program
from support.small_guest import SmallGuest, Step

pytestmark = pytest.mark.xdist_group("gpio_guest")
SERVE = "sinew-sim serve --socket /run/sinew-sim.sock"


@pytest.fixture(scope="module", name="steps")
def steps_fixture(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Step]:
    """One machine, to which the modules come step by step."""
    guest = SmallGuest(
        scratch=tmp_path_factory.mktemp("gpio"),
        modules=["hid", "uhid", "hid-cp2112", "i2c-dev"],
        programs=[program("sinew-sim"), program("circuits_kernel_test")],
    )
    return guest.run(
        {
            "without_modules": SERVE,
            "without_driver": f"load hid uhid; {SERVE}",
            "complete": "load hid-cp2112 i2c-dev; GTEST_COLOR=no circuits_kernel_test /bin/sinew-sim",
        }
    )


def test_circuits_and_the_simulated_chip_agree_about_every_line(steps: dict[str, Step]) -> None:
    print(steps["complete"].output)
    assert steps["complete"].status == 0
    assert "[  PASSED  ] 16 tests." in steps["complete"].output


def test_without_the_modules_each_program_says_what_to_load(steps: dict[str, Step]) -> None:
    assert "run: modprobe uhid" in steps["without_modules"].output


def test_without_the_driver_the_simulator_gives_up_with_a_remedy(steps: dict[str, Step]) -> None:
    assert steps["without_driver"].status == 1
    assert "run: modprobe hid-cp2112" in steps["without_driver"].output
