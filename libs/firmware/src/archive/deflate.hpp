/// Streaming deflate (RFC 1951).
///
/// Threading: an object belongs to one thread.
#pragma once

#include <sinew/base/bytes.hpp>
#include <sinew/base/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace sinew::firmware {

class Deflater {
public:
    enum class Last : std::uint8_t { no, yes };
    using Sink = std::function<Result<>(BytesView)>;

    /// `level` 1 (fast) .. 9 (small).
    explicit Deflater(int level);
    Deflater(Deflater const&) = delete;
    Deflater& operator=(Deflater const&) = delete;
    ~Deflater();
    /// Compresses `content` and passes on what is ready. With Last::yes it is the end of the data.
    [[nodiscard]] Result<> feed(BytesView content, Last last, Sink const& sink);

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace sinew::firmware
