/// From words to values.
#include "functions/arguments.hpp"

#include "disk/sector_cipher.hpp"
#include "script/number.hpp"

#include <sinew/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace sinew::firmware {

namespace {

std::uint64_t number(Words words, std::size_t index) {
    return parse_number(words[index]).value_or(0);
}

} // namespace

template<>
Result<Arguments> read_arguments<RawWrite>(Words words) {
    RawWrite call{number(words, 1), {}};
    if (words.size() > 2) {
        TRY(call.cipher, SectorCipher::create(words.subspan(2)));
    }
    return call;
}

template<>
Result<Arguments> read_arguments<Fill>(Words words) {
    return Fill{number(words, 1), number(words, 2), static_cast<std::uint8_t>(number(words, 3))};
}

template<>
Result<Arguments> read_arguments<BlockRange>(Words words) {
    return BlockRange{number(words, 1), number(words, 2)};
}

template<>
Result<Arguments> read_arguments<FatEdit>(Words words) {
    FatEdit edit{number(words, 1), words[2], {}, {}};
    if (words.size() > 3) {
        edit.target = words.back();
    }
    if (words.size() > 4) {
        edit.target_block = number(words, 3);
    }
    return edit;
}

template<>
Result<Arguments> read_arguments<EnvironmentEdit>(Words words) {
    EnvironmentEdit edit{words[1], {}, {}};
    if (words.size() > 2) {
        edit.name = words[2];
    }
    if (words.size() > 3) {
        edit.value = words[3];
    }
    return edit;
}

template<>
Result<Arguments> read_arguments<Text>(Words words) {
    return Text{words[1]};
}

} // namespace sinew::firmware
