/// The ELF reader.
///
/// Invariant: every offset and length goes through View::at() or View::text().
#include "elf_file.hpp"

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>
#include <sinew/base/text.hpp>

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sinew::system {

namespace {

/// More than any real file has; keeps hostile ones cheap.
constexpr std::size_t header_limit = 4096;
constexpr std::size_t dynamic_limit = 65536;

std::unexpected<Error> corrupt(std::string_view what) {
    return failure(ErrorCode::corrupt, fmt::format("not a sound ELF file: {}", what));
}

/// A view with bounds-checked reads.
class View {
public:
    explicit View(BytesView bytes)
        : m_bytes(bytes) {}
    template<typename T>
    [[nodiscard]] std::optional<T> at(std::uint64_t offset) const {
        if (offset > m_bytes.size() || m_bytes.size() - offset < sizeof(T)) {
            return std::nullopt;
        }
        T value;
        std::memcpy(&value, m_bytes.data() + offset, sizeof(T));
        return value;
    }
    [[nodiscard]] std::optional<std::string_view> range(std::uint64_t offset, std::uint64_t length) const {
        if (offset > m_bytes.size() || m_bytes.size() - offset < length) {
            return std::nullopt;
        }
        return as_text(m_bytes.subspan(offset, length));
    }
    /// The text at `offset` up to its NUL.
    [[nodiscard]] std::optional<std::string_view> text(std::uint64_t offset) const {
        if (offset >= m_bytes.size()) {
            return std::nullopt;
        }
        auto const rest = as_text(m_bytes.subspan(offset));
        auto const end = rest.find('\0');
        return end == std::string_view::npos ? std::nullopt : std::optional(rest.substr(0, end));
    }

private:
    BytesView m_bytes;
};

struct Bits32 {
    using Header = Elf32_Ehdr;
    using Segment = Elf32_Phdr;
    using Section = Elf32_Shdr;
    using Dynamic = Elf32_Dyn;
};
struct Bits64 {
    using Header = Elf64_Ehdr;
    using Segment = Elf64_Phdr;
    using Section = Elf64_Shdr;
    using Dynamic = Elf64_Dyn;
};

/// Core dumps and what else there may be count as "other".
ElfType type_of(std::uint16_t type) {
    return type >= ET_REL && type <= ET_DYN ? static_cast<ElfType>(type) : ElfType::other;
}

template<typename Bits>
class Reader {
public:
    explicit Reader(BytesView bytes)
        : m_view(bytes) {}

    Result<ElfFile> read(ElfClass elf_class) {
        auto const header = m_view.at<typename Bits::Header>(0);
        if (!header) {
            return corrupt("it ends within its header");
        }
        ElfFile file{.elf_class = elf_class, .type = type_of(header->e_type), .machine = header->e_machine};
        TRY_OK(read_segments(*header));
        for (auto const& segment : m_segments) {
            if (segment.p_type == PT_INTERP) {
                auto const text = m_view.text(segment.p_offset);
                if (!text || text->size() >= segment.p_filesz) {
                    return corrupt("its interpreter's name is not in it");
                }
                file.interpreter = *text;
            } else if (segment.p_type == PT_DYNAMIC) {
                TRY_OK(read_dynamic(segment.p_offset, segment.p_filesz, file));
            }
        }
        return file;
    }

    /// The bytes of section `name`; empty if there is none.
    Result<std::string_view> section(std::string_view name) {
        auto const header = m_view.at<typename Bits::Header>(0);
        if (!header) {
            return corrupt("it ends within its header");
        }
        if (header->e_shnum > header_limit) {
            return corrupt("it claims too many sections");
        }
        auto const names = read_section(*header, header->e_shstrndx);
        if (!names) {
            return corrupt("its section names are not in it");
        }
        for (std::uint16_t i = 0; i < header->e_shnum; ++i) {
            auto const each = read_section(*header, i);
            if (!each) {
                return corrupt("its section table ends early");
            }
            auto const each_name = m_view.text(std::uint64_t{names->sh_offset} + each->sh_name);
            if (each_name == name) {
                auto const content = m_view.range(each->sh_offset, each->sh_size);
                return content ? Result<std::string_view>(*content) : corrupt("a section is not in it");
            }
        }
        return std::string_view();
    }

private:
    std::optional<typename Bits::Section> read_section(typename Bits::Header const& header,
                                                       std::uint16_t index) {
        auto const offset = std::uint64_t{index} * sizeof(typename Bits::Section);
        if (header.e_shentsize != sizeof(typename Bits::Section) || header.e_shoff > UINT64_MAX - offset) {
            return std::nullopt;
        }
        return m_view.at<typename Bits::Section>(header.e_shoff + offset);
    }

    Result<> read_segments(typename Bits::Header const& header) {
        if (header.e_phnum == 0) {
            return {};
        }
        if (header.e_phnum > header_limit || header.e_phentsize != sizeof(typename Bits::Segment)) {
            return corrupt("its program header is malformed");
        }
        for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
            auto const step = i * sizeof(typename Bits::Segment);
            if (header.e_phoff > UINT64_MAX - step) {
                return corrupt("its program header is not in it");
            }
            auto const segment = m_view.at<typename Bits::Segment>(header.e_phoff + step);
            if (!segment) {
                return corrupt("its program header is not in it");
            }
            m_segments.push_back(*segment);
        }
        return {};
    }

    /// Where in the file a virtual address lies.
    [[nodiscard]] std::optional<std::uint64_t> file_offset(std::uint64_t address) const {
        for (auto const& segment : m_segments) {
            if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
                address - segment.p_vaddr < segment.p_filesz && segment.p_offset <= UINT64_MAX / 2) {
                return std::uint64_t{segment.p_offset} + (address - segment.p_vaddr);
            }
        }
        return std::nullopt;
    }

    Result<> read_dynamic(std::uint64_t offset, std::uint64_t length, ElfFile& file) {
        std::vector<std::uint64_t> needed;
        std::optional<std::uint64_t> strings;
        std::optional<std::uint64_t> run_path;
        std::optional<std::uint64_t> old_run_path;
        auto const count = std::min<std::uint64_t>(length / sizeof(typename Bits::Dynamic), dynamic_limit);
        if (offset > UINT64_MAX / 2) {
            return corrupt("its dynamic section is not in it");
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            auto const entry = m_view.at<typename Bits::Dynamic>(offset + i * sizeof(typename Bits::Dynamic));
            if (!entry) {
                return corrupt("its dynamic section is not in it");
            }
            if (entry->d_tag == DT_NULL) {
                break;
            }
            std::uint64_t const value = entry->d_un.d_val;
            switch (entry->d_tag) {
            case DT_NEEDED:
                needed.push_back(value);
                break;
            case DT_STRTAB:
                strings = file_offset(value);
                break;
            case DT_RUNPATH:
                run_path = value;
                break;
            case DT_RPATH:
                old_run_path = value;
                break;
            default:
                break;
            }
        }
        if (!run_path) {
            run_path = old_run_path;
        }
        if ((!needed.empty() || run_path) && !strings) {
            return corrupt("its dynamic strings are not in it");
        }
        return read_names(needed, run_path, strings.value_or(0), file);
    }

    Result<> read_names(std::vector<std::uint64_t> const& needed, std::optional<std::uint64_t> run_path,
                        std::uint64_t strings, ElfFile& file) {
        auto const text_at = [&](std::uint64_t offset) {
            return offset > UINT32_MAX ? std::nullopt : m_view.text(strings + offset);
        };
        for (auto const offset : needed) {
            auto const name = text_at(offset);
            if (!name || name->empty() || name->size() > 255) {
                return corrupt("the name of a needed library is not in it");
            }
            file.needed.emplace_back(*name);
        }
        if (run_path) {
            auto const text = text_at(*run_path);
            if (!text || text->size() > 65536) {
                return corrupt("its library path is not in it");
            }
            auto const folders = split_nonempty(*text, ':');
            file.run_path.assign(folders.begin(), folders.end());
        }
        return {};
    }

    View m_view;
    std::vector<typename Bits::Segment> m_segments;
};

