// The main() of a fuzz target where there is no fuzzer: hands it each file of its corpus, once.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: replay_NAME CORPUS\n", stderr);
        return 2;
    }
    try {
        int replayed = 0;
        for (auto const& entry : std::filesystem::directory_iterator(arguments[1])) {
            std::ifstream file(entry.path(), std::ios::binary);
            std::vector<char> const bytes{std::istreambuf_iterator<char>(file), {}};
            // Said first, for a crash.
            std::fprintf(stderr, "%s\n", entry.path().c_str());
            (void)LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size());
            ++replayed;
        }
        std::fprintf(stderr, "%d inputs\n", replayed);
        return replayed > 0 ? 0 : 1;
    } catch (std::exception const& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
