/// Any bytes as a key file.
#include <sinew/base/bytes.hpp>
#include <sinew/firmware/keys.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sinew;
    using namespace sinew::firmware;
    auto const bytes = std::as_bytes(std::span(data, size));
    auto const public_key = PublicKey::parse(bytes);
    if (public_key && PublicKey::parse(as_bytes(public_key->base64())) != *public_key) {
        std::abort();
    }
    auto const private_key = PrivateKey::parse(bytes);
    if (private_key && !private_key->public_key().verifies(private_key->sign(bytes), bytes)) {
        std::abort();
    }
    return 0;
}