struct MachineName {
    std::uint16_t machine;
    std::string_view name;
};
constexpr std::array<MachineName, 5> machine_names = {{{EM_X86_64, "x86_64"},
                                                       {EM_386, "i686"},
                                                       {EM_AARCH64, "aarch64"},
                                                       {EM_ARM, "arm"},
                                                       {EM_RISCV, "riscv64"}}};

Result<ElfClass> check_identification(BytesView bytes) {
    if (!is_elf(bytes) || bytes.size() < EI_NIDENT) {
        return corrupt("it doesn't begin like one");
    }
    if (std::to_integer<int>(bytes[EI_DATA]) != ELFDATA2LSB) {
        return failure(ErrorCode::unsupported, "a big-endian ELF file, which no target of Sinew runs");
    }
    auto const elf_class = std::to_integer<int>(bytes[EI_CLASS]);
    if (elf_class != ELFCLASS32 && elf_class != ELFCLASS64) {
        return failure(ErrorCode::unsupported, "an ELF file of neither 32 nor 64 bits");
    }
    return elf_class == ELFCLASS32 ? ElfClass::bits32 : ElfClass::bits64;
}

} // namespace

bool is_elf(BytesView bytes) noexcept {
    return as_text(bytes).starts_with(std::string_view(ELFMAG, SELFMAG));
}

Result<ElfFile> parse_elf(BytesView bytes) {
    TRY(auto const elf_class, check_identification(bytes));
    return elf_class == ElfClass::bits32 ? Reader<Bits32>(bytes).read(elf_class)
                                         : Reader<Bits64>(bytes).read(elf_class);
}

Result<std::vector<std::pair<std::string, std::string>>> parse_module_notes(BytesView bytes) {
    TRY(auto const elf_class, check_identification(bytes));
    auto const section = elf_class == ElfClass::bits32 ? Reader<Bits32>(bytes).section(".modinfo")
                                                       : Reader<Bits64>(bytes).section(".modinfo");
    if (!section) {
        return corrupt("its module notes are not in it");
    }
    std::vector<std::pair<std::string, std::string>> notes;
    for (auto const& note : split_nonempty(*section, '\0')) {
        auto const equals = note.find('=');
        if (equals != std::string::npos) {
            notes.emplace_back(note.substr(0, equals), note.substr(equals + 1));
        }
    }
    return notes;
}

std::string machine_name(std::uint16_t machine) {
    auto const found = std::ranges::find(machine_names, machine, &MachineName::machine);
    return found == machine_names.end() ? fmt::format("machine {}", machine) : std::string(found->name);
}

std::uint16_t machine_of_triplet(std::string_view gnu_triplet) {
    auto const name = gnu_triplet.substr(0, gnu_triplet.find('-'));
    auto const found = std::ranges::find(machine_names, name, &MachineName::name);
    return found == machine_names.end() ? std::uint16_t{0} : found->machine;
}

} // namespace sinew::system
