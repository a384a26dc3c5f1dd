"""blinky, the project of the tutorial, in the versions that the tests and the demonstration need.

0.1.0 has a bug: pressing the button crashes the LED's process. 0.2.0 has it mended and blinks faster. 0.3.0 names a
line that no chip has, so its application can't start.
"""

import dataclasses
import json
import pathlib

from support.tool import Project, Tool


def plant_bug(project: Project) -> None:
    """Gives the LED a handler that throws, and lets the button call it."""
    project.edit(
        "src/led.hpp", r"^    struct Toggle \{\};$", "    struct Toggle {};\n    struct SelfTest {};"
    )
    project.edit(
        "src/led.hpp",
        r"^    void handle_info\(Toggle toggle\);$",
        "    void handle_info(Toggle toggle);\n    void handle_info(SelfTest test);",
    )
    project.edit(
        "src/led.cpp",
        r"^bool Led::handle_call",
        "void Led::handle_info(SelfTest /*test*/) {\n"
        '    throw std::runtime_error("the self test was never written");\n'
        "}\n\n"
        "bool Led::handle_call",
    )
    project.edit("src/button.cpp", r'^#include "button.hpp"$', '#include "button.hpp"\n#include "led.hpp"')
    project.edit(
        "src/button.cpp",
        r"^(    m_presses \+= .*)$",
        "\\1\n    if (edge.value) {\n        sinew::send(sinew::name<Led>, Led::SelfTest{});\n    }",
    )


def mend_bug(project: Project) -> None:
    project.edit(
        "src/led.cpp", r'throw std::runtime_error\("the self test.*$', 'sinew::log::info("self test passed");'
    )


@dataclasses.dataclass
class Blinky:
    tool: Tool
    project: Project
    folder: pathlib.Path
    reports: dict[str, dict]

    @classmethod
    def create(cls, folder: pathlib.Path) -> None:
        """Makes the project, its keys and its three firmwares in `folder`."""
        tool = Tool(folder / "home")
        self = cls(tool, Project.create(tool, folder, "blinky"), folder, {})
        plant_bug(self.project)
        self.build("0.1.0")
        mend_bug(self.project)
        self.project.edit("config/config.toml", r'^interval = "500ms"$', 'interval = "200ms"')
        self.build("0.2.0")
        self.project.edit("config/target.toml", r"cp2112_gpio:0", "cp2112_gpio:99")
        self.build("0.3.0")
        self.project.edit("config/target.toml", r"cp2112_gpio:99", "cp2112_gpio:0")
        (folder / "reports.json").write_text(json.dumps(self.reports))

    @classmethod
    def load(cls, folder: pathlib.Path) -> "Blinky":
        """What create() has made in `folder`."""
        tool = Tool(folder / "home")
        return cls(
            tool, Project(tool, folder / "blinky"), folder, json.loads((folder / "reports.json").read_text())
        )

    def build(self, version: str) -> pathlib.Path:
        self.project.set_version(version)
        self.reports[version] = self.project.firmware(self.firmware(version))
        return self.firmware(version)

    def firmware(self, version: str) -> pathlib.Path:
        return self.folder / f"blinky-{version}.fw"
