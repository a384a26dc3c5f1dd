#include "grub.hpp"

#include "support.hpp"

#include <sinew/base/command.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace sinew::firmware::test {

namespace {

/// Ends what GRUB says of a disk.
constexpr auto mark = "(end of disk)";

std::vector<std::string> words(std::string const& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

std::string with_disk(std::string command, std::size_t index) {
    for (auto at = command.find('@'); at != std::string::npos; at = command.find('@', at)) {
        command.replace(at, 1, "hd" + std::to_string(index));
    }
    return command;
}

/// A GRUB that QEMU's -kernel takes, with a script inside.
void make_grub(Workshop const& workshop, std::string const& script) {
    workshop.write("grub.cfg", script);
    auto command = words("grub-mkimage --format i386-pc --prefix / --config");
    command.insert(command.end(),
                   {workshop.text_path("grub.cfg"), "--output", workshop.text_path("core.img")});
    std::ranges::copy(
        words("biosdisk part_msdos part_gpt fat ls hashsum gcry_sha256 serial terminal echo halt"),
        std::back_inserter(command));
    tool(command);
    auto kernel = must(read_file("/usr/lib/grub/i386-pc/lnxboot.img"));
    auto const core = workshop.read("core.img");
    kernel.insert(kernel.end(), core.begin(), core.end());
    workshop.write("grub.lnx", kernel);
}

std::string run_qemu(Workshop const& workshop, std::vector<GrubDisk> const& disks) {
    auto command =
        words("qemu-system-x86_64 -nodefaults -display none -serial stdio -m 64 -no-reboot -kernel");
    command.push_back(workshop.text_path("grub.lnx"));
    for (std::size_t i = 0; i < disks.size(); ++i) {
        auto const name = "disk" + std::to_string(i);
        workshop.write(name, disks[i].content);
        command.insert(command.end(),
                       {"-drive", "format=raw,if=none,id=" + name + ",file=" + workshop.text_path(name),
                        "-device", "virtio-blk-pci,drive=" + name});
    }
    CommandOptions options;
    options.timeout = std::chrono::minutes(2);
    auto done = must(run_command(command, options));
    if (done.status != 0) {
        throw std::runtime_error("QEMU: " + done.error_output);
    }
    return done.output;
}

} // namespace

std::vector<std::string> ask_grub(std::vector<GrubDisk> const& disks) {
    std::string script = "serial --unit=0\nterminal_output serial\n";
    for (std::size_t i = 0; i < disks.size(); ++i) {
        for (auto const& command : disks[i].commands) {
            script += with_disk(command, i) + "\n";
        }
        script += std::string("echo \"") + mark + "\"\n";
    }
    Workshop const workshop;
    make_grub(workshop, script + "halt\n");
    auto output = run_qemu(workshop, disks);
    // Its terminal has 80 columns.
    std::ranges::replace_if(output, [](char c) { return c == '\r' || c == '\n'; }, ' ');
    std::vector<std::string> answers;
    for (auto end = output.find(mark); end != std::string::npos; end = output.find(mark)) {
        answers.push_back(output.substr(0, end));
        output.erase(0, end + std::string(mark).size());
    }
    if (answers.size() != disks.size()) {
        throw std::runtime_error("GRUB came to disk " + std::to_string(answers.size()) + " only: " + output);
    }
    return answers;
}

} // namespace sinew::firmware::test
