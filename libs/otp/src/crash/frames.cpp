#include "crash/frames.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unwind.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace sinew::crash {
namespace {

constexpr int most_frames = 40;

// A processor that isn't here reports its signal without a stack of its own: the walk begins in the handler.
#if defined(__x86_64__)
constexpr bool is_known_processor = true;
greg_t& instruction_of(ucontext_t& context) {
    return context.uc_mcontext.gregs[REG_RIP];
}
std::uintptr_t stack_of(ucontext_t const& context) {
    return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
}
/// As the call of a bad address left it: as if that had returned at once.
void leave_bad_call(ucontext_t& context) {
    auto& stack = context.uc_mcontext.gregs[REG_RSP];
    instruction_of(context) = *reinterpret_cast<greg_t const*>(stack);
    stack += static_cast<greg_t>(sizeof(greg_t));
}
#elif defined(__aarch64__)
constexpr bool is_known_processor = true;
auto& instruction_of(ucontext_t& context) {
    return context.uc_mcontext.pc;
}
std::uintptr_t stack_of(ucontext_t const& context) {
    return context.uc_mcontext.sp;
}
void leave_bad_call(ucontext_t& context) {
    context.uc_mcontext.pc = context.uc_mcontext.regs[30];
}
#elif defined(__arm__)
constexpr bool is_known_processor = true;
auto& instruction_of(ucontext_t& context) {
    return context.uc_mcontext.arm_pc;
}
std::uintptr_t stack_of(ucontext_t const& context) {
    return context.uc_mcontext.arm_sp;
}
void leave_bad_call(ucontext_t& context) {
    context.uc_mcontext.arm_pc = context.uc_mcontext.arm_lr;
}
#else
constexpr bool is_known_processor = false;
std::uintptr_t& instruction_of(ucontext_t& /*context*/) {
    static std::uintptr_t none = 0;
    return none;
}
std::uintptr_t stack_of(ucontext_t const& /*context*/) {
    return 0;
}
void leave_bad_call(ucontext_t& /*context*/) {}
#endif

struct Walk {
    FrameFunction function = nullptr;
    /// The interrupted instruction; frames before it are the handler's. 0: all are shown.
    std::uintptr_t from = 0;
    int shown = 0;
    bool has_begun = false;
};

_Unwind_Reason_Code see_frame(_Unwind_Context* context, void* data) {
    Walk& walk = *static_cast<Walk*>(data);
    int is_before_instruction = 0;
    auto const address = static_cast<std::uintptr_t>(_Unwind_GetIPInfo(context, &is_before_instruction));
    // The lowest bit tells Arm's processors the kind of code.
    bool const is_interrupted = ((address ^ walk.from) & ~std::uintptr_t{1}) == 0;
    walk.has_begun = walk.has_begun || walk.from == 0 || is_interrupted;
    if (address == 0 || walk.shown == most_frames) {
        return _URC_END_OF_STACK;
    }
    if (walk.has_begun) {
        ++walk.shown;
        // The address after a call may be the next function's.
        walk.function(is_before_instruction != 0 || is_interrupted ? address : address - 1);
    }
    return _URC_NO_REASON;
}

bool is_code(std::uintptr_t address) noexcept {
    dl_find_object found{};
    return _dl_find_object(reinterpret_cast<void*>(address), &found) == 0;
}

} // namespace

void prepare_to_walk() noexcept {
    Walk walk{.function = [](std::uintptr_t address) { (void)is_code(address); }};
    (void)_Unwind_Backtrace(&see_frame, &walk);
}

void walk_frames(ucontext_t* context, FrameFunction function) noexcept {
    Walk walk{.function = function};
    if (context == nullptr || !is_known_processor) {
        (void)_Unwind_Backtrace(&see_frame, &walk);
        return;
    }
    auto const failed = static_cast<std::uintptr_t>(instruction_of(*context));
    if (is_code(failed)) {
        walk.from = failed;
        (void)_Unwind_Backtrace(&see_frame, &walk);
    } else {
        // The unwinder would read the instruction that isn't there. The core file gets the context as it was.
        mcontext_t const before = context->uc_mcontext;
        function(failed);
        leave_bad_call(*context);
        walk.from = static_cast<std::uintptr_t>(instruction_of(*context));
        (void)_Unwind_Backtrace(&see_frame, &walk);
        context->uc_mcontext = before;
    }
    if (!walk.has_begun) {
        walk.from = 0;
        (void)_Unwind_Backtrace(&see_frame, &walk);
    }
}

std::uintptr_t stack_pointer_of(ucontext_t const& context) noexcept {
    return stack_of(context);
}

void add_place(Line& line, std::uintptr_t address, std::string_view program) noexcept {
    dl_find_object found{};
    if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0 || found.dlfo_link_map == nullptr) {
        line.add_hexadecimal(address);
        return;
    }
    link_map const& module = *found.dlfo_link_map;
    std::string_view name = module.l_name != nullptr ? module.l_name : "";
    name.remove_prefix(name.rfind('/') + 1);
    line.add(name.empty() ? program : name).add("+").add_hexadecimal(address - module.l_addr);
}

} // namespace sinew::crash
